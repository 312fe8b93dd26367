"""Scores of methods: by problem, and over problems, start by start and utility by utility.

A campaign's score (`ombo_gym.scores`) is 0 at the start's best value and 1 at the best value known:
it does not depend on who else played, so neither does a method's place change by who is added but
for being passed. Starts of different origin are never pooled: what is good advice after a random
start is bad after one below the median, and the other way round.

The means count a score below -1 as -1: where the start's best is close to the best known there is
nothing to gain and, under `last_mean`, a hundred times as much to lose, and one such campaign would
outweigh all others. `campaigns.csv` has the scores as they are.

Over problems each problem weighs alike, and intervals are for other problems of the kind: they
look at how problems differ (`over_problems`), which with few problems makes them wide. Over
one problem alone they look at its campaigns, and where it is a collection at its instances.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from ombo_gym.evaluation.default_columns import with_defaults
from ombo_gym.evaluation.progress import tracked
from ombo_gym.evaluation.statistics import Interval, mean_interval
from ombo_gym.evaluation.tables import PROBLEM, Block, as_shown, blocks, methods_of
from ombo_gym.scores import score

REFERENCE = "random"
BASELINE = "doe_then_ucb"  # knows its start, and knows nothing else that others do not
LEAST = -1.0  # score that counts in means
GROUP = ["start", "utility", "horizon"]
PROBLEM_COLUMNS = [
    *(*GROUP, *PROBLEM, "batch_size", "method", "campaigns", "score", "score_low", "score_high"),
    *("median", "auc", "harm", "seen"),
]
LEADERBOARD_COLUMNS = [
    *(*GROUP, "place", "method", "complete", "problems", "campaigns"),
    *("score", "score_low", "score_high", "median", "auc", "harm"),
    *("minus_random", "minus_random_low", "minus_random_high"),
    *("minus_baseline", "minus_baseline_low", "minus_baseline_high", "seen"),
]
_COLUMNS = ["score", "auc_score", "value"]  # of which a block is made each

Values = npt.NDArray[np.float64]


class _Played(NamedTuple):
    """What a method did on a problem's campaigns at one batch size.

    Attributes:
        numbers: Of the campaigns that all its runs have played, (n,).
        clusters: Their instances, or a label each, (n,).
        scores: Mean over runs, (n,).
        auc: Of the trajectory, on the scale of scores, mean over runs, (n,).
        below: Share of runs that ended below `random`, on the campaigns that it has played too.
        runs: How many there are.
        seen: Whether one of them was trained, or chosen, on an instance of some campaign.
    """

    numbers: npt.NDArray[np.int64]
    clusters: npt.NDArray[np.int64]
    scores: Values
    auc: Values
    below: Values
    runs: int
    seen: bool

    @property
    def harm(self) -> float:
        """Mean of `below`; NaN without `random`."""
        return float(self.below.mean()) if self.below.size else math.nan

    def minus(self, other: _Played) -> tuple[Values, npt.NDArray[np.int64]]:
        """Differences of scores on the campaigns of both, with their clusters."""
        _, mine, others = np.intersect1d(
            self.numbers, other.numbers, assume_unique=True, return_indices=True
        )
        return self.scores[mine] - other.scores[others], self.clusters[mine]


Setting = tuple[Any, ...]  # env, env_kwargs, batch_size
Group = tuple[Any, ...]  # start, utility, horizon


class PlayedScores:
    """Every method's scores, by group and setting.

    Args:
        campaigns: One row per campaign, with the columns of `campaigns.csv`. Methods play as
            `as_shown` has them. Campaigns of which no best value is known are left out.

    Raises:
        ValueError: A column is missing, there is no row, or a campaign appears twice.
    """

    def __init__(self, campaigns: pd.DataFrame) -> None:
        frame = _scored(campaigns)
        self.groups: dict[Group, dict[Setting, dict[str, _Played]]] = {}
        if frame.empty and len(campaigns):
            return
        starts = frame.groupby(PROBLEM)["start"].first().to_dict()
        seen = frame.groupby([*PROBLEM, "method"])["seen"].any().to_dict()
        by_column = [blocks(frame.assign(value=frame[name])) for name in _COLUMNS]
        for scores, auc, value in tracked(
            list(zip(*by_column, strict=True)), "scores", total=len(by_column[0])
        ):
            env, env_kwargs, horizon, batch_size, utility = scores.setting
            found = {
                method: played._replace(seen=bool(seen[env, env_kwargs, method]))
                for method, played in _methods(scores, auc, value).items()
            }
            group = (starts[env, env_kwargs], utility, horizon)
            self.groups.setdefault(group, {})[env, env_kwargs, batch_size] = found


def problem_scores(scores: PlayedScores) -> pd.DataFrame:
    """How far each method comes on each problem: the frame of `problem_scores.csv`.

    Returns:
        A row per start, utility, horizon, problem, batch size and method: how many `campaigns`, the
        mean `score` with its 95% interval (by instance, where the problem is a collection), their
        `median`, the mean score of the trajectory `auc`, `harm` (the share of campaigns that end
        below what `random` reached on them), and `seen`: whether a run of the method was trained,
        or chosen, on an instance of some of them.
    """
    rows = [
        (
            *(*group, *setting, method, played.scores.size),
            *mean_interval(played.scores, clusters=played.clusters),
            *(float(np.median(played.scores)), played.auc.mean(), played.harm, played.seen),
        )
        for group, settings in scores.groups.items()
        for setting, methods in settings.items()
        for method, played in methods.items()
    ]
    return pd.DataFrame(rows, columns=PROBLEM_COLUMNS)


def leaderboard(scores: PlayedScores) -> pd.DataFrame:
    """The methods over all problems of a start, utility and horizon: `leaderboard.csv`.

    Returns:
        A row per start, utility, horizon and method, the highest score first and those that have
        not played every setting (`complete` is false) last and without a `place`: how many
        `problems` and `campaigns`, the mean over problems of the mean `score`, of the `median`, of
        `auc` and of `harm` (see `problem_scores`), and the mean difference to two fixed references
        on the same campaigns, `minus_random` and `minus_baseline` (to `doe_then_ucb`), each with
        its 95% interval `_low`, `_high`, NaN where the reference did not play; and `seen`, whether
        a problem is (see `problem_scores`).
    """
    rows = []
    for group, settings in scores.groups.items():
        methods = list(dict.fromkeys(name for played in settings.values() for name in played))
        entries = {name: _entry(name, settings) for name in methods}
        complete = [name for name in methods if _complete(name, settings)]
        complete.sort(key=lambda name: -entries[name]["score"])
        rest = [name for name in methods if name not in complete]
        for place, name in enumerate([*complete, *rest], start=1):
            place_shown = place if name in complete else math.nan
            row = {"place": place_shown, "method": name, "complete": name in complete}
            rows.append(dict(zip(GROUP, group, strict=True)) | row | entries[name])
    return pd.DataFrame(rows, columns=LEADERBOARD_COLUMNS)


def _scored(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The campaigns that have a score, with `auc_score`."""
    frame = with_defaults(campaigns)
    needed = ["score", "start", "auc", "start_best", "best_known"]
    if missing := [name for name in needed if name not in frame.columns]:
        raise ValueError(f"campaigns lacks the columns {missing}; it has {list(frame)}")
    frame = as_shown(frame)[lambda rows: rows["score"].notna()]
    auc, base, top = (frame[name].to_numpy(float) for name in ("auc", "start_best", "best_known"))
    return frame.assign(auc_score=score("auc", auc, base, top, measurements=1))


