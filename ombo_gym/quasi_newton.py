"""Local search for the best design of a box, for many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Evaluate = Callable[[Floats], Floats]  # (R, n, d) -> (R, n)

_APART = 1e-5  # of the points of a difference, in a box of side 2
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
    is taken. Steps are clipped to the box, and coordinates that
    the slope pushes out of it stay where they are. Designs do not depend on each other.

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
    rows, n, dim = x.shape
    slope_of = slope_of or partial(_slope, evaluate)
    value, slope = evaluate(x), slope_of(x)
    steps = np.array(lengths)[:, None]
    unit = np.broadcast_to(np.eye(dim), (rows, n, dim, dim))
    inverse, fresh = unit.copy(), np.ones((rows, n), bool)  # minus the inverse curvature
    for _ in range(max_iterations):
        free = ~((x <= -1) & (slope < 0) | (x >= 1) & (slope > 0))
        direction = free * (inverse * (free * slope)[..., None, :]).sum(axis=-1)
        tries = np.clip(x[:, :, None] + steps * direction[:, :, None], -1, 1)
        there = evaluate(tries.reshape(rows, -1, dim)).reshape(rows, n, -1)
        best = there.argmax(axis=2)[..., None]
        highest = np.take_along_axis(there, best, axis=2)[..., 0]
        better = highest > value  # (R, n)
        if not (better | ~fresh).any():
            break  # nobody moves, even straight uphill
        ahead = np.take_along_axis(tries, best[..., None], axis=2)[:, :, 0]
        moved = np.where(better[..., None], ahead - x, 0)
        x, value = np.where(better[..., None], ahead, x), np.where(better, highest, value)
        before, slope = slope, slope_of(x)
        inverse = _learn(inverse, moved, before - slope, fresh)
        inverse = np.where(better[..., None, None], inverse, unit)  # who is stuck starts afresh
        fresh = ~better
    return x


def _slope(evaluate: Evaluate, x: Floats) -> Floats:
    """Central differences, (R, n, d) -> (R, n, d); at the box's faces one-sided."""
    rows, n, dim = x.shape
    steps = _APART * np.concatenate([np.eye(dim), -np.eye(dim)])
    around = np.clip(x[:, :, None] + steps, -1, 1)  # (R, n, 2 d, d)
    there = evaluate(around.reshape(rows, -1, dim)).reshape(rows, n, 2, dim)
    apart = np.minimum(x + _APART, 1) - np.maximum(x - _APART, -1)
    slope: Floats = (there[:, :, 0] - there[:, :, 1]) / apart
    return slope


def _learn(inverse: Floats, moved: Floats, bent: Floats, fresh: NDArray[np.bool_]) -> Floats:
    """The update of BFGS where the function bends down along a move, (R, n, d, d)."""
    along = (moved * bent).sum(axis=-1)
    use = along > 1e-14
    along = np.where(use, along, 1)[..., None, None]
    scale = np.where(
        use & fresh, along[..., 0, 0] / np.maximum((bent * bent).sum(axis=-1), 1e-30), 1
    )
    inverse = inverse * scale[..., None, None]
    turned = (inverse * bent[..., None, :]).sum(axis=-1)
    curved = (bent * turned).sum(axis=-1)[..., None, None]
    outer = moved[..., :, None] * moved[..., None, :]
    cross = moved[..., :, None] * turned[..., None, :]
    updated = inverse + (1 + curved / along) * outer / along
    updated -= (cross + np.swapaxes(cross, -1, -2)) / along
    learned: Floats = np.where(use[..., None, None], updated, inverse)
    return learned
