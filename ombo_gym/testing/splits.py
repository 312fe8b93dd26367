"""Finds instances that two splits of a problem share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs
from ombo_gym.problems.core.base import Instances, Problem
from ombo_gym.randomness import KeyedGenerator, Stream

COMPARED = 200  # instances of each split
SIMULATED = 20  # of each, where nothing but their values tells them apart
DESIGNS = 12  # at which instances are compared


def shared_instance(train: Problem, test: Problem) -> tuple[int, int] | None:
    """One that is in both splits: the same arrays but for numbers, the same values of designs.

    Numbers count within a split, so that they say nothing. Of many instances some are looked at,
    evenly spaced, and of those that are no collection some are drawn.

    Args:
        train: The problem with one of its splits.
        test: The same problem with the other.

    Returns:
        Which of those of `train` that were looked at, and which of `test`: their numbers where they
        have some. None: none was found.
    """
    found = [_instances(problem, COMPARED) for problem in (train, test)]
    if not all(_telling(problem, each) for problem, each in zip((train, test), found, strict=True)):
        found = [_instances(problem, SIMULATED) for problem in (train, test)]
    rng = KeyedGenerator(np.zeros(1, np.uint64), Stream.START)
    designs = train.design_space.sample(rng, DESIGNS)  # (1, DESIGNS, *shape)
    prints = [_arrays(problem, each) for problem, each in zip((train, test), found, strict=True)]
    common = set(prints[0]) & set(prints[1])
    seen: dict[tuple[bytes, bytes], int] = {}
    for split, (problem, each) in enumerate(zip((train, test), found, strict=True)):
        rows = np.array([i for i, mark in enumerate(prints[split]) if mark in common], np.intp)
        if not len(rows):
            return None
        values = _values(problem, {name: array[rows] for name, array in each.items()}, designs)
        numbers = _numbers(problem, each)
        for row, value in zip(rows.tolist(), values, strict=True):
            mark = prints[split][row]
            if not mark and (value == value[0]).all():  # nothing tells this instance from others
                continue
            key, number = (mark, value.tobytes()), row if numbers is None else int(numbers[row])
            if split == 0:
                seen.setdefault(key, number)
            elif key in seen:
                return seen[key], number
    return None


def _instances(problem: Problem, most: int) -> Instances:
    count = problem.instance_count()
    if count is None:
        return problem.draw(KeyedGenerator(np.arange(most, dtype=np.uint64), Stream.INSTANCE))
    looked_at = min(count, most)
    return problem.instances_numbered(np.arange(looked_at) * (count // looked_at))


def _numbers(problem: Problem, instances: Instances) -> NDArray[np.int64] | None:
    """(n,) of instances, where they have some."""
    return None if problem.instance_count() is None else problem.instance_numbers(instances)


def _telling(problem: Problem, instances: Instances) -> dict[str, NDArray[Any]]:
    """The arrays of instances that are not their numbers."""
    numbers = _numbers(problem, instances)
    return {
        name: array
        for name, array in instances.items()
        if numbers is None or array.shape != numbers.shape or not np.array_equal(array, numbers)
    }


def _arrays(problem: Problem, instances: Instances) -> list[bytes]:
    """Each instance by the content of its arrays."""
    telling = [array for _, array in sorted(_telling(problem, instances).items())]
    count = len(next(iter(instances.values())))
    return [
        b"".join(np.ascontiguousarray(array[i]).tobytes() for array in telling)
        for i in range(count)
    ]


def _values(problem: Problem, instances: Instances, designs: Designs) -> NDArray[np.float64]:
    """True values of the same designs in n instances, (n, DESIGNS)."""
    count = len(next(iter(instances.values())))
    return problem.true_values(instances, np.repeat(designs, count, axis=0))[0]
