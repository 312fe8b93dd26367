"""Bootstrap intervals from arrays, by how often each campaign is drawn.

A resample of n campaigns is written as n counts that sum to n. A mean is then a product of counts
and values, and an interquartile mean needs one sort of the values, not one per resample: along the
sorted values the counts are summed up, and the sums cut at the quarters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from ombo_gym.evaluation.clusters import Codes, codes_of, count_of

try:
    from scipy.special import stdtrit  # quantiles of Student's t distribution
except ImportError as error:
    raise ImportError(
        'ombo_gym.evaluation needs scipy: pip install "ombo-gym[evaluation]"'
    ) from error

RESAMPLES = 2000
FEWEST = 500
BUDGET = 40_000_000  # counts drawn in all, while that leaves `FEWEST` resamples
CHUNK = 2**20  # counts held at once: 8 MiB
Values = npt.NDArray[np.float64]


def draw_counts(rng: np.random.Generator, n: int, resamples: int) -> Values:
    """How often each of n campaigns is in each resample, shape (n, resamples)."""
    picked = rng.integers(n, size=(n, resamples))
    flat = (picked * resamples + np.arange(resamples)).ravel()
    counts = np.bincount(flat, minlength=n * resamples)
    return counts.reshape(n, resamples).astype(np.float64)


def draw_clusters(rng: np.random.Generator, codes: Codes, resamples: int) -> Values:
    """How often each of n campaigns is in each resample of whole clusters, shape (n, resamples).

    Args:
        rng: Of the draws.
        codes: The number of each campaign's cluster, see `clusters.codes_of`.
        resamples: How many.

    Returns:
        Counts, scaled so that each resample has the weight of n campaigns.
    """
    clusters = count_of(codes)
    counts: Values = draw_counts(rng, clusters, resamples)[codes]
    if clusters < codes.size:
        counts *= codes.size / counts.sum(axis=0)
    return counts


def chunks(rows: int) -> Iterator[int]:
    """How many resamples at a time, so that a chunk's counts of all rows fit into `CHUNK`.

    They sum up to 2,000; to fewer for more than 20,000 rows, but never below 500.
    """
    resamples = min(RESAMPLES, max(FEWEST, BUDGET // max(rows, 1)))
    size = max(1, min(resamples, CHUNK // max(rows, 1)))
    for start in range(0, resamples, size):
        yield min(size, resamples - start)


def expanded_tail(campaigns: int, strata: int = 1, confidence: float = 0.95) -> float:
    """The share of resamples to leave out at each end of a percentile interval.

    Plain percentiles are too narrow for few campaigns, as if the standard deviation were divided
    by n and the normal distribution stood for Student's t. This share is smaller by as much as
    makes the interval of a mean of normal values as wide as Student's.

    Args:
        campaigns: How many (or clusters of them), over all strata.
        strata: Within how many groups they are resampled.
        confidence: Coverage of the interval, inside (0, 1).

    Returns:
        A number below (1 - confidence) / 2, which it comes near with many campaigns.

    Reference:
        Hesterberg, "What teachers should know about the bootstrap", The American Statistician
        69(4), 2015, section 5.3 (the expanded percentile interval).
    """
    degrees = campaigns - strata
    if degrees < 1:
        return math.nan
    t = float(stdtrit(degrees, (1 + confidence) / 2))
    return NormalDist().cdf(-t * math.sqrt(campaigns / degrees))


def percentile_ends(replicates: Values, tail: float) -> Values:
    """The ends of an interval from replicates, shape (..., resamples): shape (..., 2)."""
    ends: Values = np.full((*replicates.shape[:-1], 2), np.nan)
    if math.isnan(tail):
        return ends
    with np.errstate(invalid="ignore"):
        ends[..., 0], ends[..., 1] = np.quantile(replicates, [tail, 1 - tail], axis=-1)
    return ends


def iqm_of_counts(values: Values, weights: Values) -> Values:
    """Interquartile means of sorted values under weights.

    Args:
        values: Ascending, shape (n,).
        weights: How often each is there, shape (n, resamples).

    Returns:
        Of each resample the mean of what is left when floor(n / 4) / n of the weight is cut off at
        each end; shape (resamples,).
    """
    below = np.cumsum(weights, axis=0)
    total = below[-1]
    cut = (values.size // 4) / values.size * total
    kept = total - 2 * cut
    if values.size == 1:
        return np.where(kept > 0, values[0], np.nan)
    inner = np.clip(below[:-1], cut, total - cut, out=below[:-1])
    with np.errstate(invalid="ignore", divide="ignore"):  # summed by parts
        mean = (values[-1] * (total - cut) - values[0] * cut - np.diff(values) @ inner) / kept
    return np.asarray(mean, dtype=np.float64)


def bootstrap_iqm(values: Values, *, clusters: Any | None = None, seed: int = 0) -> Values:
    """95% bootstrap intervals of interquartile means of columns that share their resamples.

    Args:
        values: One row per policy, shape (policies, campaigns).
        clusters: A label per campaign: which of them are drawn together. None: each by itself.
        seed: Of the draws.

    Returns:
        Low and high ends, shape (policies, 2); nan for one campaign and where a value is not
        finite. Measured coverage: 94% to 96% at 50 campaigns and more, for normal, t(3),
        exponential and lognormal values (sigma 1) and with 40% ties at 0; 96% at 20.
    """
    n = values.shape[1]
    codes = np.arange(n) if clusters is None else codes_of(clusters)
    order = np.argsort(values, axis=1)
    rng = np.random.default_rng(seed)
    replicates: list[list[Values]] = [[] for _ in values]
    for size in chunks(n):
        counts = draw_clusters(rng, codes, size)
        for row, index, out in zip(values, order, replicates, strict=True):
            out.append(iqm_of_counts(row[index], counts[index]))
    tail = expanded_tail(count_of(codes))
    return percentile_ends(np.stack([np.concatenate(row) for row in replicates]), tail)


def bootstrap_runs(
    values: Values, *, clusters: Any | None = None, seed: int = 0
) -> tuple[float, float, float]:
    """Mean over runs and campaigns, with a 95% bootstrap interval that resamples both.

    Args:
        values: One row per run of training, shape (runs, campaigns).
        clusters: As in `bootstrap_iqm`.
        seed: Of the draws.

    Returns:
        The mean and the interval's ends. With few runs they say too little about other runs, the
        more so the more runs differ: measured coverage, for runs that differ by 0.1 to 1 times as
        much as campaigns do (100 of them), 76% to 95% with 3 runs, 87% to 98% with 5, 89% to 97%
        with 10 and 94% with 20.
    """
    runs, n = values.shape
    codes = np.arange(n) if clusters is None else codes_of(clusters)
    rng = np.random.default_rng(seed)
    replicates = []
    for size in chunks(n):
        with np.errstate(invalid="ignore"):  # of infinite values
            means = values @ draw_clusters(rng, codes, size) / n  # (runs, size)
            replicates.append((means * draw_counts(rng, runs, size)).sum(axis=0) / runs)
    tail = expanded_tail(count_of(codes))
    low, high = percentile_ends(np.concatenate(replicates), tail)
    return float(values.mean()), float(low), float(high)
