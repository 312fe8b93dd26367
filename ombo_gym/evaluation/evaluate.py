"""An evaluation from plans to a folder: tables, pictures and a report."""

from __future__ import annotations

import io
import json
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from ombo_gym.evaluation import ranking
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.leaderboard import PlayedScores, leaderboard, problem_scores
from ombo_gym.evaluation.output import check_folder, staged
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.report import write_report
from ombo_gym.evaluation.run import Results, run
from ombo_gym.evaluation.tables import paired, summarise, training_seeds
from ombo_gym.evaluation.terminal import failed_cells
from ombo_gym.files import write_atomically

try:
    from filelock import FileLock
except ImportError as error:
    raise ImportError(
        'ombo_gym.evaluation needs filelock: pip install "ombo-gym[evaluation]"'
    ) from error

PACKAGES = (
    *("ombo-gym", "gymnasium", "numpy", "scipy"),
    *("torch", "stable-baselines3", "cma", "botorch", "gpytorch"),
    *("ioh", "mujoco", "box2d", "viennarna", "py-wake"),  # simulators
)


def evaluate(
    plans: EvaluationPlan | Sequence[EvaluationPlan],
    *,
    out: Path,
    launch: Launch,
    command: str,
    resume: bool = False,
) -> Results:
    """Plays plans and writes everything about them.

    Args:
        plans: What to play.
        out: Folder for the tables (CSV and Parquet), `config.json`, `replays.json`, figures and
            `report.html`. Several runs may share it: the last one to end has its tables there. What
            was there is only replaced when all that is new has been written.
        launch: Where to play.
        command: What repeats the run, for the report.
        resume: Take finished cells from `out`.

    Raises:
        RuntimeError: Every cell failed; `errors.csv` says why.
        ValueError: What `run` refuses; a symbolic link in `out` where a folder is expected.
        OSError: Something cannot be written.
    """
    plans = [plans] if isinstance(plans, EvaluationPlan) else list(plans)
    begun, started = time.perf_counter(), datetime.now(UTC)
    check_folder(out)
    results = run(plans, folder=out / "cells", launch=launch, resume=resume)
    described = [plan.described() for plan in plans]
    config = {
        **(described[0] if len(plans) == 1 else {"plans": described}),
        "command": command,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - begun, 1),
        "versions": versions(),
    }
    out.mkdir(parents=True, exist_ok=True)
    with FileLock(out / ".lock"), staged(out) as draft:
        _write_table(draft, "errors", results.errors)
        if not results.campaigns.empty:
            for name, table in tables(results.campaigns).items():
                _write_table(draft, name, table)
            _write_table(draft, "exploration", results.exploration)
            _write_table(draft, "timings", results.timings)
            write_atomically(draft / "config.json", json.dumps(config, indent=2) + "\n")
            write_atomically(draft / "replays.json", json.dumps(results.replays))
            write_report(draft)
    if results.campaigns.empty:
        raise RuntimeError(
            f"all {len(results.errors)} cells failed, the first with "
            f"{results.errors['error'].iloc[0]}; {out / 'errors.csv'} has the rest:\n"
            f"{failed_cells(results.errors)}"
        )
    return results


def tables(campaigns: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables that follow from campaigns, by name, theirs first."""
    scores = PlayedScores(campaigns)
    return {
        "campaigns": campaigns,
        "summary": summarise(campaigns),
        "paired": paired(campaigns),
        "training_seeds": training_seeds(campaigns),
        "ranks": ranking.ranks(campaigns),
        "leaderboard": leaderboard(scores),
        "problem_scores": problem_scores(scores),
        "profiles": ranking.profiles(campaigns),
        "improvement": ranking.improvement(campaigns),
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on."""
    found: dict[str, Any] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _write_table(out: Path, name: str, table: pd.DataFrame) -> None:
    write_atomically(out / f"{name}.csv", table.to_csv(index=False))
    packed = io.BytesIO()
    table.to_parquet(packed, index=False)
    write_atomically(out / f"{name}.parquet", packed.getvalue())
