"""Problem scores by problem, horizon and method; their ranks; and both in Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ombo_gym.evaluation.statistics import mean_interval

RESAMPLES = 10_000


def score_table(told: pd.DataFrame) -> pd.DataFrame:
    """Mean problem score by problem, horizon and method, with its interval and rank."""
    rows = []
    keys = ["problem", "horizon", "method"]
    for names, part in told.groupby(keys, sort=False):
        if part["problem_score"].isna().any():
            continue
        # Runs of one method share campaigns: a campaign counts once.
        each = part.groupby("seed")["problem_score"].mean()
        rows.append((*names, len(each), *mean_interval(each.to_numpy())))
    table = pd.DataFrame(rows, columns=[*keys, "campaigns", "score", "low", "high"])
    setting = table.groupby(["problem", "horizon"])["score"]
    table["rank"] = setting.rank(ascending=False)
    return table


def rank_table(table: pd.DataFrame) -> pd.DataFrame:
    """Mean rank over problems by horizon and method, with a bootstrap interval over problems."""
    rows = []
    for horizon, part in table.groupby("horizon"):
        wide = part.pivot(index="problem", columns="method", values="rank").dropna(axis=1)
        rng = np.random.default_rng(0)
        picks = rng.integers(len(wide), size=(RESAMPLES, len(wide)))
        for method in wide.columns:
            means = wide[method].to_numpy()[picks].mean(axis=1)
            low, high = np.quantile(means, [0.025, 0.975])
            rows.append((horizon, method, wide[method].mean(), low, high, len(wide)))
    columns = ["horizon", "method", "rank", "low", "high", "problems"]
    return pd.DataFrame(rows, columns=columns)


def rank_text(ranks: pd.DataFrame, problems: int) -> str:
    """Mean ranks, a row a method and a column a horizon."""
    horizons = sorted(ranks["horizon"].unique())
    order = ranks.groupby("method")["rank"].mean().sort_values().index
    rows = [
        f"| `{method}` | " + " | ".join(cell(ranks, method, n, "rank", 1) for n in horizons) + " |"
        for method in order
    ]
    header = "| policy | " + " | ".join(f"N = {n}" for n in horizons) + " |"
    return "\n".join(
        [
            f"Mean over {problems} problems of the rank by mean score, 1 is best, among policies "
            "that play all of them; 95% bootstrap interval over problems.",
            "",
            header,
            "|---" * (len(horizons) + 1) + "|",
            *rows,
        ]
    )


def score_text(table: pd.DataFrame, horizon: int, budget: int, order: Sequence[str]) -> str:
    """Mean scores at one horizon, a row a problem and a column a method; the best is bold."""
    part = table[table["horizon"] == horizon]
    methods = [name for name in order if (part["method"] == name).any()]
    rows = []
    for problem in part["problem"].unique():
        own = part[part["problem"] == problem]
        best = own["score"].max()
        cells = []
        for method in methods:
            text = cell(own, method, horizon, "score", 2)
            top = (own.loc[own["method"] == method, "score"] == best).any()
            cells.append(f"**{text}**" if top else text)
        rows.append(f"| {problem} | {own['campaigns'].max()} | " + " | ".join(cells) + " |")
    return "\n".join(
        [
            f"### N = {horizon}, q = {budget // horizon}",
            "",
            "| problem | campaigns | " + " | ".join(f"`{name}`" for name in methods) + " |",
            "|---" * (len(methods) + 2) + "|",
            *rows,
        ]
    )


def cell(table: pd.DataFrame, method: str, horizon: int, column: str, digits: int) -> str:
    """A value with its interval, or a dash."""
    row = table[(table["method"] == method) & (table["horizon"] == horizon)]
    if row.empty:
        return "-"
    value, low, high = row[[column, "low", "high"]].iloc[0]
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def short_name(env: str, env_kwargs: str) -> str:
    """`Ombo/GP-v0` with `{"dim": 3}` is "GP (dim=3)"."""
    name = env.rpartition("/")[2].removesuffix("-v0")
    said = {key: value for key, value in json.loads(env_kwargs).items() if key != "start"}
    settings = ", ".join(f"{key}={value}" for key, value in said.items())
    return f"{name} ({settings})" if settings else name
