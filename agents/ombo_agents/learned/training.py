"""Trains meta-policies with stable-baselines3's PPO on the native vector environment."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback, CallbackList

from ombo_agents.learned.callbacks import Checkpoints, FallingEntropy, check_finite
from ombo_agents.learned.ppo_settings import SETTINGS, PPOSettings
from ombo_agents.learned.run_identity import check_same_run, versions, warn_of_other_versions
from ombo_agents.learned.sb3_env import SB3VecEnv
from ombo_agents.learned.size_limits import (
    MOST_CAMPAIGNS,
    check_campaigns,
    check_network_size,
    check_rollout_size,
)
from ombo_agents.learned.storage import (
    CONFIG,
    CONTROLS,
    POLICY,
    as_text,
    network_of,
    save,
    shape_of,
)
from ombo_agents.learned.training_state import (
    STATE,
    TrainingState,
    damaged,
    read_facts,
    read_state,
    restore,
    taken,
)
from ombo_gym.files import remove_unfinished, write_atomically
from ombo_gym.registration import environment

__all__ = [
    "FIRST_SEED",
    "SETTINGS",
    "PPOSettings",
    "make_training_env",
    "steps_of",
    "train",
    "training_seconds",
]

FIRST_SEED = 2**31  # training campaigns are seeded from here up, evaluation below
MODEL = "model.zip"  # for stable-baselines3; pickled, and never read here
TIMINGS = "timings.json"  # all in which two runs of one command differ
_CHECKPOINT_SECONDS = 5.0  # a state takes some hundredths of one


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
    checkpoint_seconds: float = _CHECKPOINT_SECONDS,
) -> dict[str, Any]:
    """Trains a meta-policy and writes it.

    Every file is written in one step. `state.safetensors` holds where the run stands; a run that
    was interrupted, at any moment and any number of times, and resumed ends with the same
    `policy.safetensors` and `config.json`, to the bit, as one that was not (on the same machine and
    with the same versions).

    Args:
        env_id: A registered environment.
        agent: What it acts through; one of `CONTROLS`.
        env_kwargs: Arguments of the environment, horizon, batch size and utility among them.
        seed: Of the network and of the campaigns.
        out: Folder for `policy.safetensors`, `config.json`, `state.safetensors`, `model.zip`,
            `timings.json` and TensorBoard logs.
        settings: Hyper-parameters; by default the agent's own, and as many steps as a run that is
            resumed was begun with.
        resume: Go on from `out/state.safetensors`, with the arguments that the run was begun with.
            More `steps` may be asked for than the run was begun with: learning rate and entropy
            bonus then fall anew, from where the run stands towards the new end.
        callback: Called by stable-baselines3 every step, for progress.
        checkpoint_seconds: Between two states that are kept, or somewhat more.

    Returns:
        The configuration of the run, the `seconds` that training took in all, and how many rounds
        were played now, `new_steps`. A finished run that is resumed without more steps has none of
        these to play, and nothing of it is written.

    Raises:
        FileNotFoundError: `resume` without a state to go on from.
        OSError: The disk is full, or `out` cannot be written to; what was there is unharmed.
        ValueError: A negative seed, whose campaigns would be evaluation's; `resume` of a run that
            was about something else, or whose state is damaged; batches of several sizes for an
            agent that proposes designs itself; sizes that nobody can hold; or a network that
            diverged.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed: expected a whole number from 0 to 2**32 - 1, got {seed}")
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
            settings = _resumed_settings(out, facts, run, settings)
            run = {**run, "settings": asdict(settings)}
        training = _Training(run, settings, env, out)
        if facts is not None:
            training.go_on(facts)
            if (finished := training.finished()) is not None:
                return finished
        else:
            env.seed(FIRST_SEED + seed * MOST_CAMPAIGNS)
        return training.finish(callback, checkpoint_seconds)
    finally:
        env.close()


