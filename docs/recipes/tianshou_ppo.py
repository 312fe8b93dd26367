"""Tianshou: PPO with its collector and trainer, in an environment of its own (it needs pandas 2).

The agent sets exploration weights for functions drawn from a Gaussian process. Tianshou plays
single campaigns side by side. About 40 seconds on one core.

    python3.11 -m venv tianshou
    tianshou/bin/pip install -c constraints-tianshou.txt -e . scipy torch tianshou
    tianshou/bin/python docs/recipes/tianshou_ppo.py --seed 0
"""

from __future__ import annotations

import argparse
import copy
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from tianshou.algorithm import PPO
from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv
from tianshou.trainer import OnPolicyTrainerParams
from tianshou.utils.net.common import Net
from tianshou.utils.net.continuous import ContinuousActorProbabilistic, ContinuousCritic
from torch import Tensor, nn
from torch.distributions import Independent, Normal

import ombo_gym  # noqa: F401 (registers the environments)
from ombo_gym.evaluation.held_out import FIRST_TRAINING_SEED, Act, judge
from ombo_gym.wrappers import FlatObservation

ENV = "Ombo/GP-v0"
CAMPAIGNS: dict[str, Any] = {
    "horizon": [1, 3],
    "batch_size": 4,
    "utility": "last_mean",
    "control": "exploration",
}
HIDDEN = [64, 64]


def make_env() -> gym.Env:
    """A campaign of 1 to 3 rounds of 4 designs; observations are one vector."""
    return FlatObservation(gym.make(ENV, **CAMPAIGNS))


def make_envs(num_envs: int) -> gym.vector.VectorEnv:
    """Such campaigns in lockstep, to be judged on."""
    return FlatObservation(gym.make_vec(ENV, num_envs=num_envs, **CAMPAIGNS))


def greedy(policy: ProbabilisticActorPolicy) -> Act:
    """The middle of the policy's distribution."""

    def act(observation: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            (loc, _), _ = policy.actor(torch.as_tensor(observation))
        return policy.map_action(loc)

    return act


def gaussian(parameters: tuple[Tensor, Tensor]) -> Independent:
    """Of actions, whose coordinates are independent."""
    return Independent(Normal(*parameters), 1)


def train(seed: int, steps: int = 8_192, num_envs: int = 16) -> tuple[Act, Act]:
    """The policy before and after training."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (Tianshou's)
    envs = DummyVectorEnv([make_env] * num_envs)
    envs.seed(FIRST_TRAINING_SEED + seed * num_envs)
    env = make_env()  # the spaces that Tianshou's environment tells are those without the wrapper
    space, actions = env.observation_space, env.action_space
    bodies = [
        Net(state_shape=space.shape, hidden_sizes=HIDDEN, activation=nn.Tanh) for _ in range(2)
    ]
    actor = ContinuousActorProbabilistic(
        preprocess_net=bodies[0], action_shape=actions.shape, unbounded=True
    )
    critic = ContinuousCritic(preprocess_net=bodies[1])
    with torch.no_grad():
        for weights in actor.mu.parameters():
            weights *= 0.01  # begins in the middle of the weights
        actor.sigma_param.fill_(-0.7)
    policy = ProbabilisticActorPolicy(
        actor=actor,
        dist_fn=gaussian,
        action_space=actions,
        action_scaling=False,  # actions are from -1 to 1
    )
    untrained = copy.deepcopy(policy)
    algorithm = PPO(
        policy=policy,
        critic=critic,
        optim=AdamOptimizerFactory(lr=1e-3),
        ent_coef=0.0,
        max_grad_norm=0.5,
        gae_lambda=0.95,
        gamma=1.0,
    )
    per_update = min(1_024, steps)
    collector = Collector(algorithm, envs, VectorReplayBuffer(per_update, num_envs))
    algorithm.run_training(
        OnPolicyTrainerParams(
            training_collector=collector,
            max_epochs=1,
            epoch_num_steps=steps,
            collection_step_num_env_steps=per_update,
            batch_size=256,
            update_step_num_repetitions=6,
            verbose=False,
            show_progress=False,
        )
    )
    return greedy(untrained), greedy(policy)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    untrained, trained = train(parser.parse_args().seed)
    print(judge(make_envs, trained, untrained))
