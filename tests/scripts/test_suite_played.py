"""The suite's page says which problems of its grid are played, where not all are."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from ombo_gym.evaluation.plan import EvaluationPlan
from scripts.studies.suite.played import played_so_far

STARTS = ({"kind": "random", "size": 8}, {"kind": "percentile", "percentile": 50, "size": 8})
PLANS = [
    EvaluationPlan(
        f"Ombo/{name}-v0",
        ["random", "ucb", "rollout"],
        [1, 2],
        budget=4,
        campaigns=30,
        utilities=["best", "last_mean"],
        told=["true"],
        env_kwargs={**arguments, "start": start},
    )
    for (name, arguments), start in itertools.product(
        [("Antibody", {}), ("Reaction", {"dataset": "denmark"}), ("SnAr", {})], STARTS
    )
]
WITH_TRAINED = [replace(plan, policies=[*plan.policies, "runs/suite/gp-0"]) for plan in PLANS]


def campaigns_of(plans: list[EvaluationPlan], **fewer: int) -> pd.DataFrame:
    rows: list[Any] = []
    for cell in (cell for plan in plans for cell in plan.cells()):
        count = fewer.get(cell.policy, 30)
        keys = [cell.env, cell.env_kwargs]
        rows += [(*keys, cell.policy, cell.horizon, cell.utility, i) for i in range(count)]
    columns = ["env", "env_kwargs", "policy", "horizon", "utility", "campaign"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize("plans", [PLANS, PLANS[:2]], ids=["three problems", "one"])
def test_of_a_suite_that_is_all_there_nothing_is_said(plans: list[EvaluationPlan]) -> None:
    assert played_so_far(campaigns_of(plans, rollout=10), plans, "grids/suite.yaml") == ""


@pytest.mark.parametrize("there", [4, 5])
def test_a_problem_counts_when_all_of_its_starts_are_there(there: int) -> None:
    line = played_so_far(campaigns_of(PLANS[:there], rollout=10), PLANS, "grids/suite.yaml")
    assert line == (
        "Played so far: 2 of the 3 problems of `grids/suite.yaml` (Antibody, Reaction "
        "(dataset=denmark)); 30 campaigns of each setting, 10 of `rollout`."
    )


@pytest.mark.parametrize(("column", "left"), [("horizon", 1), ("utility", "best")])
def test_and_all_horizons_and_utilities(column: str, left: Any) -> None:
    campaigns = campaigns_of(PLANS)
    lacks = (campaigns["env"] == "Ombo/SnAr-v0") & (campaigns[column] != left)
    assert "2 of the 3 problems" in played_so_far(campaigns[~lacks], PLANS, "grid.yaml")


def test_who_has_not_played_is_named() -> None:
    campaigns = campaigns_of(PLANS, ucb=10, rollout=10)
    line = played_so_far(campaigns, WITH_TRAINED, "grids/suite.yaml")
    assert "3 of the 3 problems" in line
    assert line.endswith(
        ", without trained policies; 30 campaigns of each setting, 10 of `ucb` and `rollout`."
    )
    some = campaigns[campaigns["policy"] != "ucb"]
    assert ", without trained policies and `ucb`; " in played_so_far(some, WITH_TRAINED, "g")
    assert ", without `ucb`; " in played_so_far(some, PLANS, "g")
    both = [replace(plan, policies=[*plan.policies, "runs/b"]) for plan in WITH_TRAINED]
    one = campaigns_of(WITH_TRAINED)
    assert ", without `runs/b`; " in played_so_far(one, both, "g")


def test_of_nothing_that_is_whole_no_names_are_listed() -> None:
    line = played_so_far(campaigns_of(PLANS[:1]), PLANS, "g")
    assert line.startswith("Played so far: 0 of the 3 problems of `g`; ")
