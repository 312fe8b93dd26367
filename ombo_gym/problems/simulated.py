"""Problems whose values a simulator computes, one design after the other."""

from __future__ import annotations

import importlib.util
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs
from ombo_gym.problems.base import Instances, Problem
from ombo_gym.problems.checks import is_whole

Simulate = Callable[..., NDArray[np.float64]]


def require(problem: str, extra: str, *modules: str) -> None:
    """Refuses to build a problem whose simulator is not installed.

    Args:
        problem: Its name, for the message.
        extra: What to install.
        *modules: What must be there to import.

    Raises:
        ImportError: Names the module and the extra.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise ImportError(
                f'{problem} needs {module}, which is not installed: pip install "ombo-gym[{extra}]"'
            )


class Simulated(Problem):
    """A problem that calls a simulator for each design.

    A subclass defines `simulator`, a function at the top of a module, and calls `__init__`. The
    simulator itself is built by that function, once per process, and never pickled.

    Args:
        workers: Processes that rows are simulated in; 1: this one. They stay for the next call,
            each on one thread.

    Raises:
        ValueError: Fewer than one worker.
    """

    def __init__(self, workers: int = 1) -> None:
        if not is_whole(workers) or workers < 1:
            raise ValueError(f"workers: expected at least 1 process, got {workers!r}")
        self.workers = int(workers)

    @property
    @abstractmethod
    def simulator(self) -> Simulate:
        """Values of designs of one instance, (n, *shape) and `arguments` of it -> (n,)."""

    @abstractmethod
    def arguments(self, instances: Instances, row: int) -> tuple[Any, ...]:
        """What the simulator is told of an instance, beside designs: small things that pickle."""

    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:  # noqa: D102
        rows, n = designs.shape[:2]
        simulate = self.simulator
        tasks = [(designs[row], *self.arguments(instances, row)) for row in range(rows)]
        if self.workers == 1 or rows * n == 1:
            values = [simulate(*task) for task in tasks]
        else:
            values = self._in_parallel(simulate, tasks)
        return np.asarray(values, np.float64).reshape(rows, n)

    def _in_parallel(self, simulate: Simulate, tasks: list[tuple[Any, ...]]) -> list[Any]:
        """The same values, in several processes: every task is cut into so many pieces."""
        from joblib import Parallel, delayed

        pieces = [
            (part, *task[1:])
            for task in tasks
            for part in np.array_split(task[0], min(self._cuts(len(tasks)), len(task[0])))
        ]
        parallel = Parallel(n_jobs=self.workers, inner_max_num_threads=1, backend="loky")
        return [
            value for values in parallel(delayed(simulate)(*p) for p in pieces) for value in values
        ]

    def _cuts(self, tasks: int) -> int:
        """Pieces that a task is cut into: some for every worker."""
        return max(1, 4 * self.workers // tasks)
