"""docs/results/adaptivity.md: what rounds are worth, method by method."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import (
    MISSING,
    code,
    difference,
    paired_estimate,
    section,
    table,
)
from ombo_gym.evaluation.statistics import mean_interval, paired_difference
from scripts.studies.adaptivity.families import BOTORCH, FAMILIES, METHODS
from scripts.studies.adaptivity.figures import draw_families
from scripts.studies.adaptivity.plan import Args
from scripts.studies.recipes import recipes_line
from scripts.studies.scores import (
    played_everywhere,
    rank_table,
    rank_text,
    score_table,
    score_text,
)
from scripts.studies.study import Page, Writer, csv

_HEAD = """# Adaptivity: {budget} measurements in {horizons} rounds

Every method gets the same number of measurements, and measures exactly q = {budget} / N designs a
round. Offline methods are made for one round; for more they are fitted again on the grown dataset
and applied again, which is the practice that this page examines. Utility `best`; score: 0 is the
best value of the start, 1 the optimum or the best value known. Mean over campaigns and its 95%
Student t interval; all methods of a row played the same campaigns.

Kernel knowledge is the same for all that use a Gaussian process, BoTorch's methods included: on
`GP` the kernel that functions are drawn from, with its lengthscale and variance; elsewhere a
Matern-5/2 kernel (boxes) or a squared-exponential one of the Hamming distance (sequences) whose
parameters are found by marginal likelihood. Offline methods fit networks and know no kernel. All
see how many rounds are left; only those under "told how many rounds are left" and
`botorch_multistep` make anything of it."""

_HOW = """    {command}

