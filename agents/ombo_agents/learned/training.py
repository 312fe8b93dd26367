"""Trains meta-policies with stable-baselines3's PPO on the native vector environment."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from typing_extensions import override

from ombo_agents.learned.sb3_env import SB3VecEnv
from ombo_agents.learned.storage import CONTROLS, network_of, save, shape_of

FIRST_SEED = 2**31  # training campaigns are seeded from here up, evaluation below
MODEL, TASK = "model.zip", "task.json"  # what --resume goes on with
_SEED_SPACING = 2**20  # between training seeds: more than there are campaigns in lockstep


@dataclass(frozen=True)
class PPOSettings:
    """Hyper-parameters; the defaults were tuned with an exploration control on `Ombo/GP-v0`."""

    steps: int = 200_000  # rounds played in all
    num_envs: int = 256
    rounds_per_update: int = 16  # of every campaign
    batch_size: int = 1024
    epochs: int = 6
    learning_rate: float = 2e-3
    falls_to: float = 0.1  # of the learning rate, linearly
    gae_lambda: float = 0.95
    entropy: float = 0.0  # weight of the bonus; falls linearly to none
    target_kl: float | None = None  # an update ends early when the policy has moved further
    log_std: float = -0.7  # at the start
    hidden: tuple[int, ...] = (64, 64)


SETTINGS = {
    "exploration": PPOSettings(),
    # Tuned on the cases of docs/results/exact.md with training seeds 0 to 2. Many campaigns and a
    # middling gae_lambda average out the noise that hides that one pull more or less is better;
    # the entropy bonus keeps actions alive whose use is found out late; the rate falls low so that
    # the last small difference settles.
    "direct": PPOSettings(
        steps=2_000_000,
        num_envs=1024,
        rounds_per_update=20,
        batch_size=1024,
        epochs=5,
        falls_to=0.02,
        gae_lambda=0.5,
        entropy=0.003,
        target_kl=0.05,
        hidden=(32, 32),
    ),
}  # of each agent, when nothing else is asked for


def make_training_env(
    env_id: str, agent: str, num_envs: int, env_kwargs: dict[str, Any]
) -> SB3VecEnv:
    """Campaigns in lockstep, under the agent's control."""
    env = gym.make_vec(
        env_id,
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
) -> dict[str, Any]:
    """Trains a meta-policy and writes it.

    Args:
        env_id: A registered environment.
        agent: What it acts through; one of `CONTROLS`.
        env_kwargs: Arguments of the environment, horizon, batch size and utility among them.
        seed: Of the network and of the campaigns.
        out: Folder for `policy.safetensors`, `config.json`, `model.zip` and TensorBoard logs.
        settings: Hyper-parameters; by default the agent's own.
        resume: Go on from `out/model.zip`.
        callback: Called by stable-baselines3 every step, for progress.

    Returns:
        The configuration that was written.

    Raises:
        FileNotFoundError: `resume` without a `model.zip`.
        ValueError: A negative seed, whose campaigns would be evaluation's; or `resume` of a run
            that was about something else; or batches of several sizes for an agent that proposes
            designs itself.
    """
    if seed < 0:
        raise ValueError(f"seed: expected a whole number of at least 0, got {seed}")
    settings = SETTINGS[agent] if settings is None else settings
    torch.set_num_threads(1)
    env = make_training_env(env_id, agent, settings.num_envs, env_kwargs)
    _check_batch_sizes(agent, env)
    task = {"agent": agent, "env": env_id, "env_kwargs": env_kwargs, "hidden": [*settings.hidden]}
    if resume:
        _check_same_task(out, task)
        model = PPO.load(out / MODEL, env=env, device="cpu")
    else:
        model = _new_model(env, agent, settings, seed, out)
    env.seed(FIRST_SEED + seed * _SEED_SPACING + model.num_timesteps)
    out.mkdir(parents=True, exist_ok=True)
    (out / TASK).write_text(json.dumps(task, indent=2) + "\n")
    seconds = _learn(model, env, settings, out / MODEL, resume=resume, callback=callback)
    config = {
        **task,
        **shape_of(env.env.campaign_spec),
        "seed": seed,
        "steps": model.num_timesteps,
        "seconds": round(seconds, 1),
        "settings": asdict(settings),
    }
    save(out, model.policy, config)
    return config


def _check_batch_sizes(agent: str, env: SB3VecEnv) -> None:
    """Refuses batches of several sizes for an agent that proposes designs itself.

    Raises:
        ValueError: There are several.
    """
    low, high = env.env.campaign_spec.batch_sizes
    if CONTROLS[agent] == "designs" and low != high:
        raise ValueError(
            f"batch_size: a {agent!r} policy is trained for batches of one size, got sizes from "
            f"{low} to {high}"
        )


def _learn(
    model: PPO,
    env: SB3VecEnv,
    settings: PPOSettings,
    model_file: Path,
    *,
    resume: bool,
    callback: BaseCallback | None,
) -> float:
    """Trains to the last step, keeps the model file up to date; how many seconds it took."""
    begun = time.perf_counter()
    callbacks = CallbackList([_Saver(model_file), _FallingEntropy(settings.entropy)])
    if callback is not None:
        callbacks.callbacks.append(callback)
    try:
        model.learn(
            max(0, settings.steps - model.num_timesteps),
            callback=callbacks,
            reset_num_timesteps=not resume,
            tb_log_name="ppo",
        )
    finally:
        model.save(model_file)
        env.close()
    return time.perf_counter() - begun


def _check_same_task(out: Path, task: dict[str, Any]) -> None:
    """Refuses to go on with a run that was about something else.

    Raises:
        FileNotFoundError: There is no run to go on with.
        ValueError: Its environment, arguments, agent or layers are others.
    """
    for file in (out / MODEL, out / TASK):
        if not file.is_file():
            raise FileNotFoundError(f"--resume: expected {file}, which is not there")
    before = json.loads((out / TASK).read_text())
    if before != json.loads(json.dumps(task)):
        raise ValueError(f"--resume: expected the run's own arguments {before}, got {task}")


def _new_model(env: SB3VecEnv, agent: str, settings: PPOSettings, seed: int, out: Path) -> PPO:
    try:
        import tensorboard  # type: ignore[import-untyped]  # noqa: F401

        log: str | None = str(out / "tensorboard")
    except ImportError:  # logs are an extra; training is not
        log = None
    network, layers = network_of(agent, env.env.campaign_spec.design_space, settings.hidden)
    return PPO(
        network,
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


class _FallingEntropy(BaseCallback):
    """Lets the entropy bonus fall with the rounds that are left, linearly to none."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self._start = start

    @override
    def _on_step(self) -> bool:
        return True

    @override
    def _on_rollout_start(self) -> None:
        model: Any = self.model
        model.ent_coef = self._start * model._current_progress_remaining


class _Saver(BaseCallback):
    """Keeps `model.zip` at most half a minute old, so that an interrupted run can be resumed."""

    def __init__(self, file: Path, seconds: float = 30.0) -> None:
        super().__init__()
        self._file, self._seconds, self._last_saved = file, seconds, time.perf_counter()

    @override
    def _on_step(self) -> bool:
        return True

    @override
    def _on_rollout_start(self) -> None:
        if time.perf_counter() - self._last_saved > self._seconds:
            temporary = self._file.with_suffix(".tmp.zip")
            self.model.save(temporary)
            temporary.replace(self._file)
            self._last_saved = time.perf_counter()
