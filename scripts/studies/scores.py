"""Scores by problem, horizon and method; their ranks; and both in Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ombo_gym.evaluation.markdown import MISSING, bold, code, estimate, section, table
from ombo_gym.evaluation.statistics import mean_interval
from ombo_gym.evaluation.tables import PROBLEM

RESAMPLES = 10_000


def with_short_names(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The campaigns with the short name of their `problem`."""
    names = [short_name(*keys) for keys in campaigns[PROBLEM].itertuples(index=False)]
    return campaigns.assign(problem=names)


def score_table(scored: pd.DataFrame) -> pd.DataFrame:
    """Mean score by problem, horizon and method, with its interval and rank."""
    rows = []
    keys = ["problem", "horizon", "method"]
    for names, part in scored.groupby(keys, sort=False):
        if part["score"].isna().any():
            continue
        # Runs of one method share campaigns: a campaign counts once.
        by_campaign = part.groupby("seed")["score"].mean()
        rows.append((*names, len(by_campaign), *mean_interval(by_campaign.to_numpy())))
    scores = pd.DataFrame(rows, columns=[*keys, "campaigns", "score", "low", "high"])
    setting = scores.groupby(["problem", "horizon"])["score"]
    scores["rank"] = setting.rank(ascending=False)
    return scores


def played_everywhere(scores: pd.DataFrame) -> list[str]:
    """The methods that have a score on all problems."""
    counts = scores.groupby("method")["problem"].nunique()
    return list(counts.index[counts == scores["problem"].nunique()])


def rank_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean rank over problems by horizon and method, with a bootstrap interval over problems."""
    rows = []
    for horizon, part in scores.groupby("horizon"):
        wide = part.pivot(index="problem", columns="method", values="rank").dropna(axis=1)
        rng = np.random.default_rng(0)
        resampled = rng.integers(len(wide), size=(RESAMPLES, len(wide)))  # (RESAMPLES, problems)
        for method in wide.columns:
            means = wide[method].to_numpy()[resampled].mean(axis=1)  # (RESAMPLES,)
            low, high = np.quantile(means, [0.025, 0.975])
            rows.append((horizon, method, wide[method].mean(), low, high, len(wide)))
    columns = ["horizon", "method", "rank", "low", "high", "problems"]
    return pd.DataFrame(rows, columns=columns)


def rank_text(ranks: pd.DataFrame, problems: int) -> str:
    """Mean ranks, a row a method and a column a horizon."""
    horizons = sorted(ranks["horizon"].unique())
    order = ranks.groupby("method")["rank"].mean().sort_values().index
    cells = {
        (row.method, row.horizon): estimate(row.rank, row.low, row.high, 1)
        for row in ranks.itertuples()
    }
    return (
        f"Mean over {problems} problems of the rank by mean score, 1 is best, among policies "
        "that play all of them; 95% bootstrap interval over problems.\n\n"
    ) + table(
        ["policy", *(f"N = {horizon}" for horizon in horizons)],
        [[code(name), *(cells.get((name, n), MISSING) for n in horizons)] for name in order],
    )


def score_cells(scores: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Mean scores of one horizon by problem and method; the best of each problem is bold."""
    best = scores.groupby("problem")["score"].max()
    cells = {}
    for row in scores.itertuples():
        text = estimate(row.score, row.low, row.high, 2)
        cells[row.problem, row.method] = bold(text) if row.score == best[row.problem] else text
    return cells


def score_text(
    scores: pd.DataFrame, horizon: int, budget: int, order: Sequence[str], *, problems: str
) -> str:
    """Mean scores at one horizon; the best of each problem is bold.

    Args:
        scores: As `score_table` makes it.
        horizon: N.
        budget: Measurements of a campaign.
        order: Methods as they are to be shown.
        problems: What they head: "rows" or "columns".
    """
    part = scores[scores["horizon"] == horizon]
    names = list(dict.fromkeys(part["problem"]))
    methods = [name for name in order if (part["method"] == name).any()]
    cells = score_cells(part)
    if problems == "rows":
        campaigns = part.groupby("problem")["campaigns"].max()
        text = table(
            ["problem", "campaigns", *map(code, methods)],
            [
                [name, campaigns[name], *(cells.get((name, m), MISSING) for m in methods)]
                for name in names
            ],
        )
    else:
        text = table(
            ["method", *names],
            [[code(m), *(cells.get((name, m), MISSING) for name in names)] for m in methods],
        )
    return section(f"N = {horizon}, q = {budget // horizon}", text, level=3)


def short_name(env: str, env_kwargs: str) -> str:
    """`Ombo/GP-v0` with `{"dim": 3}` is "GP (dim=3)"."""
    name = env.rpartition("/")[2].removesuffix("-v0")
    shown = {key: value for key, value in json.loads(env_kwargs).items() if key != "start"}
    settings = ", ".join(f"{key}={value}" for key, value in shown.items())
    return f"{name} ({settings})" if settings else name
