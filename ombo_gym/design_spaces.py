"""What can be designed: boxes, categories (sequences too) and pools of candidates.

A design space knows the gym spaces of a campaign over it, how an action becomes q designs and back,
how to draw designs uniformly, and which features a surrogate sees. It holds no state.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ombo_gym.randomness import GeneratorRows, RowDraws

Designs = NDArray[Any]  # (..., *shape) of the space's dtype

_LISTED = 2**20  # the largest finite space whose designs are ever listed
_TABLE = 2**24  # entries of a table of designs
_MANY = 32  # designs of a batch that are told apart by sorting
_SHORT = 3  # characters of a label that has room in a picture's cell
_FAR = 1e3  # how far features of a pool may be from 0, beside how far apart they are


class DesignSpace(ABC):
    """A set of designs.

    Attributes:
        shape: Shape of one design.
        dtype: Type of its entries.
        size: Number of designs, None where there is no end of them.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    size: int | None

    @abstractmethod
    def action_space(self, batch_size: int) -> spaces.Space[Any]:
        """The action space of a batch of `batch_size` designs."""

    @abstractmethod
    def observation_space(self, capacity: int) -> spaces.Box:
        """The space of `capacity` zero-padded designs, (capacity, *shape)."""

    @abstractmethod
    def sample(self, draws: RowDraws, count: int) -> Designs:
        """Uniform designs, with replacement, (R, count, *shape)."""

    @abstractmethod
    def features(self, designs: Designs) -> NDArray[np.float64]:
        """What a surrogate sees, (..., k); squared Euclidean distance measures difference."""

    def designs(self, actions: NDArray[Any]) -> Designs:
        """Batches of designs from actions, (R, ...) -> (R, q, *shape)."""
        return actions.reshape(len(actions), -1, *self.shape)

    def actions(self, designs: Designs) -> NDArray[Any]:
        """Actions from batches of designs, (R, q, *shape) -> (R, ...), the inverse of `designs`."""
        return designs.astype(self.dtype).reshape(len(designs), -1)

    def sample_distinct(self, draws: RowDraws, count: int) -> Designs:
        """Uniform designs without replacement (where designs can be counted), (R, count, *shape).

        Raises:
            ValueError: More designs asked for than there are.
        """
        if self.size is None:
            return self.sample(draws, count)
        if count > self.size:
            raise ValueError(f"expected at most {self.size} distinct designs, got {count}")
        size = self.size
        if self.listable:
            codes = draws.draw(lambda rng: rng.choice(size, count, replace=False))
            return self.decode(codes)
        return draws.draw(lambda rng: self._sample_until_distinct(GeneratorRows([rng], 1), count))

    def _sample_until_distinct(self, draws: RowDraws, count: int) -> Designs:
        """One row of distinct designs, (count, *shape): repeats are drawn again."""
        designs = self.sample(draws, count)
        while (again := repeated(designs)).any():
            designs[again] = self.sample(draws, count)[again]
        row: Designs = designs[0]
        return row

    @property
    def listable(self) -> bool:
        """Whether there are so few designs that all of them can be listed."""
        return self.size is not None and self.size <= _LISTED

    def decode(self, codes: NDArray[np.integer[Any]]) -> Designs:
        """Designs from their numbers 0 .. size - 1, (...,) -> (..., *shape); finite spaces only."""
        raise TypeError(f"{self!r} has no finite list of designs")

    def encode(self, designs: Designs) -> NDArray[np.int64]:
        """The inverse of `decode`, (..., *shape) -> (...,)."""
        raise TypeError(f"{self!r} has no finite list of designs")

    def among(
        self, designs: Designs, listed: Designs, in_use: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """Which designs are in a list, (R, m, *shape) and (R, n, *shape) -> (R, m).

        Args:
            designs: To look for.
            listed: Where to look.
            in_use: (R, n) which entries of the list count; None: all.
        """
        if (
            self.listable
            and self.size is not None
            and designs.shape[1] * listed.shape[1] > self.size
        ):
            return self._among_many(designs, listed, in_use)
        return among(designs, listed, in_use)

    def _among_many(
        self, designs: Designs, listed: Designs, in_use: NDArray[np.bool_] | None
    ) -> NDArray[np.bool_]:
        """As `among`, by a table of all designs instead of comparing every two."""
        found = np.empty(designs.shape[:2], bool)
        together = max(1, _TABLE // self.size) if self.size else 1
        for at in range(0, len(found), together):
            part = slice(at, at + together)
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
        assert self.size is not None
        marks = np.zeros((len(listed), self.size + 1), bool)
        codes = self.encode(listed)
        codes = codes if in_use is None else np.where(in_use, codes, self.size)
        np.put_along_axis(marks, codes, True, axis=1)
        return marks[:, : self.size]


class BoxDesigns(DesignSpace):
    """Continuous designs in [-1, 1]^d, as float32. An action is a (q, d) array.

    Args:
        dim: d.
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.shape = (dim,)
        self.dtype = np.dtype(np.float32)
        self.size = None

    def __repr__(self) -> str:
        return f"BoxDesigns(dim={self.dim})"

    def action_space(self, batch_size: int) -> spaces.Box:  # noqa: D102
        return spaces.Box(-1.0, 1.0, (batch_size, self.dim), np.float32)

    def observation_space(self, capacity: int) -> spaces.Box:  # noqa: D102
        return spaces.Box(-1.0, 1.0, (capacity, self.dim), np.float32)

    def sample(self, draws: RowDraws, count: int) -> Designs:  # noqa: D102
        return (2.0 * draws.random((count, self.dim)) - 1.0).astype(np.float32)

    def features(self, designs: Designs) -> NDArray[np.float64]:  # noqa: D102
        return np.asarray(designs, np.float64)

    def actions(self, designs: Designs) -> NDArray[Any]:  # noqa: D102
        return designs.astype(np.float32)


class CategoricalDesigns(DesignSpace):
    """L positions, each with categories 0 .. n - 1, as int64: sequences, recipes, bit strings.

    An action is the q designs one after the other, a `MultiDiscrete` of length q * L. Features are
    one-hot, scaled so that the squared distance of two designs is the number of positions in which
    they differ (Hamming). Of `ordinal` designs they are one number a position, evenly spaced and
    scaled so that the mean squared distance of uniform designs is the same.

    Args:
        categories: n for each of the L positions.
        alphabet: Letters of the categories, for designs that are strings; only for printing.
        labels: Names of each position's categories, where they differ; likewise.
        separator: What stands between the labels of a design in print.
        ordinal: Whether a position's categories are the levels of a quantity, in order.
    """

    def __init__(
        self,
        categories: Sequence[int],
        *,
        alphabet: str | None = None,
        labels: Sequence[Sequence[str]] | None = None,
        separator: str = " | ",
        ordinal: bool = False,
    ) -> None:
        self.categories = np.asarray(categories, np.int64)  # (L,)
        self.ordinal = ordinal
        self.alphabet = alphabet
        self.labels = labels
        self.separator = separator
        self.length = len(self.categories)
        self.shape = (self.length,)
        self.dtype = np.dtype(np.int64)
        size = 1
        for n in self.categories.tolist():  # Python integers do not overflow
            size *= n
        self.size = size

    def __repr__(self) -> str:
        return f"CategoricalDesigns({self.categories.tolist()})"

    def action_space(self, batch_size: int) -> spaces.MultiDiscrete:  # noqa: D102
        return spaces.MultiDiscrete(np.tile(self.categories, batch_size))

    def observation_space(self, capacity: int) -> spaces.Box:  # noqa: D102
        high = np.broadcast_to(self.categories - 1, (capacity, self.length))
        return spaces.Box(np.zeros_like(high), high, dtype=np.int64)

    def sample(self, draws: RowDraws, count: int) -> Designs:  # noqa: D102
        categories = self.categories
        return draws.draw(lambda rng: rng.integers(categories, size=(count, len(categories))))

    def features(self, designs: Designs) -> NDArray[np.float64]:  # noqa: D102
        if self.ordinal:
            # Two of n levels differ with probability (n - 1) / n; (n^2 - 1) / 6 is their mean
            # squared distance in steps.
            step: NDArray[np.float64] = np.sqrt(6 / (self.categories * (self.categories + 1)))
            return designs * step
        one_hot = np.arange(self.categories.max()) == np.asarray(designs)[..., None]
        flat = one_hot.reshape(*one_hot.shape[:-2], one_hot.shape[-2] * one_hot.shape[-1])
        return np.where(flat, np.sqrt(0.5), 0.0)

    def decode(self, codes: NDArray[np.integer[Any]]) -> Designs:  # noqa: D102
        designs = np.empty((*codes.shape, self.length), np.int64)
        rest = np.asarray(codes, np.int64)
        for position in reversed(range(self.length)):
            rest, designs[..., position] = np.divmod(rest, self.categories[position])
        return designs

    def encode(self, designs: Designs) -> NDArray[np.int64]:
        """Numbers of the designs, the last position counting fastest, (..., L) -> (...,)."""
        codes = np.zeros(designs.shape[:-1], np.int64)
        for position, n in enumerate(self.categories):
            codes = codes * n + designs[..., position]
        return codes

    def letter(self, position: int, category: int) -> str:
        """A category in a few characters: its letter, its label where all are short, its number."""
        if self.alphabet is not None:
            return self.alphabet[category]
        if self.labels is not None and max(map(len, self.labels[position])) <= _SHORT:
            return self.labels[position][category]
        return str(category)

    def text(self, design: NDArray[np.integer[Any]]) -> str:
        """The design as a string of the alphabet, its labels, or its categories with hyphens."""
        if self.labels is not None:
            names = (self.labels[i][c] for i, c in enumerate(design))
            return self.separator.join(names)
        if self.alphabet is None:
            return "-".join(str(c) for c in design)
        return "".join(self.alphabet[c] for c in design)


class CandidateDesigns(DesignSpace):
    """A pool of n given candidates; a design is an index, (1,) int64.

    Args:
        pool_features: (n, k) finite features of the candidates, on scales that can be compared
            and, beside how far apart they are, not far from 0.
        names: What each candidate is called in print; None: its index.

    Raises:
        ValueError: The features are none of that.
    """

    def __init__(
        self, pool_features: NDArray[np.float64], *, names: Sequence[str] | None = None
    ) -> None:
        self.pool_features = _checked_features(pool_features)
        self.names = names
        self.shape = (1,)
        self.dtype = np.dtype(np.int64)
        self.size = len(self.pool_features)

    def __repr__(self) -> str:
        return f"CandidateDesigns({self.size} candidates, {self.pool_features.shape[1]} features)"

    def action_space(self, batch_size: int) -> spaces.MultiDiscrete:  # noqa: D102
        return spaces.MultiDiscrete(np.full(batch_size, self.size))

    def observation_space(self, capacity: int) -> spaces.Box:  # noqa: D102
        assert self.size is not None
        return spaces.Box(0, self.size - 1, (capacity, 1), np.int64)

    def sample(self, draws: RowDraws, count: int) -> Designs:  # noqa: D102
        size = len(self.pool_features)
        return draws.draw(lambda rng: rng.integers(size, size=(count, 1)))

    def features(self, designs: Designs) -> NDArray[np.float64]:  # noqa: D102
        features: NDArray[np.float64] = self.pool_features[np.asarray(designs)[..., 0]]
        return features

    def text(self, design: NDArray[np.integer[Any]]) -> str:
        """What the candidate is called."""
        index = int(design[0])
        return str(index) if self.names is None else self.names[index]

    def decode(self, codes: NDArray[np.integer[Any]]) -> Designs:  # noqa: D102
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


def among(
    designs: Designs, listed: Designs, in_use: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Which designs are in a list, (R, m, *shape) and (R, n, *shape) -> (R, m).

    Args:
        designs: To look for.
        listed: Where to look.
        in_use: (R, n) which entries of the list count; None: all.
    """
    # A number of the designs after the other: few have even the first in common.
    width = math.prod(designs.shape[2:])
    sought = designs.reshape(*designs.shape[:2], width)
    known = listed.reshape(*listed.shape[:2], width)
    same = sought[:, :, None, 0] == known[:, None, :, 0]  # (R, m, n)
    if in_use is not None:
        same &= in_use[:, None]
    for at in range(1, width):
        if not same.any():
            break
        same &= sought[:, :, None, at] == known[:, None, :, at]
    found: NDArray[np.bool_] = same.any(axis=-1)
    return found


def repeated(batch: Designs) -> NDArray[np.bool_]:
    """Which slots repeat an earlier slot of their batch, (R, q, *shape) -> (R, q)."""
    flat = batch.reshape(*batch.shape[:2], -1)
    if flat.shape[1] > _MANY:
        return _repeated_among_many(flat)
    again = np.zeros(flat.shape[:2], bool)
    for slot in range(1, flat.shape[1]):
        again[:, slot] = among(flat[:, slot, None], flat[:, :slot])[:, 0]
    return again


def _repeated_among_many(flat: Designs) -> NDArray[np.bool_]:
    """As `repeated`, (R, n, k) -> (R, n): by sorting, not by comparing every two."""
    plain = np.ascontiguousarray(flat + flat.dtype.type(0))  # -0.0 is 0.0
    keys = plain.view(np.dtype((np.void, plain.shape[-1] * plain.itemsize)))[..., 0]
    again = np.ones(keys.shape, bool)
    for row, key in zip(again, keys, strict=True):
        row[np.unique(key, return_index=True)[1]] = False  # the first of each kind
    return again
