"""Plays policies on the same campaigns over horizons, and writes tables, a picture and a report."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import tyro

import ombo_agents  # noqa: F401  (policies are built by name; a missing package should show at once)
from ombo_gym.evaluation.report import write_report
from ombo_gym.evaluation.run import BLOCK, Plan, Results, run
from ombo_gym.evaluation.statistics import paired, summarise
from ombo_gym.evaluation.terminal import format_table
from scripts.arguments import parse_env, parse_json, parse_numbers, report_errors

PACKAGES = ("ombo-gym", "gymnasium", "numpy", "torch", "stable-baselines3")


@dataclass(frozen=True)
class Args:
    """Evaluates policies over horizons on common campaigns."""

    policies: str
    """Comma-separated names (`ucb`, `ucb:weight=2`) and folders of trained ones (`runs/NAME`)."""
    env: str = "Ombo/GP-v0"
    """Id of the environment."""
    horizons: str = "1,2,3,5"
    """Rounds N, comma-separated."""
    batch_size: int = 4
    """Designs per round, q."""
    utility: str = "best"
    """What a finished campaign is worth; or several, comma-separated."""
    campaigns: int = 1000
    """Campaigns per policy and horizon."""
    seed: int = 0
    """Of campaign 0; campaign i has seed + i."""
    told: str = "true,one"
    """What policies are told of the rounds left: the truth, or every round that it is the last."""
    env_kwargs: str = "{}"
    """Further arguments of the environment, as JSON."""
    out: Path = Path("results/evaluation")
    """Folder for the tables, the picture and the report."""
    jobs: int = os.cpu_count() or 1
    """Processes."""
    block: int = BLOCK
    """Campaigns that a process plays at a time: fewer take less memory, results are the same."""
    resume: bool = False
    """Take what an earlier run into the same folder has finished."""


def evaluate(plan: Plan, *, out: Path, jobs: int, resume: bool = False, command: str) -> Results:
    """Plays a plan and writes everything about it.

    Args:
        plan: What to play.
        out: Folder for campaigns.csv, summary.csv, paired.csv, exploration.csv, config.json,
            horizons.png, report.html.
        jobs: Processes.
        resume: Take finished cells from `out`.
        command: What repeats the run, for the report.
    """
    begun, started = time.perf_counter(), datetime.now(UTC)
    results = run(plan, folder=out / "cells", jobs=jobs, resume=resume)
    summary = summarise(results.campaigns)
    results.campaigns.to_csv(out / "campaigns.csv", index=False)
    summary.to_csv(out / "summary.csv", index=False)
    paired(results.campaigns).to_csv(out / "paired.csv", index=False)
    results.exploration.to_csv(out / "exploration.csv", index=False)
    config = {
        "env": plan.env,
        "env_kwargs": plan.env_kwargs or {},
        "policies": list(plan.policies),
        "horizons": list(plan.horizons),
        "batch_size": plan.batch_size,
        "utilities": list(plan.utilities),
        "campaigns": plan.campaigns,
        "seed": plan.seed,
        "told": list(plan.told),
        "command": command,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - begun, 1),
        "versions": versions(),
    }
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    report = write_report(out)
    print(format_table(summary))
    print(f"\nreport   {report}\npicture  {out / 'horizons.png'}")
    return results


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on."""
    found: dict[str, Any] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def main(args: Args) -> None:
    """Runs an evaluation from the command line."""
    plan = Plan(
        env=parse_env(args.env),
        policies=[name for name in args.policies.split(",") if name],
        horizons=parse_numbers("--horizons", args.horizons),
        utilities=args.utility.split(","),
        batch_size=args.batch_size,
        campaigns=args.campaigns,
        seed=args.seed,
        told=args.told.split(","),
        env_kwargs=parse_json("--env-kwargs", args.env_kwargs),
        block=args.block,
    )
    command = f"python -m scripts.evaluate {shlex.join(sys.argv[1:])}"
    evaluate(plan, out=args.out, jobs=args.jobs, resume=args.resume, command=command)


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args))