plays `grids/adaptivity.yaml`; all scores are in
[adaptivity.csv](adaptivity.csv)."""


def page(scored: pd.DataFrame, args: Args) -> Page:
    """The page, with adaptivity.csv and adaptivity.png.

    Args:
        scored: Campaigns with a `problem` and a `score`.
        args: As the study was run.
    """
    listed = scored[scored["method"].isin(METHODS)]
    scores = score_table(listed)
    problems = scores["problem"].nunique()
    scores_everywhere = score_table(listed[listed["method"].isin(played_everywhere(scores))])
    ranks, gained = rank_table(scores_everywhere), gains(listed)
    horizons = sorted(scores_everywhere["horizon"].unique())
    budget = int((scored["horizon"] * scored["batch_size"]).iloc[0])
    text = markdown.page(
        _HEAD.format(budget=budget, horizons=", ".join(map(str, horizons))),
        recipes_line("prior", "fit"),
        section("In short", reading(scores_everywhere, ranks, gained)),
        section("Rank by horizon", rank_text(ranks, problems)),
        "![Mean score over N, a panel a family](adaptivity.png)\n\nMean score over the problems; "
        "grey: the methods of all other panels.",
        section("What rounds are worth", _gain_text(gained, horizons)),
        section(
            "Score by problem",
            *(score_text(scores, n, budget, METHODS, problems="columns") for n in horizons),
        ),
        section("Beside BoTorch", _against_botorch(scored)),
        section("What the methods ask their own models", _queries(scored)),
        section("How it was made", _HOW.format(command=args.command)),
    )
    few = score_table(scored[scored["method"].isin(BOTORCH)])
    kept = pd.concat([scores.drop(columns="rank"), few.drop(columns="rank")])
    files: dict[Path, Writer] = {
        args.out / "adaptivity.csv": csv(kept),
        args.out / "adaptivity.png": partial(draw_families, scores_everywhere),
    }
    return Page(text, files)


def gains(scored: pd.DataFrame) -> pd.DataFrame:
    """Score at the largest horizon minus score at one round, paired, by problem and method."""
    rows = []
    last = scored["horizon"].max()
    for (problem, method), part in scored.groupby(["problem", "method"], sort=False):
        wide = part.pivot(index="seed", columns="horizon", values="score")
        rows.append((problem, method, *paired_difference(wide[last], wide[1])))
    return pd.DataFrame(rows, columns=["problem", "method", "gain", "low", "high"])


def reading(scores: pd.DataFrame, ranks: pd.DataFrame, gained: pd.DataFrame) -> str:
    """What the numbers say, in words."""
    lines = []
    for horizon, part in ranks.groupby("horizon"):
        best = [
            f"`{row.method}` ({row.rank:.1f})"
            for row in part.sort_values("rank").head(3).itertuples()
        ]
        own = scores[scores["horizon"] == horizon]
        winners = own.loc[own.groupby("problem")["score"].idxmax(), "method"]
        counts = ", ".join(f"`{name}` {count}" for name, count in winners.value_counts().items())
        lines.append(
            f"- **N = {horizon}**: the best mean ranks have {', '.join(best)}. Highest mean score, "
            f"by number of problems: {counts}."
        )
    means = scores.groupby(["method", "horizon"])["score"].mean().unstack()
    for family, names in FAMILIES.items():
        present = [name for name in names if name in means.index]
        if present:
            own = gained[gained["method"].isin(present)]
            lines.append(_family_line(family, means.loc[present], own))
    return "\n".join(lines)


def _family_line(family: str, means: pd.DataFrame, gained: pd.DataFrame) -> str:
    """What more rounds did for a family: its mean scores by horizon, and how often they paid."""
    last = int(means.columns[-1])
    once, often = means[1], means[last]
    return (
        f"- **{family[0].upper()}{family[1:]}**: the mean score goes from {once.mean():.2f} "
        f"(N = 1; best `{once.idxmax()}` {once.max():.2f}) to {often.mean():.2f} (N = {last}; "
        f"best `{often.idxmax()}` {often.max():.2f}). Rounds pay, with an interval above 0, in "
        f"{(gained['low'] > 0).sum()} of {len(gained)} pairs of method and problem, and cost in "
        f"{(gained['high'] < 0).sum()}."
    )


def _gain_text(gained: pd.DataFrame, horizons: list[int]) -> str:
    """A row a method and a column a problem."""
    problems = list(dict.fromkeys(gained["problem"]))
    cells = {
        (row.method, row.problem): difference(row.gain, row.low, row.high, 2, bold_where="above")
        for row in gained.itertuples()
    }
    present = [name for name in METHODS if (gained["method"] == name).any()]
    rows = [[code(name), *(cells.get((name, p), MISSING) for p in problems)] for name in present]
    return (
        f"Score at N = {horizons[-1]} minus score at N = 1, paired by campaign, with its 95% "
        "interval; bold where that is above 0. What one round makes of the budget is where each "
        "starts from: a method that is bad in one round has more to gain.\n\n"
    ) + table(["method", *problems], rows)


def _against_botorch(scored: pd.DataFrame) -> str:
    """A row per problem, horizon and method of BoTorch's."""
    rows = []
    for (problem, horizon), part in scored.groupby(["problem", "horizon"], sort=False):
        wide = part.pivot(index="seed", columns="method", values="score")
        for name, rival in BOTORCH.items():
            if name not in wide or rival not in wide:
                continue
            both = wide[[name, rival]].dropna()
            score, rival_score = both[name], both[rival]
            rows.append(
                [
                    *(problem, horizon, len(both), code(name)),
                    f"{score.mean():.2f}",
                    f"{rival_score.mean():.2f} (`{rival}`)",
                    paired_estimate(score, rival_score, 2, bold_where="never"),
                ]
            )
    headings = ["problem", "N", "campaigns", "method", "its score", "ours", "its score minus ours"]
    return (
        "BoTorch's methods take seconds a decision, and play the first few campaigns only: score "
        "minus that of ours on the same campaigns, paired, with its 95% interval.\n\n"
    ) + table(headings, rows)


def _queries(scored: pd.DataFrame) -> str:
    """Mean number of model queries per campaign, of those that count them."""
    asked = scored[scored["model_queries"] > 0]
    horizons = sorted(scored["horizon"].unique())
    rows = []
    for name, part in asked.groupby("method", sort=False):
        by_horizon = {n: own["model_queries"] for n, own in part.groupby("horizon")}
        means = [
            f"{mean_interval(by_horizon[n]).estimate:,.0f}" if n in by_horizon else MISSING
            for n in horizons
        ]
        rows.append([code(name), *means])
    return (
        "Designs that a method asks a model of its own about while it looks for a batch, mean per "
        "campaign over the problems: no measurement, but not free either. Policies with a Gaussian "
        "process look at a fixed number of candidates (256 in a box) and climb from some of them."
        "\n\n"
    ) + table(["method", *(f"N = {n}" for n in horizons)], rows)
