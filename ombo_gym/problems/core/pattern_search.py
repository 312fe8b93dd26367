"""Search for the best design of a box, for many instances at once and without gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs
from ombo_gym.quasirandom import kronecker

Evaluate = Callable[[Designs], NDArray[np.float64]]  # (R, n, d) -> (R, n)

_FIRST, _LAST = 0.25, 1e-6  # length of a step, in a box of side 2
_LEAPS = np.array([1, 2, 4, 8], np.float32)  # lengths, in units of the last two moves


def pattern_search(
    evaluate: Evaluate,
    num_campaigns: int,
    dim: int,
    *,
    scatter: int,
    climbers: int,
    max_iterations: int,
) -> tuple[Designs, NDArray[np.float64]]:
    """The best designs found in [-1, 1]^d, (R, d), and their values, (R,).

    Args:
        evaluate: The objectives, elementwise in designs.
        num_campaigns: R.
        dim: d.
        scatter: See `climb`.
        climbers: See `climb`.
        max_iterations: See `climb`.
    """
    x, value = climb(
        evaluate,
        num_campaigns,
        dim,
        scatter=scatter,
        climbers=climbers,
        max_iterations=max_iterations,
    )
    winner = value.argmax(axis=1)
    return x[np.arange(num_campaigns), winner], value.max(axis=1)


def climb(
    evaluate: Evaluate,
    num_campaigns: int,
    dim: int,
    *,
    scatter: int,
    climbers: int,
    max_iterations: int,
) -> tuple[Designs, NDArray[np.float64]]:
    """Where climbers in [-1, 1]^d end, (R, climbers, d), and their values, (R, climbers).

    From the best of a quasi-random set, each climber tries a step along every coordinate and leaps
    along its last two moves, which follow a ridge; it takes the best, or halves the step until it
    is tiny. Objectives do not depend on each other.

    Args:
        evaluate: The objectives, elementwise in designs.
        num_campaigns: R.
        dim: d.
        scatter: Size of the quasi-random set.
        climbers: Number of its best designs that are improved.
        max_iterations: At most so many for each.

    Reference:
        Hooke and Jeeves, Direct search solution of numerical and statistical problems, Journal of
        the ACM 8, 1961.
    """
    points = (2 * kronecker(scatter, dim) - 1).astype(np.float32)
    values = evaluate(np.broadcast_to(points, (num_campaigns, scatter, dim)))
    top = np.argsort(-values, axis=1, kind="stable")[:, :climbers]
    x, value = points[top], np.take_along_axis(values, top, axis=1)  # (R, climbers, d), (R, ...)
    compass = np.concatenate([np.eye(dim), -np.eye(dim)]).astype(np.float32)
    step = np.full((num_campaigns, climbers, 1, 1), _FIRST, np.float32)
    one_ago = two_ago = x
    for _ in range(max_iterations):
        moved = x - two_ago
        around = np.concatenate([step * compass, moved[:, :, None] * _LEAPS[:, None]], axis=2)
        around = np.clip(x[:, :, None] + around, -1, 1)  # (R, climbers, 2 d + 4, d)
        values_around = evaluate(around.reshape(num_campaigns, -1, dim)).reshape(around.shape[:3])
        best = values_around.argmax(axis=2)[..., None]
        better = (
            np.take_along_axis(values_around, best, axis=2) > value[..., None]
        )  # (R, climbers, 1)
        better &= step[..., 0] >= _LAST  # whatever its neighbours do
        best_around = np.take_along_axis(around, best[..., None], axis=2)[:, :, 0]
        two_ago, one_ago = np.where(better, one_ago, two_ago), np.where(better, x, one_ago)
        x = np.where(better, best_around, x)
        value = np.where(better[..., 0], values_around.max(axis=2), value)
        step = np.where(better[..., None], step, step / 2)
        if step.max() < _LAST:
            break
    return x, value
