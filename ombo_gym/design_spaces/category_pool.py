"""Pools of candidates that are rows of categories, such as all sequences that were measured."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces.candidates import CandidateDesigns
from ombo_gym.design_spaces.category_features import MOST_CATEGORIES
from ombo_gym.design_spaces.duplicates import Designs
from ombo_gym.design_spaces.finite import LOOKED_AT, WHOLE, in_strides, smallest_signed
from ombo_gym.design_spaces.local_optima import around_peaks_of_pools
from ombo_gym.randomness import BatchedGenerator, GeneratorBatch

Floats = NDArray[np.float64]

_MOST_BYTES = 2**30  # of the features of all candidates together
_LISTED_FEATURES = 2**25  # numbers of features that policies look at together, 256 MiB
_SMALL = 2**24  # numbers of features of a pool whose neighbours are found by their features
_MEAN_SQUARED = 2 / 3  # distance of two candidates, as of every other pool
_GROUPS = 64  # positions up to which each has a lengthscale of its own


class CategoryPool(CandidateDesigns):
    """A pool of n given rows of categories; a design is an index, (1,) int64.

    Surrogates see the categories that occur one-hot. The squared distance of two candidates is the
    number of positions in which they differ, times one factor that makes it 2 / 3 on average, as in
    every pool. Features are worked out where they are looked at and not for the whole pool, unless
    a policy asks for all of them.

    Args:
        categories: (n, L) whole numbers from 0.

    Attributes:
        categories: (n, L) in the smallest integers that hold them.

    Raises:
        ValueError: They are none of that, or there are more than 65,536 of all positions together.

    Example:
        >>> pool = CategoryPool(np.array([[0, 1, 1], [0, 0, 2], [0, 1, 0]]))
        >>> pool.size, pool.features(np.array([0])).shape
        (3, (5,))
    """

    kind: ClassVar[str] = "category_pool"

    def __init__(self, categories: NDArray[np.integer[Any]]) -> None:
        given = np.asarray(categories)
        if given.ndim != 2 or 0 in given.shape or given.dtype.kind not in "iu" or given.min() < 0:
            raise ValueError(
                "categories: expected (n, L) whole numbers from 0, got an array "
                f"{given.shape} of {given.dtype}"
            )
        self.categories = given.astype(smallest_signed(int(given.max())))  # (n, L)
        self.size = len(given)
        self.shape = (1,)
        self.dtype = np.dtype(np.int64)
        self.names = None
        self.scale = "none"
        self._nearest = {}  # as of every pool, worked out when they are asked for
        counts = [np.bincount(column) for column in self.categories.T]  # of each position
        varying = [i for i, each in enumerate(counts) if np.count_nonzero(each) > 1] or [0]
        kept = [np.flatnonzero(counts[i]) for i in varying]
        self._positions = np.array(varying, np.intp)  # (P,) that change within the pool
        widths = np.array([len(each) for each in kept])  # (P,)
        self._groups = np.repeat(np.arange(len(varying)), widths)  # (k,)
        self.width = len(self._groups)  # k
        if self.width > MOST_CATEGORIES:
            raise ValueError(
                f"categories: expected at most {MOST_CATEGORIES:,} in all positions together, each "
                f"of which a surrogate sees as a number, got {self.width:,}"
            )
        shares = [counts[i][each] / self.size for i, each in zip(varying, kept, strict=True)]
        self._shares = np.concatenate(shares)  # (k,) of the pool, that have the category
        differing = float((1 - np.array([(each**2).sum() for each in shares])).sum())
        # Squared distances are twice the square of what stands at a category, a position.
        self._hot = float(np.sqrt(_MEAN_SQUARED / (2 * differing))) if differing > 0 else 0.0
        self._firsts = np.cumsum(widths) - widths  # (P,) where a position's columns begin
        self._tables = [_column_numbers(each) for each in kept]

    @override
    def __getstate__(self) -> dict[str, Any]:
        """Pickles without what can be worked out again."""
        state = super().__getstate__()
        state.pop("pool_features", None)
        return state

    def __repr__(self) -> str:
        return f"CategoryPool({self.size} candidates, {self.categories.shape[1]} positions)"

    @override
    def arguments(self) -> dict[str, Any]:
        return {"categories": self.categories.tolist()}

    @classmethod
    @override
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        return cls(np.asarray(arguments["categories"]))

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, CategoryPool) and np.array_equal(self.categories, other.categories)

    @override
    def __hash__(self) -> int:
        return hash((self.kind, self.shape, self.size))

    @cached_property
    def pool_features(self) -> Floats:  # type: ignore[override]
        """Features of all candidates, (n, k).

        Raises:
            ValueError: They would take more than 1 GiB.
        """
        if (needed := 8 * self.size * self.width) > _MOST_BYTES:
            raise ValueError(
                f"design_space: expected features of all candidates of at most "
                f"{_MOST_BYTES / 2**20:,.0f} MiB, got {self.size:,} with {self.width:,} each "
                f"({needed / 2**20:,.0f} MiB); take a policy that does not look at the whole pool "
                "at once, such as random or ucb, or leave rows out"
            )
        return self._one_hot(self.categories)

    @property
    def given_features(self) -> Floats:  # type: ignore[override]
        """As `pool_features`: they have no other units."""
        return self.pool_features

    @property
    @override
    def feature_groups(self) -> NDArray[np.intp]:
        """Which position each feature belongs to, where there are no more than 64."""
        groups = self._groups if len(self._positions) <= _GROUPS else np.zeros_like(self._groups)
        return groups.astype(np.intp)

    @override
    def features(self, designs: Designs) -> Floats:
        return self._one_hot(self.categories[np.asarray(designs)[..., 0]])

    def _one_hot(self, rows: NDArray[np.integer[Any]]) -> Floats:
        """Rows of categories as a surrogate sees them, (..., L) -> (..., k)."""
        found = np.zeros((*rows.shape[:-1], self.width))
        firsts: list[int] = self._firsts.tolist()
        for position, first, column in zip(self._positions, firsts, self._tables, strict=True):
            where = first + column[rows[..., position]]
            np.put_along_axis(found, where[..., None], self._hot, axis=-1)
        return found

    @override
    def effects(self, designs: Designs) -> Floats:
        spread = np.sqrt(self._shares * (1 - self._shares))  # (k,)
        scaled = (self.features(designs) > 0) - self._shares
        scaled /= np.where(spread > 0, spread, 1.0)
        return scaled

    @override
    def spread(self, rngs: BatchedGenerator, count: int) -> Designs:
        base = super().spread

        def one(rng: np.random.Generator) -> Designs:  # features of all campaigns may be many
            row: Designs = base(GeneratorBatch([rng], 1), count)[0]
            return row

        return rngs.draw(one)

    @override
    def shared_candidates(self, turn: int) -> NDArray[np.int64] | None:
        count = min(self.size, LOOKED_AT, max(_LISTED_FEATURES // self.width, WHOLE))
        if self.size <= WHOLE:
            return None
        return in_strides(self.size, 0 if count == self.size else turn * count, count)

    @override
    def around_peaks(
        self,
        designs: Designs,
        values: Floats,
        rngs: BatchedGenerator,
        *,
        leaders: int,
        count: int,
        neighbours: int,
    ) -> tuple[Designs, NDArray[np.bool_]]:
        if self.size * self.width <= _SMALL:
            return super().around_peaks(
                designs, values, rngs, leaders=leaders, count=count, neighbours=neighbours
            )
        return around_peaks_of_pools(
            lambda some: self._nearest_others(some, neighbours),
            self.size,
            designs,
            values,
            leaders=leaders,
            count=count,
        )

    def _nearest_others(self, some: NDArray[np.intp], count: int) -> NDArray[np.intp]:
        """Of some candidates those that differ in the fewest positions, (R, K) -> (R, K, count)."""
        each, where = np.unique(some, return_inverse=True)
        count = min(count, self.size - 1)
        found = np.empty((len(each), count), np.intp)
        for number, candidate in enumerate(each.tolist()):
            differing = (self.categories != self.categories[candidate]).sum(axis=1)  # (n,)
            differing[candidate] = self.categories.shape[1] + 1
            found[number] = np.argsort(differing, kind="stable")[:count]
        return found[where.reshape(some.shape)]


def _column_numbers(kept: NDArray[np.intp]) -> NDArray[np.intp]:
    """Which column stands for each category, of those that occur, ascending."""
    numbers = np.zeros(int(kept[-1]) + 1, np.intp)
    numbers[kept] = np.arange(len(kept))
    return numbers
