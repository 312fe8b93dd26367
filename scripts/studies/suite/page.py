"""docs/results/suite.md: who wins where, from which start, and whether the score can be trusted."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pandas as pd

from ombo_gym.evaluation import markdown
from ombo_gym.evaluation.grid import read_grid
from ombo_gym.evaluation.leaderboard import BASELINE
from ombo_gym.evaluation.markdown import MISSING, bold, code, difference, estimate, section, table
from ombo_gym.evaluation.statistics import mean_interval
from ombo_gym.evaluation.tables import read_table
from scripts.studies.scores import short_name
from scripts.studies.study import Page, Writer, text
from scripts.studies.suite.agreement import kept_when_one_leaves, split_halves
from scripts.studies.suite.figures import draw_leaderboard
from scripts.studies.suite.plan import Args, Finished
from scripts.studies.suite.played import played_so_far
from scripts.studies.suite.policies import DEAR, SHOWN
from scripts.studies.suite.quick import Choice, choose, quick_grid

COPIED = ("leaderboard.csv", "training_seeds.csv")  # beside the page
STARTS = {
    "random": "16 designs at random",
    "percentile": "16 designs of the lower half of all values (offline)",
}
_TITLE = "# Suite v{version}: {problems} real problems, two kinds of start"
_HEAD = """\
What wins depends on how the start was chosen. After designs of the lower half of all values,
"unlike the start" means "good": designs that ignore all values are worth nearly what a model is
(`d_optimal` minus `ucb` at N = 1: {lower}). After random designs a model can tell good from bad,
and ignoring it loses ({random}). Highest mean score by N:

{short}

