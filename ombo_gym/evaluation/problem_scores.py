"""Problem scores of finished campaigns: 0 is the start's best value, 1 the best value known.

Unlike the leaderboard's scale, this one does not depend on who else played.
"""

from __future__ import annotations

import json
from typing import Any

import gymnasium as gym
import numpy as np
import pandas as pd

from ombo_gym.evaluation.plates import measurements
from ombo_gym.evaluation.progress import tracked
from ombo_gym.evaluation.tables import PROBLEM
from ombo_gym.registration import environment
from ombo_gym.scores import score
from ombo_gym.vector_env import CampaignVectorEnv

BLOCK = 250  # campaigns begun at once


def problem_scores(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The campaigns with a column `problem_score` (`ombo_gym.scores`).

    Each campaign is begun once more, whoever played it how often, to see its start and to ask for
    the best value known, which may take a search.

    Args:
        campaigns: With the columns of `campaigns.csv`.

    Returns:
        A new frame; NaN where no best value is known.
    """
    found = campaigns.assign(problem_score=np.nan)
    problems = campaigns.groupby(PROBLEM, sort=False)
    for (env_id, arguments), rows in tracked(problems, "problem scores", total=len(problems)):
        scale = _scale(str(env_id), json.loads(str(arguments)), np.unique(rows["seed"]))
        for keys, part in rows.groupby(["utility", "horizon", "batch_size"], sort=False):
            utility, horizon, batch_size = keys
            proposed = measurements(str(arguments), horizon, batch_size)
            ends = scale.loc[part["seed"]]
            found.loc[part.index, "problem_score"] = score(
                utility,
                part["value"].to_numpy(),
                ends["base"].to_numpy(),
                ends["top"].to_numpy(),
                measurements=proposed,
            )
    return found


def _scale(env_id: str, env_kwargs: dict[str, Any], seeds: np.ndarray[Any, Any]) -> pd.DataFrame:
    """The start's best and the best known value of campaigns, by seed."""
    first, last = int(seeds[0]), int(seeds[-1])
    parts = []
    for seed in range(first, last + 1, BLOCK):
        rows = min(BLOCK, last + 1 - seed)
        env = gym.make_vec(
            environment(env_id), num_envs=rows, autoreset_mode="Disabled", **env_kwargs
        )
        _, infos = env.reset(seed=seed)
        played: CampaignVectorEnv = env.unwrapped  # type: ignore[assignment]
        top = played.problem.best_known(played.campaigns.instances)
        env.close()
        ends = {"base": infos["best_value"], "top": np.full(rows, np.nan) if top is None else top}
        parts.append(pd.DataFrame(ends, index=np.arange(seed, seed + rows)))
    return pd.concat(parts)
