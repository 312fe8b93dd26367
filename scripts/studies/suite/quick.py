"""`make suite-quick`: the problems whose order of policies agrees best with the whole suite's.

They are added one by one, on every second policy (by name), as long as the time is enough, and of
the lists met on the way the one that agrees best is taken (the longest among equals). What is
reported is how well the order of the *other* policies on them agrees with their order on all
problems: the mean over starts, utilities and horizons of Kendall's tau.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml
from scipy.stats import kendalltau

from ombo_gym.evaluation.grid_file import read_yaml
from ombo_gym.evaluation.leaderboard import GROUP

SECONDS = 600.0  # of CPU for decisions; drawing, measuring and starting double it, on two cores
HORIZONS = (1, 5)
CAMPAIGNS = 30
Problem = tuple[str, str]  # env, env_kwargs without its start


class Choice(NamedTuple):
    """What was chosen.

    Attributes:
        problems: In the order in which they were taken.
        tau_chosen: Kendall's tau on the policies that they were chosen by.
        tau_tested: On the others.
        seconds: Of CPU for decisions.
    """

    problems: list[Problem]
    tau_chosen: float
    tau_tested: float
    seconds: float


def choose(scores: pd.DataFrame, timings: pd.DataFrame, seconds: float = SECONDS) -> Choice:
    """Problems that together take at most so long.

    Args:
        scores: The frame of `problem_scores.csv`.
        timings: The frame of `timings.csv`.
        seconds: Of CPU.
    """
    scores = scores[scores["horizon"].isin(HORIZONS)]
    scores = with_problems(scores)
    played = scores.groupby("method")[["problem", *GROUP]].apply(lambda rows: len(rows))
    methods = sorted(played.index[played == played.max()])
    by_first, by_second = methods[::2], methods[1::2]
    cost = _costs(timings)
    taken: list[Problem] = []
    taus: list[float] = []  # of the first, the first two, ...
    while affordable := _affordable(scores, taken, cost, seconds):
        found = [agreement(scores, [*taken, problem], by_first) for problem in affordable]
        taken.append(affordable[int(np.argmax(found))])
        taus.append(max(found))
    number = max(range(len(taus)), key=lambda i: (taus[i], i)) + 1 if taus else 0
    chosen = taken[:number]
    return Choice(
        chosen,
        max(taus, default=-np.inf),
        agreement(scores, chosen, by_second),
        sum(cost[problem] for problem in chosen),
    )


def _affordable(
    scores: pd.DataFrame, taken: list[Problem], cost: dict[Problem, float], seconds: float
) -> list[Problem]:
    """Problems that the time left is enough for."""
    left = seconds - sum(cost[problem] for problem in taken)
    return [
        problem
        for problem in dict.fromkeys(scores["problem"])
        if problem not in taken and cost[problem] <= left
    ]


def with_problems(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the column `problem`, whatever the start."""
    return frame.assign(problem=_problems(frame))


def agreement(scores: pd.DataFrame, problems: Collection[Problem], methods: Sequence[str]) -> float:
    """Mean over groups of Kendall's tau of mean scores on some problems and on all."""
    scores = scores[scores["method"].isin(methods)]
    inside = scores["problem"].isin(problems)
    taus = []
    for _, part in scores.groupby(GROUP):
        some = part[inside.loc[part.index]].groupby("method")["score"].mean()
        whole = part.groupby("method")["score"].mean()
        if len(some) == len(whole) > 1:
            taus.append(kendalltau(some.loc[whole.index], whole).statistic)
    return float(np.nanmean(taus)) if taus else -1.0


def quick_grid(grid: Path, choice: Choice) -> str:
    """The YAML of the quick suite: the chosen problems of the whole one, fewer campaigns."""
    whole = read_yaml(grid)
    chosen = [
        entry
        for entry in whole["problems"]
        if (entry["env"], _text(entry.get("env_kwargs") or {})) in choice.problems
    ]
    settings = {name: value for name, value in whole.items() if name != "problems"}
    settings |= {"campaigns": CAMPAIGNS, "horizons": list(HORIZONS)}
    head = (
        f"# {len(chosen)} problems of {grid.name} whose order of policies agrees best with the "
        "whole suite's:\n"
        f"# Kendall's tau {choice.tau_tested:.2f} on policies that they were not chosen by "
        f"({choice.tau_chosen:.2f} on those they were).\n"
        "# Written by `make suite`; played by `make suite-quick`.\n"
    )
    text: str = yaml.safe_dump({**settings, "problems": chosen}, sort_keys=False)
    return head + text


def _problems(frame: pd.DataFrame) -> list[Problem]:
    """The problem of each row, whatever its start."""
    return [
        (str(env), _text(json.loads(env_kwargs)))
        for env, env_kwargs in frame[["env", "env_kwargs"]].itertuples(index=False)
    ]


def _text(env_kwargs: dict[str, Any]) -> str:
    return json.dumps({k: v for k, v in env_kwargs.items() if k != "start"}, sort_keys=True)


def _costs(timings: pd.DataFrame) -> dict[Problem, float]:
    """CPU seconds of each problem with so many campaigns, for all policies."""
    part = timings[timings["horizon"].isin(HORIZONS)]
    share = np.minimum(1.0, CAMPAIGNS / part["campaigns"])
    found: dict[Problem, float] = {}
    for problem, seconds in zip(_problems(part), part["cpu_seconds"] * share, strict=True):
        found[problem] = found.get(problem, 0.0) + float(seconds)
    return found
