"""The tables of an evaluation's folder, as the sections of the page read them."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ombo_gym.evaluation.default_columns import with_seen_column
from ombo_gym.evaluation.figure_style import LineStyle, policy_styles, with_seen
from ombo_gym.evaluation.formats import NBSP, decimals, problem_name
from ombo_gym.evaluation.statistics import Interval
from ombo_gym.evaluation.tables import PROBLEM, SETTING, read_table

LEADERBOARD_TABLES = ["ranks", "leaderboard", "problem_scores", "profiles", "improvement"]
OPTIONAL = ["exploration", "training_seeds", "timings", "errors", *LEADERBOARD_TABLES]


@dataclass(frozen=True)
class Setting:
    """The summary's rows of one setting."""

    title: str
    key: tuple[Any, ...]  # the values of the columns `SETTING`
    decimals: int  # that all tables of one problem and utility share
    rows: pd.DataFrame

    def shown(self, horizon_shown: str) -> pd.DataFrame:
        """The rows of policies that are shown this horizon, highest mean first."""
        rows = self.rows[self.rows["told_horizon"] == horizon_shown]
        return rows.sort_values("mean", ascending=False, kind="stable")

    def best(self, horizon_shown: str) -> Any:
        """The row with the highest mean among those shown this horizon; None without a row."""
        rows = self.shown(horizon_shown).dropna(subset=["mean"])
        return None if rows.empty else rows.iloc[0]


