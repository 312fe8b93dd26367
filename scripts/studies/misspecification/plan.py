"""What is played: the same campaigns with the own model, a fitted one and wrong ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from inspect import signature
from typing import Any

import pandas as pd

from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.problems.synthetic.gp import GP
from scripts.studies import study
from scripts.studies.campaigns import play

ENV = "Ombo/GP-v0"
BATCH_SIZE = 4
HORIZONS = (1, 2, 5)
UTILITIES = ("best", "last_mean")
LENGTHSCALE = float(signature(GP).parameters["lengthscale"].default)  # that functions have
FACTORS = (0.25, 0.5, 2.0, 4.0)  # of that, in wrong models
OWN, FITTED = "own", "fitted"
POLICIES = (
    *("greedy", "ucb", "expected_improvement", "thompson"),
    *("explore_then_exploit", "rollout", "binoculars"),
)
WITHOUT_MODEL = ("random", "genetic")


@dataclass(frozen=True)
class Args(study.Args):
    """Policies whose model is wrong (ten minutes or so)."""

    campaigns: int = 300
    """Per policy, model, horizon and utility."""


def models(lengthscale: float) -> dict[str, dict[str, Any]]:
    """The argument `surrogate` of each model, by the model's name in the tables."""
    wrong = {
        f"lengthscale x {factor:g}": {"kernel": "matern52", "lengthscale": factor * lengthscale}
        for factor in FACTORS
    }
    return {OWN: {"kernel": "prior"}, FITTED: {"kernel": "fit"}, **wrong}


def plan(args: Args) -> pd.DataFrame:
    """A row per campaign, with the name of the surrogate's `model`."""
    plans = {
        name: EvaluationPlan(
            ENV,
            [*POLICIES, *(WITHOUT_MODEL if name == OWN else ())],
            HORIZONS,
            utilities=UTILITIES,
            batch_size=BATCH_SIZE,
            campaigns=args.campaigns,
            told=("true",),
            env_kwargs={"surrogate": surrogate},
        )
        for name, surrogate in models(LENGTHSCALE).items()
    }
    campaigns = play(list(plans.values()), args)
    names = {_sorted(each.env_kwargs): name for name, each in plans.items()}
    played = [names[_sorted(json.loads(text))] for text in campaigns["env_kwargs"]]
    return campaigns.assign(model=played)


def _sorted(env_kwargs: dict[str, Any] | None) -> str:
    return json.dumps(env_kwargs, sort_keys=True)
