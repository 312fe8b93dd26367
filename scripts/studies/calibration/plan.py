"""What is described: functions of synthetic tasks, and measured or computed ones beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from ombo_gym.tasks import TaskDistribution
from scripts.studies import study
from scripts.studies.calibration.features import describe
from scripts.studies.calibration.measured import TABLES, arguments, column_widths

TASKS = "ML-screens-v0:train"
# Collections that are open to training: their training halves, and how many functions are drawn.
COLLECTIONS: tuple[tuple[str, str, dict[str, Any], int], ...] = (
    ("LCBench", "Ombo/LCBench-v0", {"split": "train"}, 24),
    ("TFBinding", "Ombo/TFBinding-v0", {"split": "train"}, 29),
    ("SnAr", "Ombo/SnAr-v0", {"kinetics": "perturbed", "split": "train"}, 12),
    *(
        (f"Coating, {task}", "Ombo/Coating-v0", {"split": "train", "task": task}, 12)
        for task in ("antireflection", "mirror", "edge", "bandpass")
    ),
)
TABLE = "table"


@dataclass(frozen=True)
class Args(study.Args):
    """Features of synthetic tasks and of measured tables (about five minutes)."""

    functions: int = 40
    """Of each shape of the synthetic tasks."""
    campaigns: int = 8
    """Starts of each measured table, which is one function."""


class Described(NamedTuple):
    """What the page is made of.

    Attributes:
        synthetic: A row per function, see `describe`, with `problem`.
        real: Likewise of all others, with `kind`, `TABLE` or the collection's name; a table, of
            which several starts were drawn, is one row.
    """

    synthetic: pd.DataFrame
    real: pd.DataFrame


def plan(args: Args) -> Described:
    """Describes all of them."""
    with threadpool_limits(limits=1):  # sums of more threads round otherwise
        real = list(tqdm(_real(args), desc="measured", disable=None))
        synthetic = [
            describe(env, kwargs, functions=args.functions).assign(problem=problem)
            for problem, env, kwargs in tqdm(shapes(), desc="synthetic", disable=None)
        ]
    return Described(pd.concat(synthetic, ignore_index=True), pd.concat(real, ignore_index=True))


def shapes() -> list[tuple[str, str, dict[str, Any]]]:
    """The shapes of the training tasks: name, id of the environment and its arguments."""
    found = {}
    for task in TaskDistribution.named(TASKS):
        kwargs = dict(task.env_kwargs)
        found[json.dumps(kwargs, sort_keys=True)] = task.env, kwargs
    return [(name, *each) for name, each in found.items()]


def _real(args: Args) -> Iterator[pd.DataFrame]:
    for name, env, kwargs, functions in COLLECTIONS:
        found = describe(env, kwargs, functions=min(functions, 3 * args.functions))
        yield found.assign(problem=name, kind=name.split(",")[0])
    folder = Path(args.runs) / "tables"
    for table in TABLES:
        kwargs = arguments(table, folder)
        found = describe(
            "Ombo/Table-v0",
            kwargs,
            functions=args.campaigns,
            widths=column_widths(Path(kwargs["csv"])),
        )
        mean = found.mean().to_frame().T
        yield mean.assign(problem=table.name, kind=TABLE)
