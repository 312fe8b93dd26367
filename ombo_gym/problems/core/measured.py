"""Problems whose every value was measured: finite design spaces behind a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns, Designs
from ombo_gym.problems.core.base import Instances, Problem, collection_size
from ombo_gym.randomness import BatchedGenerator


@dataclass(frozen=True)
class Measurements:
    """T tables over one finite design space.

    Attributes:
        values: (T, size) the true values: means over replicates; NaN where nothing was measured.
        replicates: (total,) single measurements, design by design and table by table; None where
            each was measured once.
        counts: (T, size) how many of them are of each design.
        slices: By percentile, of each table the designs at or below it; kept once they are listed.
    """

    values: NDArray[np.float64]
    replicates: NDArray[np.floating[Any]] | None = None
    counts: NDArray[np.int64] | None = None
    slices: dict[float, list[Designs]] = field(default_factory=dict)

    @cached_property
    def first(self) -> NDArray[np.int64]:
        """(T, size) where the replicates of each design begin."""
        assert self.counts is not None
        first: NDArray[np.int64] = np.cumsum(self.counts).reshape(self.counts.shape) - self.counts
        return first

    def replicates_of(self, table: int, code: int) -> NDArray[np.floating[Any]]:
        """The single measurements of a design, (its count,), where there are replicates."""
        assert self.replicates is not None and self.counts is not None
        first = self.first[table, code]
        return self.replicates[first : first + self.counts[table, code]]

    @cached_property
    def lowest(self) -> float:
        """The lowest true value."""
        return float(np.nanmin(self.values))

    @cached_property
    def highest(self) -> NDArray[np.float64]:
        """The highest true value of each table, (T,)."""
        highest: NDArray[np.float64] = np.nanmax(self.values, axis=1)
        return highest

    @cached_property
    def complete(self) -> bool:
        """Whether every design was measured."""
        return not np.isnan(self.values).any()

    @classmethod
    def of_replicates(cls, replicates: NDArray[np.floating[Any]]) -> Measurements:
        """From (T, size, most) measurements, padded with NaN behind those of each design."""
        there = ~np.isnan(replicates)
        counts = there.sum(axis=-1)
        total = np.nansum(replicates.astype(np.float64), axis=-1)
        values = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
        return cls(values, replicates[there], counts) if counts.max() > 1 else cls(values)


def group_replicates(
    codes: NDArray[np.intp], values: NDArray[np.float64], size: int
) -> Measurements:
    """One table from a list of measurements.

    Args:
        codes: (n,) which design was measured, 0 .. size - 1.
        values: (n,) what came.
        size: Number of designs.
    """
    replicates = values[np.argsort(codes, kind="stable")]  # (n,) design by design
    counts = np.bincount(codes, minlength=size)  # (size,)
    first, most = np.cumsum(counts) - counts, counts.max()
    # In blocks of designs with about as many replicates, so that one with thousands does not pad
    # all others. Sums are of 8 numbers at a time: padded to multiples of 8 they are to the bit what
    # they would be if all were padded to the most.
    widths = np.minimum(-(-counts // 8) * 8, most)
    means = np.full((1, size), np.nan)
    for width in np.unique(widths[widths > 0]):
        block = np.flatnonzero(widths == width)
        within = np.arange(width)
        there = within < counts[block, None]  # (designs, width)
        padded = np.where(there, replicates[np.where(there, first[block, None] + within, 0)], 0.0)
        means[0, block] = padded.sum(axis=1) / counts[block]
    return Measurements(means, replicates, counts[None]) if most > 1 else Measurements(means)


class Measured(Problem):
    """A problem that looks its values up.

    A subclass sets `design_space`, calls `__init__` with the number of tables, one of which each
    campaign draws, and defines `load`. The true value of a design is the mean of its replicates;
    a measurement is one of them, drawn at random. What was never measured is infeasible; its value,
    `floor`, is the lowest of all tables, and so is `reference`. The optimum is known.
    """

    optimum_known = True
    optimum_exact = True
    design_space: CategoricalDesigns | CandidateDesigns

    def __init__(self, tables: int = 1) -> None:
        self._tables = tables
        self._measurements: Measurements | None = None  # on first use

    def load(self) -> Measurements:
        """The tables, in the order of the design space's codes.

        From a cached function, as a rule: a process may hold a thousand environments.
        """
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        """Pickles without the tables, which every process reads for itself."""
        return {**self.__dict__, "_measurements": None}

    @property
    def measurements(self) -> Measurements:
        """The tables, read once."""
        if self._measurements is None:
            self._measurements = self.load()
        return self._measurements

    @property
    def floor(self) -> float:  # type: ignore[override]
        """The lowest true value of all tables."""
        return self.measurements.lowest

    @property
    def reference(self) -> float:  # type: ignore[override]
        """The lowest true value of all tables."""
        return self.measurements.lowest

    @property
    def noisy(self) -> bool:
        """Whether there are replicates, of which a measurement shows one."""
        return self.measurements.replicates is not None

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"table": rngs.below(self._tables)}

    def instance_count(self) -> int | None:
        """The number of tables, where there are several."""
        return collection_size(self._tables)

    @override
    def instances_numbered(self, numbers: NDArray[np.int64]) -> Instances:
        return {"table": numbers}

    @override
    def instance_numbers(self, instances: Instances) -> NDArray[np.int64]:
        return instances["table"]

    def _at(self, instances: Instances, designs: Designs) -> tuple[NDArray[Any], NDArray[Any]]:
        """Where designs stand in the tables: two indices that broadcast to (R, n)."""
        return instances["table"][:, None], self.design_space.encode(designs)

    @override
    def evaluate(self, instances: Instances, designs: Designs) -> NDArray[np.float64]:
        values: NDArray[np.float64] = self.measurements.values[self._at(instances, designs)]
        return values

    @override
    def feasible(self, instances: Instances, designs: Designs) -> NDArray[np.bool_] | None:
        if self.measurements.complete:
            return None
        measured: NDArray[np.bool_] = ~np.isnan(self.evaluate(instances, designs))
        return measured

    @override
    def measure(
        self,
        instances: Instances,
        designs: Designs,
        true_values: NDArray[np.float64],
        rngs: BatchedGenerator,
    ) -> NDArray[np.float64]:
        replicates, counts = self.measurements.replicates, self.measurements.counts
        if replicates is None or counts is None:
            return true_values
        table, code = self._at(instances, designs)
        pick = (rngs.random(true_values.shape[1:]) * counts[table, code]).astype(np.intp)
        place = np.minimum(self.measurements.first[table, code] + pick, len(replicates) - 1)
        measured = replicates[place].astype(np.float64)
        return np.where(counts[table, code] > 0, measured, np.nan)

    @override
    def optimum(self, instances: Instances) -> NDArray[np.float64]:
        return self.measurements.highest[instances["table"]]

    @override
    def visible(self, instances: Instances, percentile: float) -> Sequence[Designs]:
        slices = self._visible(percentile)
        return [slices[table] for table in instances["table"]]

    @override
    def visible_sizes(self, percentile: float) -> tuple[int, int]:
        sizes = [len(designs) for designs in self._visible(percentile)]
        return min(sizes), max(sizes)

    def _visible(self, percentile: float) -> list[Designs]:
        """Of each table the measured designs at or below a percentile of their values."""
        slices, values = self.measurements.slices, self.measurements.values
        if percentile not in slices:
            low = values <= np.nanpercentile(values, percentile, axis=1, keepdims=True)  # no NaN is
            decode = self.design_space.decode
            slices[percentile] = [decode(np.flatnonzero(row)) for row in low]
        return slices[percentile]
