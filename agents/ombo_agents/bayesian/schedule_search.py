"""The strongest schedules that ignore the data, found by trying all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pandas as pd

from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import SEQUENTIAL, run

WEIGHTS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
# Of the search's campaigns: neither evaluation's (from 0 up) nor training's (from 2^31 up).
FIRST_SEED = 10**9


def search_schedules(
    plan: EvaluationPlan,
    *,
    weights: Sequence[float] = WEIGHTS,
    campaigns: int = 256,
    finalists: int = 16,
    climb: bool = False,
    launch: Launch = SEQUENTIAL,
) -> pd.DataFrame:
    """Tries every schedule of the weights over the rounds of one kind of campaign.

    All are played on the same campaigns; then the best few, and all constant weights, on eight
    times as many others, so that the winner is not the luckiest.

    Args:
        plan: One horizon, or plates, and one utility; its policies, campaigns and seed are not
            used.
        weights: Exploration weights of a round.
        campaigns: Of the first stage.
        finalists: Schedules that go on to the second.
        climb: Whether designs climb where they can; if not, all act as through the exploration
            control, the way trained networks do.
        launch: Where to play.

    Returns:
        The second stage, best first: policy (as `ombo_agents.make` takes it), constant (bool),
            mean.
    """
    ((horizon, _),) = plan.rounds
    schedules = {
        _name(each, climb): len(set(each)) == 1 for each in product(weights, repeat=horizon)
    }
    first = replace(
        plan,
        policies=list(schedules),
        campaigns=campaigns,
        block=campaigns,
        seed=FIRST_SEED,
        told=("true",),
    )
    ranking = _means(first, launch).index
    constants = [name for name in ranking if schedules[name]]
    chosen = list(dict.fromkeys([*ranking[:finalists], *constants]))
    second = replace(
        first, policies=chosen, campaigns=8 * campaigns, seed=FIRST_SEED + 10 * campaigns
    )
    means = _means(second, launch)
    return pd.DataFrame(
        {
            "policy": means.index,
            "constant": [schedules[name] for name in means.index],
            "mean": means.to_numpy(),
        }
    )


def _means(plan: EvaluationPlan, launch: Launch) -> pd.Series[float]:
    """Mean utility by policy, best first."""
    means = run(plan, launch=launch).campaigns.groupby("policy", sort=False)["value"].mean()
    return means.sort_values(ascending=False, kind="stable")


def _name(weights: Sequence[float], climb: bool) -> str:
    listed = "/".join(f"{weight:g}" for weight in weights)
    if len(set(weights)) == 1:
        name = f"ucb:weight={weights[0]:g}"
    else:
        name = f"explore_then_exploit:weights={listed}"
    return name if climb else f"{name};climb=false"
