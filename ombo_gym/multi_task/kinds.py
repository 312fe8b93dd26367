"""What rows may come to play: every task under each of its utilities."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ombo_gym.arguments import shown
from ombo_gym.controlled_campaigns import ControlledCampaigns
from ombo_gym.controls import Control
from ombo_gym.memory import check_total_memory
from ombo_gym.problems.core.base import Problem
from ombo_gym.registration import make_problem
from ombo_gym.spec import CampaignSpec
from ombo_gym.tasks import Task, TaskDistribution

_SMALLEST = 4  # rows of a block, where there are as many
_SPARE = 2.0  # times the rows that play a task on average
_REFUSALS = (ImportError, TypeError, ValueError)
# Of an id that somebody registered with arguments: what a task says by itself.
_OF_TASKS = ("horizon", "batch_size", "plates", "utility", "control", "render_mode")


@dataclass(frozen=True)
class Kind:
    """A task under one of its utilities: what is played together.

    Attributes:
        task: Its index.
        utility: Which of the task's.
        arguments: Of `ControlledCampaigns`, the number of campaigns aside.
        spec: What its players may know.
        control: Through which they play.
        rows: Campaigns of a block.
    """

    task: int
    utility: int
    arguments: dict[str, Any]
    spec: CampaignSpec
    control: Control
    rows: int


def kinds_of(
    tasks: TaskDistribution,
    num_campaigns: int,
    *,
    control: Any,
    surrogate: Mapping[str, Any] | None,
) -> list[list[Kind]]:
    """All tasks under all of their utilities: for each task, one for each of them.

    Raises:
        ValueError: What a task's environment refuses, or more memory than is allowed.
    """
    problems: dict[str, Problem] = {}
    shares = tasks.probabilities
    kinds = []
    for number, task in enumerate(tasks):
        try:
            several = _utilities_of(task, problems, control=control, surrogate=surrogate)
        except (ValueError, TypeError, ImportError) as error:
            known = next(one for one in _REFUSALS if isinstance(error, one))
            raise known(f"tasks: {name_of(tasks, number)}: {error}") from error
        likely = int(np.ceil(_SPARE * num_campaigns * shares[number] / len(several)))
        rows = min(num_campaigns, max(likely, _SMALLEST))
        kinds.append(
            [
                Kind(number, utility, arguments, one.spec, one.control, rows)
                for utility, (arguments, one) in enumerate(several)
            ]
        )
    check_total_memory([(kind.spec, kind.rows) for each in kinds for kind in each], num_campaigns)
    return kinds


def _utilities_of(
    task: Task,
    problems: dict[str, Problem],
    *,
    control: Any,
    surrogate: Mapping[str, Any] | None,
) -> list[tuple[dict[str, Any], ControlledCampaigns]]:
    """A task's arguments of campaigns, and one campaign, for each of its utilities."""
    arguments = task.problem_arguments
    name = arguments.pop("problem")
    start = arguments.pop("start", None) if task.start is None else task.start
    general = {key: arguments.pop(key) for key in ("noise_std",) if key in arguments}
    general |= {"surrogate": arguments.pop("surrogate", surrogate), "start": start}
    arguments = {key: value for key, value in arguments.items() if key not in _OF_TASKS}
    label = json.dumps([name, arguments], sort_keys=True, default=shown)
    if label not in problems:
        problems[label] = make_problem(name, **arguments)
    general |= {"problem": problems[label], "control": control}
    general |= {"horizon": task.horizon, "batch_size": task.batch_size}
    several = [{**general, "utility": utility} for utility in task.utilities]
    return [(each, ControlledCampaigns(num_campaigns=1, **each)) for each in several]


def name_of(tasks: TaskDistribution, number: int) -> str:
    """A task in messages."""
    return f"task {number} ({tasks[number].env})"
