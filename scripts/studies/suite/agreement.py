"""Whether the suite's scores can be trusted: rivals that leave, and halves of the campaigns."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from ombo_gym.evaluation.leaderboard import (
    GROUP,
    Group,
    PlayedScores,
    Setting,
    leaderboard,
    over_problems,
)
from ombo_gym.evaluation.statistics import Interval

_NUMBERS = ["score", "score_low", "score_high", "median", "auc"]


def kept_when_one_leaves(campaigns: pd.DataFrame) -> float:
    """The largest change of any number of the others, when each policy is left out in turn.

    The two references stay, since differences to them and `harm` are of them.
    """
    whole = leaderboard(PlayedScores(campaigns)).set_index([*GROUP, "method"])[_NUMBERS]
    largest = 0.0
    for policy in campaigns["policy"].unique():
        less = leaderboard(PlayedScores(campaigns[campaigns["policy"] != policy]))
        numbers = less.set_index([*GROUP, "method"])[_NUMBERS]
        change = (numbers - whole.loc[numbers.index]).abs().to_numpy()
        largest = max(largest, float(np.nanmax(change, initial=0.0)))
    return largest


def split_halves(campaigns: pd.DataFrame) -> pd.DataFrame:
    """How often even and odd campaigns agree on the order of two policies.

    Returns:
        By start, utility and horizon: `decided`, pairs of policies whose paired interval on one
        half excludes 0 (each half in turn), and `agreed`, those of them whose mean difference on
        the other half has the same sign.
    """
    halves = [PlayedScores(campaigns[campaigns["campaign"] % 2 == half]) for half in (0, 1)]
    rows = []
    for group in halves[0].groups:
        pairs = [_differences(half, group) for half in halves]
        decided = agreed = 0
        for one, other in (pairs, pairs[::-1]):
            for names, interval in one.items():
                if (interval.low > 0 or interval.high < 0) and names in other:
                    decided += 1
                    agreed += interval.estimate * other[names].estimate > 0
        rows.append((*group, decided, agreed))
    return pd.DataFrame(rows, columns=[*GROUP, "decided", "agreed"])


def _differences(scores: PlayedScores, group: Group) -> dict[tuple[str, str], Interval]:
    """The paired difference of every two methods that played all problems of a group."""
    settings = scores.groups[group]
    names = [
        name
        for name in next(iter(settings.values()))
        if all(name in played for played in settings.values())
    ]
    found = {}
    for a, b in itertools.combinations(names, 2):
        columns: dict[Setting, tuple[np.ndarray, np.ndarray]] = {
            setting: played[a].minus(played[b]) for setting, played in settings.items()
        }
        found[a, b] = over_problems(columns)
    return found