def _methods(scores: Block, auc: Block, value: Block) -> dict[str, _Played]:
    """What each method did in one setting."""
    random = [i for i, player in enumerate(value.players) if player.policy == REFERENCE]
    found = {}
    for (method, _), runs in methods_of(scores).items():
        common = scores.played[runs].all(axis=0)  # (campaigns,)
        if not common.any():
            continue
        below = np.zeros(0)
        if random:
            shared = common & value.played[random[0]]
            below = (value.values[runs] < value.values[random[0]]).mean(axis=0)[shared]
        found[method] = _Played(
            scores.campaigns[common],
            scores.clusters[common],
            np.maximum(scores.values[runs][:, common], LEAST).mean(axis=0),
            auc.values[runs][:, common].mean(axis=0),
            below,
            len(runs),
            False,  # which campaigns' frames say
        )
    return found


def _complete(name: str, settings: Mapping[Setting, Mapping[str, _Played]]) -> bool:
    """Whether every run of a method has played every setting."""
    runs = [played[name].runs if name in played else 0 for played in settings.values()]
    return min(runs) == max(runs)


def _entry(name: str, settings: Mapping[Setting, Mapping[str, _Played]]) -> dict[str, Any]:
    """One method's row, without its place."""
    played = {setting: methods[name] for setting, methods in settings.items() if name in methods}
    found = {
        "problems": len({setting[:2] for setting in played}),
        "campaigns": sum(each.scores.size for each in played.values()),
        "median": _mean(played, lambda each: float(np.median(each.scores))),
        "auc": _mean(played, lambda each: float(each.auc.mean())),
        "harm": _mean(played, lambda each: each.harm),
        "seen": any(each.seen for each in played.values()),
    }
    own = {setting: (each.scores, each.clusters) for setting, each in played.items()}
    found |= _with_ends("score", over_problems(own))
    for column, reference in (("minus_random", REFERENCE), ("minus_baseline", BASELINE)):
        differences = {
            setting: each.minus(settings[setting][reference])
            for setting, each in played.items()
            if reference in settings[setting]
        }
        found |= _with_ends(
            column, over_problems({k: v for k, v in differences.items() if v[0].size})
        )
    return found


