"""Policies that think for longer: `rollout` against BoTorch's lookahead, and all in 6-D."""

from __future__ import annotations

import dataclasses
from time import process_time

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ombo_gym.evaluation.cells import Cell, play
from ombo_gym.evaluation.statistics import paired_difference
from scripts.benchmark.arguments import BOTORCH_ROUNDS, ENV, WIDE_ROUNDS, Args
from scripts.benchmark.evaluation import GIB, large_evaluation
from scripts.benchmark.rows import Row

OURS, THEIRS = "rollout", "botorch_multistep"
BATCHED = (  # Bayesian optimization and planning, which compute all campaigns together
    *("greedy", "greedy_refined", "ucb", "expected_improvement", "thompson", "max_value_entropy"),
    *("local_penalization", "turbo", "explore_then_exploit", "rollout", "binoculars"),
)
_DIM = 6


def rollout_against_botorch(args: Args) -> list[Row]:
    """CPU time a campaign and final value of both on the same campaigns, the kernel given to both.

    Everything that evaluation does is timed: environment, policy, seeding, proposals, steps.
    """
    count = args.planning_campaigns
    if not count:
        return []
    cell = Cell(
        env=ENV,
        policy=OURS,
        horizon_shown="true",
        utility="best",
        seed=args.seed,
        first=0,
        campaigns=count,
        **BOTORCH_ROUNDS,
    )
    single = dataclasses.replace(cell, policy=THEIRS, campaigns=1)
    _played(dataclasses.replace(single, first=count))  # the warm-up
    _played(cell)
    our_seconds, ours = _played(cell)
    seconds, values = 0.0, []
    for i in tqdm(range(count), desc=THEIRS, unit="campaign", disable=None):
        taken, value = _played(dataclasses.replace(single, first=i))
        seconds += taken
        values.append(value[0])
    theirs = np.array(values)
    difference = paired_difference(theirs, ours)
    return [
        Row(f"{OURS}, a campaign", 1e3 * our_seconds / count, "ms"),
        Row(f"{THEIRS}, a campaign", 1e3 * seconds / count, "ms"),
        Row(f"{OURS} is cheaper than {THEIRS}", seconds / our_seconds, "times", target=100),
        Row(f"value of {OURS}, {count} campaigns", ours.mean()),
        Row(f"value of {THEIRS} on the same", theirs.mean()),
        Row("its value minus ours, mean", difference.estimate),
        Row("its value minus ours, lower end of the 95% interval", difference.low),
        Row(
            "its value minus ours, upper end of the 95% interval",
            difference.high,
            target=0.05,
            sense="<",
        ),
    ]


def _played(cell: Cell) -> tuple[float, NDArray[np.float64]]:
    """CPU seconds of a cell, and what its campaigns were worth."""
    begun = process_time()
    values = play(cell).columns["value"]
    return process_time() - begun, values


def batched_policies(args: Args) -> list[Row]:
    """Wall seconds and memory of `scripts.evaluate` with each policy, 6-D, N = 5, q = 8."""
    rows = []
    memory = 0.0
    for name in BATCHED if args.policy_campaigns else ():
        seconds, most = large_evaluation(name, args.policy_campaigns, WIDE_ROUNDS, dim=_DIM)
        rows.append(
            Row(
                f"{name}, {args.policy_campaigns:,} campaigns in {_DIM}-D, wall",
                seconds,
                "s",
                target=60,
                sense="<=",
            )
        )
        memory = max(memory, most)
    if rows:
        rows.append(Row("largest memory of these, all processes", memory / GIB, "GiB", 4, "<="))
    return rows
