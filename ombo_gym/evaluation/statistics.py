"""Numbers with their uncertainty, from arrays with one number per campaign.

Every resampling is seeded: the same numbers give the same digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ombo_gym.evaluation.clusters import codes_of, count_of, standard_error
from ombo_gym.evaluation.resampling import expanded_tail, percentile_ends

try:
    from scipy.special import stdtr, stdtrit
except ImportError as error:
    raise ImportError(
        'ombo_gym.evaluation needs scipy: pip install "ombo-gym[evaluation]"'
    ) from error

CHUNK = 2**22  # resampled numbers held at once by the bootstrap: 32 MiB a column

Statistic = Callable[..., npt.ArrayLike]


class Interval(NamedTuple):
    """An estimate and the ends of its confidence interval (nan where one value says nothing)."""

    estimate: float
    low: float
    high: float


def mean_interval(
    values: npt.ArrayLike, *, clusters: npt.ArrayLike | None = None, confidence: float = 0.95
) -> Interval:
    """Mean of values, with its Student t interval.

    Args:
        values: One number per campaign, shape (campaigns,).
        clusters: A label per campaign: which of them count together (`clusters.standard_error`);
            None: all are independent.
        confidence: Coverage of the interval, inside (0, 1).

    Returns:
        The mean and the interval's ends, in the units of `values`. One value has a nan interval;
        a nan among the values makes everything nan, so that it is seen. Measured coverage of 95%
        at 50 campaigns: 95% for symmetric values, 94% for exponential ones, but 90% for lognormal
        ones (sigma 1), which have 93% at 200; 89% and 93% when 40% of those are 0 instead.

    Raises:
        ValueError: `values` is empty or not one-dimensional, or `confidence` is out of range.

    Example:
        >>> mean_interval([1.0, 2.0, 3.0]).estimate
        2.0
    """
    column = _column(values, "values")
    _check_confidence(confidence)
    with np.errstate(invalid="ignore"):
        mean = float(column.mean())
        if column.size == 1:
            return Interval(mean, math.nan, math.nan)
        error, degrees = standard_error(column, clusters)
    half = student_t_quantile((1 + confidence) / 2, degrees) * error
    return Interval(mean, mean - half, mean + half)


def paired_difference(a: npt.ArrayLike, b: npt.ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Mean of a - b over the same campaigns, with its Student t interval.

    Args:
        a: One number per campaign, shape (campaigns,).
        b: The other policy's number on the same campaigns, in the same order.
        confidence: Coverage of the interval, inside (0, 1).

    Returns:
        The mean difference and the interval's ends.

    Raises:
        ValueError: The two do not have the same length, or what `mean_interval` refuses.
    """
    left, right = _pair(a, b)
    with np.errstate(invalid="ignore"):
        difference = left - right
    return mean_interval(difference, confidence=confidence)


def iqm(values: npt.ArrayLike) -> float:
    """Interquartile mean: the mean of what is left without the lowest and the highest quarter.

    `floor(n / 4)` values are cut at each end, as in rliable and `scipy.stats.trim_mean(x, 0.25)`.

    Args:
        values: One number per campaign, shape (campaigns,).

    Returns:
        The interquartile mean; nan when there is a nan among the values.

    Raises:
        ValueError: `values` is empty or not one-dimensional.

    Reference:
        Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice",
        NeurIPS 2021.

    Example:
        >>> iqm([0.0, 1.0, 2.0, 100.0])
        1.5
    """
    column = _column(values, "values")
    if np.isnan(column).any():  # sorting would put it last and the cut would hide it
        return math.nan
    cut = column.size // 4
    return float(np.sort(column)[cut : column.size - cut].mean())


