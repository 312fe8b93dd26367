"""Numbers with their uncertainty, from a table with one row per campaign.

The first half works on arrays and needs numpy alone; the second (`summarise`, `paired`) turns the
frame behind `campaigns.csv` into the frames behind `summary.csv` and `paired.csv`. Every
resampling is seeded: the same table gives the same digits.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

try:
    import pandas as pd
except ImportError as error:
    raise ImportError(
        'ombo_gym.evaluation needs pandas: pip install "ombo-gym[evaluation]"'
    ) from error

SETTING = ["env", "horizon", "batch_size", "utility"]  # what two policies must share to compare
GROUP = ["env", "utility", "batch_size"]  # what is drawn and told together, over horizons
PLAYER = ["policy", "told_horizon"]
CAMPAIGN = ["seed", "campaign"]  # what makes two rows of one setting the same campaign
SUMMARY_COLUMNS = [
    *("env", "policy", "told_horizon", "horizon", "batch_size", "utility", "campaigns"),
    *("mean", "ci_low", "ci_high", "iqm", "distinct"),
]
PAIRED_COLUMNS = [
    *("env", "horizon", "batch_size", "utility", "policy_a", "told_a", "policy_b", "told_b"),
    *("campaigns", "difference", "ci_low", "ci_high"),
]
TEXT_COLUMNS = [
    *("env", "policy", "told_horizon", "utility"),
    *("policy_a", "told_a", "policy_b", "told_b"),
]
TOLD = ("true", "one")
CHUNK = 2**22  # resampled numbers held at once by the bootstrap: 32 MiB a column

Statistic = Callable[..., npt.ArrayLike]


class Interval(NamedTuple):
    """An estimate and the ends of its confidence interval (nan where one value says nothing)."""

    estimate: float
    low: float
    high: float


def mean_interval(values: npt.ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Mean of independent values, with its Student t interval.

    Args:
        values: One number per campaign, shape (campaigns,).
        confidence: Coverage of the interval, inside (0, 1).

    Returns:
        The mean and the interval's ends, in the units of `values`. One value has a nan interval;
        a nan among the values makes everything nan, so that it is seen.

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
        standard_error = float(column.std(ddof=1)) / math.sqrt(column.size)
    half = student_t_quantile((1 + confidence) / 2, column.size - 1) * standard_error
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
    left, right = _column(a, "a"), _column(b, "b")
    if left.size != right.size:
        raise ValueError(
            f"a and b must hold the same campaigns: got {left.size} and {right.size} values"
        )
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

    def reduce(arrays: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
        result = np.asarray(statistic(*arrays), dtype=np.float64)
        if result.shape != arrays[0].shape[:1]:
            raise ValueError(
                f"statistic must reduce the last axis: {arrays[0].shape} to "
                f"{arrays[0].shape[:1]}, got {result.shape}"
            )
        return result

    estimate = float(reduce([row[None] for row in rows])[0])
    if n == 1:
        return Interval(estimate, math.nan, math.nan)
    rng = np.random.default_rng(seed)
    chunk = max(1, CHUNK // n)
    replicates = []
    for start in range(0, resamples, chunk):
        picked = rng.integers(n, size=(min(chunk, resamples - start), n))  # (k, campaigns)
        replicates.append(reduce([row[picked] for row in rows]))
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(replicates), [tail, 1 - tail])
    return Interval(estimate, float(low), float(high))


@lru_cache(maxsize=256)
def student_t_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t distribution with a whole number of degrees of freedom.

    Args:
        probability: Inside [0.5, 1).
        degrees: Degrees of freedom, at least 1.

    Returns:
        The t below which the distribution has that probability.

    Raises:
        ValueError: An argument is out of range.

    Reference:
        Abramowitz and Stegun, "Handbook of mathematical functions", 26.7.3 and 26.7.4 (the finite
        series, here inverted by bisection) and 26.7.5 (the expansion, for many degrees).
    """
    if not 0.5 <= probability < 1 or degrees < 1:
        raise ValueError(
            f"expected probability in [0.5, 1) and degrees >= 1, got {probability=}, {degrees=}"
        )
    if degrees > 10_000:  # the first omitted term is below 1e-7
        z = NormalDist().inv_cdf(probability)
        return z + (z**3 + z) / (4 * degrees)
    odd = degrees % 2
    k = np.arange(1, (degrees - odd) // 2)  # the terms of the series after its first
    factors = 2 * k / (2 * k + 1) if odd else (2 * k - 1) / (2 * k)

    def central(theta: float) -> float:
        """P(|T| <= t) at t = sqrt(degrees) * tan(theta)."""
        sine, cosine = math.sin(theta), math.cos(theta)
        terms = 1 + float(np.cumprod(factors * cosine**2).sum())
        if not odd:
            return sine * terms
        return 2 / math.pi * (theta + (sine * cosine * terms if degrees > 1 else 0.0))

    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if central(middle) < 2 * probability - 1 else (low, middle)
    return math.sqrt(degrees) * math.tan((low + high) / 2)


def summarise(campaigns: pd.DataFrame) -> pd.DataFrame:
    """One row per environment, setting, policy and told horizon: the frame of `summary.csv`.

    Args:
        campaigns: One row per campaign, with the columns of `campaigns.csv`.

    Returns:
        `campaigns` (how many), `mean` with its 95% Student t interval `ci_low`, `ci_high`, `iqm`,
        and `distinct` (the mean number of distinct designs per batch). Grouped by environment,
        utility, batch size and horizon; names stay in the order of their first row.

    Raises:
        ValueError: A column is missing, there is no row, or a campaign appears twice.
    """
    _check_campaigns(campaigns, extra=["distinct"])
    rows = []
    for key, group in campaigns.groupby([*SETTING, *PLAYER], sort=False):
        mean, low, high = mean_interval(group["value"])
        rows.append(
            {
                **dict(zip([*SETTING, *PLAYER], key, strict=True)),
                "campaigns": len(group),
                "mean": mean,
                "ci_low": low,
                "ci_high": high,
                "iqm": iqm(group["value"]),
                "distinct": float(group["distinct"].mean()),
            }
        )
    return _sorted(pd.DataFrame(rows)[SUMMARY_COLUMNS])


def paired(campaigns: pd.DataFrame) -> pd.DataFrame:
    """Differences between policies on the same campaigns: the frame of `paired.csv`.

    Within one environment, horizon, batch size and utility it holds

    - every unordered pair of policies, both told the true horizon (where nobody was, both told
      every round that it is the last);
    - every policy told the true horizon against every policy (itself included) told every round
      that it is the last. Against itself that is the *value of planning*; against the best of the
      others, what is gained over the best one-round policy applied N times.

    Rows are the same campaign when `seed` and `campaign` agree; campaigns that only one of the two
    has played are left out, and pairs without a common campaign too.

    Args:
        campaigns: One row per campaign, with the columns of `campaigns.csv`.

    Returns:
        `difference`, the mean of value_a - value_b over the shared campaigns (`campaigns` counts
        them), with its 95% Student t interval `ci_low`, `ci_high`.

    Raises:
        ValueError: A column is missing, there is no row, or a campaign appears twice.
    """
    _check_campaigns(campaigns)
    rows = []
    for key, setting in campaigns.groupby(SETTING, sort=False):
        played = {
            player: group.set_index(CAMPAIGN)["value"]
            for player, group in setting.groupby(PLAYER, sort=False)
        }
        true = [player for player in played if player[1] == "true"]
        one = [player for player in played if player[1] == "one"]
        pairs = itertools.chain(
            itertools.combinations(true or one, 2), itertools.product(true, one)
        )
        for a, b in pairs:
            left, right = played[a].align(played[b], join="inner")
            if left.empty:
                continue
            difference, low, high = paired_difference(left, right)
            rows.append((*key, *a, *b, len(left), difference, low, high))
    columns = [*SETTING, *PAIRED_COLUMNS[4:]]
    return _sorted(pd.DataFrame(rows, columns=columns)[PAIRED_COLUMNS])


def read_table(path: str | Path) -> pd.DataFrame:
    """Reads a table of an evaluation's folder, with names as the text they are.

    Plain `pandas.read_csv` makes truth values of a column that holds only "true", a number of the
    policy "007" and nothing of the policy "NA".

    Args:
        path: `campaigns.csv`, `summary.csv`, `paired.csv` or `exploration.csv`.

    Returns:
        The frame as it was written.
    """
    header = pd.read_csv(path, nrows=0).columns
    return pd.read_csv(
        path,
        dtype={column: str for column in TEXT_COLUMNS},
        keep_default_na=False,
        na_values={name: ["", "nan", "NaN"] for name in header if name not in TEXT_COLUMNS},
    )


def check_told(frame: pd.DataFrame) -> None:
    """Raises a ValueError where `told_horizon` holds anything but the text "true" or "one"."""
    others = [told for told in frame["told_horizon"].unique() if told not in TOLD]
    if others:
        raise ValueError(
            f'told_horizon must be the text "true" or "one", got {others}; files are read by '
            "ombo_gym.evaluation.statistics.read_table, since pandas.read_csv makes truth values "
            'of "true"'
        )


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    """Grouped for reading; names keep the order in which they were asked for."""

    def order(column: pd.Series) -> Any:
        return column if column.name in ("batch_size", "horizon") else pd.factorize(column)[0]

    keys = ["env", "utility", "batch_size", "horizon"]
    return frame.sort_values(keys, key=order, kind="stable", ignore_index=True)


def _check_campaigns(campaigns: pd.DataFrame, extra: list[str] | None = None) -> None:
    needed = [*SETTING, *PLAYER, *CAMPAIGN, "value", *(extra or [])]
    missing = [column for column in needed if column not in campaigns.columns]
    if missing:
        raise ValueError(f"campaigns lacks the columns {missing}; it has {list(campaigns)}")
    if campaigns.empty:
        raise ValueError("campaigns has no rows: nothing was played")
    check_told(campaigns)
    key = [*SETTING, *PLAYER, *CAMPAIGN]
    repeated = campaigns.duplicated(key)
    if repeated.any():
        raise ValueError(
            "a campaign must have one row per policy and setting; "
            f"this one appears twice: {campaigns.loc[repeated, key].iloc[0].to_dict()}"
        )


def _column(values: npt.ArrayLike, name: str) -> npt.NDArray[np.float64]:
    column: npt.NDArray[Any] = np.asarray(values, dtype=np.float64)
    if column.ndim != 1 or column.size == 0:
        raise ValueError(
            f"{name} must hold at least one number per campaign, shape (campaigns,), "
            f"got shape {column.shape}"
        )
    return column


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie inside (0, 1), got {confidence}")
