"""Writes docs/results/suite.md: how far each policy gets on each problem, N by N."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ombo_gym.evaluation.figure_style import LIGHT, policy_styles
from ombo_gym.evaluation.problem_scores import problem_scores
from ombo_gym.evaluation.statistics import mean_interval
from ombo_gym.evaluation.tables import PROBLEM, read_table
from scripts.score_tables import rank_table, rank_text, score_table, score_text, short_name

MODEL_FREE = (
    *("random", "genetic", "cmaes", "local_search"),
    *("adalead", "evolution", "sobol", "latin_hypercube"),  # which do not suit all problems
)
ONE_ROUND = (  # the same rule every round
    *("greedy", "ucb", "expected_improvement", "thompson"),
    *("max_value_entropy", "local_penalization"),
)
PLANNERS = ("explore_then_exploit", "rollout", "binoculars")  # they read N
TRAINED = ("runs/suite/gp-*", "runs/suite/tf-*")
POLICIES = (  # of the page's tables; as many as there are colours
    *("random", "genetic", "greedy", "ucb", "expected_improvement", "thompson"),
    *("local_penalization", *PLANNERS, *TRAINED),
)
COLUMNS = 5  # panels side by side
_HEAD = """\
# The suite: every problem, the same number of measurements in 1, 2, 5 or 10 rounds

`make suite` plays [grids/suite.yaml](../../grids/suite.yaml); this page is about its campaigns with
utility `best` and a fixed number of measurements, q x N = {budget}. Score: 0 is the best value of
the start, 1 the optimum or the best value known (each problem's page in
[docs/environments](../environments) says which). Mean over campaigns and its 95% Student t
interval; every policy of a row played the same campaigns. Tables and pictures show some of the
policies; the scores of all are in [suite/problem_scores.csv](suite/problem_scores.csv).

Surrogate-based policies know what each environment's `surrogate` says, the same for all: on
`Ombo/GP-v0` the kernel that functions are drawn from, elsewhere one fitted by marginal likelihood.
The policies under `runs/suite` were trained for another utility, `last_mean`, at q = 4 and N = 1 to
5, `gp` on `Ombo/GP-v0` and `tf` on the training factors of `Ombo/TFBinding-v0`; everywhere else
they act on what they have never seen.

