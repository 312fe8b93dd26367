"""PPO in one file, with torch and nothing else, on the native vector environment.

It learns how much to explore in functions drawn from a Gaussian process, for the mean of the last
batch (`last_mean`): explore first, exploit last. About 20 seconds on one core.

    pip install torch==2.13.0
    pip install -e . scipy
    python docs/recipes/torch_ppo.py --seed 0
"""

from __future__ import annotations

import argparse
import copy
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Normal

import ombo_gym  # noqa: F401 (registers the environments)
from ombo_gym.evaluation.held_out import FIRST_TRAINING_SEED, Act, judge


@dataclass(frozen=True)
class Args:
    """Hyper-parameters."""

    seed: int = 0
    updates: int = 16
    num_envs: int = 256  # B campaigns in lockstep
    rounds: int = 16  # T rounds of each campaign in an update
    epochs: int = 6
    minibatch: int = 1024
    learning_rate: float = 2e-3  # falls linearly to a tenth
    gae_lambda: float = 0.95  # returns are undiscounted: campaigns are short
    clip: float = 0.2
    value_weight: float = 0.5
    max_gradient: float = 0.5
    hidden: int = 64


def make_envs(num_envs: int, autoreset_mode: str = "NextStep") -> gym.vector.VectorEnv:
    """Campaigns of 1 to 5 rounds of 4 designs; the agent sets exploration weights."""
    return gym.make_vec(
        "Ombo/GP-v0",
        num_envs=num_envs,
        horizon=[1, 5],
        batch_size=4,
        utility="last_mean",
        control="exploration",
        autoreset_mode=autoreset_mode,
    )


def as_tensor(observation: dict[str, Any]) -> Tensor:
    """What the network sees, (B, k)."""
    rounds = observation["rounds_left"]  # (B, 1)
    whole = [observation["summary"], 1 / np.maximum(rounds, 1), rounds / 5]
    return torch.as_tensor(np.concatenate(whole, axis=1), dtype=torch.float32)


class Agent(nn.Module):
    """Actor and critic, apart."""

    def __init__(self, inputs: int, actions: int, hidden: int) -> None:
        super().__init__()
        self.actor, self.critic = (
            nn.Sequential(
                *(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh()),
                nn.Linear(hidden, outputs),
            )
            for outputs in (actions, 1)
        )
        self.log_std = nn.Parameter(torch.full((actions,), -0.7))
        nn.init.orthogonal_(self.actor[-1].weight, gain=0.01)

    def policy(self, seen: Tensor) -> Normal:
        """Of actions before they are clipped to [-1, 1]."""
        mean = self.actor(seen)
        return Normal(mean, self.log_std.exp().expand_as(mean))

    def act(self, observation: dict[str, Any]) -> np.ndarray:
        """The mean, (B, actions): what is played when all is learned."""
        with torch.no_grad():
            return self.actor(as_tensor(observation)).clamp(-1, 1).numpy()


class Rollouts:
    """Plays T rounds of B campaigns at a time."""

    def __init__(self, args: Args) -> None:
        self.args = args
        # A finished campaign is followed by a new one in the same step, so that no step is idle.
        self.envs = make_envs(args.num_envs, "SameStep")
        first = FIRST_TRAINING_SEED + args.seed * args.num_envs
        self.observation, _ = self.envs.reset(seed=first)

    def collect(self, agent: Agent) -> dict[str, Tensor]:
        """What was seen, done and paid, with advantages: (T * B, ...) each."""
        steps = []
        with torch.no_grad():
            for _ in range(self.args.rounds):
                seen = as_tensor(self.observation)  # (B, k)
                policy = agent.policy(seen)
                actions = policy.sample()  # (B, a)
                played = actions.clamp(-1, 1).numpy()
                self.observation, rewards, over, _, _ = self.envs.step(played)
                steps.append(
                    {
                        "seen": seen,
                        "actions": actions,
                        "log_probs": policy.log_prob(actions).sum(-1),
                        "values": agent.critic(seen)[:, 0],
                        "rewards": torch.as_tensor(rewards, dtype=torch.float32),
                        "over": torch.as_tensor(over, dtype=torch.float32),
                    }
                )
            after = agent.critic(as_tensor(self.observation))[:, 0]  # (B,)
        batch = {name: torch.stack([step[name] for step in steps]) for name in steps[0]}
        batch["advantages"] = self.advantages(batch, after)
        batch["returns"] = batch["advantages"] + batch["values"]
        return {name: each.flatten(0, 1) for name, each in batch.items()}

    def advantages(self, batch: dict[str, Tensor], after: Tensor) -> Tensor:
        """Generalised advantage estimates, (T, B); nothing is expected behind a campaign's end."""
        advantages = torch.zeros_like(batch["rewards"])
        running = torch.zeros_like(after)
        for t in reversed(range(len(advantages))):
            goes_on = 1 - batch["over"][t]
            error = batch["rewards"][t] + goes_on * after - batch["values"][t]
            running = error + self.args.gae_lambda * goes_on * running
            advantages[t], after = running, batch["values"][t]
        return advantages


def loss_of(agent: Agent, part: dict[str, Tensor], args: Args) -> Tensor:
    """PPO's clipped loss, and the critic's."""
    advantages = part["advantages"]
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    ratio = (agent.policy(part["seen"]).log_prob(part["actions"]).sum(-1) - part["log_probs"]).exp()
    clipped = ratio.clamp(1 - args.clip, 1 + args.clip)
    surrogate = torch.minimum(ratio * advantages, clipped * advantages).mean()
    value_error = (agent.critic(part["seen"])[:, 0] - part["returns"]).square().mean()
    return args.value_weight * value_error - surrogate


def train(args: Args) -> tuple[Act, Act]:
    """The policy before and after training."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    rollouts = Rollouts(args)
    inputs = as_tensor(rollouts.observation).shape[1]
    agent = Agent(inputs, rollouts.envs.single_action_space.shape[0], args.hidden)
    untrained = copy.deepcopy(agent)
    optimizer = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
    for update in range(args.updates):
        optimizer.param_groups[0]["lr"] = args.learning_rate * (1 - 0.9 * update / args.updates)
        batch = rollouts.collect(agent)
        for _ in range(args.epochs):
            for rows in torch.randperm(len(batch["returns"])).split(args.minibatch):
                loss = loss_of(agent, {name: each[rows] for name, each in batch.items()}, args)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), args.max_gradient)
                optimizer.step()
    return untrained.act, agent.act


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    untrained, trained = train(Args(seed=parser.parse_args().seed))
    print(judge(make_envs, trained, untrained))
