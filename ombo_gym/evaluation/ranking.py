"""Which method is better: per setting, and over all settings of a utility.

Every function takes the frame behind `campaigns.csv` and returns the frame behind one table.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ombo_gym.evaluation.contest import Contest, Scores, contests, normalise, scale
from ombo_gym.evaluation.resampling import Values, iqm_of_counts, percentile_ends
from ombo_gym.evaluation.statistics import holm, mean_interval, paired_p_value
from ombo_gym.evaluation.student_t import student_t_quantile
from ombo_gym.evaluation.tables import (
    SETTING,
    TOLD,
    Block,
    blocks,
    methods_of,
    ordered,
    row_codes,
    with_defaults,
)

RANKS_COLUMNS = [
    *(*SETTING, "method", "told_horizon", "rank", "methods", "mean"),
    *("behind", "ci_low", "ci_high", "p_value", "p_holm", "tied"),
]
LEADERBOARD_COLUMNS = [
    *("method", "utility", "settings", "complete", "score", "score_low", "score_high"),
    *("score_mean", "rank", "rank_low", "rank_high", "p_holm", "place"),
]
PROFILES_COLUMNS = ["utility", "method", "score", "share", "low", "high"]
IMPROVEMENT_COLUMNS = [
    *("utility", "method_a", "method_b", "settings", "probability", "low", "high")
]
TAUS = 51  # points of a performance profile
SIGNIFICANT = 0.05


def normalised(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The campaigns with a column `score`: (value - low) / (high - low) within their setting.

    `low` is the mean of the policy `random`, told the true horizon if it played so (where it did
    not play at all, the lowest mean of a policy), `high` the highest mean of any policy, however
    it was told. Where `high` is not above `low`, all scores are 0.

    Args:
        campaigns: One row per campaign, with the columns of `campaigns.csv`.

    Returns:
        A copy of the frame with `score`, and with `env_kwargs` and `method` where they were left
        out.

    Raises:
        ValueError: A column is missing, there is no row, or a campaign appears twice.
    """
    ends = np.array([scale(block) for block in blocks(campaigns)])
    frame = with_defaults(campaigns)
    setting, _ = row_codes(frame, SETTING)
    values = frame["value"].to_numpy(dtype=np.float64)
    return frame.assign(score=normalise(values, *ends[setting].T))