def over_problems(
    columns: Mapping[Setting, tuple[Values, npt.NDArray[np.int64]]],
) -> Interval:
    """Mean over problems of the means over campaigns, with its 95% interval.

    Args:
        columns: By env, env_kwargs and batch size a number per campaign and the cluster of each,
            (n,) both. Batch sizes of one problem weigh alike within it.

    Returns:
        With several problems the Student t interval of their means; with one, that of its
        campaigns, by cluster. NaN without any.
    """
    by_problem: dict[Setting, list[tuple[Values, npt.NDArray[np.int64]]]] = {}
    for setting, column in columns.items():
        by_problem.setdefault(setting[:2], []).append(column)
    if not by_problem:
        return Interval(math.nan, math.nan, math.nan)
    if len(by_problem) > 1:
        return mean_interval(
            [
                float(np.mean([values.mean() for values, _ in of_one]))
                for of_one in by_problem.values()
            ]
        )
    (of_one,) = by_problem.values()
    clusters = np.concatenate([labels for _, labels in of_one])
    if len(of_one) == 1:
        return mean_interval(of_one[0][0], clusters=clusters)
    # Each batch size's deviations weigh as much together as another's, however many there are.
    means = [float(values.mean()) for values, _ in of_one]
    weights = [clusters.size / (len(of_one) * values.size) for values, _ in of_one]
    deviations = [
        weight * (values - mean)
        for weight, (values, _), mean in zip(weights, of_one, means, strict=True)
    ]
    return mean_interval(float(np.mean(means)) + np.concatenate(deviations), clusters=clusters)


def _mean(played: Mapping[Setting, _Played], number: Callable[[_Played], float]) -> float:
    """Mean over problems of a number of each, of those that have one; NaN where none has."""
    by_problem: dict[Setting, list[float]] = {}
    for setting, each in played.items():
        if not math.isnan(found := number(each)):
            by_problem.setdefault(setting[:2], []).append(found)
    means = [float(np.mean(numbers)) for numbers in by_problem.values()]
    return float(np.mean(means)) if means else math.nan


def _with_ends(column: str, interval: Interval) -> dict[str, float]:
    return dict(zip((column, f"{column}_low", f"{column}_high"), interval, strict=True))
