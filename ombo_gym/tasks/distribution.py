"""Tasks with weights: what a policy is trained over, validated and tested on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import as_array, members, shown
from ombo_gym.tasks.protocols import named_tasks, split_name
from ombo_gym.tasks.task import Task


@dataclass(frozen=True)
class TaskDistribution:
    """Tasks, each as likely as its weight says.

    Attributes:
        tasks: At least one, of which at least one has a positive weight.
        name: Of a protocol and a split, such as "ML-families-v0:train"; None: it has none.

    Raises:
        ValueError: No tasks, or no weight among them.

    Example:
        >>> import numpy as np
        >>> from ombo_gym.tasks import TaskDistribution
        >>> train = TaskDistribution.named("ML-synthetic-v0:train")
        >>> task = train.sample(np.random.default_rng(0))
        >>> train.split("test").name
        'ML-synthetic-v0:test'
    """

    tasks: tuple[Task, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        tasks = members(self.tasks)
        if not tasks or not all(isinstance(task, Task) for task in tasks):
            raise ValueError(f"tasks: expected a list of at least one Task, got {shown(tasks)}")
        object.__setattr__(self, "tasks", tuple(tasks))
        if not any(task.weight > 0 for task in tasks):
            raise ValueError(
                f"tasks: expected a weight above 0 of at least one of {len(tasks)} tasks, got none"
            )
        if self.name is not None and not isinstance(self.name, str):
            raise ValueError(f"name: expected None or a name, got {shown(self.name)}")

    @classmethod
    def named(cls, name: str) -> Self:
        """The tasks of a protocol's split.

        Args:
            name: Protocol and split, such as "ML-families-v0:train".

        Raises:
            ValueError: There is no such protocol, or split; lists those there are.
        """
        return cls(tuple(Task.from_dict(each) for each in named_tasks(name)), name)

    def __len__(self) -> int:
        return len(self.tasks)

    def __iter__(self) -> Iterator[Task]:
        return iter(self.tasks)

    def __getitem__(self, index: int) -> Task:
        return self.tasks[index]

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """How likely each task is, (T,)."""
        weights = np.array([task.weight for task in self.tasks])  # (T,)
        weights = weights / weights.max()  # sums of the largest numbers are none
        shares: NDArray[np.float64] = weights / weights.sum()
        return shares

    def sample(self, rng: np.random.Generator) -> Task:
        """Draws a task."""
        return self.tasks[int(self.indices(rng.random(1))[0])]

    def indices(self, uniform: NDArray[np.float64]) -> NDArray[np.intp]:
        """The tasks that uniform numbers in [0, 1) fall on, (R,) -> (R,)."""
        shares = self.probabilities
        possible = np.flatnonzero(shares > 0)  # none of weight 0, whatever sums are rounded to
        ends = np.cumsum(shares[possible])
        found = np.searchsorted(ends, uniform, side="right")
        return possible[np.minimum(found, len(possible) - 1)]

    def reweighted(self, weights: Sequence[float] | NDArray[np.floating[Any]]) -> Self:
        """The same tasks with other weights, (T,); the name goes, which stands for its own.

        Raises:
            ValueError: Another number of weights, one below 0, or all of them 0.
        """
        array = as_array(weights)
        if array.dtype.kind not in "fiu" or array.shape != (len(self),):
            raise ValueError(
                f"weights: expected {len(self)} numbers, one a task, got {shown(weights)}"
            )
        pairs = zip(self.tasks, array.tolist(), strict=True)
        return replace(self, tasks=tuple(replace(task, weight=w) for task, w in pairs), name=None)

    def split(self, name: str) -> Self:
        """Another split of the same protocol: "train", "validation" or "test".

        Raises:
            ValueError: The tasks are not those of a protocol, or it has no such split.
        """
        if self.name is None:
            raise ValueError(
                f"split: expected tasks of a named protocol, which have splits, got {shown(name)} "
                "of tasks without a name"
            )
        return self.named(split_name(self.name, name))

    def describe(self) -> str:
        """What there is, a line each: share, task."""
        title = self.name or "tasks"
        lines = [
            f"{i:4d}  {share:6.2%}  {task.describe()}"
            for i, (share, task) in enumerate(zip(self.probabilities, self.tasks, strict=True))
        ]
        return "\n".join([f"{title}: {len(self)} tasks", *lines])

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"name": self.name, "tasks": [task.to_dict() for task in self.tasks]}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; the name may be left out.

        Raises:
            ValueError: It is no such dict; says what was expected, and of which task.
        """
        if not isinstance(given, Mapping) or not {"tasks"} <= set(given) <= {"name", "tasks"}:
            raise ValueError(
                f"tasks: expected a dict with tasks, a list, and a name or none, got {shown(given)}"
            )
        return cls(_listed(given["tasks"]), given.get("name"))

    def to_json(self) -> str:
        """As a text that `from_json` reads back."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        return cls.from_dict(json.loads(text))


def make_tasks(given: Any) -> TaskDistribution:
    """The distribution that an argument means.

    Args:
        given: The name of a protocol and a split ("ML-families-v0:train"), a distribution, its
            dict, or a list of tasks or of their dicts.

    Raises:
        ValueError: It is none of these; says what was expected.
    """
    if isinstance(given, TaskDistribution):
        return given
    if isinstance(given, str):
        return TaskDistribution.named(given)
    if isinstance(given, Task):
        return TaskDistribution((given,))
    if isinstance(given, Mapping):
        return TaskDistribution.from_dict(given)
    return TaskDistribution(_listed(given))


def _listed(given: Any) -> tuple[Task, ...]:
    listed = members(given)
    if not listed:
        raise ValueError(
            'tasks: expected a protocol with a split, such as "ML-families-v0:train", or a list of '
            f"at least one task, got {shown(given)}"
        )
    tasks = []
    for number, each in enumerate(listed):
        try:
            tasks.append(each if isinstance(each, Task) else Task.from_dict(each))
        except ValueError as error:
            raise ValueError(f"tasks: task {number}: {error}") from None
    return tuple(tasks)
