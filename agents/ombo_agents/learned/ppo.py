"""PPO of stable-baselines3 as this package trains with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv

from ombo_agents.learned.ppo_settings import PPOSettings

P = TypeVar("P", bound=PPO)


def new_model(
    kind: type[P],
    env: VecEnv,
    network: tuple[type[ActorCriticPolicy], dict[str, Any]],
    settings: PPOSettings,
    *,
    seed: int,
    out: Path,
) -> P:
    """An untrained model.

    Args:
        kind: Of PPO.
        env: That it trains on.
        network: Its class and what it is built with, of `storage.network_of`.
        settings: Hyper-parameters.
        seed: Of the network and the shuffling of rollouts.
        out: Folder of the run, for the logs.
    """
    try:
        import tensorboard  # type: ignore[import-untyped]  # noqa: F401

        log: str | None = str(out / "tensorboard")
    except ImportError:  # logs are an extra; training is not
        log = None
    policy, layers = network
    return kind(
        policy,
        env,
        learning_rate=falling(settings.learning_rate, settings.falls_to),
        n_steps=settings.rounds_per_update,
        batch_size=min(settings.batch_size, settings.rounds_per_update * settings.num_envs),
        n_epochs=settings.epochs,
        gamma=1.0,
        gae_lambda=settings.gae_lambda,
        ent_coef=settings.entropy,
        target_kl=settings.target_kl,
        policy_kwargs={**layers, "log_std_init": settings.log_std},
        tensorboard_log=log,
        seed=seed,
        device="cpu",
    )


def falling(start: float, share: float) -> Callable[[float], float]:
    """A learning rate that falls linearly from `start` to a share of it."""
    return lambda progress_remaining: start * (share + (1 - share) * progress_remaining)
