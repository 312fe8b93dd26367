"""What is played: grids/suite.yaml, after training what is not there yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from stable_baselines3.common.callbacks import ProgressBarCallback

from ombo_agents.cli.evaluate import show
from ombo_agents.learned.storage import CONFIG
from ombo_agents.learned.training import SETTINGS, train, training_seconds
from ombo_gym.evaluation.evaluate import evaluate
from ombo_gym.evaluation.grid import read_grid
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
    """Every policy on every environment, and the leaderboard (an hour or so)."""

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
        minutes: That training and playing took.
    """

    results: Path
    minutes: float


def plan(args: Args) -> Finished:
    """Trains, plays and writes the report."""
    training = sum(_train(each, args.runs) for each in TRAININGS)
    begun = perf_counter()
    plans = read_grid(args.grid)
    launch = Launch(args.backend, args.jobs, args.address)
    results = evaluate(
        plans, out=args.results, launch=launch, resume=args.resume, command="make suite"
    )
    show(results, args.results)
    return Finished(args.results, (training + perf_counter() - begun) / 60)


def _train(training: Training, runs: Path) -> float:
    """Trains what is not there yet; the seconds that all seeds took, now or earlier."""
    seconds = 0.0
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
        seconds += training_seconds(out)
    return seconds
