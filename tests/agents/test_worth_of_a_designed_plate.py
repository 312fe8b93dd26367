"""What a designed first plate and the fitted recipe are worth where the start is the lower half.

The rival is `ucb` as it was when policies were not told their start's origin: isotropic, with the
observed mean as the prior mean.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from ombo_gym.evaluation.statistics import Interval, mean_interval

pytestmark = pytest.mark.slow
CAMPAIGNS = 60
TABLES: list[tuple[str, dict[str, Any]]] = [
    ("Ombo/Reaction-v0", {}),
    ("Ombo/Reaction-v0", {"dataset": "denmark"}),
    ("Ombo/CrossedBarrel-v0", {}),
    ("Ombo/Materials-v0", {"dataset": "p3ht"}),
    ("Ombo/Antibody-v0", {}),
    ("Ombo/TFBinding-v0", {"split": "test"}),
    ("Ombo/Tuning-v0", {}),
    ("Ombo/MPSA-v0", {}),
]
OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("Ombo/Reaction-v0", {"dataset": "borylation"}),
    ("Ombo/Reaction-v0", {"dataset": "deoxyfluorination"}),
    ("Ombo/Materials-v0", {}),
    ("Ombo/Materials-v0", {"dataset": "perovskite"}),
    ("Ombo/Materials-v0", {"dataset": "hoip"}),
    ("Ombo/Tuning-v0", {"benchmark": "nasbench201"}),
    ("Ombo/TFBind8-v0", {"start": {"kind": "percentile", "percentile": 50, "size": 16}}),
    ("Ombo/Molecule-v0", {}),
]
OLD = {"kernel": "isotropic", "truncation": False}


def gains(problem: tuple[str, dict[str, Any]]) -> pd.Series:
    """Mean score of `doe_then_ucb` minus that of the rival, by horizon: 20 designs in all."""
    env_id, env_kwargs = problem

    def scores(policy: str, surrogate: dict[str, Any]) -> pd.Series:
        plan = EvaluationPlan(
            env_id,
            (policy,),
            (1, 5),
            budget=20,
            campaigns=CAMPAIGNS,
            told=("true",),
            env_kwargs={**env_kwargs, "surrogate": surrogate},
        )
        return run(plan).campaigns.set_index(["horizon", "seed"])["score"]

    return (
        (scores("doe_then_ucb", {"kernel": "fit"}) - scores("ucb", OLD)).groupby("horizon").mean()
    )


@pytest.fixture(scope="module")
def table_gains() -> pd.DataFrame:
    """A row per table and a column per horizon."""
    return pd.DataFrame([gains(table) for table in TABLES])


def test_on_eight_tables(table_gains: pd.DataFrame) -> None:
    assert table_gains[1].mean() >= 0.15
    assert table_gains[5].mean() >= 0.05


def test_on_all_problems_that_start_with_the_lower_half(table_gains: pd.DataFrame) -> None:
    found = pd.concat([table_gains, pd.DataFrame([gains(problem) for problem in OTHERS])])
    for horizon, least in ((1, 0.07), (5, 0.02)):
        mean: Interval = mean_interval(found[horizon])
        assert mean.estimate >= least and mean.low > 0, (horizon, mean)
