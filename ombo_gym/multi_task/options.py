"""What `reset(options=...)` asks for of rows that draw their tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import as_array, shown
from ombo_gym.outcomes import EnvIndices
from ombo_gym.problems.core.base import Problem
from ombo_gym.reset_options import KNOWN, ResetOptions, parse_reset_options
from ombo_gym.spec import CampaignSpec
from ombo_gym.tasks import TaskDistribution


@dataclass(frozen=True)
class TaskOptions:
    """What a reset asks for of each of R rows.

    Attributes:
        task: (R,) -1 where the row draws its own.
        campaigns: As of campaigns of one task.
    """

    task: NDArray[np.int64]
    campaigns: ResetOptions

    @classmethod
    def none(cls, num_campaigns: int) -> TaskOptions:
        """Nothing asked for of R rows."""
        return cls(np.full(num_campaigns, -1, np.int64), ResetOptions.none(num_campaigns))

    def take(self, indices: EnvIndices | NDArray[np.bool_]) -> TaskOptions:
        """What is asked for of some of the rows."""
        return TaskOptions(self.task[indices], self.campaigns.take(indices))

    def put(self, indices: EnvIndices | NDArray[np.bool_], other: TaskOptions) -> None:
        """Writes what is asked for of some of the rows."""
        self.task[indices] = other.task
        self.campaigns.put(indices, other.campaigns)

    def where(self, kept: NDArray[np.bool_]) -> TaskOptions:
        """The same for marked rows, (R,), and nothing for the others."""
        options = TaskOptions.none(len(kept))
        options.put(kept, self.take(kept))
        return options


def parse_task_options(
    options: Mapping[str, Any] | None,
    tasks: TaskDistribution,
    problems: Sequence[tuple[CampaignSpec, Problem]],
    num_campaigns: int,
) -> TaskOptions | None:
    """Options of a reset, for each of B rows; None where nothing is asked for.

    What is asked for must suit every task that a row may draw then, so that whether it is refused
    does not depend on the seed.

    Args:
        options: Values for all rows, or arrays (B,) with one for each.
        tasks: What is drawn from.
        problems: Of each task, its spec and problem.
        num_campaigns: B.

    Raises:
        ValueError: An unknown option, or one out of range; says what was expected, in which task.
    """
    if not isinstance(options, Mapping | None):
        raise ValueError(f"options: expected a dict, got {shown(options)}")
    if unknown := sorted(set(options or {}) - {*KNOWN, "task"}, key=str):
        raise ValueError(f"options: expected {[*KNOWN, 'task']}, got {shown(unknown)}")
    if not options:
        return None
    parsed = TaskOptions.none(num_campaigns)
    rest = {name: given for name, given in options.items() if name != "task"}
    for name, given in rest.items():
        array = as_array(given)
        if array.ndim and array.shape != (num_campaigns,):
            raise ValueError(
                f"options: expected one {name}, or {num_campaigns} of them, got {shown(given)}"
            )
    possible = np.broadcast_to(tasks.probabilities > 0, (num_campaigns, len(tasks)))  # (B, T)
    if "task" in options:
        parsed.task[:] = _task_indices(options["task"], len(tasks), num_campaigns)
        possible = parsed.task[:, None] == np.arange(len(tasks))
    for number in np.flatnonzero(possible.any(axis=0)).tolist() if rest else []:
        rows = np.flatnonzero(possible[:, number])
        of_rows = {
            name: as_array(given)[rows] if as_array(given).ndim else given
            for name, given in rest.items()
        }
        spec, problem = problems[number]
        try:
            asked = parse_reset_options(of_rows, spec, problem, len(rows))
        except ValueError as error:
            raise ValueError(f"{error} (task {number}, {tasks[number].env})") from None
        assert asked is not None
        parsed.campaigns.put(rows, asked)
    return parsed


def _task_indices(given: Any, count: int, num_campaigns: int) -> NDArray[np.int64]:
    array = as_array(given)
    whole = array.dtype.kind in "iu" and array.shape in ((), (num_campaigns,))
    if not whole or not ((array >= 0) & (array < count)).all():
        each = "" if num_campaigns == 1 else f", or {num_campaigns} of them"
        raise ValueError(
            f"options: expected task to be the index of a task, from 0 to {count - 1}{each}, got "
            f"{shown(given)}"
        )
    return np.broadcast_to(array.astype(np.int64), (num_campaigns,))
