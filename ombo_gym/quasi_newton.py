"""Local search for the best design of a box, for many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Evaluate = Callable[[Floats], Floats]  # (R, n, d) -> (R, n)

_DIFFERENCE = 1e-5  # of the points of a difference, in a box of side 2
LENGTHS = tuple(4.0**power for power in range(2, -7, -1))


def quasi_newton(
    evaluate: Evaluate,
    designs: NDArray[np.floating],
    max_iterations: int,
    *,
    slope_of: Evaluate | None = None,
    lengths: Sequence[float] = LENGTHS,
) -> Floats:
    """Designs in [-1, 1]^d climb the slope where they stand, (R, n, d) -> (R, n, d).

    The curvature is learned from changes of the slope (BFGS); of some lengths of each step the best
    is taken. Steps are clipped to the box, and coordinates that the slope pushes out of it stay
    where they are. Designs do not depend on each other.

    Args:
        evaluate: The objectives, smooth, and elementwise in designs.
        designs: Where to begin.
        max_iterations: At most so many.
        slope_of: Slopes of the objectives, (R, n, d) -> (R, n, d); None: central differences.
        lengths: Of a step, in units of the one that the curvature suggests.

    Reference:
        Nocedal and Wright, Numerical Optimization, 2nd edition, 2006, chapter 6.
    """
    x = designs.astype(np.float64)
    num_campaigns, n, dim = x.shape
    slope_of = slope_of or partial(_slope, evaluate)
    value, slope = evaluate(x), slope_of(x)
    steps = np.array(lengths)[:, None]
    unit = np.broadcast_to(np.eye(dim), (num_campaigns, n, dim, dim))
    inverse, fresh = unit.copy(), np.ones((num_campaigns, n), bool)  # minus the inverse curvature
    for _ in range(max_iterations):
        free = ~((x <= -1) & (slope < 0) | (x >= 1) & (slope > 0))
        direction = free * (inverse * (free * slope)[..., None, :]).sum(axis=-1)
        tries = np.clip(x[:, :, None] + steps * direction[:, :, None], -1, 1)
        tried_values = evaluate(tries.reshape(num_campaigns, -1, dim)).reshape(num_campaigns, n, -1)
        best = tried_values.argmax(axis=2)[..., None]  # (R, n, 1)
        highest = np.take_along_axis(tried_values, best, axis=2)[..., 0]  # (R, n)
        better = highest > value  # (R, n)
        if not (better | ~fresh).any():
            break  # nobody moves, even straight uphill
        best_tried = np.take_along_axis(tries, best[..., None], axis=2)[:, :, 0]  # (R, n, d)
        moved = np.where(better[..., None], best_tried - x, 0)
        x, value = np.where(better[..., None], best_tried, x), np.where(better, highest, value)
        previous_slope, slope = slope, slope_of(x)
        inverse = _bfgs_update(inverse, moved, previous_slope - slope, fresh)
        inverse = np.where(better[..., None, None], inverse, unit)  # who is stuck starts afresh
        fresh = ~better
    return x


def _slope(evaluate: Evaluate, x: Floats) -> Floats:
    """Central differences, (R, n, d) -> (R, n, d); at the box's faces one-sided."""
    num_campaigns, n, dim = x.shape
    steps = _DIFFERENCE * np.concatenate([np.eye(dim), -np.eye(dim)])
    around = np.clip(x[:, :, None] + steps, -1, 1)  # (R, n, 2 d, d)
    values = evaluate(around.reshape(num_campaigns, -1, dim)).reshape(num_campaigns, n, 2, dim)
    distances = np.minimum(x + _DIFFERENCE, 1) - np.maximum(x - _DIFFERENCE, -1)
    slope: Floats = (values[:, :, 0] - values[:, :, 1]) / distances
    return slope


def _bfgs_update(
    inverse: Floats, moved: Floats, slope_change: Floats, fresh: NDArray[np.bool_]
) -> Floats:
    """The update of BFGS where the function bends down along a move, (R, n, d, d)."""
    move_times_change = (moved * slope_change).sum(axis=-1)
    bends_down = move_times_change > 1e-14
    move_times_change = np.where(bends_down, move_times_change, 1)[..., None, None]
    scale = np.where(
        bends_down & fresh,
        move_times_change[..., 0, 0]
        / np.maximum((slope_change * slope_change).sum(axis=-1), 1e-30),
        1,
    )
    inverse = inverse * scale[..., None, None]
    product = (inverse * slope_change[..., None, :]).sum(axis=-1)
    curvature = (slope_change * product).sum(axis=-1)[..., None, None]
    outer = moved[..., :, None] * moved[..., None, :]
    cross = moved[..., :, None] * product[..., None, :]
    updated = inverse + (1 + curvature / move_times_change) * outer / move_times_change
    updated -= (cross + np.swapaxes(cross, -1, -2)) / move_times_change
    result: Floats = np.where(bends_down[..., None, None], updated, inverse)
    return result
