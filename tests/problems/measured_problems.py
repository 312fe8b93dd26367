"""What the tests of measured problems have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.problems.core.measured import Measured
from ombo_gym.randomness import KeyedGenerator, Stream


def of_table(table: int = 0, num_campaigns: int = 1) -> dict[str, NDArray[np.int64]]:
    """Instances that are all of one table."""
    return {"table": np.full(num_campaigns, table)}


def true_value(problem: Measured, design: list[int], table: int = 0) -> float:
    """The value of one design."""
    return float(problem.evaluate(of_table(table), np.array([[design]]))[0, 0])


def measurements(problem: Measured, design: list[int], count: int, table: int = 0) -> list[float]:
    """What `count` campaigns measure of one design."""
    designs = np.tile(design, (count, 1, 1))
    instances = of_table(table, count)
    noise = KeyedGenerator(np.arange(count, dtype=np.uint64), Stream.NOISE, 1)
    values = problem.evaluate(instances, designs)
    return problem.measure(instances, designs, values, noise)[:, 0].tolist()


def all_values(problem: Measured, table: int = 0) -> NDArray[np.float64]:
    """Values of all designs by code, NaN where nothing was measured, (size,)."""
    designs = problem.design_space.decode(np.arange(problem.design_space.size))
    return problem.evaluate(of_table(table), designs[None])[0]
