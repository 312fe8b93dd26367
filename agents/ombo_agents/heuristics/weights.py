"""Exploration weights by the number of rounds left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.controls.exploration import LARGEST_WEIGHT
from ombo_gym.problems.checks import is_list, is_number


def checked_weights(weights: Any, name: str = "weights") -> tuple[float, ...]:
    """The weights of a schedule, or other numbers of standard deviations; a number alone is one.

    Raises:
        ValueError: No weights, or one outside [0, 10].
    """
    several = [weights] if is_number(weights) else weights
    if not is_list(several) or not all(
        is_number(weight) and 0 <= weight <= LARGEST_WEIGHT for weight in several
    ):
        raise ValueError(
            f"{name}: expected at least one, each from 0 to {LARGEST_WEIGHT}, got {weights!r}"
        )
    return tuple(float(weight) for weight in several)


def weights_by_rounds_left(
    weights: Sequence[float], rounds_left: NDArray[np.floating]
) -> NDArray[np.float64]:
    """The weight of each campaign, (B,) -> (B,).

    Args:
        weights: From the first round of the schedule to the last: the last entry is used when one
            round is left, the one before when two are; with more rounds left than entries, the
            first one.
        rounds_left: (B,).
    """
    by_left = np.array(weights[::-1], np.float64)
    return by_left[np.clip(rounds_left.astype(np.intp) - 1, 0, len(by_left) - 1)]
