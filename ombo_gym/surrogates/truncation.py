"""What a start below a percentile of value says about the values that it leaves out.

A model that is fitted to the lower half of all values takes their mean for the mean of all. Where
values are normal, those at or below quantile p have the mean mu - sigma r and the variance
sigma^2 (1 - a r - r^2), with a = Phi^-1(p) and r = phi(a) / p; so much is made up for.

Reference:
    Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1, 1994, section 13.10.1.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LEAST = 0.01  # share of all values that a start is of, at least: formulas lose their digits below


@cache
def moments_below(percentile: float) -> tuple[float, float]:
    """What the values at or below a percentile say of all.

    Returns:
        By how many standard deviations of the lower values the mean of all is above theirs, and how
        many times theirs the standard deviation of all is.
    """
    share = max(percentile / 100, _LEAST)
    if share >= 1:
        return 0.0, 1.0
    normal = NormalDist()
    a = normal.inv_cdf(share)
    r = normal.pdf(a) / share
    sd = np.sqrt(1 - a * r - r**2)
    return float(r / sd), float(1 / sd)


def shift_and_scale(
    values: Floats,
    start_counts: NDArray[np.integer],
    percentile: float | None,
    strength: float = 1.0,
) -> tuple[Floats, Floats]:
    """Mean and standard deviation that values are standardised with, (R,) each.

    Under a start below a percentile both are what they would be of all values, as far as the data
    are the start: in proportion to its share of the rows.

    Args:
        values: (R, n), n of at least 1.
        start_counts: (R,) how many of them are the start's.
        percentile: Of the start; None: it is of no matter.
        strength: How many times what the truncation implies the mean is moved.
    """
    shift, scale = values.mean(axis=1), values.std(axis=1)
    if percentile is None:
        return shift, scale
    above, wider = moments_below(percentile)
    share = start_counts / values.shape[1]
    return shift + strength * share * above * scale, scale * (1 + share * (wider - 1))


def share_of_mean_variance(
    start_counts: NDArray[np.integer], n: int, percentile: float | None
) -> Floats:
    """How much of its variance the objective's mean has beforehand, (R,) from 0 to 1.

    A start below a percentile says nothing of where the mean of all values is but what is made up
    for in `shift_and_scale`, which only the data beside it may correct.

    Args:
        start_counts: (R,) how many observations are the start's.
        n: Of all observations.
        percentile: Of the start; None: it is of no matter, and the mean is free.
    """
    share = np.zeros(len(start_counts)) if percentile is None else start_counts / n
    return 1.0 - share
