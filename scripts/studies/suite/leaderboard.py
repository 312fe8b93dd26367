"""docs/results/leaderboard.md: the places of all policies, over all settings of the suite."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ombo_gym.evaluation.markdown import code, estimate, table
from ombo_gym.evaluation.tables import read_table
from scripts.studies.suite.plan import SEEDS, Args, Finished

_TEXT = """# Leaderboard

{complete} policies on {problems} problems, {settings} settings of problem, N, q and utility, all
told N. Score: 0 is the mean of `random`, 1 the mean of the best that any policy reached on each
campaign; interquartile mean over campaigns, settings weighing alike, with its 95% stratified
bootstrap interval. Rank: mean over settings. The policies under `{runs}` were trained for
`last_mean` alone, `gp` on `Ombo/GP-v0` and `tf` on the training factors of `Ombo/TFBinding-v0`,
with {seeds} seeds each, which their intervals resample too; the picture shows each utility by
itself.

{places}

Without a place, since they suit only some of the settings (how many in brackets): {others}.

![Scores with their intervals](suite/leaderboard.png)

`make suite`, {date}: {minutes:.0f} minutes on {jobs} cores with training, {campaigns:,} campaigns
of `grids/suite.yaml`, which picks up new environments and policies. How far each policy gets on
each problem, N by N, and a plain reading of it: [the suite, problem by problem](suite.md). Small
tables are in `docs/results/suite`; all others, performance profiles, and the report with
everything, replays of campaigns too, are where `make suite` writes them: `{results}`.
"""


def leaderboard(finished: Finished, args: Args) -> str:
    """The page, from the tables of a finished suite."""
    board = read_table(finished.results / "leaderboard.csv")
    board = board[board["utility"] == board["utility"].iloc[-1]]  # all of them together
    complete, partial = board[board["complete"]].sort_values("place"), board[~board["complete"]]
    rows = [
        [
            f"{row['place']:.0f}",
            code(row["method"]),
            estimate(row["score"], row["score_low"], row["score_high"]),
            f"{row['rank']:.1f}",
        ]
        for _, row in complete.iterrows()
    ]
    return _TEXT.format(
        complete=len(complete),
        problems=_problems(json.loads((finished.results / "config.json").read_text())["plans"]),
        settings=board["settings"].max(),
        runs=args.runs,
        seeds=len(SEEDS),
        places=table(["place", "policy", "score", "mean rank"], rows),
        others=", ".join(f"`{row.method}` ({row.settings})" for row in partial.itertuples()),
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        minutes=finished.minutes,
        jobs=args.jobs,
        campaigns=len(read_table(finished.results / "campaigns.csv")),
        results=finished.results,
    )


def _problems(plans: Sequence[dict[str, Any]]) -> int:
    return len({(plan["env"], json.dumps(plan["env_kwargs"], sort_keys=True)) for plan in plans})
