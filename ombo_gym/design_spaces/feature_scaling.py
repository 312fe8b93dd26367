"""Columns of features on one scale, whatever their units, without those that tell nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NOISE = 1e-9  # of a number or of what a column spans: what differs by less is the same
_MEAN_SQUARED = 2 / 3  # distance of two candidates, as that of uniform numbers from -1 to 1
_SMALLEST = 1e-300  # half of what a column spans, below which it has lost its digits


def on_one_scale(features: Floats) -> Floats:
    """Features of a pool that can be compared, (n, k) -> (n, k'), k' at most k.

    Each column is brought to [-1, 1]. Columns that do not change are left out, and so are copies of
    others, in whatever units: a kernel is the same with and without them. One factor for all then
    brings the mean squared distance of two candidates to 2 / 3, as it is of uniform numbers from -1
    to 1, so that lengthscales mean the same for few and many columns.

    Args:
        features: (n, k) finite.

    Returns:
        Zeros (n, 1) where no column changes.

    Example:
        >>> on_one_scale(np.array([[180.16, 20.0], [194.19, 20.0], [208.22, 20.0]])).ravel()
        array([-0.70710678,  0.        ,  0.70710678])
    """
    scaled = from_minus_one_to_one(features)  # (n, k)
    kept = distinct_columns(scaled)
    if not len(kept):
        return np.zeros((len(features), min(features.shape[1], 1)))
    scaled = np.take(scaled, kept, axis=1)
    mean_squared = 2 * scaled.var(axis=0).sum()
    factor: float = np.sqrt(_MEAN_SQUARED / mean_squared)
    return scaled * factor


def from_minus_one_to_one(columns: Floats) -> Floats:
    """Each column linearly from -1 to 1, zeros where it does not change, (n, k) -> (n, k)."""
    low, high = columns.min(axis=0), columns.max(axis=0)
    middle, half = low / 2 + high / 2, high / 2 - low / 2  # whose sums might be too large
    size = np.maximum(np.abs(low), np.abs(high))
    varies = half > np.maximum(_NOISE / 2 * size, _SMALLEST)
    scaled: Floats = np.where(varies, (columns - middle) / np.where(varies, half, 1.0), 0.0)
    return scaled


def distinct_columns(scaled: Floats) -> NDArray[np.intp]:
    """Which columns change, and are no copy of an earlier one or of what is left of 1 by it.

    Args:
        scaled: (n, k) from -1 to 1.

    Returns:
        (k',) ascending.
    """
    weights = np.cos(np.arange(1.0, len(scaled) + 1))  # no sum by these is another's by chance
    sums = np.abs(weights @ scaled)  # (k,)
    order = np.argsort(sums, kind="stable")
    alike = np.split(order, 1 + np.flatnonzero(np.diff(sums[order]) > _NOISE * len(scaled)))
    kept: list[int] = []
    for group in alike:  # most hold one column
        chosen: list[int] = []
        for column in np.sort(group).tolist():
            one = scaled[:, column]
            others = (scaled[:, earlier] for earlier in chosen)
            if one.any() and not any(_same(one, other) for other in others):
                chosen.append(column)
        kept.extend(chosen)
    return np.sort(np.array(kept, np.intp))


def _same(one: Floats, other: Floats) -> bool:
    """Whether two columns from -1 to 1 say the same, in this or in the other direction."""
    within = 2 * _NOISE
    if abs(abs(float(one.flat[0])) - abs(float(other.flat[0]))) > within:
        return False  # the rest need not be looked at
    return bool((np.abs(one - other) <= within).all() or (np.abs(one + other) <= within).all())
