"""Exploration weights by the number of rounds left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.controls.exploration import LARGEST_WEIGHT
from ombo_gym.problems.core.checks import is_list, is_number


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


def checked_weight(weight: Any, name: str = "weight") -> float:
    """A constant exploration weight.

    Raises:
        ValueError: It is no number, or outside [0, 10].
    """
    if not is_number(weight) or not 0 <= weight <= LARGEST_WEIGHT:
        raise ValueError(
            f"{name}: expected a number from 0 to {LARGEST_WEIGHT:g}, got {shown(weight)}"
        )
    return float(weight)


def scheduled_weights(
    weights: Sequence[float],
    rounds_left: NDArray[np.floating],
    plates: NDArray[np.number] | None = None,
) -> NDArray[np.float64]:
    """The weight of each campaign, (B,).

    Where plates differ in size, the rounds that are left are counted in plates like the next one:
    with 24 designs on the next plate and 8 on the last, one and a third; the weight is interpolated
    between those of one round left and of two. A large plate to come leaves more time to explore.

    Args:
        weights: From the first round of the schedule to the last: the last entry is used when one
            round is left, the one before when two are; with more rounds left than entries, the
            first one.
        rounds_left: (B, 1).
        plates: (B, N) sizes of the batches to come, the next one first; None: all alike.
    """
    left = rounds_left[:, 0].astype(np.float64)
    if plates is not None:
        sizes = plates.astype(np.float64)
        left = np.where(sizes[:, 0] > 0, sizes.sum(axis=1) / np.maximum(sizes[:, 0], 1), left)
    by_left = np.array(weights[::-1], np.float64)
    place = np.clip(left - 1, 0, len(by_left) - 1)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, len(by_left) - 1)
    share = place - below
    return np.where(
        share > 0, (1 - share) * by_left[below] + share * by_left[above], by_left[below]
    )
