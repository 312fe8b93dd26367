"""The planner minus everybody else, paired by campaign."""

from __future__ import annotations

import gymnasium as gym
import pandas as pd

import ombo_agents
from ombo_gym.evaluation.statistics import mean_interval, paired_difference

PLANNER = "rollout"


def differences(campaigns: pd.DataFrame) -> pd.DataFrame:
    """A row per utility and policy, best first.

    Args:
        campaigns: Rows of utilities, policies and seeds, with the value.

    Returns:
        The policy's mean value with its interval, the planner's mean on the same campaigns, and
        the planner's minus the policy's with its interval.
    """
    rows = []
    for utility, part in campaigns.groupby("utility", sort=False):
        wide = part.pivot(index="seed", columns="policy", values="value")
        aware = {name: knows_horizon(name, str(utility)) for name in wide.columns}
        for name in wide.columns:
            both = wide[wide[PLANNER].notna() & wide[name].notna()]
            planner, policy = both[PLANNER].to_numpy(), both[name].to_numpy()  # (campaigns,)
            mean, difference = mean_interval(policy), paired_difference(planner, policy)
            counts = (aware[name], len(both))
            rows.append((utility, name, *counts, *mean, planner.mean(), *difference))
    columns = [
        *("utility", "policy", "knows_horizon", "campaigns", "mean", "low", "high"),
        *("planner_mean", "difference", "difference_low", "difference_high"),
    ]
    table = pd.DataFrame(rows, columns=columns)
    order = [list(dict.fromkeys(table["utility"])).index(name) for name in table["utility"]]
    table = table.assign(order=order).sort_values(["order", "difference"], kind="stable")
    return table.drop(columns="order").reset_index(drop=True)


def knows_horizon(policy: str, utility: str) -> bool:
    """Whether a policy makes something of the number of rounds left."""
    env = gym.make("Ombo/GP-v0", horizon=3, utility=utility)
    return ombo_agents.make(policy, env).horizon_aware
