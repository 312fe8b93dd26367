"""sb3-contrib: MaskablePPO on a list of candidates, of which measured ones are masked.

Designs can be measured once; the agent picks the next two from what is believed of each. About 20
seconds on one core.

    pip install torch==2.13.0
    pip install -e ".[agents]" sb3-contrib
    python docs/recipes/sb3_contrib_maskable_ppo.py --seed 0
"""

from __future__ import annotations

import argparse
import copy
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from sb3_contrib import MaskablePPO

import ombo_gym  # noqa: F401 (registers the environments)
from ombo_agents.learned import SB3VecEnv
from ombo_gym.evaluation.held_out import FIRST_TRAINING_SEED, Act, judge

SLOTS = 2  # q


def make_envs(num_envs: int, autoreset_mode: str = "NextStep") -> gym.vector.VectorEnv:
    """Lists of at most 16 candidates; whatever is no candidate, or was measured, is masked."""
    return gym.make_vec(
        "Ombo/Landscapes-v0",
        num_envs=num_envs,
        name="gp",
        horizon=[1, 3],
        batch_size=SLOTS,
        utility="last_mean",
        control="candidates:size=16",
        autoreset_mode=autoreset_mode,
    )


def greedy(policy: Any) -> Act:
    """A policy that plays the candidates it finds best."""

    def act(observation: dict[str, np.ndarray]) -> np.ndarray:
        masks = np.tile(observation["action_mask"], SLOTS)  # (B, q * M): slots are masked alike
        return policy.predict(observation, action_masks=masks, deterministic=True)[0]

    return act


def train(seed: int, steps: int = 12_288, num_envs: int = 64) -> tuple[Act, Act]:
    """The policy before and after training."""
    torch.set_num_threads(1)
    envs = SB3VecEnv(make_envs(num_envs, "SameStep"))
    model = MaskablePPO(
        "MultiInputPolicy",
        envs,
        n_steps=16,
        batch_size=256,
        n_epochs=6,
        learning_rate=lambda left: 2e-3 * (0.1 + 0.9 * left),
        gamma=1.0,
        gae_lambda=0.95,
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
