"""Which method is better: per setting, and over all settings of a utility.

Every function takes the frame behind `campaigns.csv` and returns the frame behind one table.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ombo_gym.evaluation.aggregates import (
    probability_of_improvement,
    rank_of,
    shares_above,
)
from ombo_gym.evaluation.leaderboard import LEAST
from ombo_gym.evaluation.normalized_scores import (
    NormalizedScores,
    normalized_scores,
)
from ombo_gym.evaluation.progress import tracked
from ombo_gym.evaluation.resampling import Values
from ombo_gym.evaluation.statistics import holm, mean_interval, paired_p_value
from ombo_gym.evaluation.tables import (
    HORIZONS_SHOWN,
    SETTING,
    Block,
    blocks,
    methods_of,
    ordered,
)

RANKS_COLUMNS = [
    *(*SETTING, "method", "told_horizon", "rank", "methods", "mean"),
    *("behind", "ci_low", "ci_high", "p_value", "p_holm", "tied"),
]
PROFILES_COLUMNS = ["start", "utility", "method", "score", "share", "low", "high"]
IMPROVEMENT_COLUMNS = [
    *("start", "utility", "method_a", "method_b", "settings", "probability", "low", "high")
]
TAUS = 51  # points of a performance profile
SIGNIFICANT = 0.05


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
    for block in tracked(blocks(campaigns), "ranks"):
        for horizon_shown in HORIZONS_SHOWN:
            rows += [(*block.setting, *row) for row in _ranked(block, horizon_shown)]
    return ordered(pd.DataFrame(rows, columns=RANKS_COLUMNS))


def _ranked(block: Block, horizon_shown: str) -> list[tuple[Any, ...]]:
    """The rows of one setting, without its columns, of the methods shown this horizon."""
    played: dict[str, npt.NDArray[np.bool_]] = {}
    values: dict[str, Values] = {}
    for (method, shown), runs in methods_of(block).items():
        common = np.all(block.played[runs], axis=0)
        if shown == horizon_shown and common.any():
            played[method], values[method] = common, block.values[runs].mean(axis=0)
    if not played:
        return []
    names = list(played)
    means = np.array([values[name][played[name]].mean() for name in names])
    place = rank_of(means)
    order = np.argsort(place, kind="stable")
    best = names[order[0]]
    differences = [(values[best] - values[name])[played[best] & played[name]] for name in names]
    clusters = [block.clusters[played[best] & played[name]] for name in names]
    p_values = [
        math.nan if name == best or not each.size else paired_p_value(each, clusters=labels)
        for name, each, labels in zip(names, differences, clusters, strict=True)
    ]
    adjusted = holm(p_values)
    return [
        (
            *(names[i], horizon_shown, place[i], len(names), means[i]),
            *(
                mean_interval(differences[i], clusters=clusters[i])
                if differences[i].size
                else (math.nan,) * 3
            ),
            *(p_values[i], adjusted[i], not adjusted[i] < SIGNIFICANT),
        )
        for i in order
    ]


def profiles(campaigns: pd.DataFrame) -> pd.DataFrame:
    """How often the complete methods exceed a score: the frame of `profiles.csv`.

    Args:
        campaigns: One row per campaign, with the columns of `campaigns.csv`.

    Returns:
        Per `start`, `utility` and `method`, on one grid of 51 scores (from 0, or the 2.5% quantile
        of all of them if that is lower, at least -1, to 1, or the 97.5% quantile): `share`, the
        mean over settings of the share of campaigns with a higher score, with its pointwise 95%
        interval `low`, `high`.

    Raises:
        ValueError: A column is missing, there is no row, or a campaign appears twice.

    Reference:
        Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice",
        NeurIPS 2021, section 4.2: score distributions.
    """
    rows = []
    for normalized in normalized_scores(campaigns):
        taus = _grid(normalized)
        for name, (share, ends) in shares_above(normalized, taus).items():
            rows += [
                (normalized.start, normalized.utility, name, *point)
                for point in np.column_stack([taus, share, ends]).tolist()
            ]
    return pd.DataFrame(rows, columns=PROFILES_COLUMNS)


def _grid(normalized: NormalizedScores) -> Values:
    scores = [
        each.values.ravel()
        for name in normalized.complete
        for each in normalized.scores[name].values()
    ]
    finite = np.concatenate([*scores, [0.0, 1.0]])
    low, high = np.quantile(finite[np.isfinite(finite)], [0.025, 0.975])
    return np.linspace(max(LEAST, min(0.0, low)), max(1.0, high), TAUS)


def improvement(campaigns: pd.DataFrame) -> pd.DataFrame:
    """How probably one method beats another: the frame of `improvement.csv`.

    Args:
        campaigns: One row per campaign, with the columns of `campaigns.csv`.

    Returns:
        Per `start`, `utility` and unordered pair of complete methods: the `probability` that a
        campaign of `method_a` is worth more than one of `method_b`, mean over `settings`, with its
        95% interval `low`, `high`. The other way round it is 1 minus each.

    Raises:
        ValueError: A column is missing, there is no row, or a campaign appears twice.
    """
    rows = [
        (
            normalized.start,
            normalized.utility,
            a,
            b,
            normalized.settings,
            *probability_of_improvement(normalized, a, b),
        )
        for normalized in normalized_scores(campaigns, "value")
        for a, b in tracked(
            list(itertools.combinations(normalized.complete, 2)), "probability of improvement"
        )
    ]
    return pd.DataFrame(rows, columns=IMPROVEMENT_COLUMNS)
