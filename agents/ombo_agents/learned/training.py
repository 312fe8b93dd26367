"""Trains meta-policies with stable-baselines3's PPO on the native vector environment."""

from __future__ import annotations

import ombo_agents.learned.requirements  # noqa: F401  # isort: skip

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import ActorCriticPolicy
from typing_extensions import override

from ombo_agents.learned.ppo import falling, new_model
from ombo_agents.learned.ppo_settings import SETTINGS, PPOSettings
from ombo_agents.learned.sb3_env import SB3VecEnv
from ombo_agents.learned.size_limits import (
    MOST_CAMPAIGNS,
    check_campaigns,
    check_network_size,
    check_rollout_size,
)
from ombo_agents.learned.storage import CONTROLS, network_of, shape_of
from ombo_agents.learned.training_run import (
    CHECKPOINT_SECONDS,
    Subject,
    TrainingRun,
    as_json,
    check_seed,
    resumed_settings,
    steps_of,
    training_seconds,
)
from ombo_agents.learned.training_state import STATE, CampaignsInMemory, read_facts
from ombo_gym.registration import environment

__all__ = [
    "FIRST_SEED",
    "SETTINGS",
    "PPOSettings",
    "falling",
    "make_training_env",
    "steps_of",
    "train",
    "training_seconds",
]

FIRST_SEED = 2**31  # training campaigns are seeded from here up, evaluation below


def make_training_env(
    env_id: str, agent: str, num_envs: int, env_kwargs: dict[str, Any]
) -> SB3VecEnv:
    """Campaigns in lockstep, under the agent's control."""
    check_campaigns(num_envs)
    env = gym.make_vec(
        environment(env_id),
        num_envs=num_envs,
        autoreset_mode="SameStep",
        control=CONTROLS[agent],
        **env_kwargs,
    )
    return SB3VecEnv(env.unwrapped)  # type: ignore[arg-type]


def train(
    env_id: str,
    *,
    agent: str,
    env_kwargs: dict[str, Any],
    seed: int,
    out: Path,
    settings: PPOSettings | None = None,
    resume: bool = False,
    callback: BaseCallback | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> dict[str, Any]:
    """Trains a meta-policy and writes it.

    Every file is written in one step. A run that was interrupted, whenever and however often, and
    resumed from `state.safetensors` ends with the same `policy.safetensors` and `config.json`, to
    the bit, as one that was not (on the same machine and with the same versions).

    Args:
        env_id: A registered environment.
        agent: What it acts through; one of `CONTROLS`.
        env_kwargs: Arguments of the environment, horizon, batch size and utility among them.
        seed: Of the network and of the campaigns.
        out: Folder of the run; what it holds is in docs/guides/training.md.
        settings: Hyper-parameters; by default the agent's own, and as many steps as a run that is
            resumed was begun with.
        resume: Go on from the state, with the run's own arguments. More `steps` may be asked for:
            learning rate and entropy bonus then fall anew towards the new end.
        callback: Called by stable-baselines3 every step, for progress.
        checkpoint_seconds: Between two states that are kept, or somewhat more.

    Returns:
        The configuration of the run, the `seconds` of training in all, and how many rounds were
        played now, `new_steps`: none of a finished run that is resumed, which stays as it is.

    Raises:
        FileNotFoundError: `resume` without a state to go on from.
        OSError: The disk is full, or `out` cannot be written to; what was there is unharmed.
        ValueError: A negative seed, whose campaigns would be evaluation's; `resume` of another run,
            or whose state is damaged; batches of several sizes for an agent that proposes designs
            itself; sizes that nobody can hold; or a network that diverged.
    """
    check_seed(seed)
    facts = read_facts(out / STATE) if resume else None
    if settings is None:
        steps = SETTINGS[agent].steps if facts is None else steps_of(out)
        settings = replace(SETTINGS[agent], steps=steps)
    torch.set_num_threads(1)
    env = make_training_env(env_id, agent, settings.num_envs, env_kwargs)
    try:
        _check_sizes(agent, env, settings)
        run = _run(env_id, agent, env_kwargs, seed, settings, env)
        if facts is not None:
            settings = resumed_settings(out, facts, run, settings)
            run = {**run, "settings": asdict(settings)}
        training = TrainingRun(run, settings, _OneEnvironment(run, settings, env, out), out)
        env.seed(FIRST_SEED + seed * MOST_CAMPAIGNS)  # which the model has seeded otherwise
        return training.to_the_end(facts, callback, checkpoint_seconds)
    finally:
        env.close()


class _OneEnvironment(Subject):
    """A model that trains on one environment.

    Args:
        run: What the run is about; see `_run`.
        settings: Hyper-parameters.
        env: That it trains on.
        out: The run's folder.
    """

    def __init__(
        self, run: dict[str, Any], settings: PPOSettings, env: SB3VecEnv, out: Path
    ) -> None:
        network = network_of(run["agent"], env.env.campaign_spec.design_space, settings.hidden)
        self.model = new_model(PPO, env, network, settings, seed=run["seed"], out=out)
        self.memory = CampaignsInMemory(env, self.model)
        self.callbacks: list[BaseCallback] = []
        self.config = {key: run[key] for key in ("agent", "env", "env_kwargs")}
        self.config |= {"hidden": run["settings"]["hidden"]}
        self.config |= {key: run[key] for key in ("design_space", "batch_size", "seed")}

    @override
    def policy(self) -> ActorCriticPolicy:
        return self.model.policy

    @override
    def files(self) -> Mapping[str, str]:
        return {}


def _run(
    env_id: str,
    agent: str,
    env_kwargs: dict[str, Any],
    seed: int,
    settings: PPOSettings,
    env: SB3VecEnv,
) -> dict[str, Any]:
    """What a run is about, as JSON has it.

    Raises:
        ValueError: Arguments of the environment that are no JSON.
    """
    run = {
        "agent": agent,
        "env": env_id,
        "env_kwargs": env_kwargs,
        "seed": seed,
        "settings": asdict(settings),
        **shape_of(env.env.campaign_spec),
    }
    return as_json(run, "env_kwargs")


def _check_sizes(agent: str, env: SB3VecEnv, settings: PPOSettings) -> None:
    """Refuses what cannot be trained.

    Raises:
        ValueError: Batches of several sizes for an agent that proposes designs itself; or a network
            or rollouts that nobody can hold.
    """
    spec = env.env.campaign_spec
    low, high = spec.batch_sizes
    if CONTROLS[agent] == "designs":
        if low != high:
            raise ValueError(
                f"batch_size: a {agent!r} policy is trained for batches of one size, got sizes "
                f"from {low} to {high}"
            )
        if not settings.hidden:
            raise ValueError(f"hidden: a {agent!r} policy has at least one layer, got none")
    observations: Any = env.env.single_observation_space
    actions: Any = env.env.single_action_space
    check_network_size(spec, observations, actions, hidden=settings.hidden)
    check_rollout_size(observations, actions, settings)