def bootstrap_interval(
    statistic: Statistic,
    *columns: npt.ArrayLike,
    resamples: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Percentile bootstrap of a statistic of one or more columns; rows are resampled whole.

    Args:
        statistic: Takes one array of shape (k, campaigns) per column and reduces the last axis:
            returns shape (k,).
        *columns: One number per campaign each, all of one length; row i of every column belongs
            to the same campaign, so that pairs stay together.
        resamples: How many times the rows are drawn, with replacement.
        seed: Of the draws; the same seed gives the same interval.
        confidence: Coverage of the interval, inside (0, 1).

    Returns:
        The statistic of the columns as given, and the interval's ends (nan for one campaign, or
        where a resample's statistic is nan).

    Raises:
        ValueError: No column, columns of different lengths, or a statistic of the wrong shape.

    Reference:
        Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.

    Example:
        >>> ratio = lambda a, b: a.mean(-1) / b.mean(-1)
        >>> bootstrap_interval(ratio, [2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
        Interval(estimate=2.0, low=2.0, high=2.0)
    """
    if not columns:
        raise ValueError("bootstrap_interval needs at least one column of values, got none")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
    _check_confidence(confidence)
    rows = [_column(column, f"column {i}") for i, column in enumerate(columns)]
    n = rows[0].size
    if any(row.size != n for row in rows):
        raise ValueError(f"columns must have one length, got {[row.size for row in rows]}")

    estimate = float(_reduced(statistic, [row[None] for row in rows])[0])
    if n == 1:
        return Interval(estimate, math.nan, math.nan)
    rng = np.random.default_rng(seed)
    chunk = max(1, CHUNK // n)
    replicates = []
    for start in range(0, resamples, chunk):
        picked = rng.integers(n, size=(min(chunk, resamples - start), n))  # (k, campaigns)
        replicates.append(_reduced(statistic, [row[picked] for row in rows]))
    tail = expanded_tail(n, confidence=confidence)
    low, high = percentile_ends(np.concatenate(replicates), tail)
    return Interval(estimate, float(low), float(high))


def _reduced(
    statistic: Statistic, arrays: Sequence[npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    """The statistic of arrays of shape (k, campaigns): shape (k,)."""
    result = np.asarray(statistic(*arrays), dtype=np.float64)
    if result.shape != arrays[0].shape[:1]:
        raise ValueError(
            f"statistic must reduce the last axis: {arrays[0].shape} to {arrays[0].shape[:1]}, "
            f"got {result.shape}"
        )
    return result


def wins_interval(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    clusters: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Share of campaigns on which a is better than b; a tie is half a win.

    Args:
        a: One number per campaign, shape (campaigns,).
        b: The other policy's number on the same campaigns, in the same order.
        clusters: As in `mean_interval`.
        confidence: Coverage of the interval, inside (0, 1).

    Returns:
        The share and the ends of its interval, Student's t of the wins with one campaign won and
        one lost added (without them it is far too narrow near 0 and 1, and says nothing when all
        are won), cut off at 0 and 1; nan when there is a nan, no interval for one campaign.
        Measured coverage of 95% at 50 and 100 campaigns: 94% to 97% for shares from 0.1 to 0.9,
        up to 99% where most campaigns are ties.

    Reference:
        Agresti and Min, "Simple improved confidence intervals for comparing matched proportions",
        Statistics in Medicine 24(5), 2005.
    """
    left, right = _pair(a, b)
    wins = (left > right) + 0.5 * (left == right)
    wins[np.isnan(left) | np.isnan(right)] = math.nan
    share = float(wins.mean())
    if wins.size == 1 or math.isnan(share):
        return Interval(share, math.nan, math.nan)
    if clusters is not None:
        codes = codes_of(clusters)
        clusters = np.append(codes, count_of(codes) + np.arange(2))
    added = np.append(wins, [0.0, 1.0])
    _, low, high = mean_interval(added, clusters=clusters, confidence=confidence)
    return Interval(share, max(low, 0.0), min(high, 1.0))


def paired_p_value(difference: npt.ArrayLike, *, clusters: npt.ArrayLike | None = None) -> float:
    """Two-sided p-value of Student's paired t test that the mean difference is 0.

    Args:
        difference: One number per campaign, shape (campaigns,).
        clusters: As in `mean_interval`.

    Returns:
        The p-value: 1 when all differences are 0, 0 when all are the same other number; nan for
        one campaign.
    """
    column = _column(difference, "difference")
    if column.size == 1:
        return math.nan
    with np.errstate(invalid="ignore"):
        mean = float(column.mean())
        error, degrees = standard_error(column, clusters)
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    return student_t_p_value(mean / error, degrees)


def student_t_quantile(probability: float, degrees: int) -> float:
    """The t below which Student's t distribution of these degrees has that probability."""
    return float(stdtrit(degrees, probability))


def student_t_p_value(t: float, degrees: int) -> float:
    """Two-sided p-value: the probability of a value at least as far from 0 as t; nan for nan."""
    return float(2 * stdtr(degrees, -abs(t)))


def holm(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """P-values adjusted for how many there are, so that all of them may be read at once.

    Args:
        p_values: Of the comparisons, shape (k,); nan is no comparison and stays nan.

    Returns:
        The adjusted p-values, shape (k,).

    Reference:
        Holm, "A simple sequentially rejective multiple test procedure", 1979.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    given: npt.NDArray[np.float64] = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(given.shape, np.nan)
    present = np.flatnonzero(~np.isnan(given))
    order = present[np.argsort(given[present], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(given[order] * factors), 1.0)
    return adjusted


def _column(values: npt.ArrayLike, name: str) -> npt.NDArray[np.float64]:
    column: npt.NDArray[Any] = np.asarray(values, dtype=np.float64)
    if column.ndim != 1 or column.size == 0:
        raise ValueError(
            f"{name} must hold at least one number per campaign, shape (campaigns,), "
            f"got shape {column.shape}"
        )
    return column


def _pair(
    a: npt.ArrayLike, b: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    left, right = _column(a, "a"), _column(b, "b")
    if left.size != right.size:
        raise ValueError(
            f"a and b must hold the same campaigns: got {left.size} and {right.size} values"
        )
    return left, right


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie inside (0, 1), got {confidence}")
