"""stable-baselines3: PPO over many tasks at once, `Ombo/Tasks-v0`.

Transcription factors and tuning runs side by side, with 1 to 5 rounds, two utilities and two kinds
of start; the agent sets exploration weights, and rewards are scores. A named protocol, such as
`tasks="ML-families-v0:train"`, takes the place of the list. About 30 seconds on one core.

    pip install torch==2.13.0
    pip install -e ".[agents]"
    python docs/recipes/sb3_ppo_tasks.py --seed 0
"""

from __future__ import annotations

import argparse
import copy
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.wrappers.vector import TransformReward
from stable_baselines3 import PPO

import ombo_gym  # noqa: F401 (registers the environments)
from ombo_agents.learned import SB3VecEnv
from ombo_gym.evaluation.held_out import FIRST_TRAINING_SEED, Act, judge
from ombo_gym.tasks import Task, TaskDistribution
from ombo_gym.wrappers import ScoreReward

CAMPAIGNS = {"horizon": (1, 5), "batch_size": 4, "utilities": ("best", "last_mean")}
RANDOM = {"kind": "random", "size": 16}
LOWER_HALF = {"kind": "percentile", "percentile": 50, "size": 16}
TASKS = TaskDistribution(
    (
        Task("Ombo/TFBinding-v0", {"split": "train"}, start=RANDOM, **CAMPAIGNS),
        Task("Ombo/LCBench-v0", {"split": "train"}, start=RANDOM, **CAMPAIGNS),
        Task("Ombo/LCBench-v0", {"split": "train"}, start=LOWER_HALF, **CAMPAIGNS),
    )
)


def make_envs(num_envs: int, autoreset_mode: str = "NextStep") -> gym.vector.VectorEnv:
    """One agent sees all tasks alike, and is paid in scores, which mean the same on all.

    Scores have no lower end, and a few very bad campaigns would be all that is learned from: what
    is below -1 counts as -1, as in reports.
    """
    envs = gym.make_vec(
        "Ombo/Tasks-v0",
        num_envs=num_envs,
        tasks=TASKS,
        control="exploration",
        surrogate={"kernel": "isotropic"},  # half the time of the fitted one
        autoreset_mode=autoreset_mode,
    )
    return TransformReward(ScoreReward(envs), lambda rewards: np.maximum(rewards, -1.0))


def greedy(policy: Any) -> Act:
    """A policy that plays the action it finds best."""
    return lambda observation: policy.predict(observation, deterministic=True)[0]


def train(seed: int, steps: int = 12_288, num_envs: int = 128) -> tuple[Act, Act]:
    """The policy before and after training."""
    torch.set_num_threads(1)
    envs = SB3VecEnv(make_envs(num_envs, "SameStep"))
    model = PPO(
        "MultiInputPolicy",
        envs,
        n_steps=16,
        batch_size=512,
        n_epochs=6,
        learning_rate=lambda left: 2e-3 * (0.1 + 0.9 * left),
        gamma=1.0,
        gae_lambda=0.95,
        policy_kwargs={"log_std_init": -0.7},
        seed=seed,
        device="cpu",
    )
    # The model has seeded its campaigns by its own seed, which are evaluation's.
    envs.seed(FIRST_TRAINING_SEED + seed * num_envs)
    untrained = copy.deepcopy(model.policy)
    model.learn(steps)
    return greedy(untrained), greedy(model.policy)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    untrained, trained = train(parser.parse_args().seed)
    print(judge(make_envs, trained, untrained))
