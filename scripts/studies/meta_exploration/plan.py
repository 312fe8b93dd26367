"""What is trained, and what is played: the test tasks of the protocol, through the control."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ombo_agents.learned.callbacks import ProgressInUpdates
from ombo_agents.learned.over_tasks import TaskSettings, train_over_tasks
from ombo_agents.learned.over_tasks.environments import TasksPlayed, scored_campaigns
from ombo_agents.learned.over_tasks.validation import in_blocks
from ombo_agents.learned.storage import CONFIG, load, mean_actions
from ombo_agents.learned.training import SETTINGS, train, training_seconds
from ombo_agents.learned.training_state import STATE
from ombo_gym.controls.exploration import actions_of
from ombo_gym.files import write_atomically
from ombo_gym.tasks import TaskDistribution
from scripts.studies import study
from scripts.studies.campaigns import launch_of
from scripts.studies.suite.plan import TRAININGS

PROTOCOL = "ML-families-v0"
META = "meta"
WEIGHTS = {"ucb (weight 2)": 2.0, "greedy (weight 0)": 0.0}  # the same in every round and slot
_BLOCK = 50  # campaigns that are played together


@dataclass(frozen=True)
class Args(study.Args):
    """Exploration weights learned over many tasks (an hour of training, and one of playing)."""

    steps: int = TaskSettings().ppo.steps
    """Rounds of training."""
    campaigns: int = 200
    """Of every test task."""
    surrogate: str | None = None
    """Kernel of the recipe that is trained with; the problems' own where it is not given."""


class Finished(NamedTuple):
    """What was trained and played.

    Attributes:
        campaigns: A row per policy and campaign: `policy`, `task`, `env`, `env_kwargs`, `start`,
            `campaign`, `utility`, `horizon`, `score`.
        validation: The table of the training's validations.
        seconds: Of training.
    """

    campaigns: pd.DataFrame
    validation: pd.DataFrame
    seconds: float


class Block(NamedTuple):
    """Campaigns of one task for one policy, in a process.

    Attributes:
        player: The folder of a trained policy, or an exploration weight.
        tasks: JSON of the test tasks.
        task: Which of them.
        numbers: Of the campaigns; each is the seed, too.
    """

    player: Path | float
    tasks: str
    task: int
    numbers: tuple[int, ...]


def plan(args: Args) -> Finished:
    """Trains what is not there yet, and plays what is not kept."""
    players: dict[str, Path | float] = {META: _meta(args)}
    players |= {f"{each.name} alone": _alone(each, args.runs) for each in TRAININGS}
    played = [_played(name, player, args) for name, player in {**players, **WEIGHTS}.items()]
    run = args.runs / META
    validation = pd.read_csv(run / "validation.csv")
    return Finished(pd.concat(played, ignore_index=True), validation, training_seconds(run))


def tasks_of(split: str) -> TaskDistribution:
    """The tasks of a split of the protocol."""
    return TaskDistribution.named(f"{PROTOCOL}:{split}")


def _meta(args: Args) -> Path:
    """The folder of the policy of many tasks."""
    out = args.runs / META
    if not (out / CONFIG).is_file():
        tasks = tasks_of("train")
        settings = TaskSettings().for_tasks(tasks)
        train_over_tasks(
            tasks,
            validate=tasks_of("validation"),
            seed=0,
            out=out,
            surrogate=None if args.surrogate is None else {"kernel": args.surrogate},
            settings=replace(settings, ppo=replace(settings.ppo, steps=args.steps)),
            resume=(out / STATE).is_file(),
            launch=launch_of(args.jobs),
            callback=ProgressInUpdates(),
        )
    return out


def _alone(training: Any, runs: Path) -> Path:
    """The folder of a policy that the suite trains on one problem."""
    out = runs / f"{training.name}-0"
    if not (out / CONFIG).is_file():
        train(
            training.env,
            agent="exploration",
            env_kwargs=training.env_kwargs,
            settings=replace(SETTINGS["exploration"], steps=training.steps),
            seed=0,
            out=out,
            resume=(out / STATE).is_file(),
            callback=ProgressInUpdates(),
        )
    return out


def _played(name: str, player: Path | float, args: Args) -> pd.DataFrame:
    """The campaigns of a policy, from its file where it is kept and that is asked for."""
    file = args.runs / f"{name.replace(' ', '_')}-{args.campaigns}.csv"
    if args.resume and file.is_file():
        return pd.read_csv(file)
    tasks = tasks_of("test")
    numbers = in_blocks(np.arange(args.campaigns), _BLOCK)
    blocks = [
        Block(player, tasks.to_json(), task, each) for task in range(len(tasks)) for each in numbers
    ]
    frames = launch_of(args.jobs).map(play, blocks)
    table = pd.concat(frames).sort_values(["task", "campaign"], ignore_index=True)
    table.insert(0, "policy", name)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, table.to_csv(index=False))
    return table


def play(block: Block) -> pd.DataFrame:
    """A row per campaign: its task, utility, horizon and score, of at least -1."""
    torch.set_num_threads(1)
    rows = len(block.numbers)
    campaigns = scored_campaigns(TasksPlayed(block.tasks, "exploration", "null"), rows)
    task = TaskDistribution.from_json(block.tasks)[block.task]
    with threadpool_limits(limits=1):
        seen = campaigns.reset(list(block.numbers), np.full(rows, block.task))
        specs = campaigns.env.unwrapped.campaign_spec
        horizons = seen["rounds_left"][:, 0].astype(int)
        network = None
        if isinstance(block.player, Path):
            policy: Any = load(block.player, specs[0])
            network = policy.network
        scores = np.full(rows, np.nan)
        while np.isnan(scores).any():
            actions = _actions(block.player, network, seen)
            seen, _, over, found = campaigns.step(actions)
            scores = np.where(over & np.isnan(scores), found, scores)
    return pd.DataFrame(
        {
            "task": block.task,
            "env": task.env,
            "env_kwargs": str(dict(task.env_kwargs)),
            "start": (task.start or {}).get("kind", "its own"),
            "campaign": block.numbers,
            "utility": [str(spec.utility) for spec in specs],
            "horizon": horizons,
            "score": scores,
        }
    )


def _actions(player: Path | float, network: Any, seen: dict[str, Any]) -> NDArray[np.float32]:
    """What a policy does, (R, 2)."""
    if network is not None:
        return mean_actions(network, seen)
    count = len(seen["rounds_left"])
    return np.broadcast_to(actions_of(np.array([player, player], np.float64)), (count, 2)).copy()
