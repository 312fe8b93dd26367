"""Pools of given candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces.duplicates import Designs
from ombo_gym.design_spaces.finite import FiniteDesigns, smallest_signed
from ombo_gym.design_spaces.local_optima import around_peaks_of_pools, nearest_others
from ombo_gym.design_spaces.relaxations import PoolFeatures, Relaxation
from ombo_gym.randomness import BatchedGenerator

_FAR = 1e3  # how far features of a pool may be from 0, beside how far apart they are


class CandidateDesigns(FiniteDesigns):
    """A pool of n given candidates; a design is an index, (1,) int64.

    Args:
        pool_features: (n, k) finite features of the candidates, on scales that can be compared
            and, beside how far apart they are, not far from 0.
        names: What each candidate is called in print; None: its index.

    Raises:
        ValueError: The features are none of that.
    """

    kind: ClassVar[str] = "pool"
    kernel: ClassVar[str] = "rbf"
    pool_features: NDArray[np.float64]

    def __init__(
        self, pool_features: NDArray[np.float64], *, names: Sequence[str] | None = None
    ) -> None:
        self.pool_features = _checked_features(pool_features)
        self.names = names
        self.shape = (1,)
        self.dtype = np.dtype(np.int64)
        self.size = len(self.pool_features)
        self._nearest: dict[int, NDArray[np.intp]] = {}  # worked out when they are asked for

    def __getstate__(self) -> dict[str, Any]:
        """Pickles without what can be worked out again."""
        return {**self.__dict__, "_nearest": {}}

    def __repr__(self) -> str:
        return f"CandidateDesigns({self.size} candidates, {self.pool_features.shape[1]} features)"

    @override
    def arguments(self) -> dict[str, Any]:
        found: dict[str, Any] = {"pool_features": self.pool_features.tolist()}
        if self.names is not None:
            found["names"] = list(self.names)
        return found

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CandidateDesigns)
            and np.array_equal(self.pool_features, other.pool_features)
            and (self.names if self.names is None else list(self.names))
            == (other.names if other.names is None else list(other.names))
        )

    def __hash__(self) -> int:
        return super().__hash__()

    @property
    @override
    def summary(self) -> str:
        return f"{self.size:,} candidates"

    @property
    @override
    def typical_distance(self) -> float:
        return float(np.sqrt(1 / 2))

    @override
    def action_space(self, batch_size: int) -> spaces.MultiDiscrete:
        return spaces.MultiDiscrete(np.full(batch_size, self.size))

    def observation_space(self, capacity: int) -> spaces.Box:
        """In the smallest signed integers that hold every index."""
        return spaces.Box(0, self.size - 1, (capacity, 1), smallest_signed(self.size - 1).type)

    @override
    def sample(self, rngs: BatchedGenerator, count: int) -> Designs:
        size = len(self.pool_features)
        return rngs.draw(lambda rng: rng.integers(size, size=(count, 1)))

    def mutate(
        self, parents: Designs, rngs: BatchedGenerator, *, mutations: float, step: float
    ) -> Designs:
        """Uniform candidates: a pool has no neighbours in reach."""
        return self.sample(rngs, parents.shape[1])

    @override
    def around_peaks(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        rngs: BatchedGenerator,
        *,
        leaders: int,
        count: int,
        neighbours: int,
    ) -> tuple[Designs, NDArray[np.bool_]]:
        if neighbours not in self._nearest:
            self._nearest[neighbours] = nearest_others(self.pool_features, neighbours)
        return around_peaks_of_pools(
            self._nearest[neighbours], designs, values, leaders=leaders, count=count
        )

    @override
    def features(self, designs: Designs) -> NDArray[np.float64]:
        features: NDArray[np.float64] = self.pool_features[np.asarray(designs)[..., 0]]
        return features

    @override
    def effects(self, designs: Designs) -> NDArray[np.float64]:
        pool = self.pool_features
        spread = pool.std(axis=0)
        scaled = (pool - pool.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        found: NDArray[np.float64] = scaled[designs[..., 0]]
        return found

    @override
    def relaxation(self, *, softened: bool = True) -> Relaxation:
        return PoolFeatures(self.pool_features)

    def text(self, design: NDArray[np.integer[Any]]) -> str:
        """What the candidate is called."""
        index = int(design[0])
        return str(index) if self.names is None else self.names[index]

    def units(self, designs: Designs) -> Any:
        """Indices: a whole number for one design, (n,) for many."""
        indices = np.array(designs)[..., 0]
        return indices.item() if indices.ndim == 0 else indices

    def describe(self, design: NDArray[Any]) -> Any:
        """What the candidate is called."""
        return self.units(design) if self.names is None else self.text(design)

    def parse(self, given: Any) -> Designs:
        """The candidate of a name, or an index."""
        if isinstance(given, str) and self.names is not None and given in self.names:
            return np.array([list(self.names).index(given)], self.dtype)
        return super().parse(given)

    def grid(self, side: int) -> Designs:
        """All candidates."""
        return self.decode(np.arange(self.size))

    @override
    def decode(self, codes: NDArray[np.integer[Any]]) -> Designs:
        return np.asarray(codes, np.int64)[..., None]

    def encode(self, designs: Designs) -> NDArray[np.int64]:
        """Indices in the pool, (..., 1) -> (...,)."""
        return np.asarray(designs, np.int64)[..., 0]


def _checked_features(features: Any) -> NDArray[np.float64]:
    found = np.asarray(features, np.float64)
    if found.ndim != 2 or len(found) == 0:
        raise ValueError(f"pool_features: expected (n, k) numbers, got an array {found.shape}")
    if not np.isfinite(found).all():
        row, column = np.argwhere(~np.isfinite(found))[0]
        raise ValueError(
            f"pool_features: expected finite numbers, got {found[row, column]} for feature "
            f"{column} of candidate {row}"
        )
    low, high = found.min(axis=0, initial=np.inf), found.max(axis=0, initial=-np.inf)
    far = np.maximum(abs(low), abs(high)) > _FAR * max(1.0, (high - low).max(initial=0.0))
    if far.any():
        column = int(far.argmax())
        raise ValueError(
            "pool_features: expected features that are not far from 0 beside how far apart they "
            "are, since squared distances lose their digits there, got feature "
            f"{column} from {low[column]:.9g} to {high[column]:.9g}; subtract its mean"
        )
    return found
