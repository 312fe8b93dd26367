"""What is played: our default, BayBE and Ax from the same starts, with the same noise."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from scripts.studies import study
from scripts.studies.bench_tools.campaigns import Cell, Run, played
from scripts.studies.bench_tools.exchange import Process, command_of
from scripts.studies.bench_tools.problems import PROBLEMS

OURS = "ombo"
OTHERS = {"baybe": "BayBE", "ax": "Ax"}


@dataclass(frozen=True)
class Args(study.Args):
    """Our default beside BayBE and Ax (20 seeds: five hours, nearly all theirs)."""

    seeds: int = 20
    """Instances of each problem."""
    problems: tuple[str, ...] = tuple(PROBLEMS)
    """That are played, in this order."""
    bench_python: Path | None = None
    """Python of the environment of constraints-bench-tools.txt; None: nothing of theirs is played,
    the page shows what is kept."""


def plan(args: Args) -> list[Run]:
    """Plays what is not there yet; ours always, since it is the present code that counts.

    Raises:
        ValueError: Nobody is there to play a tool of which nothing is kept.
    """
    folder = args.runs / "cells"
    for tool, name in OTHERS.items():
        if args.bench_python is None and not [*folder.glob(f"*-{tool}-*.json")]:
            raise ValueError(
                f"bench_python: expected the Python of an environment with {name}, since nothing "
                f"of it is kept in {folder}, got none; make one as constraints-bench-tools.txt "
                "says, and give --bench-python"
            )
    pythons = {OURS: Path(sys.executable)}
    if args.bench_python is not None:
        pythons |= dict.fromkeys(OTHERS, args.bench_python)
    found: dict[Cell, Run | None] = {}
    with ExitStack() as stack:
        processes = {
            tool: stack.enter_context(Process(command_of(tool, python)))
            for tool, python in pythons.items()
        }
        cells = [
            Cell(tool, problem, seed)
            for seed in range(args.seeds)
            for problem in args.problems
            for tool in (*OTHERS, OURS)
        ]
        for cell in tqdm(cells, unit="campaign", desc="bench tools", disable=None):
            ask = processes[cell.tool].ask if cell.tool in processes else None
            kept = args.resume and cell.tool != OURS
            found[cell] = played(cell, ask, folder, resume=kept)
    return [run for run in found.values() if run is not None]
