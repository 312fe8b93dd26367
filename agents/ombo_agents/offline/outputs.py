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

from ombo_agents.offline.one_shot import Dataset
from ombo_gym.design_spaces.relaxations import Relaxation, SoftenedLogits

_LOG_STD = (-3.0, 1.0)  # of normal coordinates, in standard deviations of the dataset's


class Outputs(ABC):
    """Distributions with independent positions or coordinates.

    Attributes:
        width: Parameters of a distribution.
    """

    width: int

    @abstractmethod
    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        """A point of each distribution, (m, width) -> (m, k)."""

    @abstractmethod
    def log_probability(self, parameters: Tensor, points: Tensor) -> Tensor:
        """Of a point of each distribution, (m, width) and (m, k) -> (m,)."""

    @abstractmethod
    def likeliest(self, points: Tensor) -> Tensor:
        """Parameters of the one distribution that points seem to come from, (m, k) -> (width,)."""


class Categories(Outputs):
    """A category at each position, by logits.

    Args:
        logits: What points are, of these categories.
        data: Whose points they are like.
        columns: Coordinates of the dataset's points that hold them.
    """

    def __init__(self, logits: SoftenedLogits, data: Dataset, columns: slice = slice(None)) -> None:
        self._length, self._most = logits.length, logits.most
        self.width = self._length * self._most
        centre, scale = data.centre[columns], data.scale[columns]
        alike = np.minimum(np.arange(self._most)[:, None], logits.categories - 1)  # (most, L)
        points = (logits.encode(alike) - centre) / scale
        table = points.reshape(self._most, self._length, self._most - 1).swapaxes(0, 1)
        self._table = torch.tensor(table.astype(np.float32))  # (L, most, most - 1)
        self._absent = ~torch.tensor(logits.exist)
        self._centre = torch.tensor(centre.astype(np.float32))
        self._scale = torch.tensor(scale.astype(np.float32))

    def _logits(self, parameters: Tensor) -> Tensor:
        shaped = parameters.reshape(-1, self._length, self._most)
        return shaped.masked_fill(self._absent, -torch.inf)

    def _categories(self, points: Tensor) -> Tensor:
        raw = (points * self._scale + self._centre).reshape(-1, self._length, self._most - 1)
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
    def likeliest(self, points: Tensor) -> Tensor:
        shares = functional.one_hot(self._categories(points), self._most).float().mean(dim=0)
        return shares.clamp_min(1e-3).log().flatten()


class Normals(Outputs):
    """Coordinates with a mean and a logarithm of a standard deviation each."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.width = 2 * size

    def _moments(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_std = parameters.reshape(-1, 2, self._size).unbind(dim=1)
        return mean, log_std.clamp(*_LOG_STD)

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
    def likeliest(self, points: Tensor) -> Tensor:
        spread = points.std(dim=0, correction=0).clamp_min(math.exp(_LOG_STD[0]))
        return torch.cat([points.mean(dim=0), spread.log()])


class Together(Outputs):
    """Several distributions, each over coordinates of its own.

    Args:
        parts: Distributions, and the coordinates of each, which follow on one another.
    """

    def __init__(self, parts: Sequence[tuple[Outputs, slice]]) -> None:
        self._parts = [part for part, _ in parts]
        self._sizes = [columns.stop - columns.start for _, columns in parts]
        self._widths = [part.width for part in self._parts]
        self.width = sum(self._widths)

    @override
    def sample(self, parameters: Tensor, generator: torch.Generator) -> Tensor:
        each = parameters.split(self._widths, dim=-1)
        drawn = [part.sample(own, generator) for part, own in zip(self._parts, each, strict=True)]
        return torch.cat(drawn, dim=-1)

    @override
    def log_probability(self, parameters: Tensor, points: Tensor) -> Tensor:
        each = parameters.split(self._widths, dim=-1)
        blocks = points.split(self._sizes, dim=-1)
        logs = [
            part.log_probability(own, block)
            for part, own, block in zip(self._parts, each, blocks, strict=True)
        ]
        return torch.stack(logs).sum(dim=0)

    @override
    def likeliest(self, points: Tensor) -> Tensor:
        blocks = points.split(self._sizes, dim=-1)
        each = [part.likeliest(block) for part, block in zip(self._parts, blocks, strict=True)]
        return torch.cat(each)


def outputs_of(relaxation: Relaxation, data: Dataset) -> Outputs:
    """Distributions over categories, and normal ones over what else a point consists of."""
    parts: list[tuple[Outputs, slice]] = []
    at = 0
    for columns, logits in relaxation.choices:
        if columns.start > at:
            parts.append((Normals(columns.start - at), slice(at, columns.start)))
        parts.append((Categories(logits, data, columns), columns))
        at = columns.stop
    if at < relaxation.size:
        parts.append((Normals(relaxation.size - at), slice(at, relaxation.size)))
    return parts[0][0] if len(parts) == 1 else Together(parts)
