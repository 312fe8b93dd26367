"""Problems: what a design costs, batched over campaigns, and in the source library's own loop."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np

from ombo_gym.problems.biology.tf_binding import TFBinding
from ombo_gym.problems.core.base import Problem
from ombo_gym.problems.core.measured import Measured
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.registration import PROBLEMS, make_problem
from scripts.benchmark.arguments import Args
from scripts.benchmark.rows import Row
from scripts.benchmark.source_loops import LOOPS

BATCH = 4  # designs a campaign
SECONDS = 1.0  # that a problem is measured for, about
TABLE_TARGET = 1.0  # us
FASTER = {"Ehrlich": 10, "SnAr": 20}  # times, at least


def problems_apart(args: Args) -> list[Row]:
    """True values of one round of many campaigns, by problem; where there is a loop, its time."""
    rows = []
    for name in PROBLEMS:
        problem = make_problem(name)
        ours = _batched(problem, args.num_envs)
        target = TABLE_TARGET if isinstance(problem, Measured | TFBinding) else None
        rows.append(Row(f"{name}: a design, batched", 1e6 * ours, "us", target, "<="))
        if name not in LOOPS:
            continue
        try:
            loop = LOOPS[name](problem, args.seed)
        except ImportError as error:
            print(f"{name}: the loop is left out: {error}")
            continue
        theirs = _seconds(loop) / BATCH
        rows.append(Row(f"{name}: a design, in a loop over its library", 1e6 * theirs, "us"))
        rows.append(
            Row(f"{name}: batched is faster", theirs / ours, "times", target=FASTER.get(name))
        )
    return rows


def _batched(problem: Problem, campaigns: int) -> float:
    """Seconds a design of `true_values`; of slow simulators over fewer campaigns."""
    a_few = _call(problem, 2)
    a_few()  # tables are read and simulators built
    affordable = int(2 * SECONDS / max(_seconds(a_few, enough=0), 1e-6))
    campaigns = min(campaigns, max(2, affordable))
    whole = _call(problem, campaigns)
    whole()
    return _seconds(whole) / (campaigns * BATCH)


def _call(problem: Problem, campaigns: int) -> Callable[[], Any]:
    """Evaluates a batch of random designs in each campaign."""
    keys = np.arange(campaigns, dtype=np.uint64)
    instances = problem.draw(KeyedGenerator(keys, Stream.INSTANCE))
    rngs, size = KeyedGenerator(keys, Stream.START), problem.design_space.size
    if size is not None and size < BATCH:
        designs = problem.design_space.sample(rngs, BATCH)
    else:
        designs = problem.sample(instances, rngs, BATCH)  # feasible ones, as a rule
    return lambda: problem.true_values(instances, designs)


def _seconds(function: Callable[[], Any], enough: float | None = None) -> float:
    """Median CPU seconds of a call, of calls for `SECONDS` unless another time is enough."""
    enough = SECONDS if enough is None else enough
    laps: list[float] = []
    while not laps or (sum(laps) < enough and len(laps) < 30):
        begun = process_time()
        function()
        laps.append(process_time() - begun)
    return float(np.median(laps))
