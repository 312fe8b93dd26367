"""Whoever writes back what was really dispensed is told how the space can hold it."""

from __future__ import annotations

from typing import Any

import pytest

from ombo_gym import CampaignSpec


def observed(parameter: Any, value: Any) -> Any:
    spec = CampaignSpec({"T": parameter, "x": (0, 1)}, plates=(2,), start_capacity=2)  # type: ignore[arg-type]
    return spec.observation([{"T": value, "x": 0.5}], [1.0], plates_left=[2])


@pytest.mark.parametrize(
    ("parameter", "value", "remedy"),
    [
        ({"range": [20, 40], "step": 1}, 30.5, "'T' was that indeed, .* a wider range or one with"),
        ({"range": [20, 40], "step": 1}, 18, "'T' was that indeed, .* a wider range or one with"),
        ((20, 40), 18, "'T' was that indeed, make the space of a wider range"),
        ({"integer": [1, 9]}, 2.5, r"a wider range, or one of all numbers: \(low, high\)$"),
        ({"integer": [1, 9]}, 12, r"a wider range, or one of all numbers: \(low, high\)$"),
        ([1, 2, 4], 3, "make the space of a further level$"),
    ],
)
def test_a_number_that_the_space_does_not_hold(parameter: Any, value: Any, remedy: str) -> None:
    with pytest.raises(ValueError, match=f"^designs: number 0: .*; correct it or, .*{remedy}"):
        observed(parameter, value)


@pytest.mark.parametrize(
    ("parameter", "value"), [((20, 40), "hot"), (["DMF", "THF"], "water"), ((20, 40), None)]
)
def test_of_what_is_no_number_nothing_is_said(parameter: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=r"^designs: number 0: ") as refused:
        observed(parameter, value)
    assert "indeed" not in str(refused.value)
