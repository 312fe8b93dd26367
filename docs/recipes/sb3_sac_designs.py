"""stable-baselines3: SAC on flat designs, of which the agent chooses every coordinate itself.

Each campaign begins with the same screening plate, nine designs that are spread over the square,
and has one round of two designs left: the network learns what the measurements say about where the
optimum is, as a surrogate would. About 20 seconds on one core.

    pip install torch==2.13.0
    pip install -e ".[agents]"
    python docs/recipes/sb3_sac_designs.py --seed 0
"""

from __future__ import annotations

import argparse
import copy
from typing import Any

import gymnasium as gym
import torch
from stable_baselines3 import SAC

import ombo_gym  # noqa: F401 (registers the environments)
from ombo_agents.learned import SB3VecEnv
from ombo_gym.evaluation.held_out import FIRST_TRAINING_SEED, Act, judge
from ombo_gym.wrappers import FlatActions, FlatObservation, StandardizeMeasurements

LEVELS = (-0.7, 0.0, 0.7)
PLATE = [[x, y] for x in LEVELS for y in LEVELS]


def make_envs(num_envs: int, autoreset_mode: str = "NextStep") -> gym.vector.VectorEnv:
    """Observations are one vector, actions are coordinates in [-1, 1] (SAC needs numbers)."""
    envs = gym.make_vec(
        "Ombo/GP-v0",
        num_envs=num_envs,
        lengthscale=0.8,
        horizon=1,
        batch_size=2,
        utility="last_mean",
        start={"kind": "listed", "designs": PLATE},
        autoreset_mode=autoreset_mode,
    )
    return FlatActions(FlatObservation(StandardizeMeasurements(envs)), discrete=False)


def greedy(policy: Any) -> Act:
    """A policy that plays the action it finds best."""
    return lambda observation: policy.predict(observation, deterministic=True)[0]


def train(seed: int, steps: int = 8_000, num_envs: int = 32) -> tuple[Act, Act]:
    """The policy before and after training."""
    torch.set_num_threads(1)
    envs = SB3VecEnv(make_envs(num_envs, "SameStep"))
    model = SAC(
        "MlpPolicy",
        envs,
        learning_rate=1e-3,
        learning_starts=min(2_000, steps // 2),
        batch_size=256,
        train_freq=1,
        gradient_steps=2,
        gamma=1.0,
        policy_kwargs={"net_arch": [64, 64]},
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
