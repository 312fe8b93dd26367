"""Numbers over all settings of a utility (or of all), with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ombo_gym.evaluation.clusters import Codes, standard_error
from ombo_gym.evaluation.normalized_scores import MethodScores, NormalizedScores
from ombo_gym.evaluation.progress import tracked
from ombo_gym.evaluation.resampling import Values, chunks, iqm_of_counts, percentile_ends
from ombo_gym.evaluation.statistics import Interval, student_t_p_value, student_t_quantile


class LeaderboardEntry(NamedTuple):
    """One method: the interquartile mean of the normalised scores, and the mean rank."""

    score: Interval
    rank: Interval  # nan for a method that has not played every setting


def leaderboard_entries(normalized: NormalizedScores) -> dict[str, LeaderboardEntry]:
    """Scores and ranks of all methods, with 95% bootstrap intervals.

    The score is the interquartile mean of the normalised scores of all settings together, in which
    settings count alike; the rank is the mean over settings of the rank by mean score among the
    complete methods.

    Measured coverage of a score's interval, in 2 and in 6 settings of 50 campaigns that share part
    of their luck: 94% to 95% for normal, exponential and lognormal scores and with 40% ties at 0.
    The interval of a rank is a rougher guide: resampling adds noise to means that lie close, which
    pulls their ranks to the middle.
    """
    columns = {name: _ascending(scores) for name, scores in normalized.scores.items()}
    tables = (
        [_RunTable(normalized, s) for s in range(normalized.settings)]
        if normalized.complete
        else []
    )
    once = np.ones((normalized.campaigns, 1))
    scores = {
        name: iqm_of_counts(column.values, column.drawn(once, None))[0]
        for name, column in columns.items()
    }
    ranks = _mean_ranks(normalized, tables, once, {})
    resampled: dict[str, list[Values]] = {name: [] for name in columns}
    resampled_ranks = []
    for counts, runs in _tracked_resamples(normalized, "leaderboard"):
        for name, column in columns.items():
            weights = column.drawn(counts, runs.get(name))
            resampled[name].append(iqm_of_counts(column.values, weights))
        resampled_ranks.append(_mean_ranks(normalized, tables, counts, runs))
    rank_ends = percentile_ends(np.concatenate(resampled_ranks, axis=1), normalized.tail)
    nothing = Interval(math.nan, math.nan, math.nan)
    rank = {
        name: Interval(float(ranks[i, 0]), *map(float, rank_ends[i]))
        for i, name in enumerate(normalized.complete)
    }
    entries = {}
    for name, parts in resampled.items():
        low, high = percentile_ends(np.concatenate(parts), normalized.tail)
        score = Interval(float(scores[name]), float(low), float(high))
        entries[name] = LeaderboardEntry(score, rank.get(name, nothing))
    return entries


def _tracked_resamples(
    normalized: NormalizedScores, words: str
) -> Iterator[tuple[Values, dict[str, Values]]]:
    """The resamples, with a bar that says of which utility they are."""
    total = sum(1 for _ in chunks(normalized.campaigns))
    return tracked(normalized.resamples(), f"{words}, {normalized.utility}", total=total)


class _Ascending(NamedTuple):
    """A method's scores of all settings in one column, ascending."""

    values: Values
    rows: npt.NDArray[np.int64]  # the campaign of each
    runs: npt.NDArray[np.int64]  # the run of each
    weights: Values | None  # with which settings count alike; None: they do without

    def drawn(self, counts: Values, runs: Values | None) -> Values:
        """The weight of each score under counts of campaigns and runs, shape (n, resamples)."""
        weights: Values = counts[self.rows]
        if runs is not None:
            weights *= runs[self.runs]
        if self.weights is not None:
            weights *= self.weights[:, None]
        return weights

    def above(self, taus: Values, weights: Values) -> Values:
        """The share of weight on scores above each tau, shape (taus, resamples)."""
        if np.isnan(self.values[-1]):
            return np.full((taus.size, weights.shape[1]), np.nan)
        first = np.searchsorted(self.values, taus, side="right")
        edges = np.unique(np.append(first[first < self.values.size], 0))
        below = np.cumsum(np.add.reduceat(weights, edges, axis=0), axis=0)
        below = np.concatenate([np.zeros((1, weights.shape[1])), below])
        with np.errstate(invalid="ignore"):
            shares: Values = 1 - below[np.searchsorted(edges, first)] / below[-1]
        return shares


def _ascending(scores: dict[int, MethodScores]) -> _Ascending:
    values = np.concatenate([each.values.ravel() for each in scores.values()])
    rows = np.concatenate([np.tile(each.rows, len(each.runs)) for each in scores.values()])
    runs = np.concatenate([np.repeat(each.runs, each.rows.size) for each in scores.values()])
    sizes = np.array([each.values.size for each in scores.values()])
    order = np.argsort(values)
    weights = np.repeat(sizes.max() / sizes, sizes)[order] if np.ptp(sizes) else None
    return _Ascending(values[order], rows[order], runs[order], weights)


