"""Writes docs/results/misspecification.md: policies whose model is wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import tyro

from ombo_agents.cli.arguments import report_errors
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.problems.synthetic.gp import GP
from scripts.misspecification_page import write_page
from scripts.played import played

ENV = "Ombo/GP-v0"
BATCH_SIZE = 4
HORIZONS = (1, 2, 5)
UTILITIES = ("best", "last_mean")
OWN = float(signature(GP).parameters["lengthscale"].default)
FACTORS = (0.25, 0.5, 2.0, 4.0)  # of the lengthscale that functions are drawn with
POLICIES = (
    *("greedy", "ucb", "expected_improvement", "thompson"),
    *("explore_then_exploit", "rollout", "binoculars"),
)
WITHOUT_MODEL = ("random", "genetic")


@dataclass(frozen=True)
class Args:
    """Plays the campaigns that are not there yet, and writes the page."""

    out: Path = Path("docs/results")
    """Folder for misspecification.md, misspecification.csv and misspecification.png."""
    runs: Path = Path("runs/misspecification")
    """Folder where finished campaigns are kept."""
    campaigns: int = 300
    """Per policy, model, horizon and utility."""
    jobs: int = 2
    """Processes."""
    resume: bool = False
    """Take what an earlier run into the same folder has finished."""
    command: str = "make misspecification-table"
    """What the page says repeats it."""


def models(lengthscale: float) -> dict[str, dict[str, Any]]:
    """What surrogates are told, by its name in the tables."""
    wrong = {
        f"lengthscale x {factor:g}": {"kernel": "matern52", "lengthscale": factor * lengthscale}
        for factor in FACTORS
    }
    return {"own": {"kernel": "prior"}, "fitted": {"kernel": "fit"}, **wrong}


def main(args: Args) -> None:
    """Writes the page."""
    plans = {
        name: EvaluationPlan(
            ENV,
            [*POLICIES, *(WITHOUT_MODEL if name == "own" else ())],
            HORIZONS,
            utilities=UTILITIES,
            batch_size=BATCH_SIZE,
            campaigns=args.campaigns,
            told=("true",),
            env_kwargs={"surrogate": surrogate},
        )
        for name, surrogate in models(OWN).items()
    }
    campaigns = played(list(plans.values()), args.runs, jobs=args.jobs, resume=args.resume)
    names = {_sorted(plan.env_kwargs): name for name, plan in plans.items()}
    given = [names[_sorted(json.loads(text))] for text in campaigns["env_kwargs"]]
    args.out.mkdir(parents=True, exist_ok=True)
    write_page(campaigns.assign(model=given), args.out, args.command)
    print(f"page  {args.out / 'misspecification.md'}")


def _sorted(env_kwargs: dict[str, Any] | None) -> str:
    return json.dumps(env_kwargs, sort_keys=True)


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args))
