"""Designs as points of a real vector space, where networks, gradients and evolution work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces.duplicates import Designs

Floats = NDArray[np.float64]
Points = NDArray[np.float32]

SURE = 0.6  # of a category's probability that it has for sure; the rest is uniform (Design-Bench)
_CHUNK_DISTANCES = 2**22  # of points to candidates, that are held at once


class Relaxation(ABC):
    """Designs of a space as points.

    Attributes:
        size: k, numbers of a point.
        bounds: The lowest and the highest points, (k,) each, infinite where some have no end; None
            where there are none.
        reflects: Whether all coordinates have sides at -1 and 1, where points are mirrored.
        pool: (M, k) all points that there are, where designs are one of a list; else None.
        choices: Which coordinates are softened logits, and of what categories, in order.
    """

    size: int
    bounds: tuple[Floats, Floats] | None = None
    reflects: bool = False
    pool: Floats | None = None
    choices: tuple[tuple[slice, SoftenedLogits], ...] = ()

    @abstractmethod
    def encode(self, designs: Designs) -> Points:
        """Points of designs, (n, *shape) -> (n, k)."""

    @abstractmethod
    def decode(self, points: Points) -> Designs:
        """The designs that points stand for, (n, k) -> (n, *shape)."""

    def precise(self, designs: Designs) -> Floats:
        """As `encode`, without rounding where points are not float32 anyway."""
        return self.encode(designs).astype(np.float64)

    def mirrored(self, points: Floats) -> Points:
        """Points with coordinates brought back by mirrors, where they have sides."""
        return reflected(points) if self.reflects else points.astype(np.float32)


def reflected(points: Floats) -> Points:
    """Points brought back into [-1, 1] by mirrors at the sides, as float32.

    Unlike clipping, it does not heap points up at a corner.
    """
    folded = 1.0 - np.abs((points + 1.0) % 4.0 - 2.0)
    return np.clip(folded, -1.0, 1.0).astype(np.float32)


class Coordinates(Relaxation):
    """A box as it is; what lies outside is clipped.

    Args:
        dim: d.
    """

    reflects = True

    def __init__(self, dim: int) -> None:
        self.size = dim
        self.bounds = -np.ones(dim), np.ones(dim)

    @override
    def encode(self, designs: Designs) -> Points:
        return np.asarray(designs, np.float32)

    @override
    def decode(self, points: Points) -> Designs:
        return np.clip(points, -1, 1).astype(np.float32)


class SoftenedLogits(Relaxation):
    """Categories as logits relative to the first category, softened so that they are finite.

    A design's category has probability 0.6 + 0.4 / n, the others 0.4 / n, as Design-Bench maps
    discrete designs; a point stands for the most likely category of each position.

    Args:
        categories: (L,) how many there are at each position.
    """

    def __init__(self, categories: NDArray[np.int64]) -> None:
        self.categories = categories  # (L,)
        self.length = len(categories)
        self.most = max(int(categories.max()), 2)
        self.size = self.length * (self.most - 1)
        self.exist = np.arange(self.most) < categories[:, None]  # (L, most)
        self.choices = ((slice(0, self.size), self),)

    def probabilities(self, designs: Designs) -> Floats:
        """Softened one-hot designs, (n, L) -> (n, L, most)."""
        uniform = self.exist / self.categories[:, None]
        one_hot = np.arange(self.most) == np.asarray(designs)[..., None]
        softened: Floats = SURE * one_hot + (1 - SURE) * uniform
        return softened

    @override
    def encode(self, designs: Designs) -> Points:
        logits = np.log(np.where(self.exist, self.probabilities(designs), 1.0))
        relative = np.where(self.exist[:, 1:], logits[..., 1:] - logits[..., :1], 0.0)
        return relative.reshape(len(designs), self.size).astype(np.float32)

    def logits(self, points: Points) -> NDArray[np.float32]:
        """Logits of all categories, -inf where there is none, (n, k) -> (n, L, most)."""
        shaped = points.reshape(-1, self.length, self.most - 1)
        full = np.concatenate([np.zeros_like(shaped[..., :1]), shaped], axis=-1)
        return np.where(self.exist, full, -np.inf).astype(np.float32)

    @override
    def decode(self, points: Points) -> Designs:
        designs: Designs = self.logits(points).argmax(axis=-1)
        return designs


class OneHotLogits(Relaxation):
    """A logit for each category of each position; a point stands for the largest of them.

    Unlike logits relative to the first category, they are alike in all categories: so is a normal
    distribution with one variance.

    Args:
        categories: (L,) how many there are at each position.
    """

    def __init__(self, categories: NDArray[np.int64]) -> None:
        self.exist = np.arange(categories.max()) < categories[:, None]  # (L, most)
        self.size = int(self.exist.sum())

    @override
    def encode(self, designs: Designs) -> Points:
        one_hot = np.arange(self.exist.shape[1]) == np.asarray(designs)[..., None]  # (n, L, most)
        logits: Points = one_hot[:, self.exist].astype(np.float32)
        return logits

    @override
    def decode(self, points: Points) -> Designs:
        logits = np.full((len(points), *self.exist.shape), -np.inf, np.float32)
        logits[:, self.exist] = points
        designs: Designs = logits.argmax(axis=2)
        return designs


class Levels(Relaxation):
    """Ordered levels as numbers from -1 to 1; a point stands for the nearest levels.

    Args:
        categories: (L,) how many there are at each position.
    """

    reflects = True

    def __init__(self, categories: NDArray[np.int64]) -> None:
        self.size = len(categories)
        self.bounds = -np.ones(self.size), np.ones(self.size)
        self.highest = categories - 1
        self.steps = np.maximum(self.highest, 1)

    @override
    def encode(self, designs: Designs) -> Points:
        return self.precise(designs).astype(np.float32)

    @override
    def precise(self, designs: Designs) -> Floats:
        levels: Floats = 2 * np.asarray(designs, np.int64) / self.steps - 1
        return levels

    @override
    def decode(self, points: Points) -> Designs:
        levels = np.rint((np.clip(points, -1, 1) + 1) / 2 * self.steps)
        return np.minimum(levels.astype(np.int64), self.highest)  # 0 where there is one level


class PoolFeatures(Relaxation):
    """Candidates as their features, standardised over the pool; a point stands for the nearest.

    Args:
        pool_features: (M, k).
    """

    def __init__(self, pool_features: Floats) -> None:
        features = pool_features.reshape(len(pool_features), -1)
        spread = features.std(axis=0)
        centred = features - features.mean(axis=0)
        self.pool: Floats = centred / np.where(spread > 0, spread, 1.0)  # (M, k)
        self.size = self.pool.shape[1]
        self.bounds = self.pool.min(axis=0), self.pool.max(axis=0)

    @override
    def encode(self, designs: Designs) -> Points:
        points: Points = self.pool[np.asarray(designs)[..., 0]].astype(np.float32)
        return points

    @override
    def decode(self, points: Points) -> Designs:
        lengths = (self.pool**2).sum(axis=1)
        chunk = max(1, _CHUNK_DISTANCES // len(self.pool))
        found = [
            (lengths - 2 * points[first : first + chunk].astype(float) @ self.pool.T).argmin(axis=1)
            for first in range(0, len(points), chunk)
        ]
        return np.concatenate(found)[:, None]


class SideBySide(Relaxation):
    """Parts of a design, each relaxed in its own way, one behind the other.

    Args:
        parts: Relaxations, and which numbers of a design each is of.
        length: Numbers of a design.
    """

    def __init__(self, parts: Sequence[tuple[Relaxation, NDArray[np.intp]]], length: int) -> None:
        self.parts = [part for part, _ in parts]
        self.columns = [columns for _, columns in parts]
        self._length = length
        self.size = sum(part.size for part in self.parts)
        self.edges = np.cumsum([0, *(part.size for part in self.parts)])
        if any(part.bounds is not None for part in self.parts):
            bounds = [
                part.bounds or (np.full(part.size, -np.inf), np.full(part.size, np.inf))
                for part in self.parts
            ]
            self.bounds = (
                np.concatenate([low for low, _ in bounds]),
                np.concatenate([high for _, high in bounds]),
            )
        self.reflects = all(part.reflects for part in self.parts)
        self.choices = tuple(
            (slice(edge + block.start, edge + block.stop), logits)
            for edge, part in zip(self.edges.tolist(), self.parts, strict=False)
            for block, logits in part.choices
        )

    @override
    def encode(self, designs: Designs) -> Points:
        return self.precise(designs).astype(np.float32)

    @override
    def precise(self, designs: Designs) -> Floats:
        each = [
            part.precise(designs[..., columns])
            for part, columns in zip(self.parts, self.columns, strict=True)
        ]
        return np.concatenate(each, axis=-1)

    @override
    def mirrored(self, points: Floats) -> Points:
        each = [
            part.mirrored(points[..., self.edges[i] : self.edges[i + 1]])
            for i, part in enumerate(self.parts)
        ]
        return np.concatenate(each, axis=-1)

    @override
    def decode(self, points: Points) -> Designs:
        designs: Designs | None = None
        for i, (part, columns) in enumerate(zip(self.parts, self.columns, strict=True)):
            decoded = part.decode(points[..., self.edges[i] : self.edges[i + 1]])
            if designs is None:
                designs = np.zeros((*points.shape[:-1], self._length), decoded.dtype)
            designs[..., columns] = decoded
        assert designs is not None
        return designs
