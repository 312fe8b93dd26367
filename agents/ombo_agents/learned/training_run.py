"""A training run in its folder: trains, keeps where it stands, goes on from there, ends."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.policies import ActorCriticPolicy

from ombo_agents.learned.callbacks import Checkpoints, FallingEntropy, check_finite
from ombo_agents.learned.ppo_settings import PPOSettings
from ombo_agents.learned.run_identity import check_same_run, versions, warn_of_other_versions
from ombo_agents.learned.storage import CONFIG, POLICY, as_text, save
from ombo_agents.learned.training_state import (
    STATE,
    Memory,
    TrainingState,
    damaged,
    read_facts,
    read_state,
    restore,
    taken,
)
from ombo_gym.files import remove_unfinished, write_atomically

MODEL = "model.zip"  # for stable-baselines3; pickled, and never read here
TIMINGS = "timings.json"  # all in which two runs of one command differ
CHECKPOINT_SECONDS = 5.0  # a state takes some hundredths of one
LARGEST_SEED = 2**32 - 1


class Subject(Protocol):
    """What a run trains.

    Attributes:
        model: Of stable-baselines3, new.
        memory: What the run keeps beside it.
        config: What `config.json` says, the steps that were played aside.
        callbacks: What happens between updates, before the state is kept.
    """

    model: PPO
    memory: Memory
    config: Mapping[str, Any]
    callbacks: list[BaseCallback]

    def policy(self) -> ActorCriticPolicy:
        """What is written as the policy."""
        ...

    def files(self) -> Mapping[str, str]:
        """Further files of the run's folder, by name: functions of what was played."""
        ...


class TrainingRun:
    """A run, with what it keeps.

    Args:
        run: What it is about, by which it may be resumed; its `settings` are those of `subject`.
        settings: Hyper-parameters.
        subject: What it trains.
        out: Its folder.
    """

    def __init__(
        self, run: dict[str, Any], settings: PPOSettings, subject: Subject, out: Path
    ) -> None:
        self._run, self._settings, self._subject, self._out = run, settings, subject, out
        self._model = subject.model
        self._versions = versions()
        self._extended: list[dict[str, int]] = []  # how far it was with fewer steps to go
        self._seconds, self._begun = 0.0, time.perf_counter()
        self._resumed = False

    def to_the_end(
        self,
        facts: dict[str, Any] | None,
        callback: BaseCallback | None,
        checkpoint_seconds: float,
    ) -> dict[str, Any]:
        """Trains from the beginning, or goes on; what `train` returns.

        Args:
            facts: Of the state to go on from; None: from the beginning.
            callback: Called by stable-baselines3 every step, for progress.
            checkpoint_seconds: Between two states that are kept, or somewhat more.

        Raises:
            ValueError: The state is damaged, or the network has diverged.
        """
        if facts is not None:
            self._go_on(facts)
            if (finished := self._finished()) is not None:
                return finished
        return self._finish(callback, checkpoint_seconds)

    def _go_on(self, facts: dict[str, Any]) -> None:
        """Goes to where the run stood.

        Raises:
            ValueError: The state is damaged.
        """
        file = self._out / STATE
        warn_of_other_versions(self._out, facts.get("versions"), self._versions)
        state = read_state(file, like=self._state())
        restore(state, self._model, self._subject.memory, file)
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

    def _finished(self) -> dict[str, Any] | None:
        """What `train` returns of a run that has written all of it; None of any other."""
        config, file = self._config(), self._out / CONFIG  # which is written last
        if self._model.num_timesteps < self._settings.steps or not (self._out / POLICY).is_file():
            return None
        if not file.is_file() or file.read_text(encoding="utf-8") != as_text(config):
            return None
        return {**config, "seconds": training_seconds(self._out), "new_steps": 0}

    def _finish(self, callback: BaseCallback | None, checkpoint_seconds: float) -> dict[str, Any]:
        """Trains to the last step and writes the policy; what `train` returns."""
        self._out.mkdir(parents=True, exist_ok=True)
        remove_unfinished(self._out, older_than=0.0)  # of this run, which was killed
        before = self._model.num_timesteps
        self._learn(callback, checkpoint_seconds)
        self._keep()
        config = self._config()
        seconds = round(self._seconds_so_far(), 1)
        write_atomically(self._out / TIMINGS, json.dumps({"seconds": seconds}) + "\n")
        for name, text in self._subject.files().items():
            write_atomically(self._out / name, text)
        save(self._out, self._subject.policy(), config)
        new_steps = self._model.num_timesteps - before
        return {**config, "seconds": seconds, "new_steps": new_steps}

    def _learn(self, callback: BaseCallback | None, checkpoint_seconds: float) -> None:
        callbacks: list[BaseCallback] = [
            *self._subject.callbacks,
            Checkpoints(self._keep, checkpoint_seconds),
            FallingEntropy(self._settings.entropy, self._settings.entropy_power),
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
        return taken(self._model, self._subject.memory, facts)

    def _seconds_so_far(self) -> float:
        return self._seconds + time.perf_counter() - self._begun

    def _config(self) -> dict[str, Any]:
        """What the run was about and came to: a pure function of what was asked for."""
        settings: dict[str, Any] = self._run["settings"]
        config = {**self._subject.config, "steps": self._model.num_timesteps, "settings": settings}
        return config | ({"extended": self._extended} if self._extended else {})


def check_seed(seed: int) -> None:
    """Refuses seeds that no generator takes, or whose campaigns would be evaluation's.

    Raises:
        ValueError: It is one of these.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed: expected a whole number from 0 to 2**32 - 1, got {seed}")


def as_json(run: dict[str, Any], name: str) -> dict[str, Any]:
    """What a run is about, as JSON has it.

    Args:
        run: What it is about.
        name: The argument that may not be JSON.

    Raises:
        ValueError: It is not.
    """
    try:
        read: dict[str, Any] = json.loads(json.dumps(run))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: expected what JSON can hold, got {error}") from error
    return read


def resumed_settings(
    out: Path, facts: dict[str, Any], run: dict[str, Any], settings: PPOSettings
) -> PPOSettings:
    """The settings that a resumed run goes on with.

    Raises:
        ValueError: The run is about something else than what is asked for; says what.
    """
    begun = dict(facts["run"])
    if isinstance(begun.get("settings"), dict):  # with which entropy fell before it was a setting
        begun["settings"] = {"entropy_power": 1.0, **begun["settings"]}
    check_same_run(out, begun, run)
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
