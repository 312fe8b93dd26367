"""What is played: offline methods and others on one round of TF-Bind-8."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import pandas as pd

import ombo_agents
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.statistics import mean_interval, paired_difference
from scripts.studies import study
from scripts.studies.campaigns import play
from scripts.studies.offline.fits import FITS, code_digest

ENV = "Ombo/TFBind8-v0"
ARGUMENTS: dict[str, Any] = {"start": {"kind": "percentile", "percentile": 50}}  # all visible rows
BATCH_SIZES = (128, 8, 32)  # the published one first
UTILITIES = ("last_max", "last_median")
FEW = 8  # trials, as published
BLOCK = 5  # trials a cell: what is kept when a run is stopped
RANDOM = "random"
# Normalised 100th percentile of 128 proposals over 8 trials, mean and standard deviation.
# Design-Bench, table 2; COMs by the same authors under the same protocol.
PUBLISHED: dict[str, tuple[float, float]] = {
    "gradient_ascent": (0.977, 0.025),
    "gradient_min": (0.984, 0.012),
    "gradient_mean": (0.986, 0.012),
    "coms": (0.945, 0.033),
    "cbas": (0.927, 0.051),
    "reinforce": (0.948, 0.028),
    "cmaes": (0.953, 0.022),
    "mins": (0.905, 0.052),
    "bo_qei": (0.798, 0.083),
    # As close to the published runs as we come.
    "bo_qei:relaxed=true;best=500;others=0;spare=2.5": (0.798, 0.083),
}
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
class Args(study.Args):
    """Offline methods on TF-Bind-8 (an hour or so)."""

    trials: int = 50
    """Per method and batch size."""
    seed: int = 0
    """Of the first trial; methods were tuned on 500,000 and up."""
    methods: str = ""
    """Names with commas between, in place of all."""
    code: str = ""
    """Version of the code as the page names it; none: the commit that git knows of."""


def plan(args: Args) -> pd.DataFrame:
    """A row per batch size and method, as `summary` makes it."""
    methods = args.methods.split(",") if args.methods else known_methods()
    args = replace(args, runs=args.runs / code_digest())
    for batch_size in BATCH_SIZES:
        for utility in UTILITIES:
            # One after the other, so that no two processes fit the same networks.
            play(_plans(methods, [batch_size], [utility], args), args)
    again = replace(args, resume=True)
    values = play(_plans(methods, BATCH_SIZES, UTILITIES, args), again)
    shutil.rmtree(FITS, ignore_errors=True)
    return summary(values, methods, args.trials)


def known_methods() -> list[str]:
    """Random search, what something is published of, and others, as far as they are there."""
    env = gym.make(ENV, horizon=1, batch_size=2, utility="last_max", **ARGUMENTS)
    known = set(ombo_agents.names())
    return [
        name
        for name in (RANDOM, *PUBLISHED, *OTHERS)
        if name.partition(":")[0] in known and ombo_agents.supports(name, env)
    ]


def _plans(
    methods: Sequence[str], batch_sizes: Sequence[int], utilities: Sequence[str], args: Args
) -> list[EvaluationPlan]:
    return [
        EvaluationPlan(
            env=ENV,
            policies=methods,
            horizons=[1],
            utilities=utilities,
            batch_size=batch_size,
            campaigns=args.trials,
            seed=args.seed,
            told=("true",),
            env_kwargs=ARGUMENTS,
            maker="scripts.studies.offline.fits:make",
            block=BLOCK,
        )
        for batch_size in batch_sizes
    ]


def summary(values: pd.DataFrame, methods: Sequence[str], trials: int) -> pd.DataFrame:
    """A row per batch size and method: means, deviations, paired differences from random."""
    groups = {
        key: group.sort_values("campaign")
        for key, group in values.groupby(["batch_size", "policy", "utility"])
    }
    rows = []
    for batch_size in BATCH_SIZES:
        for name in methods:
            row: dict[str, Any] = {"batch_size": batch_size, "method": name, "trials": trials}
            row["distinct"] = groups[batch_size, name, UTILITIES[0]]["distinct"].mean()
            for utility in UTILITIES:
                own = groups[batch_size, name, utility]["value"].to_numpy()  # (trials,)
                random = groups[batch_size, RANDOM, utility]["value"].to_numpy()  # (trials,)
                few = own[:FEW]
                row[f"{utility}_{FEW}"], row[f"{utility}_{FEW}_sd"] = few.mean(), few.std(ddof=1)
                mean = mean_interval(own)
                row[utility], row[f"{utility}_sd"] = mean.estimate, own.std(ddof=1)
                row[f"{utility}_low"], row[f"{utility}_high"] = mean.low, mean.high
                above = paired_difference(own, random)
                row[f"{utility}_above"] = above.estimate
                row[f"{utility}_above_low"] = above.low
                row[f"{utility}_above_high"] = above.high
            rows.append(row)
    return pd.DataFrame(rows)
