"""Models of the objective: networks that predict values from points."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ombo_agents.offline.networks import (
    EnsembleSettings,
    Networks,
    batch_rows,
    minimise,
    steps_for,
)
from ombo_agents.offline.offline_policy import Dataset, FittedModel

_CHUNK_POINTS = 2**14  # that are predicted at once, for bounded memory


@dataclass
class ForwardModel(FittedModel):
    """Networks that predict standardised values from a dataset's points."""

    networks: Networks

    def __call__(self, points: Tensor) -> Tensor:
        """What each network predicts, (m, k) -> (E, m)."""
        self.queries += len(points)
        return self.networks(points)[..., 0]

    def mean(self, points: Tensor) -> Tensor:
        """Mean prediction of all networks, for any number of points, (m, k) -> (m,)."""
        with torch.no_grad():
            chunks = torch.split(points, _CHUNK_POINTS)
            return torch.cat([self(chunk).mean(dim=0) for chunk in chunks])


def fit_forward_model(
    data: Dataset, settings: EnsembleSettings, generator: torch.Generator
) -> ForwardModel:
    """Fits an ensemble to a dataset by least squares.

    The members differ in their weights at the start, in the batches and in the bootstrap sample of
    rows; they are trained side by side.
    """
    n, k = data.points.shape
    members, batch = settings.members, batch_rows(settings.batch, n)
    networks = Networks((k, settings.hidden, settings.hidden, 1), members, generator)
    bootstrap = torch.arange(n).expand(members, n)  # (E, n) rows of the dataset
    if members > 1:
        bootstrap = torch.randint(n, (members, n), generator=generator)

    def loss(step: int) -> Tensor:
        rows = bootstrap.gather(1, torch.randint(n, (members, batch), generator=generator))
        predicted = networks(data.points[rows])[..., 0]  # (E, batch)
        # Summed over members: each has gradients as if it were alone.
        return functional.mse_loss(predicted, data.values[rows]) * members

    steps = steps_for(n, epochs=settings.epochs, batch=batch)
    minimise(networks.parameters, loss, steps=steps, rate=settings.rate)
    return ForwardModel(0, networks.freeze())
