"""Where methods that move through a space meet a pool of candidates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.spec import Repeats

_CHUNK_ENTRIES = 2**21  # numbers of an array over campaigns and candidates


def nearest(
    pool: NDArray[np.float64],
    points: NDArray[np.float64],
    measured: NDArray[np.integer[Any]],
    repeats: Repeats,
) -> NDArray[np.int64]:
    """The candidates nearest to points.

    Args:
        pool: (M, k) their features.
        points: (R, q, k).
        measured: (R, n, 1) candidates.
        repeats: Unless they are allowed, measured candidates are left out and each is chosen once,
            while there are others.

    Returns:
        (R, q, 1).
    """
    squared_norms = (pool**2).sum(axis=1)  # (M,)
    chunk = max(1, _CHUNK_ENTRIES // len(pool))
    chosen = [
        _nearest(pool, squared_norms, points[part], measured[part], repeats)
        for part in (slice(first, first + chunk) for first in range(0, max(len(points), 1), chunk))
    ]
    return np.concatenate(chosen)


def _nearest(
    pool: NDArray[np.float64],
    squared_norms: NDArray[np.float64],
    points: NDArray[np.float64],
    measured: NDArray[np.integer[Any]],
    repeats: Repeats,
) -> NDArray[np.int64]:
    """As `nearest`, of a few campaigns; with the candidates' squared norms (M,)."""
    num_campaigns, q = points.shape[:2]
    row = np.arange(num_campaigns)
    chosen = np.empty((num_campaigns, q, 1), np.int64)
    taken = np.zeros((num_campaigns, len(pool)), bool)  # (R, M)
    if repeats is not Repeats.ALLOWED:
        taken[row[:, None], measured[..., 0]] = True
    for slot in range(q):
        # A product a row: in one product of all rows, a row's last digits hang on the others.
        products = np.matmul(points[:, slot, None], pool.T)[:, 0]  # (R, M)
        distances = squared_norms - 2 * products  # (R, M), squared, up to a constant of the row
        any_left = ~taken.all(axis=1, keepdims=True)  # (R, 1)
        best = np.where(taken & any_left, np.inf, distances).argmin(axis=1)  # (R,)
        chosen[:, slot, 0] = best
        if repeats is not Repeats.ALLOWED:
            taken[row, best] = True
    return chosen
