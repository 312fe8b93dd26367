"""The line that says why a plate is as it is can be read by somebody who knows no policies."""

from __future__ import annotations

from typing import Any

import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.plates.policy_words import spelled, trust_in_words
from ombo_agents.registry import names
from tests.campaigns.test_campaign import SPACES, rows_of


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("doe_then_ucb:last_weight=1", "upper confidence bounds (doe_then_ucb, last_weight=1)"),
        ("thompson", "Thompson sampling (thompson)"),
        ("ucb:weight=1,climb=false", "upper confidence bounds (ucb, weight=1, climb=false)"),
        ("runs/mine", "runs/mine"),
        ("mine:a=1", "mine, a=1"),
    ],
)
def test_policies_are_spelled(policy: str, words: str) -> None:
    assert spelled(policy) == words


def test_every_spelled_policy_exists() -> None:
    from ombo_agents.campaigns.plates.policy_words import _WORDS

    assert set(_WORDS) <= set(names())


@pytest.mark.parametrize(
    ("correlation", "word"),
    [(-0.5, "poor"), (0.19, "poor"), (0.2, "fair"), (0.7, "fair"), (0.71, "good"), (1.0, "good")],
)
def test_trust_is_a_word_beside_the_correlation(correlation: float, word: str) -> None:
    words = trust_in_words(correlation)
    assert words.startswith(f"predictions are {word}") and f"predict: {correlation:.2f}" in words


@pytest.mark.parametrize(
    ("rows", "options", "starts"),
    [
        (12, {}, "upper confidence bounds (doe_then_ucb, last_weight=1): the wells say enough"),
        (12, {"origin": "percentile:50"}, "a designed plate (doe_then_ucb, last_weight=1): the"),
        (3, {}, "a designed plate (doe_then_ucb, last_weight=1): 3 wells say too little"),
    ],
)
def test_auto_says_what_it_does_before_its_name(
    rows: int, options: dict[str, Any], starts: str
) -> None:
    space = SPACES["levels"]
    reason = (
        Campaign.from_csv(rows_of(space, rows), space, target="y", **options).suggest([4, 4]).reason
    )
    assert reason.startswith(starts)
    assert ("2 plates to come" in reason and "predictions are " in reason) or rows == 3


def test_a_policy_that_was_asked_for_is_spelled_too() -> None:
    space = SPACES["levels"]
    plate = Campaign.from_csv(rows_of(space, 12), space, target="y").suggest([4], policy="ucb")
    assert plate.reason.startswith("upper confidence bounds (ucb): as asked for; predictions are ")
