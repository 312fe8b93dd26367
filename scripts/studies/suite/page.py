"""docs/results/suite.md: how far each policy gets on each problem, N by N."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.markdown import section
from ombo_gym.evaluation.statistics import mean_interval
from ombo_gym.evaluation.tables import read_table
from scripts.studies.scores import (
    played_everywhere,
    rank_table,
    rank_text,
    score_table,
    score_text,
    scored_campaigns,
)
from scripts.studies.study import Page, Writer, csv, text
from scripts.studies.suite.figures import draw_ranks, draw_scores
from scripts.studies.suite.leaderboard import leaderboard
from scripts.studies.suite.plan import Args, Finished
from scripts.studies.suite.policies import MODEL_FREE, ONE_ROUND, PLANNERS, SHOWN

COPIED = ("leaderboard.csv", "training_seeds.csv", "figures/leaderboard.png")  # beside the page

_HEAD = """\
# The suite: every problem, the same number of measurements in 1, 2, 5 or 10 rounds

`make suite` plays `grids/suite.yaml`; this page is about its campaigns with utility `best` and a
fixed number of measurements, q x N = {budget}. Score: 0 is the best value of the start, 1 the
optimum or the best value known (each problem's page in
[docs/environments](../environments/README.md) says which). Mean over campaigns and its 95% Student
t interval; every policy of a row played the same campaigns. Tables and pictures show some of the
policies; `make suite` writes the scores of all to `{results}/problem_scores.csv`.

Surrogate-based policies know what each environment's `surrogate` says, the same for all: on
`Ombo/GP-v0` the kernel that functions are drawn from, elsewhere one fitted by marginal likelihood.
The policies under `runs/suite` were trained for another utility, `last_mean`, at q = 4 and N = 1 to
5, `gp` on `Ombo/GP-v0` and `tf` on the training factors of `Ombo/TFBinding-v0`; everywhere else
they act on what they have never seen.

Where a design measured again is worth nothing, no policy proposes one. What takes a second a
decision (BoTorch's methods, networks fitted anew every round) is in
[adaptivity.md](adaptivity.md).
"""
_PICTURE = "`make suite` draws score over N for every problem: `{results}/problem_scores.png`."


def page(finished: Finished, args: Args) -> Page:
    """The page and the leaderboard's, with small tables and pictures in suite/.

    What is large goes to the suite's own results.

    Args:
        finished: The evaluation.
        args: As the study was run.
    """
    results, small = finished.results, args.out / "suite"
    campaigns = read_table(results / "campaigns.csv")
    campaigns = campaigns[campaigns["utility"] == "best"]
    budgets = campaigns["horizon"] * campaigns["batch_size"]
    budget = int(budgets.mode()[0])
    scored = scored_campaigns(campaigns[budgets == budget])
    told = scored[scored["told_horizon"] == "true"]
    scores = score_table(told)
    ranks = rank_table(score_table(told[told["method"].isin(played_everywhere(scores))]))
    shown = scores[scores["method"].isin(SHOWN)]
    horizons = sorted(shown["horizon"].unique())
    blocks = [
        _HEAD.format(budget=budget, results=results),
        section("In short", reading(scored, scores, ranks)),
        section("Rank by horizon", rank_text(ranks, scores["problem"].nunique())),
        "![Mean rank of each policy over N](suite/rank_by_horizon.png)",
        section(
            "Score by problem",
            _PICTURE.format(results=results),
            *(score_text(shown, n, budget, SHOWN, problems="rows") for n in horizons),
        ),
    ]
    files: dict[Path, Writer] = {
        args.out / "leaderboard.md": text(leaderboard(finished, args)),
        **{small / Path(name).name: partial(shutil.copy, results / name) for name in COPIED},
        small / "rank_by_horizon.png": partial(draw_ranks, ranks[ranks["method"].isin(SHOWN)]),
        results / "problem_scores.csv": csv(scores, digits=None),
        results / "problem_scores.png": partial(draw_scores, shown),
    }
    return Page(markdown.page(*blocks), files)


def reading(scored: pd.DataFrame, scores: pd.DataFrame, ranks: pd.DataFrame) -> str:
    """What the numbers say, in words."""
    lines = []
    for horizon, part in scores.groupby("horizon"):
        best = part.loc[part.groupby("problem")["score"].idxmax()]
        free = sorted(best.loc[best["method"].isin(MODEL_FREE), "problem"])
        first = ranks[ranks["horizon"] == horizon].sort_values("rank").iloc[0]
        lines.append(
            f"- **N = {horizon}**: the best mean rank has `{first['method']}` ({first['rank']:.1f} "
            f"[{first['low']:.1f}, {first['high']:.1f}]). Highest mean score, by number of "
            f"problems: {_counts(best['method'])}. A model-free policy has it on {len(free)} of "
            f"{len(best)}{_list(free)}."
        )
    lines += [_planning(scored, name) for name in PLANNERS if name in set(scored["method"])]
    return "\n".join(lines)


def _planning(scored: pd.DataFrame, planner: str) -> str:
    """Where a planner, told N, beats itself told 1, and the best one-round rule."""
    compared = planner_differences(scored, planner)
    settings = len(
        scored.loc[
            (scored["horizon"] > 1) & scored["method"].isin((planner, *ONE_ROUND)),
            ["problem", "horizon"],
        ].drop_duplicates()
    )
    itself = compared[compared["rival"] == "itself"]
    one_round = compared[compared["rival"] == "one-round"]
    where = [
        f"{row.problem} at N = {row.horizon}"
        for row in one_round[one_round["low"] > 0].itertuples()
    ]
    return (
        f"- **`{planner}`**, told N, is above the same policy told every round that it is the last "
        f"in {(itself['low'] > 0).sum()} of {settings} settings with N > 1 and below it in "
        f"{(itself['high'] < 0).sum()}; it is above the best of "
        f"{', '.join(f'`{name}`' for name in ONE_ROUND)}, chosen in hindsight per setting, in "
        f"{len(where)} and below it in {(one_round['high'] < 0).sum()} "
        f"(paired, 95%, not corrected for the number of comparisons){_list(where)}."
    )


def planner_differences(scored: pd.DataFrame, planner: str) -> pd.DataFrame:
    """A planner, told N, minus itself told 1 and minus the best one-round rule, paired.

    Returns:
        A row per problem, horizon above 1 and `rival` ("itself", "one-round") that was played.
    """
    rows = []
    several = scored[(scored["horizon"] > 1) & scored["method"].isin((planner, *ONE_ROUND))]
    for setting, part in several.groupby(["problem", "horizon"], sort=True):
        wide = part.pivot_table(
            index="seed", columns=["method", "told_horizon"], values="problem_score"
        )
        if (planner, "true") not in wide:
            continue
        rivals = {"itself": wide[planner, "one"]} if (planner, "one") in wide else {}
        one_round = [wide[name, "true"] for name in ONE_ROUND if (name, "true") in wide]
        if one_round:
            rivals["one-round"] = max(one_round, key=lambda column: column.mean())
        for rival, scores in rivals.items():
            found = mean_interval((wide[planner, "true"] - scores).to_numpy())
            rows.append((*setting, rival, *found))
    return pd.DataFrame(rows, columns=["problem", "horizon", "rival", "difference", "low", "high"])


def _counts(winners: pd.Series) -> str:
    return ", ".join(f"`{name}` {count}" for name, count in winners.value_counts().items())


def _list(names: list[str]) -> str:
    return f": {'; '.join(names)}" if names else ""
