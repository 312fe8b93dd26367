"""Trains one policy over many tasks, and keeps the checkpoint that is best on others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import ActorCriticPolicy
from typing_extensions import override

from ombo_agents.learned.in_order import InOrder, in_order
from ombo_agents.learned.over_tasks.block_ppo import BlockPPO, SpacesOnly
from ombo_agents.learned.over_tasks.chosen_tasks import described, read_tasks, validation_tasks
from ombo_agents.learned.over_tasks.environments import ScoredCampaigns, TasksPlayed
from ombo_agents.learned.over_tasks.networks import taken
from ombo_agents.learned.over_tasks.rollouts import Block, Rollout, roll_out, seed_of
from ombo_agents.learned.over_tasks.settings import TaskSettings, longest
from ombo_agents.learned.over_tasks.validation import (
    FILE,
    VALIDATION_SEED,
    Validation,
    ValidationBlock,
    in_blocks,
    lengths_of_campaigns,
    score,
    tasks_of_campaigns,
    together,
)
from ombo_agents.learned.ppo import new_model
from ombo_agents.learned.size_limits import (
    check_campaigns,
    check_network_size,
    check_rollout_size,
)
from ombo_agents.learned.storage import CONTROLS, network_of
from ombo_agents.learned.training_run import (
    CHECKPOINT_SECONDS,
    Subject,
    TrainingRun,
    as_json,
    check_seed,
    resumed_settings,
    steps_of,
)
from ombo_agents.learned.training_state import STATE, read_facts
from ombo_gym.evaluation.launch import Launch
from ombo_gym.tasks import TaskDistribution

SEQUENTIAL = Launch()
AGENTS = ("exploration",)  # that play every design space, horizon and batch size
# `function(item)` of each item, in their order.


def train_over_tasks(
    tasks: Any,
    *,
    seed: int,
    out: Path,
    validate: Any = None,
    agent: str = "exploration",
    surrogate: Mapping[str, Any] | None = None,
    settings: TaskSettings | None = None,
    resume: bool = False,
    launch: Launch = SEQUENTIAL,
    callback: BaseCallback | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> dict[str, Any]:
    """Trains a policy over tasks, in scores, and writes the checkpoint that did best on others.

    Files, resuming and what is promised of it are as of `ombo_agents.learned.training.train`, and
    `validation.csv` says what each validation found (`Validation`). What comes out depends on
    `launch` in nothing.

    Args:
        tasks: A protocol with a split ("ML-families-v0:train"), a file of tasks, a distribution.
        seed: Of the network and of the campaigns.
        out: Folder of the run.
        validate: Tasks by which checkpoints are chosen; None: the protocol's own validation.
        agent: One of `AGENTS`.
        surrogate: Recipe for tasks that name none.
        settings: Hyper-parameters; see `train`.
        resume: Go on from `out/state.safetensors`.
        launch: Where blocks of campaigns are played, for training and for validation.
        callback: Called by stable-baselines3 every step, for progress.
        checkpoint_seconds: Between two states that are kept, or somewhat more.

    Returns:
        As `train`.

    Raises:
        FileNotFoundError: `resume` without a state to go on from.
        ImportError: A task needs an extra that is not installed.
        OSError: The disk is full, or `out` cannot be written to; what was there is unharmed.
        RuntimeError: A process died twice under the same block.
        ValueError: Test tasks; validation that is missing, or shares instances with training; tasks
            of which no best value is known; or what `train` refuses.
    """
    check_seed(seed)
    trained = read_tasks("--tasks", tasks)
    validated = validation_tasks(trained, validate)
    _check_agent(agent)
    facts = read_facts(out / STATE) if resume else None
    if settings is None:
        settings = _default_settings(trained, None if facts is None else steps_of(out))
    run = _run(agent, trained, validated, surrogate, seed, settings)
    if facts is not None:
        ppo = resumed_settings(out, facts, run, settings.ppo)
        settings, run = replace(settings, ppo=ppo), {**run, "settings": asdict(ppo)}
    torch.set_num_threads(1)
    with launch.opened() as play:
        subject = _ManyTasks(run, settings, (trained, validated), out, in_order(play))
        training = TrainingRun(run, settings.ppo, subject, out)
        return training.to_the_end(facts, callback, checkpoint_seconds)


def _check_agent(agent: str) -> None:
    """Refuses agents that play one design space.

    Raises:
        ValueError: It does.
    """
    if agent not in AGENTS:
        raise ValueError(
            f"--agent: expected one of {list(AGENTS)} with --tasks, which play every design space, "
            f"got {agent!r}"
        )


def _default_settings(tasks: TaskDistribution, steps: int | None) -> TaskSettings:
    """What holds when nothing else is asked for; a run that goes on has its own steps."""
    settings = TaskSettings().for_tasks(tasks)
    return settings if steps is None else replace(settings, ppo=replace(settings.ppo, steps=steps))


def _run(
    agent: str,
    tasks: TaskDistribution,
    validate: TaskDistribution,
    surrogate: Mapping[str, Any] | None,
    seed: int,
    settings: TaskSettings,
) -> dict[str, Any]:
    """What a run is about, as JSON has it."""
    run: dict[str, Any] = {
        "agent": agent,
        "control": CONTROLS[agent],
        "tasks": described(tasks),
        "validate": described(validate),
        "surrogate": None if surrogate is None else dict(surrogate),
        "seed": seed,
        "settings": asdict(settings.ppo),
        "sampling": settings.described(),
    }
    return as_json(run, "surrogate")


class _ManyTasks(Subject):
    """A model that trains over tasks.

    Args:
        run: What the run is about; see `_run`.
        settings: Hyper-parameters.
        tasks: Those that are trained and validated on.
        out: The run's folder.
        in_order: Plays blocks.

    Raises:
        ValueError: Tasks that cannot be played or have no score, or sizes that nobody can hold.
    """

    def __init__(
        self,
        run: dict[str, Any],
        settings: TaskSettings,
        tasks: tuple[TaskDistribution, TaskDistribution],
        out: Path,
        in_order: InOrder,
    ) -> None:
        self._settings, self._run, self._in_order = settings, run, in_order
        self._played, self._validated = (
            TasksPlayed(each.to_json(), run["control"], json.dumps(run["surrogate"]))
            for each in tasks
        )
        ppo = settings.ppo
        check_campaigns(ppo.num_envs)
        if ppo.rounds_per_update < longest(tasks[0]):
            raise ValueError(
                f"rounds_per_update: expected at least {longest(tasks[0])}, the longest horizon, "
                f"got {ppo.rounds_per_update}: campaigns begin anew in every update"
            )
        observations, actions = _checked_spaces(self._played, tasks[0], settings)
        _checked_spaces(self._validated, tasks[1], settings)
        self._spaces = observations, actions
        env = SpacesOnly(ppo.num_envs, observations, actions)
        network = network_of(run["agent"], None, ppo.hidden)
        self.model = new_model(BlockPPO, env, network, ppo, seed=run["seed"], out=out)
        self.model.play = self._roll_out
        self._of_campaign = tasks_of_campaigns(tasks[1], settings.validation_campaigns)  # (V,)
        lengths = lengths_of_campaigns(self._validated, self._of_campaign)
        self._validation_blocks = in_blocks(lengths, settings.block)
        self._validation = Validation(
            self._score, settings.validation_campaigns, settings.validation_every, self.model.policy
        )
        self.memory = self._validation
        self.callbacks: list[BaseCallback] = [self._validation]
        self.config = {key: run[key] for key in ("agent", "control", "tasks", "validate")}
        self.config |= {"surrogate": run["surrogate"], "hidden": run["settings"]["hidden"]}
        self.config |= {"seed": run["seed"], "sampling": run["sampling"]}

    @override
    def policy(self) -> ActorCriticPolicy:
        kept = taken(self.model.policy, self._settings.ppo.hidden).build(*self._spaces)
        self._validation.put_kept_into(kept)
        return kept

    @override
    def files(self) -> Mapping[str, str]:
        return {FILE: self._validation.table()}

    def _roll_out(self, network: ActorCriticPolicy, update: int) -> list[Rollout]:
        return self._in_order(roll_out, list(self._blocks(network, update)))

    def _blocks(self, network: ActorCriticPolicy, update: int) -> Iterator[Block]:
        ppo, first = self._settings.ppo, 0
        sent = taken(network, ppo.hidden)
        for rows in self._settings.rows:
            seed = seed_of(self._run["seed"], update, first)
            yield Block(self._played, sent, seed, rows, ppo.rounds_per_update)
            first += rows

    def _score(self, network: ActorCriticPolicy) -> NDArray[np.float64]:
        sent = taken(network, self._settings.ppo.hidden)
        blocks = [
            ValidationBlock(
                self._validated, sent, numbers, tuple(self._of_campaign[list(numbers)].tolist())
            )
            for numbers in self._validation_blocks
        ]
        return together(self._validation_blocks, self._in_order(score, blocks))


def _checked_spaces(
    played: TasksPlayed, tasks: TaskDistribution, settings: TaskSettings
) -> tuple[Any, Any]:
    """What an agent sees and does in one campaign, after every task was begun once.

    Raises:
        ValueError: A task cannot be played, or no best value is known of it; or what is seen is too
            large.
    """
    possible = np.flatnonzero(tasks.probabilities > 0)
    campaigns = ScoredCampaigns(played, len(possible))
    try:
        campaigns.reset([VALIDATION_SEED + int(task) for task in possible], possible)
    except ValueError as error:
        raise ValueError(f"tasks: {error}") from error
    observations, actions = campaigns.observation_space, campaigns.action_space
    spec = campaigns.env.unwrapped.campaign_spec[0]
    check_network_size(spec, observations, actions, hidden=settings.ppo.hidden)
    check_rollout_size(observations, actions, settings.ppo)
    return observations, actions
