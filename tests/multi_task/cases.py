"""Tasks of all kinds of spaces at once, and campaigns of them in every environment there is."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from typing_extensions import override

from ombo_gym import MixedDesigns, Problem
from ombo_gym.tasks import Task, TaskDistribution

RANDOM, PERCENTILE = {"kind": "random", "size": 5}, {"kind": "percentile", "size": 6}
THREE = ("best", "last_mean", "auc")
WIDE: dict[str, Any] = {"horizon": (1, 10), "batch_size": (1, 16), "utilities": THREE}


class Kettle(Problem):
    """A number, a whole number and a choice: a mixed space."""

    start = RANDOM

    def __init__(self) -> None:
        self.design_space = MixedDesigns(
            {"T": (20.0, 90.0), "stirs": {"integer": [1, 5]}, "tea": ["green", "black", "mint"]}
        )

    @override
    def draw(self, rngs: Any) -> Any:
        return {"best": rngs.random((1,))}

    @override
    def evaluate(self, instances: Any, designs: Any) -> Any:
        return -np.abs(designs - instances["best"][:, None]).sum(axis=-1)


KETTLE = "tests.multi_task.cases:Kettle"
TASKS = (
    Task("Ombo/GP-v0", {"dim": 2}, **WIDE),
    Task("Ombo/GP-v0", {"dim": 5, "noise_std": 0.3, "surrogate": {"kernel": "fit"}}, **WIDE),
    Task("Ombo/Coating-v0", {"split": "train"}, **WIDE),
    Task("Ombo/SnAr-v0", **WIDE),
    Task(KETTLE, **WIDE),
    Task("Ombo/Reaction-v0", {"dataset": "denmark"}, start=PERCENTILE, **WIDE),
    Task("Ombo/MPSA-v0", start=PERCENTILE, **WIDE),
    Task("Ombo/Antibody-v0", {"noise_std": 0.1}, **WIDE),
    Task("Ombo/TFBinding-v0", {"split": "train"}, start=RANDOM, **WIDE),
    Task("Ombo/Ehrlich-v0", {"length": 15, "categories": 4, "motifs": 2}, start=RANDOM, **WIDE),
    Task("Ombo/CrossedBarrel-v0", start={"kind": "none"}, **WIDE),
    Task("Ombo/LCBench-v0", {"split": "train"}, **WIDE),
    Task("Ombo/Bandit-v0", {"arms": 20}, (1, 10), (1, 16), ("best", "recommendation", "total")),
    Task("Ombo/Landscapes-v0", {"name": "tent8"}, (1, 4), (1, 2), THREE, {"kind": "none"}),
)
# Boxes of one width: what `control="designs"` takes together.
BOXES = (
    Task("Ombo/GP-v0", {"dim": 4}, horizon=(1, 3), batch_size=2, utilities=THREE),
    Task("Ombo/GP-v0", {"dim": 4, "noise_std": 1.0}, horizon=2, batch_size=(1, 5), start=RANDOM),
    Task("Ombo/SnAr-v0", horizon=(2, 4), batch_size=3, utilities=("total", "best")),
    Task("Ombo/Coating-v0", {"layers": 4}, horizon=1, batch_size=1, start={"kind": "none"}),
)
# Sequences of one length and alphabet, of which one task forbids nothing.
FACTORS = (
    Task("Ombo/TFBinding-v0", {"split": "train"}, (1, 3), (1, 4), THREE, RANDOM),
    Task("Ombo/TFBind8-v0", {}, 2, 3, ("last_mean",), {**PERCENTILE, "percentile": 50}),
)


def short(tasks: tuple[Task, ...], horizon: tuple[int, int] = (1, 3)) -> list[dict[str, Any]]:
    """The same with fewer rounds, as dicts: rows fall out of step soon."""
    return [
        task.to_dict() | {"horizon": list(horizon), "batch_size": [1, min(4, _most(task))]}
        for task in tasks
    ]


def _most(task: Task) -> int:
    return task.batch_size if isinstance(task.batch_size, int) else task.batch_size[1]


def single(tasks: Any, **arguments: Any) -> Any:
    return gym.make("Ombo/Tasks-v0", tasks=tasks, **arguments)


def native(
    tasks: Any, num_envs: int, mode: AutoresetMode = AutoresetMode.NEXT_STEP, **arguments: Any
) -> Any:
    return gym.make_vec(
        "Ombo/Tasks-v0", num_envs=num_envs, tasks=tasks, autoreset_mode=mode.value, **arguments
    )


def sync(tasks: Any, num_envs: int, mode: AutoresetMode, **arguments: Any) -> Any:
    return SyncVectorEnv([lambda: single(tasks, **arguments)] * num_envs, autoreset_mode=mode)


def alone(task: Task, utility: Any, **arguments: Any) -> Any:
    """The environment of a task's own, of no other."""
    given = {**task.arguments(utility), **arguments}
    if task.env == KETTLE:
        return gym.make("Ombo/GP-v0", **given | {"problem": KETTLE})
    return gym.make(task.env, **given)


def distribution(tasks: Any) -> TaskDistribution:
    return TaskDistribution(tuple(tasks))
