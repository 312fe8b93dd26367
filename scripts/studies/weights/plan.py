"""What is played: settings side by side, on problems that are no test problems of the suite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from ombo_gym.evaluation.plan import EvaluationPlan
from scripts.studies import study
from scripts.studies.campaigns import play

PROBLEMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Ombo/GP-v0", {"surrogate": {"kernel": "fit"}}),
    ("Ombo/GP-v0", {"dim": 6, "surrogate": {"kernel": "fit"}}),
    ("Ombo/BBOB-v0", {}),
    ("Ombo/PBO-v0", {}),
    ("Ombo/TFBinding-v0", {"split": "train"}),
    ("Ombo/LCBench-v0", {"split": "train"}),
)
STARTS = (
    {"kind": "random", "size": 16},
    {"kind": "percentile", "percentile": 50, "size": 16},
)
SETTINGS = {
    "ucb": ("ucb:weight=0.5", "ucb:weight=1", "ucb:weight=1.5", "ucb:weight=2", "ucb:weight=3"),
    "explore_then_exploit": (
        *("explore_then_exploit:weights=1/0.5/0", "explore_then_exploit:weights=2/1/0"),
        *("explore_then_exploit:weights=3/2/1/0", "explore_then_exploit:weights=2/2/1"),
    ),
    "offset_ucb": ("offset_ucb:strength=1", "offset_ucb:strength=1.5", "offset_ucb:strength=2"),
}
BUDGET = 20
HORIZONS = (1, 2, 5)


@dataclass(frozen=True)
class Args(study.Args):
    """Tuned settings, on problems that nothing is reported on (half an hour or so)."""

    campaigns: int = 60
    """Per setting."""


def plan(args: Args) -> pd.DataFrame:
    """A row per campaign, with the columns of `campaigns.csv`."""
    policies = [name for names in SETTINGS.values() for name in names]
    plans = [
        EvaluationPlan(
            env_id,
            policies,
            HORIZONS,
            utilities=("best", "last_mean"),
            budget=BUDGET,
            campaigns=args.campaigns,
            told=("true",),
            env_kwargs={**arguments, "start": start},
        )
        for env_id, arguments in PROBLEMS
        for start in STARTS
    ]
    return play(plans, args)
