"""Writes docs/results/offline.md: one round of TF-Bind-8, beside published numbers and random."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import pandas as pd
import tyro

import ombo_agents
from ombo_agents.cli.arguments import report_errors
from ombo_agents.offline import METHODS
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from ombo_gym.evaluation.statistics import mean_interval, paired_difference
from scripts.offline_fits import folder
from scripts.offline_page import PUBLISHED, write_page

ENV = "Ombo/TFBind8-v0"
ARGUMENTS: dict[str, Any] = {"start": {"kind": "percentile", "percentile": 50}}  # all visible rows
BATCH_SIZES = (128, 8, 32)  # the published one first
UTILITIES = ("last_max", "last_median")
FEW = 8  # trials, as published
BLOCK = 5  # trials a cell: what is kept when a run is stopped
RANDOM = "random"
OTHERS = (  # that nothing is published of
    "ensemble_greedy",
    "genetic",
    "adalead",
    "local_search",
    "greedy",
    "ucb",
    "expected_improvement",
    "thompson",
)


@dataclass(frozen=True)
class Args:
    """Plays the trials that are not there yet, and writes the page."""

    out: Path = Path("docs/results")
    """Folder for offline.md and offline.csv."""
    trials: int = 50
    """Per method and batch size."""
    seed: int = 0
    """Of the first trial; methods were tuned on 500,000 and up."""
    jobs: int = 2
    """Processes."""
    methods: str = ""
    """Names with commas between, in place of all."""
    command: str = "make offline-table"
    """What the page says repeats it."""
    code: str = ""
    """Version of the code as the page names it; none: the commit that git knows of."""


def main(args: Args) -> None:
    """Writes the page."""
    methods = args.methods.split(",") if args.methods else known_methods()
    launch = Launch("loky", args.jobs) if args.jobs > 1 else Launch()
    played = []
    for offline in (False, True):
        if group := [name for name in methods if (name.partition(":")[0] in METHODS) is offline]:
            kept = folder(offline=offline) / "cells"
            for batch_size, utility in [(q, u) for q in BATCH_SIZES for u in UTILITIES]:
                # One after the other, so that no two processes fit the same networks.
                _play(group, [batch_size], [utility], args, launch, kept)
            played.append(_play(group, BATCH_SIZES, UTILITIES, args, launch, kept))
    values = pd.concat(played, ignore_index=True)
    table = summary(values, methods, args.trials)
    args.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(args.out / "offline.csv", index=False, float_format="%.6g")
    page = args.out / "offline.md"
    page.write_text(write_page(table, args.trials, args.seed, args.command, args.code))
    shutil.rmtree(folder(offline=True) / "fits", ignore_errors=True)
    print(f"page  {page}\ntable {args.out / 'offline.csv'}")


def known_methods() -> list[str]:
    """Random search, what something is published of, and others, as far as they are there."""
    env = gym.make(ENV, horizon=1, batch_size=2, utility="last_max", **ARGUMENTS)
    wanted = [RANDOM, *PUBLISHED, *OTHERS]
    there = set(ombo_agents.names())
    return [
        name
        for name in wanted
        if name.partition(":")[0] in there and ombo_agents.supports(name, env)
    ]


def _play(
    methods: list[str],
    batch_sizes: Sequence[int],
    utilities: Sequence[str],
    args: Args,
    launch: Launch,
    kept: Path,
) -> pd.DataFrame:
    """A row per trial: of what is kept, where it is."""
    plans = [
        EvaluationPlan(
            env=ENV,
            policies=methods,
            horizons=[1],
            utilities=list(utilities),
            batch_size=batch_size,
            campaigns=args.trials,
            seed=args.seed,
            told=("true",),
            env_kwargs=ARGUMENTS,
            maker="scripts.offline_fits:make",
            block=BLOCK,
        )
        for batch_size in batch_sizes
    ]
    results = run(plans, folder=kept, launch=launch, resume=True)
    if len(results.errors):
        failed = results.errors.iloc[0]
        raise RuntimeError(f"{failed['policy']} failed: {failed['error']}")
    return results.campaigns


def summary(values: pd.DataFrame, methods: list[str], trials: int) -> pd.DataFrame:
    """A row per batch size and method: means, deviations, paired differences from random."""
    of = {
        key: group.sort_values("campaign")
        for key, group in values.groupby(["batch_size", "policy", "utility"])
    }
    rows = []
    for batch_size in BATCH_SIZES:
        for name in methods:
            row: dict[str, Any] = {"batch_size": batch_size, "method": name, "trials": trials}
            row["distinct"] = of[batch_size, name, UTILITIES[0]]["distinct"].mean()
            for utility in UTILITIES:
                mine = of[batch_size, name, utility]["value"].to_numpy()
                rival = of[batch_size, RANDOM, utility]["value"].to_numpy()
                few = mine[:FEW]
                row[f"{utility}_{FEW}"], row[f"{utility}_{FEW}_sd"] = few.mean(), few.std(ddof=1)
                mean = mean_interval(mine)
                row[utility], row[f"{utility}_sd"] = mean.estimate, mine.std(ddof=1)
                row[f"{utility}_low"], row[f"{utility}_high"] = mean.low, mean.high
                above = paired_difference(mine, rival)
                row[f"{utility}_above"] = above.estimate
                row[f"{utility}_above_low"] = above.low
                row[f"{utility}_above_high"] = above.high
            rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args))
