"""ML-screens-v0: shapes of every kind, and which of them share functions."""

from __future__ import annotations

from typing import Any

import pytest

from ombo_gym.registration import make_problem
from ombo_gym.tasks import TaskDistribution, overlap

SCREENS = "Ombo/Screens-v0"


def spaces(split: str) -> list[tuple[Any, dict[str, Any]]]:
    found = {}
    for task in TaskDistribution.named(f"ML-screens-v0:{split}"):
        kwargs = dict(task.env_kwargs)
        own = {key: value for key, value in kwargs.items() if key != "noise_std"}
        found[repr(kwargs)] = make_problem("Screens", **own).design_space, kwargs
    return list(found.values())


def test_shapes_of_every_kind_are_trained_on() -> None:
    train = spaces("train")
    assert len(train) >= 20
    kinds = [space.kind for space, _ in train]
    assert {"box", "categorical", "mixed", "pool", "category_pool"} <= set(kinds)
    boxes = [space.dim for space, _ in train if space.kind == "box"]
    assert min(boxes) == 1 and max(boxes) == 20
    lists = [space.categories.tolist() for space, _ in train if space.kind == "categorical"]
    assert [4] * 8 in lists and any(20 in each and len(each) == 3 for each in lists)
    assert any(space.ordered for space, _ in train if space.kind == "categorical")
    largest = {kwargs.get("max_noise", 0) for _, kwargs in train}
    assert {0, 1.0} <= largest


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_the_largest_campaign_has_room_for_new_designs(split: str) -> None:
    for space, _ in spaces(split):
        assert space.size is None or space.size > 16 + 10 * 16


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ({}, {"parameters": [4, 12, 15]}, True),
        ({"parameters": 3}, {"parameters": 3, "max_noise": 1.0, "noise_std": 0.5}, True),
        ({"parameters": 3}, {"parameters": 4}, False),
        ({"parameters": 3}, {"parameters": 3, "pool": 50}, False),
        ({"parameters": {"a": [1, 2, 3]}}, {"parameters": {"a": ["1", "2", "3"]}}, False),
    ],
)
def test_functions_are_shared_by_those_of_the_same_shape_whatever_the_noise(
    one: dict[str, Any], other: dict[str, Any], shared: bool
) -> None:
    assert overlap((SCREENS, one), (SCREENS, other)) is shared
