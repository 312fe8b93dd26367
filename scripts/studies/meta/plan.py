"""What is read of the suite, and what is played beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ombo_agents.learned.meta.rule import Rule
from ombo_agents.learned.meta.shipped import shipped_rule
from ombo_gym.evaluation.grid import held_out_problems
from ombo_gym.evaluation.plan import EvaluationPlan
from scripts.studies import study
from scripts.studies.campaigns import play

META = "meta"
BASELINES = ("doe_then_ucb", "ucb", "explore_then_exploit")
KNOWN_ENV, KNOWN_BATCH, KNOWN_HORIZONS = "Ombo/GP-v0", 4, (2, 3, 5)
UTILITIES = ("best", "last_mean")
STATIC = "explore_then_exploit"  # near the best static schedules there, see its file of settings
ONE_ROUND = (
    *("greedy", "greedy_refined", "ucb", "ucb:weight=1", "expected_improvement", "thompson"),
    *("local_penalization", "max_value_entropy"),
)
PLANNER = "rollout"


@dataclass(frozen=True)
class Args(study.Args):
    """The meta-policy on the suite's results, and on a known prior (an hour of one core or so)."""

    suite: Path = Path("results/suite")
    """Results of `make suite`, which are read and not played."""
    grid: Path = Path("grids/suite.yaml")
    """The suite's grid, which says what is a test."""
    campaigns: int = 4000
    """Per policy where the prior is known."""
    few: int = 400
    """The first of them, which `rollout` plays."""


class Findings(NamedTuple):
    """What was found.

    Attributes:
        scores: `problem_scores.csv` of the suite, its test problems only.
        known: Campaigns where the prior is known.
        rule: The shipped one.
        runs: Configurations of further training runs, of other seeds.
    """

    scores: pd.DataFrame
    known: pd.DataFrame
    rule: Rule
    runs: Sequence[Mapping[str, Any]]


def plan(args: Args) -> Findings:
    """Reads the suite and plays what is not there yet."""
    scores = test_scores(args)
    known = play(known_plans(args), args)
    runs = [
        json.loads(file.read_text(encoding="utf-8"))
        for file in sorted(args.runs.parent.glob("meta-*/config.json"))
    ]
    return Findings(scores, known, shipped_rule(), runs)


def test_scores(args: Args) -> pd.DataFrame:
    """Scores by test problem, whose arguments are without the start, which has its own column.

    Raises:
        FileNotFoundError: The suite was not played.
        ValueError: It was played without the meta-policy.
    """
    scores = pd.read_csv(args.suite / "problem_scores.csv")
    if META not in set(scores["method"]):
        raise ValueError(
            f"{args.suite}: expected results of the suite with the policy {META}, got none of it; "
            "make suite plays what is missing"
        )
    held_out = {(env, json.dumps(kwargs, sort_keys=True)) for env, kwargs in problems_of(args.grid)}
    bare = [_without_start(text) for text in scores["env_kwargs"]]
    is_test = [pair in held_out for pair in zip(scores["env"], bare, strict=True)]
    return scores.assign(env_kwargs=bare)[is_test].reset_index(drop=True)


def problems_of(grid: Path) -> list[tuple[str, dict[str, Any]]]:
    """The suite's test problems, without starts."""
    return [
        (env, {name: value for name, value in kwargs.items() if name != "start"})
        for env, kwargs in held_out_problems(grid)
    ]


def _without_start(text: str) -> str:
    kwargs = {name: value for name, value in json.loads(text).items() if name != "start"}
    return json.dumps(kwargs, sort_keys=True)


def known_plans(args: Args) -> list[EvaluationPlan]:
    """Campaigns on functions drawn from the prior that all policies know."""
    return [
        EvaluationPlan(
            KNOWN_ENV,
            policies,
            KNOWN_HORIZONS,
            utilities=list(UTILITIES),
            batch_size=KNOWN_BATCH,
            campaigns=campaigns,
            told=("true",),
            block=250,
        )
        for policies, campaigns in (
            ([META, STATIC, *ONE_ROUND], args.campaigns),
            ([PLANNER], min(args.few, args.campaigns)),
        )
    ]
