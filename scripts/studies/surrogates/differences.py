"""The fitted surrogate minus other models, paired by data set, intervals clustered by problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from ombo_gym.evaluation.statistics import Interval, mean_interval
from scripts.studies.surrogates.models import FIT
from scripts.studies.surrogates.plan import KEYS

MEASURES = ("spearman", "guarded_log_score", "log_score", "coverage")
MARGIN = 0.02  # below it counts as not below


class Difference(NamedTuple):
    """`fit` minus another model.

    Attributes:
        settings: Problem x start x size that both have predicted.
        problems: In these.
        by_measure: The mean difference of each of `MEASURES`, clustered by problem.
        median_log_score: The median over settings of the difference in `log_score`.
    """

    settings: int
    problems: int
    by_measure: dict[str, Interval]
    median_log_score: float


def difference(qualities: pd.DataFrame, model: str) -> Difference | None:
    """`fit` minus a model on the data sets that both have; None where there are none."""
    wide = paired(qualities, model)
    if wide.empty:
        return None
    clusters = wide.index.get_level_values("problem")
    by_measure = {
        name: mean_interval(wide[name].to_numpy(), clusters=clusters) for name in MEASURES
    }
    by_setting = wide.groupby(["problem", "start", "added"])["log_score"].mean()
    return Difference(len(by_setting), clusters.nunique(), by_measure, float(by_setting.median()))


def paired(qualities: pd.DataFrame, model: str) -> pd.DataFrame:
    """`fit` minus a model, a row per data set that both have, by `KEYS`."""
    measures = list(MEASURES)
    ours, others = (
        qualities[qualities["model"] == name].set_index(KEYS)[measures] for name in (FIT, model)
    )
    return (ours - others.reindex(ours.index)).dropna()


def losses(qualities: pd.DataFrame, model: str, measure: str) -> pd.Series:
    """Problems on which `fit` is below a model: the mean differences, the worst first.

    Over starts, sizes and data sets; below, where the interval clustered by data set is below 0.
    """
    found = {}
    for problem, part in paired(qualities, model).groupby("problem", sort=False):
        clusters = part.index.get_level_values("data_set")
        interval = mean_interval(part[measure].to_numpy(), clusters=clusters)
        if interval.high < 0:
            found[problem] = interval.estimate
    return pd.Series(found, dtype=float).sort_values()


def complete(qualities: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """The rows of settings that all of these models have predicted."""
    setting = ["problem", "start", "added"]
    part = qualities[qualities["model"].isin(models)]
    counts = part.groupby(setting)["model"].transform("nunique")
    return part[counts == len(models)]