def ranks(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The methods of each setting, best mean first: the frame of `ranks.csv`.

    Those told the true horizon and those told every round that it is the last are ranked
    separately. A method of several runs counts with their mean on each campaign that all have
    played: its intervals and p-values say how it does on other campaigns, with these runs.

    Args:
        campaigns: One row per campaign, with the columns of `campaigns.csv`.

    Returns:
        `rank` of `methods` (equal means share the mean of their ranks) and `mean`; `behind`, the
        mean of the best one's value minus this one's on the campaigns of both, with its 95%
        Student t interval `ci_low`, `ci_high`; the two-sided `p_value` of the paired t test of
        that difference (nan for the best itself), `p_holm` adjusted for the setting's comparisons,
        and `tied`: whether the best cannot be told apart from it (p_holm at least 0.05).

    Raises:
        ValueError: A column is missing, there is no row, or a campaign appears twice.
    """
    rows = []
    for block in blocks(campaigns):
        for told in TOLD:
            rows += [(*block.setting, *row) for row in _ranked(block, told)]
    return ordered(pd.DataFrame(rows, columns=RANKS_COLUMNS))


def _ranked(block: Block, told: str) -> list[tuple[Any, ...]]:
    """The rows of one setting, without its columns, of those told so."""
    played: dict[str, npt.NDArray[np.bool_]] = {}
    values: dict[str, Values] = {}
    for (method, word), runs in methods_of(block).items():
        common = np.all(block.played[runs], axis=0)
        if word == told and common.any():
            played[method], values[method] = common, block.values[runs].mean(axis=0)
    if not played:
        return []
    names = list(played)
    means = np.array([values[name][played[name]].mean() for name in names])
    place = rank_of(means)
    order = np.argsort(place, kind="stable")
    best = names[order[0]]
    differences = [(values[best] - values[name])[played[best] & played[name]] for name in names]
    p_values = [
        math.nan if name == best or not each.size else paired_p_value(each)
        for name, each in zip(names, differences, strict=True)
    ]
    adjusted = holm(p_values)
    return [
        (
            *(names[i], told, place[i], len(names), means[i]),
            *(mean_interval(differences[i]) if differences[i].size else (math.nan,) * 3),
            *(p_values[i], adjusted[i], not adjusted[i] < SIGNIFICANT),
        )
        for i in order
    ]


def rank_of(means: Values) -> Values:
    """Ranks along the first axis, 1 for the highest; equal ones share the mean of their ranks."""
    higher = (means[None] > means[:, None]).sum(axis=1)
    equal = (means[None] == means[:, None]).sum(axis=1)
    return np.where(np.isnan(means), np.nan, 1 + higher + (equal - 1) / 2)


def leaderboard(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The methods over all settings of a utility: the frame of `leaderboard.csv`."""
    rows = [row for contest in contests(blocks(campaigns)) for row in _standings(contest)]
    return pd.DataFrame(rows, columns=LEADERBOARD_COLUMNS)


class _Sorted(NamedTuple):
    """A method's scores of all settings, ascending."""

    values: Values
    rows: npt.NDArray[np.int64]
    runs: npt.NDArray[np.int64]
    weights: Values | None  # so that settings count alike; None: they do


def _sorted(scores: dict[int, Scores]) -> _Sorted:
    values = np.concatenate([each.values.ravel() for each in scores.values()])
    order = np.argsort(values)
    rows = np.concatenate([np.tile(each.rows, len(each.runs)) for each in scores.values()])
    runs = np.concatenate([np.repeat(each.runs, each.rows.size) for each in scores.values()])
    sizes = np.array([each.values.size for each in scores.values()])
    weights = np.repeat(sizes.max() / sizes, sizes)[order]
    even = bool((sizes == sizes[0]).all())
    return _Sorted(values[order], rows[order], runs[order], None if even else weights)


def _standings(contest: Contest) -> list[tuple[Any, ...]]:
    names = list(contest.scores)
    columns = {name: _sorted(contest.scores[name]) for name in names}
    score = {
        name: _iqm(column, np.ones((contest.campaigns, 1)), None)[0]
        for name, column in columns.items()
    }
    replicates: dict[str, list[Values]] = {name: [] for name in names}
    for counts, runs in contest.resamples():
        for name, column in columns.items():
            replicates[name].append(_iqm(column, counts, runs.get(name)))
    ends = {
        name: percentile_ends(np.concatenate(each), contest.tail)
        for name, each in replicates.items()
    }
    rows: list[tuple[Any, ...]] = []
    for name in sorted(names, key=lambda name: (name not in contest.complete, -score[name])):
        played = contest.scores[name]
        rows.append(
            (
                name,
                contest.utility,
                len(played),
                name in contest.complete,
                score[name],
                *ends[name],
                float(np.mean([each.values.mean() for each in played.values()])),
                math.nan,
                math.nan,
                math.nan,
                math.nan,
                len(rows) + 1 if name in contest.complete else math.nan,
            )
        )
    return rows


def _iqm(column: _Sorted, counts: Values, runs: Values | None) -> Values:
    weights = counts[column.rows]
    if runs is not None:
        weights *= runs[column.runs]
    if column.weights is not None:
        weights *= column.weights[:, None]
    return iqm_of_counts(column.values, weights)


def profiles(campaigns: pd.DataFrame) -> pd.DataFrame:
    """How often methods reach a score: the frame of `profiles.csv`."""
    rows = []
    for contest in contests(blocks(campaigns)):
        every = [
            each.values.ravel() for n in contest.complete for each in contest.scores[n].values()
        ]
        if not every:
            continue
        ends = np.nanquantile(np.concatenate(every), [0.025, 0.975])
        taus = np.linspace(min(0.0, ends[0]), max(1.0, ends[1]), TAUS)
        for name in contest.complete:
            share = np.mean(
                [
                    (each.values.ravel()[:, None] > taus).mean(0)
                    for each in contest.scores[name].values()
                ],
                axis=0,
            )
            rows += [(contest.utility, name, t, s, s, s) for t, s in zip(taus, share, strict=True)]
    return pd.DataFrame(rows, columns=PROFILES_COLUMNS)


def improvement(campaigns: pd.DataFrame) -> pd.DataFrame:
    """How probably one method beats another: the frame of `improvement.csv`."""
    rows = [
        (contest.utility, a, b, contest.settings, *_improvement(contest, a, b))
        for contest in contests(blocks(campaigns))
        for a, b in itertools.combinations(contest.complete, 2)
    ]
    return pd.DataFrame(rows, columns=IMPROVEMENT_COLUMNS)


def _improvement(contest: Contest, a: str, b: str) -> tuple[float, float, float]:
    """Mean over settings of P(A > B) + P(A = B) / 2, with its 95% interval (DeLong et al. 1988)."""
    influence = np.zeros(contest.campaigns)
    probability = 0.0
    for s in range(contest.settings):
        left, right = contest.scores[a][s], contest.scores[b][s]
        above, below = _share_below(left, right), 1 - _share_below(right, left)
        each = float(above.mean())
        probability += each / contest.settings
        for scores, placed in ((left, above), (right, below)):
            shares = (placed.mean(axis=0) - each) / scores.rows.size / contest.settings
            influence[scores.rows] += shares
    sizes = np.repeat(contest.sizes, contest.sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = math.sqrt(float((influence**2 * sizes / (sizes - 1)).sum()))
    degrees = contest.campaigns - len(contest.sizes)
    if degrees < 1:
        return probability, math.nan, math.nan
    half = student_t_quantile(0.975, degrees) * error
    return probability, max(0.0, probability - half), min(1.0, probability + half)


def _share_below(scores: Scores, others: Scores) -> Values:
    """Which share of the others' scores lies below each score, ties half; like scores.values."""
    column = np.sort(others.values, axis=None)
    low = np.searchsorted(column, scores.values, side="left")
    return (low + np.searchsorted(column, scores.values, side="right")) / (2 * column.size)
