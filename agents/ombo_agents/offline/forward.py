"""Models of the objective: networks that predict values from points."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ombo_agents.offline.networks import Networks, minimise, steps_for
from ombo_agents.offline.one_shot import Dataset, Model
from ombo_agents.settings import number, whole

_AT_ONCE = 2**14  # points that are looked at together


@dataclass(frozen=True)
class Training:
    """How networks are fitted.

    Attributes:
        members: Networks of the ensemble, each fitted to a bootstrap sample of the data (one: to
            the data).
        hidden: Width of both hidden layers.
        epochs: Passes over the data.
        batch: Rows of a gradient step.
        rate: Of Adam, at the start.

    Raises:
        ValueError: A setting out of range.
    """

    members: int
    hidden: int
    epochs: float
    batch: int
    rate: float

    def __post_init__(self) -> None:
        for name in ("members", "hidden", "batch"):
            whole(name, getattr(self, name))
        for name in ("epochs", "rate"):
            number(name, getattr(self, name))


@dataclass
class Forward(Model):
    """Networks that predict standardised values from a dataset's points."""

    networks: Networks

    def __call__(self, points: Tensor) -> Tensor:
        """What each network predicts, (m, k) -> (E, m)."""
        self.queries += len(points)
        return self.networks(points)[..., 0]

    def mean(self, points: Tensor) -> Tensor:
        """Mean prediction of all networks, for any number of points, (m, k) -> (m,)."""
        with torch.no_grad():
            parts = [self(part).mean(dim=0) for part in points.split(_AT_ONCE)]
        return torch.cat(parts)


def fit_forward(data: Dataset, training: Training, generator: torch.Generator) -> Forward:
    """Fits an ensemble to a dataset by least squares.

    The members differ in their weights at the start, in the batches and in the bootstrap sample of
    rows; they are trained side by side.
    """
    n, k = data.points.shape
    members, batch = training.members, min(training.batch, max(n, 16))
    networks = Networks((k, training.hidden, training.hidden, 1), members, generator)
    own = torch.arange(n).expand(members, n)
    if members > 1:
        own = torch.randint(n, (members, n), generator=generator)

    def loss(step: int) -> Tensor:
        rows = own.gather(1, torch.randint(n, (members, batch), generator=generator))
        predicted = networks(data.points[rows])[..., 0]
        # Summed over members: each has gradients as if it were alone.
        return functional.mse_loss(predicted, data.values[rows]) * members

    steps = steps_for(n, epochs=training.epochs, batch=batch)
    minimise(networks.parameters, loss, steps=steps, rate=training.rate)
    return Forward(0, networks.freeze())
