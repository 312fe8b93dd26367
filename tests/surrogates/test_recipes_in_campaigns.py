"""What the fitted recipe is worth in campaigns of `ucb`, beside the isotropic one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run

pytestmark = pytest.mark.slow
CAMPAIGNS = 200


def campaigns(env_id: str, horizon: int, kernel: str, **env_kwargs: Any) -> pd.DataFrame:
    """What comes of 20 designs chosen by `ucb` with a recipe, a row per campaign, in one order."""
    plan = EvaluationPlan(
        env_id,
        ("ucb",),
        (horizon,),
        budget=20,
        campaigns=CAMPAIGNS,
        told=("true",),
        env_kwargs={**env_kwargs, "surrogate": {"kernel": kernel}},
    )
    return run(plan).campaigns.set_index("seed").sort_index()


def decades(function: str) -> NDArray[np.float64]:
    """By how many powers of ten regret on a function in 5 dimensions is less with `fit`."""
    isotropic, fit = (
        np.log10((played["best_known"] - played["best_value"]).clip(lower=1e-8))
        for kernel in ("isotropic", "fit")
        for played in [campaigns("Ombo/BBOB-v0", 5, kernel, dim=5, function=function)]
    )
    return (isotropic - fit).to_numpy(float)


def test_an_ellipsoid_is_descended_much_faster():
    assert decades("Ellipsoid").mean() >= 0.4


def test_on_a_sphere_little_is_lost():
    assert decades("Sphere").mean() >= -0.2


def test_crossed_barrels_one_at_a_time_from_nothing():
    fit, isotropic = (
        campaigns("Ombo/CrossedBarrel-v0", 20, kernel, start={"kind": "none"})["best_value"]
        for kernel in ("fit", "isotropic")
    )
    assert (fit - isotropic).mean() >= 2  # of 29 with the isotropic recipe
