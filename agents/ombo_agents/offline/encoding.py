"""Designs as points of a real vector space, where networks and gradients work, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.model_free.pools import nearest
from ombo_gym.design_spaces import (
    BoxDesigns,
    CandidateDesigns,
    CategoricalDesigns,
    Designs,
    DesignSpace,
)

Points = NDArray[np.float32]

SURE = 0.6  # of a category's probability that it has for sure; the rest is uniform (Design-Bench)
_AT_ONCE = 2**22  # distances of points to candidates


class Encoding(ABC):
    """Designs of a space as points.

    Attributes:
        size: k, numbers of a point.
        bounds: The lowest and the highest points, (k,) each; None where there are none.
    """

    size: int
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    @abstractmethod
    def encode(self, designs: Designs) -> Points:
        """Points of designs, (n, *shape) -> (n, k)."""

    @abstractmethod
    def decode(self, points: Points) -> Designs:
        """The designs that points stand for, (n, k) -> (n, *shape)."""


class BoxEncoding(Encoding):
    """A box as it is; what lies outside is clipped."""

    def __init__(self, space: BoxDesigns) -> None:
        self.size = space.dim
        self.bounds = -np.ones(self.size), np.ones(self.size)

    def encode(self, designs: Designs) -> Points:  # noqa: D102
        return np.asarray(designs, np.float32)

    def decode(self, points: Points) -> Designs:  # noqa: D102
        return np.clip(points, -1, 1).astype(np.float32)


class LogitEncoding(Encoding):
    """Categories as logits relative to the first category, softened so that they are finite.

    A design's category has probability 0.6 + 0.4 / n, the others 0.4 / n, as Design-Bench maps
    discrete designs; a point stands for the most likely category of each position.
    """

    def __init__(self, space: CategoricalDesigns) -> None:
        self.categories = space.categories  # (L,)
        self.length = space.length
        self.most = max(int(self.categories.max()), 2)
        self.size = self.length * (self.most - 1)
        self.exist = np.arange(self.most) < self.categories[:, None]  # (L, most)

    def probabilities(self, designs: Designs) -> NDArray[np.float64]:
        """Softened one-hot designs, (n, L) -> (n, L, most)."""
        uniform = self.exist / self.categories[:, None]
        one_hot = np.arange(self.most) == np.asarray(designs)[..., None]
        return SURE * one_hot + (1 - SURE) * uniform

    def encode(self, designs: Designs) -> Points:  # noqa: D102
        logits = np.log(np.where(self.exist, self.probabilities(designs), 1.0))
        relative = np.where(self.exist[:, 1:], logits[..., 1:] - logits[..., :1], 0.0)
        return relative.reshape(len(designs), self.size).astype(np.float32)

    def logits(self, points: Points) -> NDArray[np.float32]:
        """Logits of all categories, -inf where there is none, (n, k) -> (n, L, most)."""
        shaped = points.reshape(-1, self.length, self.most - 1)
        full = np.concatenate([np.zeros_like(shaped[..., :1]), shaped], axis=-1)
        return np.where(self.exist, full, -np.inf).astype(np.float32)

    def decode(self, points: Points) -> Designs:  # noqa: D102
        return self.logits(points).argmax(axis=-1)


class LevelEncoding(Encoding):
    """Ordered levels as numbers from -1 to 1; a point stands for the nearest levels."""

    def __init__(self, space: CategoricalDesigns) -> None:
        self.size = space.length
        self.bounds = -np.ones(self.size), np.ones(self.size)
        self.highest = space.categories - 1
        self.steps = np.maximum(self.highest, 1)

    def encode(self, designs: Designs) -> Points:  # noqa: D102
        return (2 * designs / self.steps - 1).astype(np.float32)

    def decode(self, points: Points) -> Designs:  # noqa: D102
        levels = np.rint((np.clip(points, -1, 1) + 1) / 2 * self.steps)
        return np.minimum(levels.astype(np.int64), self.highest)  # 0 where there is one level


class PoolEncoding(Encoding):
    """Candidates as their features, standardised over the pool; a point stands for the nearest."""

    def __init__(self, space: CandidateDesigns) -> None:
        features = space.pool_features.reshape(len(space.pool_features), -1)
        spread = features.std(axis=0)
        centred = features - features.mean(axis=0)
        scaled = centred / np.where(spread > 0, spread, 1.0)
        self.pool = scaled  # (M, k)
        self.size = self.pool.shape[1]
        self.bounds = self.pool.min(axis=0), self.pool.max(axis=0)

    def encode(self, designs: Designs) -> Points:  # noqa: D102
        return self.pool[np.asarray(designs)[..., 0]].astype(np.float32)

    def decode(self, points: Points) -> Designs:  # noqa: D102
        lengths = (self.pool**2).sum(axis=1)
        together = max(1, _AT_ONCE // len(self.pool))
        found = [
            (lengths - 2 * points[at : at + together].astype(float) @ self.pool.T).argmin(axis=1)
            for at in range(0, len(points), together)
        ]
        return np.concatenate(found)[:, None]

    def decode_untaken(
        self, points: NDArray[np.floating], taken: NDArray[np.bool_], *, distinct: bool
    ) -> Designs:
        """The nearest candidates that are not taken, each once if `distinct`, (q, 1)."""
        return nearest(self.pool, points[None].astype(float), taken[None], distinct=distinct)[0]


def encoding_of(space: DesignSpace) -> Encoding:
    """The encoding of a design space.

    Raises:
        TypeError: A kind of design space that has none.
    """
    if isinstance(space, BoxDesigns):
        return BoxEncoding(space)
    if isinstance(space, CategoricalDesigns):
        return LevelEncoding(space) if space.ordinal else LogitEncoding(space)
    if isinstance(space, CandidateDesigns):
        return PoolEncoding(space)
    raise TypeError(f"space: expected boxes, categories or a pool of candidates, got {space!r}")


def standardised(values: NDArray[Any]) -> tuple[NDArray[np.float32], Any, Any]:
    """Values with mean 0 and standard deviation 1 along the first axis, the mean, the deviation."""
    numbers = np.asarray(values, np.float64)
    mean, spread = numbers.mean(axis=0), numbers.std(axis=0)
    scale = np.where(spread > 1e-9 * np.abs(numbers).max(axis=0), spread, 1.0)
    return ((numbers - mean) / scale).astype(np.float32), mean, scale