class _RunTable:
    """One setting's scores of all runs of the complete methods, zero where not played."""

    def __init__(self, normalized: NormalizedScores, setting: int) -> None:
        self.stratum = normalized.stratum(setting)
        scores = [normalized.scores[name][setting] for name in normalized.complete]
        self.methods = np.repeat(np.arange(len(scores)), [len(each.runs) for each in scores])
        size = self.stratum.stop - self.stratum.start
        self.values, self.played = np.zeros((2, len(self.methods), size))
        for i, each in enumerate(scores):
            runs = np.flatnonzero(self.methods == i)[each.runs]
            columns = each.rows - self.stratum.start
            self.values[np.ix_(runs, columns)] = each.values
            self.played[np.ix_(runs, columns)] = 1.0
        self.full = bool(self.played.all())

    def means(self, counts: Values, weights: Values) -> Values:
        """Mean score of each method under counts, shape (methods, resamples)."""
        drawn = counts[self.stratum]
        drawn_counts = drawn.sum(axis=0) if self.full else self.played @ drawn
        starts = np.flatnonzero(np.diff(self.methods, prepend=-1))
        with np.errstate(invalid="ignore"):  # of infinite values
            top, bottom = (self.values @ drawn) * weights, drawn_counts * weights
            means: Values = np.add.reduceat(top, starts) / np.add.reduceat(bottom, starts)
        return means


def _mean_ranks(
    normalized: NormalizedScores, tables: list[_RunTable], counts: Values, runs: dict[str, Values]
) -> Values:
    """Mean over settings of the rank of each complete method, shape (methods, resamples)."""
    total = np.zeros((len(normalized.complete), counts.shape[1]))
    if not normalized.complete:
        return total
    weights = np.concatenate(
        [
            runs.get(name, np.ones((normalized.runs[name], counts.shape[1])))
            for name in normalized.complete
        ]
    )
    for table in tables:
        total += rank_of(table.means(counts, weights))
    return total / normalized.settings


def rank_of(means: Values) -> Values:
    """Ranks along the first axis, 1 for the highest; equal ones share the mean of their ranks."""
    higher = (means[None] > means[:, None]).sum(axis=1)
    equal = (means[None] == means[:, None]).sum(axis=1)
    return np.where(np.isnan(means), np.nan, 1 + higher + (equal - 1) / 2)


def stratified_p_value(normalized: NormalizedScores, a: str, b: str) -> float:
    """Two-sided p-value that methods a and b have the same mean score over settings.

    Within a problem a campaign counts once, with its mean difference over the settings (they share
    their instances); problems are weighted by how many settings they have. The statistic is
    Student's t of stratified means with Welch and Satterthwaite's degrees of freedom, rounded down;
    with one problem it is the paired t test (by instance, where it is a collection). The luck of
    training is not in it.

    Reference:
        Cochran, "Sampling techniques", 3rd edition, 1977, section 5.4.
    """
    total, played_settings = np.zeros((2, normalized.campaigns))  # (campaigns,) each
    settings = np.zeros(len(normalized.sizes))
    for s in range(normalized.settings):
        left, right = normalized.scores[a][s], normalized.scores[b][s]
        rows, i, j = np.intersect1d(left.rows, right.rows, True, return_indices=True)
        if rows.size:
            with np.errstate(invalid="ignore"):  # of infinite values
                total[rows] += left.values.mean(axis=0)[i] - right.values.mean(axis=0)[j]
            played_settings[rows] += 1
            settings[normalized.problems[s]] += 1
    differences, clusters = [], []
    for p in np.flatnonzero(settings).tolist():
        stratum = normalized.rows(p)
        played = played_settings[stratum] > 0
        differences.append(total[stratum][played] / played_settings[stratum][played])
        clusters.append(normalized.clusters[p][played])
    if not differences:
        return math.nan
    return _welch(differences, clusters, settings[settings > 0] / settings.sum())


def _welch(columns: list[Values], clusters: list[Codes], weights: Values) -> float:
    """Two-sided p-value that the weighted mean of the columns' means is 0."""
    if any(column.size == 1 or not np.isfinite(column).all() for column in columns):
        return math.nan
    mean = float(weights @ [column.mean() for column in columns])
    errors, degrees_of = np.array(list(map(standard_error, columns, clusters))).T
    parts = (weights * errors) ** 2
    variance = float(parts.sum())
    if variance == 0:
        return 1.0 if mean == 0 else 0.0
    degrees = int(variance**2 / (parts**2 / degrees_of).sum() + 1e-9)
    return student_t_p_value(mean / math.sqrt(variance), max(1, degrees))


