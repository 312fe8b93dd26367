"""Problems whose values a simulator computes, one design after the other."""

from __future__ import annotations

import importlib.util
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import current_process
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import Designs
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.problems.core.checks import is_whole

_MOST_WORKERS = 1024

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
        try:
            found = importlib.util.find_spec(module) is not None
        except (ImportError, ValueError):  # a package that is there in part
            found = False
        if not found:
            raise ImportError(
                f'{problem} needs {module}, which is not installed: pip install "ombo-gym[{extra}]"'
            )


@contextmanager
def imported(problem: str, extra: str | None) -> Iterator[None]:
    """Within it a simulator is imported; says what to do where it is there and cannot be.

    Args:
        problem: Its name, for the message.
        extra: What to install.

    Raises:
        ImportError: Names the extra; its cause is what came.
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"{problem} cannot import its simulator ({error}): "
            f'pip install --force-reinstall "ombo-gym[{extra}]"'
        ) from error


class Simulated(Problem):
    """A problem that calls a simulator for each design.

    A subclass defines `simulator`, a function at the top of a module, and calls `__init__`. What
    that function builds (a model, a compiled library's objects) it keeps for itself, once per
    process (`functools.cache`): a problem pickles without it. It must give a design one value,
    whatever it was called with before.

    Args:
        workers: Processes that designs are simulated in, each on one thread; 1: this one. They
            stay for the next call and end with this process. Daemonic processes, such as those of
            Gymnasium's AsyncVectorEnv, cannot have any and simulate by themselves.

    Raises:
        ValueError: Fewer than one worker, or more than 1,024.
        ImportError: More than one worker, without joblib.
    """

    def __init__(self, workers: int = 1) -> None:
        if not is_whole(workers) or workers < 1:
            raise ValueError(
                f"workers: expected a whole number of at least 1 process, got {workers!r}"
            )
        if workers > _MOST_WORKERS:
            raise ValueError(f"workers: expected at most {_MOST_WORKERS:,}, got {workers:,}")
        if workers > 1:
            require(f"workers={workers}", "evaluation", "joblib")
        self.workers = int(workers)

    @property
    @abstractmethod
    def simulator(self) -> Simulate:
        """Values of designs of one instance, (n, *shape) and `arguments` of it -> (n,)."""

    @abstractmethod
    def arguments(self, instances: Instances, row: int) -> tuple[Any, ...]:
        """What the simulator is told of an instance, beside designs: small things that pickle."""

    @override
    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        num_campaigns, n = designs.shape[:2]
        if n == 0:
            return np.zeros((num_campaigns, 0))
        simulate = self.simulator
        tasks = [(designs[row], *self.arguments(instances, row)) for row in range(num_campaigns)]
        with imported(type(self).__name__, self.extra):
            if self.workers == 1 or num_campaigns * n == 1 or current_process().daemon:
                values = [simulate(*task) for task in tasks]
            else:
                values = self._in_parallel(simulate, tasks)
        return np.asarray(values, np.float64).reshape(num_campaigns, n)

    def _in_parallel(self, simulate: Simulate, tasks: list[tuple[Any, ...]]) -> list[Any]:
        """The same values, in several processes: every task is cut into so many pieces."""
        from joblib import Parallel, delayed

        pieces = [
            (part, *task[1:])
            for task in tasks
            for part in np.array_split(task[0], min(self._cuts(len(tasks)), len(task[0])))
        ]
        # A backend named here counts even where the evaluation has set another for its own tasks.
        parallel = Parallel(
            n_jobs=self.workers, inner_max_num_threads=1, backend="loky", max_nbytes=None
        )
        with warnings.catch_warnings():
            # loky replaces workers whose memory has grown or that were idle; no task is lost.
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
            found = parallel(delayed(simulate)(*piece) for piece in pieces)
        return [value for values in found for value in values]

    def _cuts(self, tasks: int) -> int:
        """Pieces that a task is cut into: some for every worker."""
        return max(1, 4 * self.workers // tasks)