Where a design measured again is worth nothing, no policy proposes one. What takes a second a
decision (BoTorch's methods, networks fitted anew every round) is in
[adaptivity.md](adaptivity.md).
"""


def write_page(out: Path, docs: Path) -> None:
    """Writes `suite.md` beside `docs`, and its table and pictures into it.

    Args:
        out: Folder of a finished evaluation.
        docs: Folder for pictures and tables.
    """
    campaigns = read_table(out / "campaigns.csv")
    campaigns = campaigns[campaigns["utility"] == "best"]
    budgets = campaigns["horizon"] * campaigns["batch_size"]
    budget = int(budgets.mode()[0])
    scored = problem_scores(campaigns[budgets == budget])
    scored["problem"] = [short_name(*names) for names in scored[PROBLEM].itertuples(index=False)]
    told = scored[scored["told_horizon"] == "true"]
    table = score_table(told)
    table.to_csv(docs / "problem_scores.csv", index=False)
    problems = table.groupby("method")["problem"].nunique()
    everywhere = problems.index[problems == table["problem"].nunique()]
    ranks = rank_table(score_table(told[told["method"].isin(everywhere)]))
    shown = table[table["method"].isin(POLICIES)]
    _draw_scores(shown, docs / "problem_scores.png")
    _draw_ranks(ranks[ranks["method"].isin(POLICIES)], docs / "rank_by_horizon.png")
    parts = [
        _HEAD.format(budget=budget),
        "## In short\n\n" + reading(scored, table, ranks),
        "## Rank by horizon\n\n" + rank_text(ranks, table["problem"].nunique()),
        f"![Mean rank of each policy over N]({docs.name}/rank_by_horizon.png)",
        f"## Score by problem\n\n![Score over N for every problem]({docs.name}/problem_scores.png)",
        *(
            score_text(shown, horizon, budget, POLICIES)
            for horizon in sorted(shown["horizon"].unique())
        ),
    ]
    docs.with_suffix(".md").write_text("\n\n".join(parts) + "\n")


# --- words ----------------------------------------------------------------------------------------


def reading(scored: pd.DataFrame, table: pd.DataFrame, ranks: pd.DataFrame) -> str:
    """What the numbers say, in words."""
    lines = []
    for horizon, part in table.groupby("horizon"):
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
    wins: dict[str, list[str]] = {"itself": [], "one-round": []}
    losses: dict[str, list[str]] = {"itself": [], "one-round": []}
    several = scored[(scored["horizon"] > 1) & scored["method"].isin((planner, *ONE_ROUND))]
    for (problem, horizon), part in several.groupby(["problem", "horizon"], sort=True):
        wide = part.pivot_table(
            index="seed", columns=["method", "told_horizon"], values="problem_score"
        )
        mine = wide.get((planner, "true"))
        if mine is None:
            continue
        rivals = {"itself": wide.get((planner, "one"))}
        one_round = [wide[(name, "true")] for name in ONE_ROUND if (name, "true") in wide]
        if one_round:
            rivals["one-round"] = max(one_round, key=lambda column: column.mean())
        for name, rival in rivals.items():
            if rival is None:
                continue
            _, low, high = mean_interval((mine - rival).to_numpy())
            if low > 0:
                wins[name].append(f"{problem} at N = {horizon}")
            elif high < 0:
                losses[name].append(f"{problem} at N = {horizon}")
    settings = several.groupby(["problem", "horizon"]).ngroups
    itself = (
        f"above the same policy told every round that it is the last in {len(wins['itself'])} of "
        f"{settings} settings with N > 1 and below it in {len(losses['itself'])}"
    )
    return (
        f"- **`{planner}`**, told N, is {itself}; it is above the best of "
        f"{', '.join(f'`{name}`' for name in ONE_ROUND)}, chosen in hindsight per setting, in "
        f"{len(wins['one-round'])} and below it in {len(losses['one-round'])} "
        f"(paired, 95%, not corrected for the number of comparisons)"
        f"{_list(wins['one-round'])}."
    )


def _counts(winners: pd.Series) -> str:
    return ", ".join(f"`{name}` {count}" for name, count in winners.value_counts().items())


def _list(names: list[str]) -> str:
    return f": {'; '.join(names)}" if names else ""


# --- pictures -------------------------------------------------------------------------------------


def _draw_scores(table: pd.DataFrame, path: Path) -> None:
    """A panel a problem: score over N, a line a policy."""
    import matplotlib.pyplot as plt

    problems = list(table["problem"].unique())
    rows = -(-len(problems) // COLUMNS)
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(2.7 * COLUMNS, 2.1 * rows + 0.9), squeeze=False, sharex=True
    )
    horizons = sorted(table["horizon"].unique())
    for ax, problem in zip(axes.flat, problems, strict=False):
        _lines(ax, table[table["problem"] == problem], "score", horizons)
        ax.set_title(problem, fontsize=8, loc="left", color=LIGHT.ink)
    for ax in axes.flat[len(problems) :]:
        ax.set_axis_off()
    for ax in axes[:, 0]:
        ax.set_ylabel("score", fontsize=8)
    _finish(figure, axes.flat[0], path)


def _draw_ranks(ranks: pd.DataFrame, path: Path) -> None:
    """Mean rank over N, the best on top."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7, 4.6))
    _lines(ax, ranks, "rank", sorted(ranks["horizon"].unique()))
    ax.invert_yaxis()
    ax.set_ylabel("mean rank over problems")
    ax.set_xlabel("horizon N")
    _finish(figure, ax, path)


def _lines(ax: Any, table: pd.DataFrame, column: str, horizons: list[int]) -> None:
    styles = policy_styles(POLICIES)
    for name in POLICIES:
        part = table[table["method"] == name].sort_values("horizon")
        if part.empty:
            continue
        style = styles[name]
        at = [horizons.index(n) for n in part["horizon"]]
        colour = style.colour(LIGHT)
        ax.fill_between(at, part["low"], part["high"], color=colour, alpha=0.1, linewidth=0)
        ax.plot(
            at,
            part[column],
            color=colour,
            marker=style.marker,
            markersize=4,
            linewidth=style.width * 0.8,
            label=name,
        )
    ax.set_xticks(range(len(horizons)), [str(n) for n in horizons])
    ax.tick_params(labelsize=8)
    ax.grid(axis="y", color=LIGHT.grid)
    ax.spines[["top", "right"]].set_visible(False)


def _finish(figure: Any, labelled: Any, path: Path) -> None:
    import matplotlib.pyplot as plt

    handles, labels = labelled.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=5, frameon=False, fontsize=8)
    height = figure.get_size_inches()[1]
    figure.tight_layout(rect=(0, 0.55 / height, 1, 1))
    figure.savefig(path, dpi=100)
    plt.close(figure)
