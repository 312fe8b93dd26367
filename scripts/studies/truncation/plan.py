"""What is played: policies with a fitted model that is told its start's origin, or is not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ombo_gym.evaluation.plan import EvaluationPlan
from scripts.studies import study
from scripts.studies.campaigns import play

PROBLEMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Ombo/Reaction-v0", {}),
    ("Ombo/Reaction-v0", {"dataset": "denmark"}),
    ("Ombo/CrossedBarrel-v0", {}),
    ("Ombo/Materials-v0", {}),
    ("Ombo/Antibody-v0", {}),
    ("Ombo/MPSA-v0", {}),
    ("Ombo/Molecule-v0", {}),
    ("Ombo/TFBinding-v0", {"split": "train"}),
    ("Ombo/Tuning-v0", {"split": "train"}),
    ("Ombo/Tuning-v0", {"benchmark": "nasbench201", "split": "train"}),
)
POLICIES = ("greedy", "ucb", "expected_improvement", "thompson")
HORIZONS = (1, 3)
BATCH_SIZE = 4


@dataclass(frozen=True)
class Args(study.Args):
    """What telling a fitted model its start's origin is worth (ten minutes or so)."""

    campaigns: int = 300
    """Per policy, problem and horizon."""


def plan(args: Args) -> pd.DataFrame:
    """What the shift is worth, as `gains` says it."""
    plans = [
        EvaluationPlan(
            env_id,
            POLICIES,
            HORIZONS,
            batch_size=BATCH_SIZE,
            campaigns=args.campaigns,
            told=("true",),
            env_kwargs={**arguments, "surrogate": {"kernel": "fit", "truncation": truncation}},
        )
        for env_id, arguments in PROBLEMS
        for truncation in (False, True)
    ]
    return gains(play(plans, args))


def gains(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The score with the shift minus without, a row per problem, horizon, policy and campaign."""
    given = [json.loads(text) for text in campaigns["env_kwargs"]]
    shifted = [arguments.pop("surrogate")["truncation"] for arguments in given]
    names = [
        " ".join([env_id, *(str(value) for value in arguments.values())])
        for env_id, arguments in zip(campaigns["env"], given, strict=True)
    ]
    keys = ["problem", "horizon", "policy", "seed"]
    wide = campaigns.assign(problem=names, shifted=shifted).pivot(
        index=keys, columns="shifted", values="score"
    )
    return (wide[True] - wide[False]).rename("gain").reset_index()
