"""Designs that a family says something of before a value is seen: a portfolio, and hopeful ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_CONSIDERED = 4_096  # designs that a portfolio is made of


def portfolio(values: Floats, count: int) -> Rows:
    """Designs that are best on average, in turn: each adds most to the best value so far.

    Args:
        values: (I, D) of the training instances; each counts by its own range. NaN is the lowest
            value of an instance.
        count: How many at most.

    Returns:
        (min(count, D),) columns. Those that add nothing any more are ordered by their mean.
    """
    low, high = np.nanmin(values, axis=1)[:, None], np.nanmax(values, axis=1)[:, None]
    worth = np.nan_to_num((values - low) / (high - low), nan=0.0)  # (I, D)
    means = worth.mean(axis=0)
    top = np.argsort(-means, kind="stable")[:_CONSIDERED]
    best_of_each = worth.argmax(axis=1)  # may add most, whatever their mean
    columns = np.concatenate([top, np.setdiff1d(best_of_each, top)])
    worth, means = worth[:, columns], means[columns].copy()
    best = np.zeros((len(values), 1))
    chosen: list[int] = []
    for _ in range(min(count, len(columns))):
        gain = np.maximum(worth, best).mean(axis=0) + 1e-9 * means
        gain[chosen] = -np.inf
        pick = int(gain.argmax())
        chosen.append(pick)
        best = np.maximum(best, worth[:, [pick]])
    return columns[chosen]


def hopeful(upside: Floats, count: int, reach: float = 2.0) -> Rows:
    """The designs of largest mean + reach * sd, (min(count, D),).

    Args:
        upside: (D, 2) means and standard deviations.
        count: How many.
        reach: Standard deviations.
    """
    return np.argsort(-(upside @ np.array([1.0, reach])), kind="stable")[:count]
