"""What is played: grids/suite.yaml, after training what is not there yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from stable_baselines3.common.callbacks import ProgressBarCallback

from ombo_agents.cli.evaluate import show
from ombo_agents.learned.storage import CONFIG
from ombo_agents.learned.training import SETTINGS, train
from ombo_gym.evaluation.evaluate import evaluate
from ombo_gym.evaluation.grid import held_out_problems, read_grid
from ombo_gym.evaluation.grid_file import read_yaml
from ombo_gym.evaluation.launch import Launch
from scripts.studies import study

SEEDS = (0, 1, 2)  # of training


@dataclass(frozen=True)
class Training:
    """A meta-policy that the suite trains, once per training seed."""

    name: str
    env: str
    env_kwargs: dict[str, Any]
    steps: int


_CAMPAIGNS = {"horizon": [1, 5], "batch_size": 4, "utility": "last_mean"}
TRAININGS = (
    Training("gp", "Ombo/GP-v0", _CAMPAIGNS, 200_000),
    Training("tf", "Ombo/TFBinding-v0", {**_CAMPAIGNS, "split": "train"}, 100_000),
)


@dataclass(frozen=True)
class Args(study.Args):
    """Every policy on every real problem, from two kinds of start (three hours or so)."""

    grid: Path = Path("grids/suite.yaml")
    """What is played."""
    results: Path = Path("results/suite")
    """Folder for all tables and pictures and the report; the page's own go to its folder too."""
    backend: str = "loky"
    """As of scripts.evaluate; likewise address."""
    address: str | None = None


class Finished(NamedTuple):
    """A finished suite.

    Attributes:
        results: The folder of its evaluation.
        version: Of the grid.
        tests: The problems that are held out.
    """

    results: Path
    version: str
    tests: list[tuple[str, dict[str, Any]]]


def plan(args: Args) -> Finished:
    """Trains, plays and writes the report."""
    for each in TRAININGS:
        _train(each, args.runs)
    launch = Launch(args.backend, args.jobs, args.address)
    results = evaluate(
        read_grid(args.grid),
        out=args.results,
        launch=launch,
        resume=args.resume,
        command="make suite",
    )
    show(results, args.results)
    version = str(read_yaml(args.grid).get("version", ""))
    return Finished(args.results, version, held_out_problems(args.grid))


def _train(training: Training, runs: Path) -> None:
    """Trains what is not there yet."""
    for seed in SEEDS:
        out = runs / f"{training.name}-{seed}"
        if not (out / CONFIG).is_file():
            print(f"training {out}")
            train(
                training.env,
                agent="exploration",
                env_kwargs=training.env_kwargs,
                settings=replace(SETTINGS["exploration"], steps=training.steps),
                seed=seed,
                out=out,
                callback=ProgressBarCallback(),
            )