class _Training:
    """A run, with what it keeps.

    Args:
        run: What it is about; see `_run`.
        settings: Hyper-parameters.
        env: That it trains on.
        out: Its folder.
    """

    def __init__(
        self, run: dict[str, Any], settings: PPOSettings, env: SB3VecEnv, out: Path
    ) -> None:
        self._run, self._settings, self._env, self._out = run, settings, env, out
        self._model = _new_model(env, run["agent"], settings, run["seed"], out)
        self._versions = versions()
        self._extended: list[dict[str, int]] = []  # how far it was with fewer steps to go
        self._seconds, self._begun = 0.0, time.perf_counter()
        self._resumed = False

    def go_on(self, facts: dict[str, Any]) -> None:
        """Goes to where the run stood.

        Raises:
            ValueError: The state is damaged.
        """
        file = self._out / STATE
        warn_of_other_versions(self._out, facts.get("versions"), self._versions)
        state = read_state(file, like=self._state())
        restore(state, self._model, self._env, file)
        try:
            self._seconds = float(facts["seconds"])
            self._extended = [dict(each) for each in facts["extended"]]
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(file, error) from error
        steps, played = self._settings.steps, self._model.num_timesteps
        if steps > (before := facts["run"]["settings"]["steps"]):
            self._extended.append({"steps": before, "played": played})
        # As stable-baselines3 says after an update: of the learning rate and the entropy bonus.
        self._model._current_progress_remaining = 1.0 - float(played) / float(max(1, steps))
        self._resumed = True

    def finished(self) -> dict[str, Any] | None:
        """What `train` returns of a run that has written all of it; None of any other."""
        config, file = self._config(), self._out / CONFIG  # which is written last
        if self._model.num_timesteps < self._settings.steps or not (self._out / POLICY).is_file():
            return None
        if not file.is_file() or file.read_text(encoding="utf-8") != as_text(config):
            return None
        return {**config, "seconds": training_seconds(self._out), "new_steps": 0}

    def finish(self, callback: BaseCallback | None, checkpoint_seconds: float) -> dict[str, Any]:
        """Trains to the last step and writes the policy; what `train` returns."""
        self._out.mkdir(parents=True, exist_ok=True)
        remove_unfinished(self._out, older_than=0.0)  # of this run, which was killed
        before = self._model.num_timesteps
        self._learn(callback, checkpoint_seconds)
        self._keep()
        config = self._config()
        seconds = round(self._seconds_so_far(), 1)
        write_atomically(self._out / TIMINGS, json.dumps({"seconds": seconds}) + "\n")
        save(self._out, self._model.policy, config)
        new_steps = self._model.num_timesteps - before
        return {**config, "seconds": seconds, "new_steps": new_steps}

    def _learn(self, callback: BaseCallback | None, checkpoint_seconds: float) -> None:
        callbacks: list[BaseCallback] = [
            Checkpoints(self._keep, checkpoint_seconds),
            FallingEntropy(self._settings.entropy),
        ]
        if callback is not None:
            callbacks.append(callback)
        try:
            self._model.learn(
                max(0, self._settings.steps - self._model.num_timesteps),
                callback=CallbackList(callbacks),
                reset_num_timesteps=not self._resumed,
                tb_log_name="ppo",
            )
        except (ValueError, RuntimeError) as error:
            check_finite(self._model, error)
            raise

    def _keep(self) -> None:
        """Writes where the run stands, between two updates."""
        self._out.mkdir(parents=True, exist_ok=True)
        self._state().write(self._out / STATE)
        write_atomically(self._out / MODEL, self._model.save)  # type: ignore[arg-type]

    def _state(self) -> TrainingState:
        facts = {
            "run": self._run,
            "versions": self._versions,
            "seconds": self._seconds_so_far(),
            "extended": self._extended,
        }
        return taken(self._model, self._env, facts)

    def _seconds_so_far(self) -> float:
        return self._seconds + time.perf_counter() - self._begun

    def _config(self) -> dict[str, Any]:
        """What the run was about and came to: a pure function of what was asked for."""
        run = self._run
        settings: dict[str, Any] = run["settings"]
        config = {key: run[key] for key in ("agent", "env", "env_kwargs")}
        config |= {"hidden": settings["hidden"]}
        config |= {key: run[key] for key in ("design_space", "batch_size", "seed")}
        config |= {"steps": self._model.num_timesteps, "settings": settings}
        return config | ({"extended": self._extended} if self._extended else {})


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
    try:
        as_json: dict[str, Any] = json.loads(json.dumps(run))
    except (TypeError, ValueError) as error:
        raise ValueError(f"env_kwargs: expected what JSON can hold, got {error}") from error
    return as_json


def _resumed_settings(
    out: Path, facts: dict[str, Any], run: dict[str, Any], settings: PPOSettings
) -> PPOSettings:
    """The settings that a resumed run goes on with.

    Raises:
        ValueError: The run is about something else than what is asked for; says what.
    """
    check_same_run(out, facts["run"], run)
    steps, played = steps_of(out), facts.get("rounds")
    if type(played) is not int:
        raise damaged(out / STATE, f"rounds: {played!r}")
    if settings.steps >= steps:
        return settings
    if played < steps:
        raise ValueError(
            f"--resume: {out} was begun with {steps:,} steps and has played {played:,}, got "
            f"{settings.steps:,}; a run goes on to its end or further: give at least {steps:,}"
        )
    return replace(settings, steps=steps)  # it has gone further already


def steps_of(folder: Path) -> int:
    """With how many steps a run was begun, or resumed last.

    Raises:
        FileNotFoundError: The folder holds no state.
        ValueError: The state is damaged.
    """
    run = read_facts(folder / STATE)["run"]
    settings = run.get("settings")
    steps = settings.get("steps") if isinstance(settings, dict) else None
    if type(steps) is not int or steps < 0:
        raise damaged(folder / STATE, f"steps: {steps!r}")
    return steps


def training_seconds(folder: Path) -> float:
    """How long the training of a policy took, all that was interrupted together."""
    for name in (TIMINGS, CONFIG):  # earlier versions wrote it into the configuration
        if (folder / name).is_file():
            timings: dict[str, Any] = json.loads((folder / name).read_text())
            if "seconds" in timings:
                return float(timings["seconds"])
    return 0.0


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