@dataclass(frozen=True)
class Problem:
    """The summary's rows of one problem."""

    number: int
    env: str
    env_kwargs: str
    rows: pd.DataFrame

    @property
    def name(self) -> str:
        """In words."""
        return problem_name(self.env, self.env_kwargs)

    @property
    def without_start(self) -> tuple[str, str]:
        """What it is, whatever campaigns start with: problems that differ in nothing else."""
        try:
            arguments = json.loads(self.env_kwargs)
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            return self.env, self.env_kwargs
        return self.env, json.dumps({k: v for k, v in arguments.items() if k != "start"})

    @property
    def anchor(self) -> str:
        """Of its place in the page."""
        return f"problem-{self.number}"

    def by_utility(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Its rows by utility."""
        for utility, rows in self.rows.groupby("utility", sort=False):
            yield str(utility), rows

    def settings(self) -> Iterator[Setting]:
        """Its settings, utility by utility, batch size by batch size."""
        one_size = self.rows["batch_size"].nunique() == 1
        for utility, rows in self.by_utility():
            digits = decimals(rows["mean"])
            for (size, horizon), setting in rows.groupby(["batch_size", "horizon"], sort=True):
                words = f"{utility}, N{NBSP}={NBSP}{horizon}"
                words += "" if one_size else f", q{NBSP}={NBSP}{size}"
                key = tuple(setting[SETTING].iloc[0])
                yield Setting(words, key, digits, setting)

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of another table that belong to this problem."""
        return frame[(frame["env"] == self.env) & (frame["env_kwargs"] == self.env_kwargs)]


@dataclass(frozen=True)
class Results:
    """The tables of one folder; those that an evaluation need not have are empty without."""

    config: Mapping[str, Any]
    summary: pd.DataFrame
    paired: pd.DataFrame
    styles: Mapping[str, LineStyle]
    exploration: pd.DataFrame = field(default_factory=pd.DataFrame)
    training_seeds: pd.DataFrame = field(default_factory=pd.DataFrame)
    ranks: pd.DataFrame = field(default_factory=pd.DataFrame)
    leaderboard: pd.DataFrame = field(default_factory=pd.DataFrame)
    problem_scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    timings: pd.DataFrame = field(default_factory=pd.DataFrame)
    profiles: pd.DataFrame = field(default_factory=pd.DataFrame)
    improvement: pd.DataFrame = field(default_factory=pd.DataFrame)
    errors: pd.DataFrame = field(default_factory=pd.DataFrame)
    replays: Mapping[str, Any] = field(default_factory=dict)

    def problems(self) -> list[Problem]:
        """The problems, in the order of the summary."""
        groups = self.summary.groupby(PROBLEM, sort=False)
        return [
            Problem(i, str(env), str(env_kwargs), rows)
            for i, ((env, env_kwargs), rows) in enumerate(groups, start=1)
        ]

    def starts_by_problem(self) -> list[int]:
        """How many starts each problem was played from, one number a problem."""
        return list(Counter(problem.without_start for problem in self.problems()).values())

    def difference(self, setting: Setting, a: tuple[str, str], b: tuple[str, str]) -> Interval:
        """The paired difference of two (policy, horizon shown) in one setting."""
        return self.differences.get((*setting.key, *a, *b), Interval(math.nan, math.nan, math.nan))

    @cached_property
    def differences(self) -> dict[tuple[Any, ...], Interval]:
        """Paired differences by setting and both players."""
        keys = self.paired[[*SETTING, "policy_a", "told_a", "policy_b", "told_b"]]
        numbers = self.paired[["difference", "ci_low", "ci_high"]].astype(float)
        return {
            key: Interval(*row)
            for key, row in zip(
                keys.itertuples(index=False, name=None),
                numbers.itertuples(index=False, name=None),
                strict=True,
            )
        }

    def has_seen(self, name: str, env: str | None = None, env_kwargs: str | None = None) -> bool:
        """Whether a policy or method has met a problem in training; without one, any of them."""
        return (name, env, env_kwargs) in self._seen

    @cached_property
    def _seen(self) -> set[tuple[str, str | None, str | None]]:
        if "seen" not in self.summary.columns:
            return set()
        rows = self.summary[self.summary["seen"]]
        names = {*zip(rows["policy"], rows["env"], rows["env_kwargs"], strict=True)}
        names |= {*zip(rows["method"], rows["env"], rows["env_kwargs"], strict=True)}
        return names | {(name, None, None) for name, *_ in names}

    def planning(self) -> pd.DataFrame:
        """Paired differences of each policy told N and itself told 1; none that never differ."""
        pairs = self.paired
        planning = pairs[(pairs["policy_a"] == pairs["policy_b"]) & (pairs["told_a"] == "true")]
        planning = planning[planning["told_b"] == "one"].rename(columns={"policy_a": "policy"})
        keys = planning[["policy", *PROBLEM]].itertuples(index=False, name=None)
        planning = planning.assign(seen=[self.has_seen(*key) for key in keys])
        listens = planning.groupby([*PROBLEM, "utility", "policy"])["difference"].transform(
            lambda differences: bool((differences != 0).any())
        )
        return planning[listens.astype(bool)]


def read_results(folder: Path) -> Results:
    """Reads the tables of an evaluation's folder (see `write_report`)."""
    summary = with_seen_column(read_table(folder / "summary.csv"))
    if summary.empty:
        raise ValueError(f"{folder / 'summary.csv'} has no rows: nothing was played")
    tables = {name: _optional(folder / f"{name}.csv") for name in OPTIONAL}
    tables["exploration"] = _once(tables["exploration"])
    if summary["method"].nunique() < 2:  # nobody to stand beside
        tables |= dict.fromkeys(LEADERBOARD_TABLES, pd.DataFrame())
    tables["leaderboard"] = with_seen_column(tables["leaderboard"])
    names = [*summary["policy"], *summary["method"], *tables["exploration"].get("policy", [])]
    replays = folder / "replays.json"
    return Results(
        config=json.loads((folder / "config.json").read_text(encoding="utf-8")),
        summary=summary,
        paired=read_table(folder / "paired.csv"),
        styles=with_seen(with_seen(policy_styles(names), summary, "method"), summary),
        replays=json.loads(replays.read_text(encoding="utf-8")) if replays.exists() else {},
        **tables,
    )


def _optional(path: Path) -> pd.DataFrame:
    if not path.exists() or path.stat().st_size <= 1:
        return pd.DataFrame()
    return read_table(path)


def _once(weights: pd.DataFrame) -> pd.DataFrame:
    """Drops utilities under which every policy explores as under an earlier one."""
    if weights.empty:
        return weights
    columns = [name for name in weights.columns if name != "utility"]
    shown: list[pd.DataFrame] = []
    for _, group in weights.groupby("utility", sort=False):
        if not any(np.array_equal(group[columns], other[columns]) for other in shown):
            shown.append(group)
    return pd.concat(shown)
