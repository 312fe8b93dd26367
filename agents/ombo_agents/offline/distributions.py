"""Distributions over a dataset's points, from what a network puts out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from ombo_agents.offline.offline_policy import Dataset
from ombo_gym.design_spaces.relaxations import Relaxation, SoftenedLogits

_LOG_STD_BOUNDS = (-3.0, 1.0)  # of normal coordinates, in standard deviations of the dataset's


class PointDistribution(ABC):
    """A family of distributions over points, with independent positions or coordinates.

    Attributes:
        num_parameters: p, of a distribution.
    """

    num_parameters: int

    @abstractmethod
    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        """A point of each distribution, (m, p) -> (m, k)."""

    @abstractmethod
    def log_probability(self, parameters: Tensor, points: Tensor) -> Tensor:
        """Of a point of each distribution, (m, p) and (m, k) -> (m,)."""

    @abstractmethod
    def maximum_likelihood(self, points: Tensor) -> Tensor:
        """Parameters of the one distribution that points seem to come from, (m, k) -> (p,)."""


class CategoricalPoints(PointDistribution):
    """A category at each position, by logits.

    Args:
        logits: What points are, of these categories.
        data: Whose points they are like.
        columns: Coordinates of the dataset's points that hold them.
    """

    def __init__(self, logits: SoftenedLogits, data: Dataset, columns: slice = slice(None)) -> None:
        self._length, self._levels = logits.length, logits.most  # L, most levels of a position
        self.num_parameters = self._length * self._levels
        centre, scale = data.centre[columns], data.scale[columns]
        # Designs of the same level at every position, or of the last level where it has fewer.
        uniform = np.minimum(np.arange(self._levels)[:, None], logits.categories - 1)  # (levels, L)
        points = (logits.encode(uniform) - centre) / scale
        table = points.reshape(self._levels, self._length, self._levels - 1).swapaxes(0, 1)
        self._table = torch.tensor(table.astype(np.float32))  # (L, levels, levels - 1)
        self._absent = ~torch.tensor(logits.exist)  # (L, levels)
        self._centre = torch.tensor(centre.astype(np.float32))
        self._scale = torch.tensor(scale.astype(np.float32))

    def _logits(self, parameters: Tensor) -> Tensor:
        logits = parameters.reshape(-1, self._length, self._levels)
        return logits.masked_fill(self._absent, -torch.inf)

    def _categories(self, points: Tensor) -> Tensor:
        raw = (points * self._scale + self._centre).reshape(-1, self._length, self._levels - 1)
        logits = torch.cat([torch.zeros_like(raw[..., :1]), raw], dim=-1)
        return logits.masked_fill(self._absent, -torch.inf).argmax(dim=-1)  # (m, L)

    @override
    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        logits = self._logits(parameters)
        uniform = torch.rand(logits.shape, generator=generator).clamp(1e-7, 1 - 1e-7)
        drawn = (logits - (-uniform.log()).log()).argmax(dim=-1)  # (m, L)
        return self._table[torch.arange(self._length), drawn].flatten(1)

    @override
    def log_probability(self, parameters: Tensor, points: Tensor) -> Tensor:
        logs = self._logits(parameters).log_softmax(dim=-1)
        return logs.gather(-1, self._categories(points)[..., None])[..., 0].sum(dim=-1)

    @override
    def maximum_likelihood(self, points: Tensor) -> Tensor:
        shares = functional.one_hot(self._categories(points), self._levels).float().mean(dim=0)
        return shares.clamp_min(1e-3).log().flatten()


class NormalPoints(PointDistribution):
    """Coordinates with a mean and a logarithm of a standard deviation each."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.num_parameters = 2 * size

    def _moments(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_std = parameters.reshape(-1, 2, self._size).unbind(dim=1)
        return mean, log_std.clamp(*_LOG_STD_BOUNDS)

    @override
    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        mean, log_std = self._moments(parameters)
        return mean + log_std.exp() * torch.randn(mean.shape, generator=generator)

    @override
    def log_probability(self, parameters: Tensor, points: Tensor) -> Tensor:
        mean, log_std = self._moments(parameters)
        z = (points - mean) * (-log_std).exp()
        return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(dim=-1)

    @override
    def maximum_likelihood(self, points: Tensor) -> Tensor:
        spread = points.std(dim=0, correction=0).clamp_min(math.exp(_LOG_STD_BOUNDS[0]))
        return torch.cat([points.mean(dim=0), spread.log()])


class ProductDistribution(PointDistribution):
    """Several distributions, each over coordinates of its own.

    Args:
        parts: Distributions, and the coordinates of each, which follow on one another.
    """

    def __init__(self, parts: Sequence[tuple[PointDistribution, slice]]) -> None:
        self._parts = [part for part, _ in parts]
        self._sizes = [columns.stop - columns.start for _, columns in parts]
        self._num_parameters = [part.num_parameters for part in self._parts]
        self.num_parameters = sum(self._num_parameters)

    @override
    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        blocks = [
            part.sample(own_parameters, generator)
            for part, own_parameters in zip(self._parts, self._split(parameters), strict=True)
        ]
        return torch.cat(blocks, dim=-1)

    @override
    def log_probability(self, parameters: Tensor, points: Tensor) -> Tensor:
        blocks = torch.split(points, self._sizes, dim=-1)
        logs = [
            part.log_probability(own_parameters, block)
            for part, own_parameters, block in zip(
                self._parts, self._split(parameters), blocks, strict=True
            )
        ]
        return torch.stack(logs).sum(dim=0)

    @override
    def maximum_likelihood(self, points: Tensor) -> Tensor:
        blocks = torch.split(points, self._sizes, dim=-1)
        parameters = [
            part.maximum_likelihood(block) for part, block in zip(self._parts, blocks, strict=True)
        ]
        return torch.cat(parameters)

    def _split(self, parameters: Tensor) -> tuple[Tensor, ...]:
        """Those of each part, (m, p) -> (m, p of the part) each."""
        return torch.split(parameters, self._num_parameters, dim=-1)


def point_distribution(relaxation: Relaxation, data: Dataset) -> PointDistribution:
    """Distributions over categories, and normal ones over what else a point consists of."""
    parts: list[tuple[PointDistribution, slice]] = []
    begin = 0  # of the coordinates that have no distribution yet
    for columns, logits in relaxation.choices:
        if columns.start > begin:
            parts.append((NormalPoints(columns.start - begin), slice(begin, columns.start)))
        parts.append((CategoricalPoints(logits, data, columns), columns))
        begin = columns.stop
    if begin < relaxation.size:
        parts.append((NormalPoints(relaxation.size - begin), slice(begin, relaxation.size)))
    return parts[0][0] if len(parts) == 1 else ProductDistribution(parts)
