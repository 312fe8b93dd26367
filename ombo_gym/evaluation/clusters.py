"""Which campaigns count together: those on one instance, where a problem is a collection of them.

What a policy does on an instance says little more about the family when it is played ten times
over, so intervals for other instances look at how instances differ.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]


def codes_of(clusters: Any) -> Codes:
    """Numbers 0 .. G - 1 of the clusters of n campaigns, in the order of their first one.

    Args:
        clusters: A label per campaign, shape (n,).

    Returns:
        Shape (n,); where all campaigns are in one cluster each is its own instead, since nothing
        is seen of other clusters.
    """
    _, first, inverse = np.unique(np.asarray(clusters), return_index=True, return_inverse=True)
    if len(first) <= 1:
        return np.arange(inverse.size)
    place: Codes = np.argsort(np.argsort(first))
    return place[inverse]


def count_of(codes: Codes) -> int:
    """How many clusters there are, G."""
    return int(codes.max()) + 1


def standard_error(
    column: npt.NDArray[np.float64], clusters: Any | None = None
) -> tuple[float, int]:
    """Standard error of the mean of n > 1 values, and its degrees of freedom.

    Args:
        column: Shape (n,).
        clusters: A label per value: values of one cluster may depend on each other. None: all are
            independent.

    Returns:
        With clusters the error of the "sandwich", which with clusters of one size is that of the
        mean of their means, and G - 1.

    Reference:
        Cameron and Miller, "A practitioner's guide to cluster-robust inference", Journal of Human
        Resources 50(2), 2015, equations 9 to 11 (for a regression on a constant).
    """
    n = column.size
    codes = None if clusters is None else codes_of(clusters)
    if codes is None or (count := count_of(codes)) == n:
        return float(column.std(ddof=1)) / math.sqrt(n), n - 1
    sums = np.bincount(codes, column - column.mean())  # (G,)
    return math.sqrt(count / (count - 1) * float((sums**2).sum())) / n, count - 1
