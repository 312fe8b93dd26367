"""Lists of candidates: names, with numbers that describe each."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.campaigns.space.factors import Columns, Factor, Floats, Outside
from ombo_gym.arguments import shown

_TOLD_APART = 16  # descriptors up to which each has a lengthscale of its own


@dataclass(frozen=True)
class CandidateFactor(Factor):
    """Names of a list, with numbers that describe each.

    Attributes:
        name: Of the column that holds the names.
        names: Of the candidates.
        table: (n, k) numbers that describe them.
        descriptors: What these are called.
        scale: As `CandidateDesigns` takes it, or None.
    """

    category = True

    name: str
    names: tuple[str, ...]
    table: Floats
    descriptors: tuple[str, ...]
    scale: str | tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        """The one column."""
        return (self.name,)

    @property
    def count(self) -> int:  # type: ignore[override]
        """Candidates."""
        return len(self.names)

    @property
    def cube(self) -> int:  # type: ignore[override]
        """One."""
        return 1

    @property
    @override
    def values(self) -> Mapping[str, Sequence[Any] | None]:
        return {self.name: self.names}

    @cached_property
    def index(self) -> dict[str, int]:
        """Of each candidate."""
        return {name: i for i, name in enumerate(self.names)}

    @override
    def read(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        name = str(cells[self.name])
        if name not in self.index:
            near = difflib.get_close_matches(name, self.names, n=1) if self.count < 5000 else []
            raise Outside(
                f"{self.name!r} is {shown(name)}, none of the {self.count:,} candidates"
                + (f" (did you mean {near[0]!r}?)" if near else "")
            )
        return {self.name: name}

    @override
    def listed(self) -> Columns:
        return {self.name: np.array(self.names, object)}

    @override
    def drawn(self, points: Floats) -> Columns:
        place = np.minimum((points[:, 0] * self.count).astype(np.intp), self.count - 1)
        return {self.name: self.listed()[self.name][place]}

    @override
    def moved(self, columns: Columns, rng: np.random.Generator, step: float) -> Columns:
        column = columns[self.name]
        other = self.listed()[self.name][rng.integers(self.count, size=len(column))]
        return {self.name: np.where(rng.random(len(column)) < max(step, 0.1), other, column)}

    @override
    def features(self, columns: Mapping[str, NDArray[Any]]) -> Floats:
        rows = [self.index[name] for name in columns[self.name].tolist()]
        found: Floats = self._scaled[rows]
        return found

    @override
    def groups(self, width: int) -> NDArray[np.intp]:
        return np.arange(width) if width <= _TOLD_APART else np.zeros(width, np.intp)

    @cached_property
    def _scaled(self) -> Floats:
        """Descriptors on one scale, with a mean squared distance of 1, as choices have."""
        from ombo_gym.design_spaces import CandidateDesigns

        seen = CandidateDesigns(self.table, scale=self.scale or "linear").pool_features
        found: Floats = seen * math.sqrt(1.5)
        return found
