"""What design spaces with a number of designs share."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces.base import DesignSpace
from ombo_gym.design_spaces.duplicates import Designs, among, repeated
from ombo_gym.randomness import BatchedGenerator, GeneratorBatch

LISTED = 2**20  # the largest finite space whose designs are ever listed
WHOLE = 1024  # finite spaces up to this size are looked at whole
LOOKED_AT = 100_000  # candidates of a pool that policies look at, in pieces, at most
_LOOKED_AT_OF_LISTS = 2**14  # likewise of other spaces, where mutants of the best are looked at
RANDOM = 128  # uniform candidates of a larger finite space
MUTANTS = 384  # candidates that are mutants of the best designs, where designs have neighbours
PARENTS = 8
MUTATIONS = 1.5  # expected mutations per mutant, the one that is certain included

_CHUNK_ENTRIES = 2**24  # of a table of designs
_LISTED_FEATURES = 2**27  # numbers of features of all designs that are listed, 1 GiB
_SPREAD = 4096  # designs that evenly spread ones are chosen from
_GOLDEN = 0.6180339887498949  # of a list, how far apart neighbours are in strides through it


class FiniteDesigns(DesignSpace):
    """A design space whose designs are numbered from 0 to size - 1."""

    size: int

    @abstractmethod
    def decode(self, codes: NDArray[np.integer[Any]]) -> Designs:
        """Designs from their numbers 0 .. size - 1, (...,) -> (..., *shape)."""

    @abstractmethod
    def encode(self, designs: Designs) -> NDArray[np.int64]:
        """The inverse of `decode`, (..., *shape) -> (...,)."""

    @property
    def listable(self) -> bool:
        """Whether there are so few designs that all of them can be listed."""
        return self.size <= LISTED

    @property
    def looks_at_everything(self) -> bool:
        """Whether `candidates` are all designs, so that none are drawn."""
        return self.size <= WHOLE

    @override
    def shared_candidates(self, turn: int) -> NDArray[np.int64] | None:
        if not WHOLE < self.size <= _LOOKED_AT_OF_LISTS:
            return None
        width = self.features(self.decode(np.zeros(1, np.int64))).shape[-1]
        return in_strides(self.size) if self.size * width <= _LISTED_FEATURES else None

    def sample_distinct(self, rngs: BatchedGenerator, count: int) -> Designs:
        """Uniform designs without replacement, (R, count, *shape).

        Raises:
            ValueError: More designs asked for than there are.
        """
        size = self.size
        if count > size:
            raise ValueError(f"expected at most {size} distinct designs, got {count}")
        if self.listable:
            codes = rngs.draw(lambda rng: rng.choice(size, count, replace=False))
            return self.decode(codes)
        return rngs.draw(lambda rng: self._sample_until_distinct(GeneratorBatch([rng], 1), count))

    def _sample_until_distinct(self, rngs: BatchedGenerator, count: int) -> Designs:
        """One row of distinct designs, (count, *shape): repeats are drawn again."""
        designs = self.sample(rngs, count)
        while (again := repeated(designs)).any():
            designs[again] = self.sample(rngs, count)[again]
        row: Designs = designs[0]
        return row

    @override
    def candidates(
        self, designs: Designs, values: NDArray[np.float64], extra: int, rngs: BatchedGenerator
    ) -> Designs:
        if self.looks_at_everything:
            everything = self.decode(np.arange(self.size))
            return np.broadcast_to(everything, (len(values), *everything.shape))
        return self._drawn_candidates(designs, values, extra, rngs)

    def _drawn_candidates(
        self, designs: Designs, values: NDArray[np.float64], extra: int, rngs: BatchedGenerator
    ) -> Designs:
        """Candidates of a space that is not looked at whole: uniform, where nothing is near."""
        return self.sample(rngs, RANDOM + MUTANTS + extra)

    def spread(self, rngs: BatchedGenerator, count: int) -> Designs:
        """Each design as far as can be from those before it, in features; the first is uniform.

        Of spaces with more than 4,096 designs, so many uniform ones are chosen from.
        """
        if count > self.size:
            raise ValueError(f"expected at most {self.size} distinct designs, got {count}")
        if count > _SPREAD:  # nobody sees gaps among so many
            return self.sample_distinct(rngs, count)
        pool = self.sample_distinct(rngs, min(self.size, _SPREAD))  # (R, m, *shape), shuffled
        features, index = self.features(pool), np.arange(len(rngs))
        chosen = np.zeros((len(index), count), np.intp)  # (R, count)
        nearest = np.full(pool.shape[:2], np.inf)  # (R, m) squared distance to the chosen ones
        for slot in range(1, count):
            latest = features[index, chosen[:, slot - 1]][:, None]
            nearest = np.minimum(nearest, ((features - latest) ** 2).sum(axis=-1))
            nearest[index, chosen[:, slot - 1]] = -np.inf
            chosen[:, slot] = nearest.argmax(axis=1)
        spread: Designs = pool[index[:, None], chosen]
        return spread

    def among(
        self, designs: Designs, listed: Designs, in_use: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """As `DesignSpace.among`; many are looked up in a table of all designs."""
        if self.listable and designs.shape[1] * listed.shape[1] > self.size:
            return self._among_many(designs, listed, in_use)
        return among(designs, listed, in_use)

    def _among_many(
        self, designs: Designs, listed: Designs, in_use: NDArray[np.bool_] | None
    ) -> NDArray[np.bool_]:
        """As `among`, by a table of all designs instead of comparing every two."""
        found = np.empty(designs.shape[:2], bool)
        chunk = max(1, _CHUNK_ENTRIES // self.size)
        for first in range(0, len(found), chunk):
            part = slice(first, first + chunk)
            used = None if in_use is None else in_use[part]
            found[part] = np.take_along_axis(
                self.marked(listed[part], used), self.encode(designs[part]), axis=1
            )
        return found

    def marked(self, listed: Designs, in_use: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Of all designs, by number, which are in a list, (R, n, *shape) -> (R, size).

        Args:
            listed: Designs of a listable space.
            in_use: (R, n) which entries of the list count; None: all.
        """
        marks = np.zeros((len(listed), self.size + 1), bool)
        codes = self.encode(listed)
        codes = codes if in_use is None else np.where(in_use, codes, self.size)
        np.put_along_axis(marks, codes, True, axis=1)
        return marks[:, : self.size]


def in_strides(size: int, begin: int = 0, count: int | None = None) -> NDArray[np.int64]:
    """Numbers below `size`, each once, any stretch of them spread evenly, (count,).

    What is worth the same is taken in order. In the order of a table, it would be taken from one
    end, whose rows have much in common.

    Args:
        size: Of a list.
        begin: Where in the strides to begin.
        count: How many, at most `size`; None: all.
    """
    stride = max(round(_GOLDEN * size), 1)
    while math.gcd(stride, size) > 1:
        stride += 1
    places = (begin + np.arange(size if count is None else count)) % size
    numbers: NDArray[np.int64] = places * stride % size
    return numbers


def smallest_signed(largest: int) -> np.dtype[Any]:
    """The smallest signed integers that hold 0 .. largest."""
    for kind in (np.int8, np.int16, np.int32):
        if largest <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype(np.int64)
