"""Small networks with two hidden layers, several side by side, trained on one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from ombo_agents.settings import PositiveFloat, PositiveInt, Settings

_SLOPE = 0.2  # of leaky rectifiers below 0
# Gradient steps, however few data there are. With up to 100 rows of TFBinding or GP-v0 more of them
# (`epochs` of 200 or 600) gain nothing; 100 rows of a smooth function in a box merit `epochs=300`.
MIN_STEPS = 60


@dataclass(frozen=True, kw_only=True)
class NetworkSettings(Settings):
    """How a network is built and fitted.

    Attributes:
        hidden: Width of both hidden layers.
        epochs: Passes over the data.
        batch: Rows of a gradient step.
        rate: Of Adam, at the start.
    """

    hidden: PositiveInt
    epochs: PositiveFloat
    batch: PositiveInt
    rate: PositiveFloat


@dataclass(frozen=True, kw_only=True)
class EnsembleSettings(NetworkSettings):
    """How an ensemble of networks is built and fitted.

    Attributes:
        members: Networks, each fitted to a bootstrap sample of the data (one: to the data).
    """

    members: PositiveInt


class Networks:
    """E networks of the same shape, each with weights of its own.

    Args:
        sizes: Width of each layer, input and output included.
        members: E.
        generator: Of the initial weights.
    """

    def __init__(self, sizes: tuple[int, ...], members: int, generator: torch.Generator) -> None:
        self.sizes = sizes
        self.weights: list[Tensor] = []  # (E, in, out) each
        self.biases: list[Tensor] = []  # (E, 1, out) each
        for width, out in pairwise(sizes):
            scale = (2.0 / max(width, 1)) ** 0.5
            normal = torch.randn(members, width, out, generator=generator)
            self.weights.append((scale * normal).requires_grad_())
            self.biases.append(torch.zeros(members, 1, out, requires_grad=True))
        with torch.no_grad():
            self.weights[-1] *= 0.1  # begins near 0, the mean of standardised values

    @property
    def parameters(self) -> list[Tensor]:
        """All weights."""
        return [*self.weights, *self.biases]

    def __call__(self, points: Tensor) -> Tensor:
        """Outputs of each network, (E, n, k) or (n, k) for all -> (E, n, outputs)."""
        x = points
        if x.dim() == 2:
            x = x.expand(len(self.weights[0]), *x.shape)
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if layer < last:
                x = functional.leaky_relu(x, _SLOPE)
        return x

    def freeze(self) -> Networks:
        """Ends training: weights take no gradients any more."""
        for tensor in self.parameters:
            tensor.requires_grad_(False)
        return self


def batch_rows(batch: int, num_rows: int) -> int:
    """Rows of a gradient step; of small data a row comes more than once."""
    return min(batch, max(num_rows, 16))


def steps_for(num_rows: int, *, epochs: float, batch: int) -> int:
    """Gradient steps of a number of passes over the data; small data get more passes."""
    return max(int(epochs * num_rows / batch), MIN_STEPS)


def minimise(
    parameters: list[Tensor], loss: Callable[[int], Tensor], *, steps: int, rate: float
) -> None:
    """Adam with a rate that falls to nothing.

    Args:
        parameters: To be changed.
        loss: Of step i.
        steps: How many.
        rate: At the start.
    """
    optimiser = torch.optim.Adam(parameters, lr=rate, fused=True)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * (1 - step / steps)
        optimiser.zero_grad()
        loss(step).backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def seeded(seed: int) -> torch.Generator:
    """A generator of torch of one's own."""
    return torch.Generator().manual_seed(seed)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread, so that sums have one order whatever the machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
