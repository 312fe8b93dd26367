"""Where methods that move through a space meet a pool of candidates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def nearest(
    pool: NDArray[np.float64],
    points: NDArray[np.float64],
    taken: NDArray[np.bool_],
    *,
    distinct: bool,
) -> NDArray[np.int64]:
    """The candidates nearest to points.

    Args:
        pool: (n, k) their features.
        points: (R, q, k).
        taken: (R, n) those to leave out, while there are others.
        distinct: Whether each is taken once, while there are others.

    Returns:
        (R, q, 1).
    """
    rows, q = points.shape[:2]
    chosen = np.empty((rows, q, 1), np.int64)
    lengths = (pool**2).sum(axis=1)
    out = taken.copy()
    for slot in range(q):
        # A product a row: in one product of all rows, a row's last digits hang on the others.
        distances = lengths - 2 * np.matmul(points[:, slot, None], pool.T)[:, 0]  # (R, n)
        some_left = ~out.all(axis=1, keepdims=True)
        best = np.where(out & some_left, np.inf, distances).argmin(axis=1)
        chosen[:, slot, 0] = best
        if distinct:
            out[np.arange(rows), best] = True
    return chosen
