"""Suites of the IOHexperimenter: functions in many instances, of which each campaign draws one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import Designs
from ombo_gym.problems.core.base import Instances, Problem, collection_size
from ombo_gym.problems.core.checks import is_list, is_whole, one_of
from ombo_gym.problems.core.simulated import imported, require
from ombo_gym.randomness import BatchedGenerator

INSTANCES = tuple(range(1, 101))
TEST_INSTANCES = INSTANCES[4::5]  # 5, 10, ..., 100
_SPLITS_BY = ("instance", "function")


@lru_cache(maxsize=4096)
def ioh_problem(suite: str, function: int, instance: int, dim: int) -> Any:
    """An instance of a function: built once in each process, as they do not pickle."""
    with imported(f"Ombo/{suite}-v0", "synthetic"):
        import ioh

    return ioh.get_problem(function, instance, dim, ioh.ProblemClass[suite])


class Suite(Problem):
    """One function and one instance of it, drawn for each campaign.

    A subclass names its suite and functions.

    Attributes:
        suite: Name of the suite in ioh.
        sign: 1 where the suite maximises, -1 where it minimises.
        dims: The smallest and the largest `dim`.
        names: Number of each function -> its name.
        test_functions: Those of "test" in a split by function.

    Args:
        dim: Of designs.
        functions: Numbers or names of the functions to draw from.
        instances: Numbers of the instances to draw from; None: those of the split.
        split: "all", "train" or "test".
        split_by: "instance" or "function".

    Raises:
        ValueError: An unknown function, instance or split, or another `dim`.
    """

    domain: ClassVar[str] = "synthetic"
    extra: ClassVar[str | None] = "synthetic"
    splits = ("all", "test", "train")
    optimum_known = True
    optimum_exact = True
    suite: ClassVar[str]
    sign: ClassVar[float] = 1.0
    dims: ClassVar[tuple[int, int]]
    names: ClassVar[Mapping[int, str]]
    test_functions: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        dim: int,
        function: int | str | None,
        functions: Sequence[int | str] | None,
        instances: Sequence[int] | None,
        split: str,
        split_by: str,
    ) -> None:
        lowest, largest = self.dims
        if not is_whole(dim) or not lowest <= dim <= largest:
            raise ValueError(
                f"dim: expected a whole number from {lowest} to {largest}, got {dim!r}"
            )
        require(f"Ombo/{self.suite}-v0", "synthetic", "ioh")
        one_of("split", split, self.splits)
        one_of("split_by", split_by, _SPLITS_BY)
        if function is not None and functions is not None:
            raise ValueError(f"functions: they go without function={function!r}, got {functions!r}")
        if function is not None:
            functions = [function]
        named = {"instance": instances, "function": functions}[split_by]
        if split != "all" and named is not None:
            raise ValueError(
                f"split: with split_by={split_by!r} it goes without {split_by}s of your own, got "
                f"{split!r} with {named!r}"
            )
        self.dim = int(dim)
        self.functions = self._chosen_functions(functions, split if split_by == "function" else "")
        self.instances = _chosen_instances(instances, split if split_by == "instance" else "")

    def _chosen_functions(self, given: Any, split: str) -> tuple[int, ...]:
        if given is None:
            possible = [number for number in self.names if self.default(number)]
            test = set(self.test_functions)
            wanted = {"train": lambda f: f not in test, "test": lambda f: f in test}
            return tuple(filter(wanted.get(split), possible))
        numbers = {name: number for number, name in self.names.items()}
        if not is_list(given):
            raise ValueError(f"functions: expected a list of numbers or names, got {given!r}")
        chosen = []
        for each in given:
            number = numbers.get(each, 0) if isinstance(each, str) else each
            if not is_whole(number) or number not in self.names:
                raise ValueError(
                    f"function: expected a number from 1 to {len(self.names)}, or one of "
                    f"{sorted(numbers)}, got {each!r}"
                )
            self.check(int(number))
            chosen.append(int(number))
        return tuple(chosen)

    def default(self, function: int) -> bool:
        """Whether a function is drawn where none are named."""
        return True

    def check(self, function: int) -> None:
        """Refuses functions that are not there in this dimension."""
        return None

    @abstractmethod
    def optimum_of(self, function: int, instance: int) -> float:
        """The largest value; NaN if it is not known."""

    def ioh(self, function: int, instance: int) -> Any:
        """The objective as ioh has it; it is not the campaign's own, but this process's."""
        return ioh_problem(self.suite, function, instance, self.dim)

    def points(self, designs: Designs) -> NDArray[Any]:
        """What ioh is asked for, (..., *shape)."""
        return designs

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        limits = len(self.functions), len(self.instances)
        drawn = (rngs.random((2,)) * limits).astype(np.intp)  # (R, 2)
        return self._chosen(drawn[:, 0], drawn[:, 1])

    def _chosen(self, function: NDArray[np.intp], instance: NDArray[np.intp]) -> Instances:
        """Which of the functions and which of their instances, (R,) each."""
        return {
            "function": np.array(self.functions)[function],
            "instance": np.array(self.instances)[instance],
        }

    def instance_count(self) -> int | None:
        """The number of functions times that of instances, unless it is 1."""
        return collection_size(len(self.functions) * len(self.instances))

    def instances_numbered(self, numbers: NDArray[np.int64]) -> Instances:
        """All instances of the first function first."""
        return self._chosen(*np.divmod(numbers, len(self.instances)))

    @override
    def instance_numbers(self, instances: Instances) -> NDArray[np.int64]:
        function = list(map(self.functions.index, instances["function"].tolist()))
        instance = list(map(self.instances.index, instances["instance"].tolist()))
        numbers: NDArray[np.int64]
        numbers = np.array(function) * len(self.instances) + np.array(instance)
        return numbers

    @override
    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        values = np.empty(designs.shape[:2])
        numbers = zip(instances["function"].tolist(), instances["instance"].tolist(), strict=True)
        points = self.points(designs).tolist()  # ioh reads lists faster than arrays
        for row, (function, instance) in enumerate(numbers):
            values[row] = self.ioh(function, instance)(points[row])
        return self.sign * values

    @override
    def optimum(self, instances: Instances) -> NDArray[np.float64]:
        numbers = zip(instances["function"].tolist(), instances["instance"].tolist(), strict=True)
        return np.array([self.optimum_of(*each) for each in numbers])


def _chosen_instances(given: Any, split: str) -> tuple[int, ...]:
    if given is None:
        test = set(TEST_INSTANCES)
        wanted = {"train": lambda i: i not in test, "test": lambda i: i in test}
        return tuple(filter(wanted.get(split), INSTANCES))
    if not is_list(given) or not all(is_whole(each) and 1 <= each < 2**31 for each in given):
        raise ValueError(
            f"instances: expected a list of whole numbers of at least 1, got {given!r}"
        )
    return tuple(int(each) for each in given)
