"""`ombo evaluate`: plays policies on the same campaigns; tables, pictures and a report."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ombo_agents  # noqa: F401  (policies are built by name; a missing package should show at once)
from ombo_agents.cli.arguments import parse_env, parse_json, parse_numbers, typed
from ombo_gym.evaluation.evaluate import evaluate
from ombo_gym.evaluation.grid import ALL, read_grid, with_policies_meant
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import Results
from ombo_gym.evaluation.tables import read_table
from ombo_gym.evaluation.terminal import failed_cells, format_table


@dataclass(frozen=True)
class Args:
    """Evaluates policies over horizons on common campaigns.

    For instance: ombo evaluate --env Ombo/GP-v0 --policies ucb,random,runs/mine --out results/mine
    """

    policies: str | None = None
    """Comma-separated names (`ucb`, `ucb:weight=2`), folders of trained ones (`runs/NAME`,
    `runs/*`), of your own `module:Class` (`module:Class:step=0.5`), and `all` for every policy
    that suits the campaigns, which is meant where neither this nor a grid is given. Several
    settings have semicolons between, in quotes: 'ucb:weight=2;climb=false'."""
    grid: Path | None = None
    """A YAML file with problems and policies (`grids/suite.yaml`), in place of the flags up to
    --env-kwargs; --campaigns and --seed, when given, replace the file's."""
    env: str = "Ombo/GP-v0"
    """Id of the environment; of your own, `module:Id` or `module:Class` of the problem."""
    horizons: str | None = None
    """Rounds N, comma-separated; 1,2,3,5 without --plates."""
    batch_size: int | None = None
    """Designs per round, q; 4 without --plates and --budget."""
    budget: int | None = None
    """Designs in all, in place of --batch-size: q = budget / N at every horizon N."""
    plates: str | None = None
    """Batch sizes round by round (24,24,8), in place of --horizons, --batch-size and --budget."""
    utility: str = "best"
    """What a finished campaign is worth (`auc`, `last_quantile:quantile=0.9`, of your own
    `module:Class:key=value`); or several, comma-separated."""
    campaigns: int | None = None
    """Campaigns per policy and horizon; 1000 without a grid."""
    seed: int | None = None
    """Of campaign 0, 0 without a grid; campaign i has seed + i."""
    told: str = "true,one"
    """What policies are told of the rounds to come: the truth, or every round that it is the
    last."""
    env_kwargs: str = "{}"
    """Further arguments of the environment, as JSON."""
    out: Path = Path("results/evaluation")
    """Folder for the tables, the pictures and the report."""
    backend: str = "loky"
    """Where cells are played: sequential, loky (processes), dask or ray."""
    jobs: int = os.cpu_count() or 1
    """Processes."""
    address: str | None = None
    """Of a running dask scheduler (tcp://HOST:8786) or ray cluster (auto, HOST:6379)."""
    block: int | None = None
    """Campaigns that a process plays at a time: fewer take less memory, results are the same."""
    resume: bool = False
    """Take what an earlier run into the same folder has finished."""
    allow_code: bool = False
    """Let the grid name code of its own (policies, utilities, problems and controls as
    `module:Class`), which is imported: only for files and modules that you trust."""


def plans_of(args: Args) -> list[EvaluationPlan]:
    """What the flags ask for.

    Raises:
        ValueError: Both policies and a grid; or what `EvaluationPlan` refuses, plates beside
            horizons for one.
    """
    chosen = {"campaigns": args.campaigns, "seed": args.seed, "block": args.block}
    given: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
    if args.grid is not None:
        if args.policies is not None:
            raise ValueError("expected --policies with names or --grid with a file, got both")
        return read_grid(args.grid, allow_code=args.allow_code, **given)
    words = ALL if args.policies is None else args.policies
    policies = [name for name in words.split(",") if name]
    horizons = "1,2,3,5" if args.horizons is None and args.plates is None else args.horizons
    plan = EvaluationPlan(
        env=parse_env(args.env),
        policies=policies,
        horizons=() if horizons is None else parse_numbers("--horizons", horizons),
        batch_size=args.batch_size,
        budget=args.budget,
        plates=None if args.plates is None else parse_numbers("--plates", args.plates),
        utilities=args.utility.split(","),
        told=args.told.split(","),
        env_kwargs=parse_json("--env-kwargs", args.env_kwargs),
        **given,
    )
    return [with_policies_meant(plan)]


def show(results: Results, out: Path) -> None:
    """Prints the summary and where everything is.

    Raises:
        SystemExit: Some cells failed; the last lines name them.
    """
    print(format_table(read_table(out / "summary.csv")))
    print(f"\nreport   {out / 'report.html'}\npicture  {out / 'horizons.png'}")
    if failed := len(results.errors):
        # The summary first, also where both go to one file.
        sys.stdout.flush()
        sys.exit(
            f"error: {failed} cell{'s' * (failed > 1)} failed, the rest is there; see "
            f"{out / 'errors.csv'}:\n{failed_cells(results.errors)}"
        )


def main(args: Args) -> None:
    """Runs an evaluation from the command line.

    Raises:
        KeyboardInterrupt: On Ctrl-C; says how to go on.
    """
    plans = plans_of(args)
    launch = Launch(args.backend, args.jobs, args.address)
    try:
        results = evaluate(
            plans, out=args.out, launch=launch, resume=args.resume, command=typed("evaluate")
        )
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt("finished cells are kept; --resume goes on with the rest") from stop
    show(results, args.out)
