"""Campaigns of tasks, paid in scores, as training and validation play them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from ombo_gym.evaluation.leaderboard import LEAST
from ombo_gym.registration import TASKS_ID
from ombo_gym.tasks import TaskDistribution
from ombo_gym.wrappers.vector import ScoreReward

Observation = dict[str, NDArray[Any]]


class TasksPlayed(NamedTuple):
    """What is played, as text and numbers, so that any process can build it.

    Attributes:
        tasks: JSON of a `TaskDistribution`.
        control: What the agent acts on.
        surrogate: JSON of the recipe for tasks that name none, or of None.
    """

    tasks: str
    control: str
    surrogate: str


class Step(NamedTuple):
    """What came of a round of B campaigns.

    Attributes:
        observation: Of the next round, of new campaigns where old ones are over.
        rewards: (B,) in scores; the return of a campaign is the score, of at least `LEAST`.
        over: (B,) which campaigns are over.
        scores: (B,) of campaigns that are over, of at least `LEAST`; NaN of others.
    """

    observation: Observation
    rewards: NDArray[np.float64]
    over: NDArray[np.bool_]
    scores: NDArray[np.float64]


class ScoredCampaigns:
    """B campaigns of tasks that are drawn, paid in scores as reports count them.

    A score below `LEAST` counts as that, in reports and here: under `last_mean` a start close to
    the best value known leaves little to gain and a hundred times as much to lose, and one such
    campaign would outweigh all others of an update.

    Args:
        played: Which tasks, and through what.
        rows: B.

    Raises:
        ValueError: What `Ombo/Tasks-v0` refuses.
        ImportError: A task needs an extra that is not installed.
    """

    def __init__(self, played: TasksPlayed, rows: int) -> None:
        tasks = TaskDistribution.from_json(played.tasks)
        env: Any = gym.make_vec(
            TASKS_ID,
            num_envs=rows,
            tasks=tasks,
            control=played.control,
            surrogate=json.loads(played.surrogate),
            autoreset_mode="SameStep",
        )
        self.env: Any = ScoreReward(env)
        self.rows = rows
        self.observation_space: Any = env.single_observation_space
        self.action_space: Any = env.single_action_space
        self._paid = np.zeros(rows)  # (B,)

    def reset(self, seeds: list[int], tasks: NDArray[np.int64] | None = None) -> Observation:
        """Begins campaigns, of tasks (B,) or, without them, of ones that are drawn."""
        self._paid[:] = 0
        options = None if tasks is None else {"task": tasks}
        observation, _ = self.env.reset(seed=seeds, options=options)
        seen: Observation = observation
        return seen

    def step(self, actions: NDArray[Any]) -> Step:
        """Plays a round of all."""
        observation, rewards, over, _, infos = self.env.step(actions)
        scores = np.full(self.rows, np.nan)
        rewards = np.array(rewards, np.float64)
        if over.any():
            scores[over] = np.maximum(infos["final_info"]["score"][over], LEAST)
            rewards[over] = scores[over] - self._paid[over]
        self._paid = np.where(over, 0.0, self._paid + rewards)
        return Step(observation, rewards, over, scores)


@lru_cache(maxsize=4)  # training and validation, and blocks of a last, smaller size
def scored_campaigns(played: TasksPlayed, rows: int) -> ScoredCampaigns:
    """The same campaigns for every block that this process plays: all is said by `reset`."""
    return ScoredCampaigns(played, rows)
