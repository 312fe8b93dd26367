"""The evaluation at scale: many campaigns, many cells, two processes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from scripts.benchmark.arguments import ENV, POLICY, ROUNDS, Args
from scripts.benchmark.rows import Row

GIB = 2**30
_CELLS = 20  # over which the speed-up is measured
_SMALL_CELLS = 300  # over which the overhead is


def evaluation_at_scale(args: Args) -> list[Row]:
    """Wall seconds: a large evaluation from the command line, the speed-up, a cell's overhead."""
    if not args.scale_campaigns:
        return []
    seconds, memory = large_evaluation(POLICY, args.scale_campaigns, ROUNDS)
    cell, speed_up = two_processes(args.scale_campaigns)
    return [
        Row(f"evaluation of {args.scale_campaigns:,} campaigns, wall", seconds, "s", 180, "<="),
        Row("its largest memory, all processes", memory / GIB, "GiB", 2, "<="),
        Row("a cell of the speed-up's", cell, "s", 1, ">="),
        Row("loky with 2 processes is faster than sequential", speed_up, "times", 1.7),
        Row("a cell of one campaign, sequential", 1e3 * cell_overhead(Launch()), "ms", 20, "<="),
        Row("the same, loky", 1e3 * cell_overhead(Launch("loky", 2)), "ms", 20, "<="),
    ]


def large_evaluation(
    policy: str, campaigns: int, rounds: dict[str, Any], **env_kwargs: Any
) -> tuple[float, float]:
    """Wall seconds and bytes of `scripts.evaluate` with everything it writes, on 2 processes."""
    with tempfile.TemporaryDirectory() as folder:
        flags = {
            "env": ENV,
            "env-kwargs": json.dumps(env_kwargs),
            "policies": policy,
            "horizons": str(rounds["horizon"]),
            "batch-size": str(rounds["batch_size"]),
            "campaigns": str(campaigns),
            "told": "true",
            "jobs": "2",
            "out": folder,
        }
        words = [word for name, value in flags.items() for word in (f"--{name}", value)]
        command = [sys.executable, "-m", "scripts.evaluate", *words]
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak = Peak(process.pid)
        status = process.wait()
        seconds = time.perf_counter() - begun
        if status or not (Path(folder) / "report.html").is_file():
            raise RuntimeError(f"{policy} on {campaigns} campaigns ended with {status}")
    return seconds, peak.stop()


class Peak:
    """The largest memory of a process and its children together (unique and shared parts alike).

    Proportional set size, in which pages that processes share count once.
    """

    def __init__(self, pid: int) -> None:
        self._largest = 0.0
        self._over = threading.Event()
        self._process = psutil.Process(pid)
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()

    def _look(self) -> None:
        while not self._over.wait(0.2):
            try:
                family = [self._process, *self._process.children(recursive=True)]
                self._largest = max(self._largest, sum(p.memory_full_info().pss for p in family))
            except psutil.Error:  # one of them has just ended
                continue

    def stop(self) -> float:
        """The largest sum seen, in bytes."""
        self._over.set()
        self._watch.join()
        return self._largest


def two_processes(campaigns: int) -> tuple[float, float]:
    """Seconds of a cell, and how much faster two processes play 20 of them, start-up included."""
    block = max(1, campaigns // 25)
    plan = EvaluationPlan(
        env=ENV,
        policies=[POLICY],
        horizons=[ROUNDS["horizon"]],
        batch_size=ROUNDS["batch_size"],
        campaigns=_CELLS * block,
        told=["true"],
        block=block,
    )
    alone = _seconds([plan], Launch())
    return alone / _CELLS, alone / _seconds([plan], Launch("loky", 2))


def cell_overhead(launch: Launch) -> float:
    """Seconds of a cell of one campaign of one round, writing included, when it is warm."""
    plan = EvaluationPlan(
        env=ENV, policies=["random"], horizons=[1], told=["true"], block=1, campaigns=20
    )
    _seconds([plan], launch)
    return (
        _seconds([EvaluationPlan(**{**vars(plan), "campaigns": _SMALL_CELLS})], launch)
        / _SMALL_CELLS
    )


def _seconds(plans: Sequence[EvaluationPlan], launch: Launch) -> float:
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        run(plans, folder=Path(folder), launch=launch)
        return time.perf_counter() - begun
