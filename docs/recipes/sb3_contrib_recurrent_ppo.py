"""sb3-contrib: RecurrentPPO, which remembers the rounds of a campaign in an LSTM.

Every observation of these environments holds the whole dataset, so that memory is no condition for
playing well; this is for code that has recurrent networks anyway. About 20 seconds on one core.

    pip install torch==2.13.0
    pip install -e ".[agents]" sb3-contrib
    python docs/recipes/sb3_contrib_recurrent_ppo.py --seed 0
"""

from __future__ import annotations

import argparse
import copy
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from sb3_contrib import RecurrentPPO

import ombo_gym  # noqa: F401 (registers the environments)
from ombo_agents.learned import SB3VecEnv
from ombo_gym.evaluation.held_out import FIRST_TRAINING_SEED, Act, judge


def make_envs(num_envs: int, autoreset_mode: str = "NextStep") -> gym.vector.VectorEnv:
    """Campaigns of 1 to 4 rounds of 4 designs; the agent sets exploration weights."""
    return gym.make_vec(
        "Ombo/GP-v0",
        num_envs=num_envs,
        horizon=[1, 4],
        batch_size=4,
        utility="last_mean",
        control="exploration",
        autoreset_mode=autoreset_mode,
    )


class Remembering:
    """Acts for B campaigns that begin together, from the first round on."""

    def __init__(self, policy: Any) -> None:
        self.policy = policy
        self.state: Any = None

    def __call__(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """The actions of the next round, (B, 2)."""
        begins = np.full(len(observation["rounds_left"]), self.state is None)  # (B,)
        actions, self.state = self.policy.predict(
            observation, state=self.state, episode_start=begins, deterministic=True
        )
        return actions


def train(seed: int, steps: int = 12_288, num_envs: int = 128) -> tuple[Act, Act]:
    """The policy before and after training."""
    torch.set_num_threads(1)
    envs = SB3VecEnv(make_envs(num_envs, "SameStep"))
    model = RecurrentPPO(
        "MultiInputLstmPolicy",
        envs,
        n_steps=16,
        batch_size=512,
        n_epochs=4,
        learning_rate=lambda left: 2e-3 * (0.1 + 0.9 * left),
        gamma=1.0,
        gae_lambda=0.95,
        policy_kwargs={"lstm_hidden_size": 32, "net_arch": [32], "log_std_init": -0.7},
        seed=seed,
        device="cpu",
    )
    # The model has seeded its campaigns by its own seed, which are evaluation's.
    envs.seed(FIRST_TRAINING_SEED + seed * num_envs)
    untrained = copy.deepcopy(model.policy)
    model.learn(steps)
    return Remembering(untrained), Remembering(model.policy)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    untrained, trained = train(parser.parse_args().seed)
    print(judge(make_envs, trained, untrained))