`{command}` plays `grids/suite.yaml`: the same {budget} measurements in 1, 2, 5 or 10 rounds, all
policies told N, the origin of their start, and the same surrogate recipe (the table at the end
names what each was told). {tests} problems are *test*: measured tables and held-out splits, on
which nothing was trained, tuned or selected. Score: 0 is the best value of the start, 1 the
optimum or the best value known, below -1 counts as -1; mean over campaigns, problems weighing
alike, 95% interval over problems. It does not depend on who else played. {campaigns:,} campaigns,
{hours:.1f} hours of CPU for the policies' decisions.
"""
_WHY = """\
Where the start is the lower half of all values, "unlike the start" means "good": a fitted model
cannot know that what it never saw is better than what it saw, and a design that ignores all values
moves away from the start by construction. Where the start is a random sample the model sees good
and bad alike, ranks what it has not seen far better, and a design that ignores it throws that
away. So a mean over both kinds of start says how many of each there are, and nothing about
policies; here they are never pooled. The fitted prior is told the origin (`truncation`), from which
`ucb` and all others profit. `doe_then_ucb`, told the origin too, plays the design in the first
round of a truncated start and is `ucb` otherwise: the fixed reference of all differences."""


def page(finished: Finished, args: Args) -> Page:
    """The page, with small tables and the picture in suite/.

    Args:
        finished: The evaluation.
        args: As the study was run.
    """
    results, small = finished.results, args.out / "suite"
    campaigns = read_table(results / "campaigns.csv")
    board = read_table(results / "leaderboard.csv")
    scores = read_table(results / "problem_scores.csv")
    timings = read_table(results / "timings.csv")
    choice = choose(scores, timings)
    so_far = played_so_far(campaigns, read_grid(args.grid), args.grid)
    blocks = [
        _TITLE.format(version=finished.version, problems=_count(campaigns)),
        *([so_far] if so_far else []),
        _head(campaigns, board, scores, timings, finished, args),
        section("Why the two kinds of start differ", _WHY, _against_designs(scores)),
        "![Score of every policy at every N, by start and utility](suite/leaderboard.png)",
        *(
            section(
                f"Start: {STARTS.get(start, start)}; utility `{utility}`", *_tables(part, timings)
            )
            for (start, utility), part in board.groupby(["start", "utility"], sort=False)
        ),
        section("Problem by problem", _by_problem(scores)),
        section("Can the score be trusted?", _trust(campaigns)),
        section("The quick suite", _quick(choice)),
        section("What was played", _left_out(campaigns), _told(campaigns)),
    ]
    files: dict[Path, Writer] = {
        **{small / name: partial(shutil.copy, results / name) for name in COPIED},
        small / "leaderboard.png": partial(draw_leaderboard, board),
        args.grid.with_name("suite-quick.yaml"): text(quick_grid(args.grid, choice)),
    }
    return Page(markdown.page(*blocks), files)


def _head(
    campaigns: pd.DataFrame,
    board: pd.DataFrame,
    scores: pd.DataFrame,
    timings: pd.DataFrame,
    finished: Finished,
    args: Args,
) -> str:
    budget = int((campaigns["horizon"] * campaigns["batch_size"]).mode()[0])
    return _HEAD.format(
        budget=budget,
        tests=len(finished.tests),
        campaigns=len(campaigns),
        hours=timings["cpu_seconds"].sum() / 3600,
        command=args.command,
        lower=_gain(scores, "percentile", 1, "d_optimal"),
        random=_gain(scores, "random", 1, "d_optimal"),
        short="\n".join(_winners(board)),
    )


def _gain(scores: pd.DataFrame, start: str, horizon: int, name: str) -> str:
    """What a policy gains on `ucb` under `best`, mean over the problems that both play."""
    part = scores[(scores["start"] == start) & (scores["utility"] == "best")]
    part = part[(part["horizon"] == horizon) & part["method"].isin([name, "ucb"])]
    wide = part.pivot_table(index=["env", "env_kwargs"], columns="method", values="score")
    if not {name, "ucb"} <= set(wide.columns):
        return MISSING
    return difference(*mean_interval((wide[name] - wide["ucb"]).dropna().to_numpy()))


def _winners(board: pd.DataFrame) -> list[str]:
    """A line per start and utility: the first in place at each N, and who is above the baseline."""
    lines = []
    for (start, utility), part in board.groupby(["start", "utility"], sort=False):
        first = part[part["place"] == 1].sort_values("horizon")
        words = [f"{row.horizon}: {code(row.method)} {row.score:.3f}" for row in first.itertuples()]
        above = part[part["complete"] & (part["minus_baseline_low"] > 0)]
        names = ", ".join(code(name) for name in dict.fromkeys(above["method"]))
        lines.append(
            f"- {start}, `{utility}`: {', '.join(words)}; above `{BASELINE}` at some N: "
            f"{names or 'none'}."
        )
    return lines


def _against_designs(scores: pd.DataFrame) -> str:
    """What a designed first batch, and designs in all rounds, gain on `ucb`, by start."""
    names = (BASELINE, "d_optimal", "random")
    groups = scores[["start", "horizon"]].drop_duplicates().sort_values(["start", "horizon"])
    rows = [
        [start, horizon, *(_gain(scores, start, horizon, name) for name in names)]
        for start, horizon in groups.itertuples(index=False)
    ]
    return table(["start", "N", *(f"{code(name)} minus `ucb`" for name in names)], rows)


def _tables(board: pd.DataFrame, timings: pd.DataFrame) -> list[str]:
    """Scores of all policies over N, and their differences to the references."""
    complete = board[board["complete"]]
    order = complete.groupby("method")["score"].mean().sort_values(ascending=False).index
    horizons = sorted(board["horizon"].unique())
    best = complete.groupby("horizon")["score"].max()
    ms = timings.groupby("policy")[["cpu_seconds", "campaigns"]].sum()
    cost = 1e3 * ms["cpu_seconds"] / ms["campaigns"]
    scores, differences = [], []
    for name in order:
        rows = complete[complete["method"] == name].set_index("horizon")
        shown = {n: estimate(*_three(rows.loc[n], "score")) for n in horizons if n in rows.index}
        marked = [
            bold(shown[n]) if n in shown and rows.loc[n, "score"] == best[n] else shown.get(n, "-")
            for n in horizons
        ]
        campaigns = rows["campaigns"].max()
        scores.append([code(name), f"{campaigns:,}", *marked])
        differences.append(
            [
                code(name),
                *(difference(*_three(rows.loc[n], "minus_baseline")) for n in horizons),
                f"{rows['minus_random'].mean():+.3f}",
                f"{rows['median'].mean():.3f}",
                f"{rows['auc'].mean():.3f}",
                f"{rows['harm'].mean():.2f}",
                f"{cost[name]:.0f}" if name in cost else "-",
            ]
        )
    heads = [f"N = {n}" for n in horizons]
    others = sorted(set(board["method"]) - set(order))
    partial_words = (
        f"Not on all problems, and so without a place: {', '.join(map(code, others))}."
        if others
        else ""
    )
    means = ["minus `random`", "median", "trajectory", "harm", "CPU ms a campaign"]
    return [
        table(["policy", "campaigns", *heads], scores),
        f"Minus `{BASELINE}`, on the same campaigns; behind it means over all N: minus `random`, "
        "the median, the trajectory (mean over rounds of the best so far), the share of campaigns "
        "that end below what `random` reached on them, CPU.",
        table(["policy", *heads, *means], differences),
        partial_words,
    ]


def _by_problem(scores: pd.DataFrame) -> str:
    """Mean scores of some policies, utility `best`, few and many rounds."""
    parts = []
    part = scores[(scores["utility"] == "best") & scores["method"].isin(SHOWN)]
    for (start, horizon), rows in part.groupby(["start", "horizon"], sort=True):
        if horizon not in (1, 5):
            continue
        wide = rows.pivot_table(
            index=["env", "env_kwargs"], columns="method", values="score", sort=False
        )
        names = [name for name in SHOWN if name in wide.columns]
        lines = []
        for keys, values in wide.iterrows():
            top = values.max()
            cells = [
                bold(f"{values[name]:.2f}") if values[name] == top else f"{values[name]:.2f}"
                for name in names
            ]
            lines.append([short_name(*keys), *(c.replace("nan", "-") for c in cells)])
        title = f"Start: {start}, `best`, N = {horizon}"
        parts.append(section(title, table(["problem", *map(code, names)], lines), level=3))
    words = "All policies: `make suite` writes `results/suite/problem_scores.csv`."
    return "\n\n".join([words, *parts])


def _trust(campaigns: pd.DataFrame) -> str:
    """Whether a rival moves scores, and whether halves of the campaigns agree."""
    moved = kept_when_one_leaves(campaigns)
    rows = split_halves(campaigns)
    decided, agreed = rows["decided"].sum(), rows["agreed"].sum()
    lines = [
        [row.start, f"`{row.utility}`", row.horizon, row.decided, f"{row.agreed / row.decided:.0%}"]
        for row in rows.itertuples()
        if row.decided
    ]
    return "\n\n".join(
        [
            "A policy that is added or left out moves no other's score: with each policy taken "
            f"away in turn, the largest change of any other's score or interval is {moved:.1g}.",
            "Halves of the campaigns (even and odd) agree on the order of two policies in "
            f"{agreed:,} of {decided:,} pairs whose paired interval on one half excludes 0 "
            f"({agreed / max(decided, 1):.1%}).",
            table(["start", "utility", "N", "pairs", "same order on the other half"], lines),
        ]
    )


def _quick(choice: Choice) -> str:
    """Which problems stand for all."""
    names = ", ".join(short_name(*problem) for problem in choice.problems)
    return (
        f"`make suite-quick` plays {len(choice.problems)} problems, {names}, chosen so that the "
        "order of policies on them agrees best with that on all: Kendall's tau is "
        f"{choice.tau_chosen:.2f} over the policies that they were chosen by and "
        f"{choice.tau_tested:.2f} over the others (mean over starts, utilities and N). Decisions "
        f"take {choice.seconds / 60:.0f} minutes of CPU."
    )


def _left_out(campaigns: pd.DataFrame) -> str:
    counts = campaigns.groupby("policy")["campaign"].nunique()
    fewer = sorted(counts[counts < counts.max()].index)
    words = ", ".join(f"{code(name)} {counts[name]}" for name in fewer)
    return (
        f"Campaigns of a setting: {counts.max()}, fewer where a design takes long; of policies "
        f"whose decisions take long fewer: {words or 'none'}. Not played, since a decision takes a "
        f"second or so: {', '.join(map(code, DEAR))}."
    )


def _told(campaigns: pd.DataFrame) -> str:
    """What every policy was told of each problem."""
    first = campaigns.drop_duplicates(["env", "env_kwargs"])
    rows = [
        [short_name(row.env, row.env_kwargs), row.start, *_recipe(row.env, row.env_kwargs)]
        for row in first.itertuples()
    ]
    return table(["problem", "origin told", "start", "surrogate told", "noise told"], rows)


def _recipe(env_id: str, env_kwargs: str) -> list[str]:
    import json

    import gymnasium as gym

    import ombo_gym

    env = gym.make(env_id, **json.loads(env_kwargs))
    spec = ombo_gym.campaign_spec(env)
    env.close()
    noise = "unknown" if spec.noise_std is None else f"{spec.noise_std:g}"
    return [str(spec.start_capacity), code(json.dumps(dict(spec.surrogate))), noise]


def _three(row: pd.Series, name: str) -> tuple[float, float, float]:
    return float(row[name]), float(row[f"{name}_low"]), float(row[f"{name}_high"])


def _signed(row: object, name: str) -> str:
    return difference(*(getattr(row, f"{name}{end}") for end in ("", "_low", "_high")))


def _count(campaigns: pd.DataFrame) -> int:
    return len({short_name(*keys) for keys in campaigns.groupby(["env", "env_kwargs"]).groups})