def shares_above(normalized: NormalizedScores, taus: Values) -> dict[str, tuple[Values, Values]]:
    """Performance profiles: the mean over settings of the share of campaigns with score > tau.

    Args:
        normalized: The settings.
        taus: Scores, shape (taus,).

    Returns:
        Of each complete method the shares, shape (taus,), and the ends of their pointwise 95%
        bootstrap intervals, shape (taus, 2): measured coverage at 50 campaigns 92% to 97% for
        shares from 0.05 to 0.9. A share of 0 or 1 has an interval without width.
    """
    columns = {name: _ascending(normalized.scores[name]) for name in normalized.complete}
    resampled: dict[str, list[Values]] = {name: [] for name in columns}
    for counts, runs in _tracked_resamples(normalized, "profiles"):
        for name, column in columns.items():
            weights = column.drawn(counts, runs.get(name))
            resampled[name].append(column.above(taus, weights))
    once = np.ones((normalized.campaigns, 1))
    return {
        name: (
            column.above(taus, column.drawn(once, None))[:, 0],
            percentile_ends(np.concatenate(resampled[name], axis=1), normalized.tail),
        )
        for name, column in columns.items()
    }


def probability_of_improvement(normalized: NormalizedScores, a: str, b: str) -> Interval:
    """Mean over settings of the probability that a campaign of a beats one of b; ties half.

    In each setting it is the Mann-Whitney statistic over all pairs of campaigns (not the same
    campaign only: see `wins` in `paired.csv` for that), as in rliable. Its variance comes from
    what each campaign adds to it (its two placements; campaigns on one instance of a collection
    together), campaigns within problems and runs within methods, which is what a bootstrap comes to
    without drawing; the 95% interval is symmetric in log odds. A probability of 1 has the interval
    of n wins in n campaigns.

    Measured coverage at 50 campaigns (normal, exponential, lognormal, rounded and zero-inflated
    scores, with and without shared luck): 93% to 97% for probabilities from 0.1 to 0.9, in one
    setting and in six; 90% to 95% at 0.96 in one setting.

    Reference:
        DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated
        receiver operating characteristic curves", Biometrics 44(3), 1988.
    """
    probability = 0.0
    campaigns = np.zeros(normalized.campaigns)
    runs = {name: np.zeros(normalized.runs[name]) for name in (a, b)}
    for s in range(normalized.settings):
        left, right = normalized.scores[a][s], normalized.scores[b][s]
        above = _placements(left, right)
        each = float(above.mean())
        probability += each / normalized.settings
        for name, scores, placed in ((a, left, above), (b, right, 1 - _placements(right, left))):
            change = (placed - each) / normalized.settings
            campaigns[scores.rows] += change.mean(axis=0) / scores.rows.size
            runs[name][scores.runs] += change.mean(axis=1) / len(scores.runs)
    counts = normalized.cluster_counts
    degrees = int(counts.sum()) - len(counts)
    if degrees < 1:
        return Interval(probability, math.nan, math.nan)
    variance = sum(float((each**2).sum()) for each in runs.values() if each.size > 1)
    for p, count in enumerate(counts.tolist()):
        cluster_sums = np.bincount(normalized.clusters[p], campaigns[normalized.rows(p)])  # (G,)
        variance += float((cluster_sums**2).sum()) * count / (count - 1) if count > 1 else 0.0
    return Interval(probability, *_log_odds_ends(probability, variance, int(counts.sum()), degrees))


def _log_odds_ends(
    probability: float, variance: float, clusters: int, degrees: int
) -> tuple[float, float]:
    if math.isnan(probability):
        return math.nan, math.nan
    certain = 0.025 ** (1 / clusters)
    if probability >= 1:
        return certain, 1.0
    if probability <= 0:
        return 0.0, 1 - certain
    odds = probability / (1 - probability)
    slope = probability * (1 - probability)  # of the probability against the log odds
    factor = math.exp(min(student_t_quantile(0.975, degrees) * math.sqrt(variance) / slope, 500.0))
    return odds / (odds + factor), odds / (odds + 1 / factor)


def _placements(scores: MethodScores, others: MethodScores) -> Values:
    """Which share of the others' scores lies below each score, ties half; like scores.values."""
    column = np.sort(others.values, axis=None)
    low = np.searchsorted(column, scores.values, side="left")
    high = np.searchsorted(column, scores.values, side="right")
    shares: Values = (low + high) / (2 * column.size)
    if np.isnan(column[-1]):
        return np.full(scores.values.shape, np.nan)
    shares[np.isnan(scores.values)] = np.nan
    return shares
