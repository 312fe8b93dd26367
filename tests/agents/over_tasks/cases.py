"""Short training runs over tasks that are quick to play."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ombo_agents.learned.over_tasks import TaskSettings, train_over_tasks
from ombo_agents.learned.over_tasks.environments import TasksPlayed
from ombo_agents.learned.ppo_settings import PPOSettings
from ombo_gym.tasks import make_tasks

TASKS: list[dict[str, Any]] = [
    {
        "env": "Ombo/Bandit-v0",
        "env_kwargs": {"arms": 5},
        "horizon": [1, 4],
        "batch_size": [1, 3],
        "utilities": ["best", "last_mean"],
    },
    {
        "env": "Ombo/Landscapes-v0",
        "env_kwargs": {"name": "tent8"},
        "horizon": [1, 3],
        "batch_size": 2,
        "utilities": ["total"],
        "weight": 0.5,
    },
]
VALIDATE: list[dict[str, Any]] = [
    {"env": "Ombo/Bandit-v0", "env_kwargs": {"arms": 4}, "horizon": [1, 3]},
    {"env": "Ombo/Landscapes-v0", "env_kwargs": {"name": "signpost"}, "horizon": 2, "weight": 3},
]
PPO = PPOSettings(steps=90, num_envs=6, rounds_per_update=5, batch_size=30, epochs=1)
SMALL = TaskSettings(ppo=PPO, block=4, validation_every=2, validation_campaigns=7)
FILES = ("policy.safetensors", "config.json", "validation.csv")


def run(out: Path, **changes: Any) -> dict[str, Any]:
    """Trains, a state before every update."""
    arguments: dict[str, Any] = {
        "validate": VALIDATE,
        "seed": 3,
        "settings": SMALL,
        "checkpoint_seconds": 0.0,
    }
    arguments |= changes
    return train_over_tasks(arguments.pop("tasks", TASKS), out=out, **arguments)


def left(folder: Path) -> list[bytes]:
    """What a run left, bit by bit."""
    return [(folder / name).read_bytes() for name in FILES]


def played(tasks: Any = TASKS) -> TasksPlayed:
    """The tasks as processes are told of them."""
    return TasksPlayed(make_tasks(tasks).to_json(), "exploration", "null")
