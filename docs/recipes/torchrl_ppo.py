"""TorchRL: PPO with a collector, on the native vector environment or on `GymEnv`.

The agent sets exploration weights for functions drawn from a Gaussian process. About 20 seconds on
one core.

    pip install torch==2.13.0
    pip install -e . scipy torchrl
    python docs/recipes/torchrl_ppo.py --seed 0
"""

from __future__ import annotations

import argparse
import copy
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from tensordict.nn import TensorDictModule
from torch import Tensor, nn
from torchrl.collectors import Collector
from torchrl.envs import GymEnv, GymWrapper
from torchrl.modules import ProbabilisticActor, TanhNormal, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

import ombo_gym  # noqa: F401 (registers the environments)
from ombo_gym.evaluation.held_out import FIRST_TRAINING_SEED, Act, judge

ENV = "Ombo/GP-v0"
# `batch_size` is an argument of TorchRL's own: plates say how many designs a round has.
CAMPAIGNS: dict[str, Any] = {
    "plates": [4, 4, 4],
    "utility": "last_mean",
    "control": "exploration",
}
SEEN = ["summary", "rounds_left"]
EPOCHS, MINIBATCH = 6, 512


def make_envs(num_envs: int, autoreset_mode: str = "NextStep") -> gym.vector.VectorEnv:
    """Campaigns of 3 rounds of 4 designs."""
    return gym.make_vec(ENV, num_envs=num_envs, autoreset_mode=autoreset_mode, **CAMPAIGNS)


def training_env(num_envs: int) -> GymWrapper:
    """Campaigns in lockstep, or a single one by its id; TorchRL wants resets in the same step."""
    if num_envs == 1:
        return GymEnv(ENV, device="cpu", **CAMPAIGNS)
    return GymWrapper(make_envs(num_envs, "SameStep"), device="cpu")


class Network(nn.Module):
    """Two hidden layers over what is seen."""

    def __init__(self, inputs: int, outputs: int, hidden: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh()),
            nn.Linear(hidden, outputs),
        )

    def forward(self, summary: Tensor, rounds_left: Tensor) -> Tensor:
        """(..., outputs)."""
        rounds = torch.cat([rounds_left / 3, 1 / rounds_left.clamp(min=1)], dim=-1)
        return self.layers(torch.cat([summary, rounds], dim=-1))


class Actor(Network):
    """Location and scale of the actions, before tanh brings them to (-1, 1)."""

    def __init__(self, inputs: int, actions: int) -> None:
        super().__init__(inputs, actions)
        self.log_scale = nn.Parameter(torch.full((actions,), -0.7))
        nn.init.orthogonal_(self.layers[-1].weight, gain=0.01)

    def forward(self, summary: Tensor, rounds_left: Tensor) -> tuple[Tensor, Tensor]:
        """(..., actions) each."""
        loc = super().forward(summary, rounds_left)
        return loc, self.log_scale.exp().expand_as(loc)

    def act(self, observation: dict[str, np.ndarray]) -> np.ndarray:
        """The middle of the distribution, (B, actions): what is played when all is learned."""
        with torch.no_grad():
            loc, _ = self(*(torch.as_tensor(observation[name]) for name in SEEN))
        return loc.tanh().numpy()


def train(seed: int, frames: int = 16_384, num_envs: int = 128) -> tuple[Act, Act]:
    """The policy before and after training."""
    torch.set_num_threads(1)
    env = training_env(num_envs)
    env.set_seed(FIRST_TRAINING_SEED + seed * num_envs)
    torch.manual_seed(seed)
    inputs = env.observation_spec["summary"].shape[-1] + 2
    network = Actor(inputs, env.action_spec.shape[-1])
    actor = ProbabilisticActor(
        TensorDictModule(network, in_keys=SEEN, out_keys=["loc", "scale"]),
        spec=env.action_spec,
        in_keys=["loc", "scale"],
        distribution_class=TanhNormal,
        distribution_kwargs={"tanh_loc": False},
        return_log_prob=True,
    )
    critic = ValueOperator(Network(inputs, 1), in_keys=SEEN)
    untrained = copy.deepcopy(network)
    per_batch = min(16 * num_envs, frames)
    collector = Collector(
        env,
        actor,
        frames_per_batch=per_batch,
        total_frames=frames,
        auto_register_policy_transforms=True,  # as will be the default; without, it warns
    )
    advantages = GAE(gamma=1.0, lmbda=0.95, value_network=critic)
    loss = ClipPPOLoss(
        actor, critic, entropy_bonus=False, critic_coeff=0.5, normalize_advantage=True
    )
    optimizer = torch.optim.Adam(loss.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, frames // per_batch)
    for batch in collector:
        with torch.no_grad():
            advantages(batch)
        steps = batch.reshape(-1)
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(steps)).split(MINIBATCH):
                losses = loss(steps[rows])
                optimizer.zero_grad()
                (losses["loss_objective"] + losses["loss_critic"]).backward()
                nn.utils.clip_grad_norm_(loss.parameters(), 0.5)
                optimizer.step()
        schedule.step()
    collector.shutdown()
    return untrained.act, network.act


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    untrained, trained = train(parser.parse_args().seed)
    print(judge(make_envs, trained, untrained))
