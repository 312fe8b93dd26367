"""RLlib: PPO on the native vector environment, in an environment of its own (gymnasium 1.2).

The agent sets exploration weights for functions drawn from a Gaussian process. About 40 seconds on
one core.

    python3.11 -m venv rllib
    rllib/bin/pip install -c constraints-rllib.txt -e . "ray[rllib]" torch
    rllib/bin/python docs/recipes/rllib_ppo.py --seed 0
"""

from __future__ import annotations

import argparse
import copy
from typing import Any

import gymnasium as gym
import numpy as np
import ray
import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.tune.registry import register_env

import ombo_gym  # noqa: F401 (registers the environments)
from ombo_gym.evaluation.held_out import FIRST_TRAINING_SEED, Act, judge
from ombo_gym.wrappers import FlatObservation

CAMPAIGNS: dict[str, Any] = {
    "horizon": [1, 3],
    "batch_size": 4,
    "utility": "last_mean",
    "control": "exploration",
}


def make_envs(num_envs: int) -> gym.vector.VectorEnv:
    """Campaigns of 1 to 3 rounds of 4 designs; observations are one vector, which RLlib wants."""
    return FlatObservation(gym.make_vec("Ombo/GP-v0", num_envs=num_envs, **CAMPAIGNS))


def make(config: dict[str, Any]) -> gym.Env | gym.vector.VectorEnv:
    """Many campaigns in lockstep or, where RLlib only asks for the spaces, one."""
    if "num_envs" in config:
        return make_envs(config["num_envs"])
    return FlatObservation(gym.make("Ombo/GP-v0", **CAMPAIGNS))


def greedy(module: Any) -> Act:
    """The middle of the policy's distribution."""

    def act(observation: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            found = module.forward_inference({"obs": torch.as_tensor(observation)})
        mean, _ = found["action_dist_inputs"].chunk(2, dim=-1)  # (B, 2) each
        return mean.clamp(-1, 1).numpy()

    return act


def train(seed: int, steps: int = 12_288, num_envs: int = 64) -> tuple[Act, Act]:
    """The policy before and after training."""
    torch.set_num_threads(1)
    register_env("campaigns", make)
    per_update = min(2_048, steps)
    config = (
        PPOConfig()
        .environment("campaigns")
        .env_runners(
            num_env_runners=0,
            num_envs_per_env_runner=num_envs,
            gym_env_vectorize_mode="vector_entry_point",  # the native environment
        )
        .training(
            train_batch_size_per_learner=per_update,
            minibatch_size=min(256, per_update),
            num_epochs=6,
            lr=1e-3,
            gamma=1.0,
            lambda_=0.95,
            vf_loss_coeff=0.5,
            grad_clip=0.5,
        )
        .rl_module(
            model_config=DefaultModelConfig(
                fcnet_hiddens=[64, 64], vf_share_layers=False, free_log_std=True
            )
        )
        .debugging(seed=FIRST_TRAINING_SEED + seed * num_envs)  # the campaigns', too
    )
    algorithm = config.build_algo()
    untrained = copy.deepcopy(algorithm.get_module())
    for _ in range(max(1, steps // per_update)):
        algorithm.train()
    trained = copy.deepcopy(algorithm.get_module())
    algorithm.stop()
    return greedy(untrained), greedy(trained)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    untrained, trained = train(parser.parse_args().seed)
    print(judge(make_envs, trained, untrained))
