"""Model inversion networks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from torch import Tensor
from typing_extensions import override

from ombo_agents.offline.autoencoder import Autoencoder, GenerativeModel
from ombo_agents.offline.distributions import point_distribution
from ombo_agents.offline.networks import NetworkSettings, batch_rows, steps_for
from ombo_agents.offline.offline_policy import Dataset, OfflinePolicy
from ombo_agents.settings import PositiveFloat, PositiveInt, number
from ombo_gym.design_spaces import Designs

_BINS = 20  # of values, that rows are weighted by


@dataclass(frozen=True, kw_only=True)
class MinsSettings(NetworkSettings):
    """Settings of `Mins`, beside those of the autoencoder's networks.

    Attributes:
        latent: Size of the latent space.
        beta: Weight of the divergence from the prior.
        temperature: In standard deviations of the values: how fast rows count less, the further
            their value is below the best.
        smoothing: Of the bins: a bin with this share of all rows counts half its due.
        ambition: Value asked for beyond the best, in standard deviations.
        spare: Designs drawn per design of the batch, for those that come twice.
    """

    latent: PositiveInt
    beta: PositiveFloat
    temperature: PositiveFloat
    smoothing: PositiveFloat
    ambition: Annotated[float, partial(number, above=-1e-9)]
    spare: PositiveInt


class Mins(OfflinePolicy[MinsSettings, GenerativeModel]):
    """Learns designs as a function of their value and asks for those of the largest value.

    The inverse model is a conditional autoencoder, where the paper has a conditional generative
    adversarial network: both turn noise and a value into a design, and the autoencoder trains
    reliably in seconds. Rows count by bins of value: more where values are large, less where a bin
    holds few rows. Designs are drawn for the largest value measured, and `ambition` beyond.

    Args:
        spec: Of the campaigns it is built for.
        settings: Of the networks and of the draws.

    Reference:
        Kumar and Levine, Model inversion networks for model-based optimization, NeurIPS 2020,
        sections 3.1 and 3.3.
    """

    settings_type = MinsSettings

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> GenerativeModel:
        settings = self.settings
        n, k = data.points.shape
        inverse = Autoencoder.new(
            point_distribution(self.relaxation, data),
            generator,
            size=k,
            num_conditions=1,
            latent=settings.latent,
            hidden=settings.hidden,
        )
        batch = batch_rows(settings.batch, n)
        cumulative, ones = self._cumulative_weights(data.values), torch.ones(batch)

        def draw_batch() -> tuple[Tensor, Tensor, Tensor]:
            uniform = torch.rand(batch, generator=generator).double()
            rows = torch.searchsorted(cumulative, uniform).clamp_max(n - 1)
            return data.points[rows], data.values[rows, None], ones

        steps = steps_for(n, epochs=settings.epochs, batch=batch)
        inverse.train(
            draw_batch, beta=settings.beta, steps=steps, rate=settings.rate, generator=generator
        )
        return GenerativeModel(0, inverse.freeze())

    def _cumulative_weights(self, values: Tensor) -> Tensor:
        """Cumulative probabilities that rows are drawn with, (n,)."""
        low, high = values.min(), values.max()
        width = (high - low).clamp_min(1e-6) / _BINS
        bins = ((values - low) / width).long().clamp(0, _BINS - 1)  # (n,)
        share = torch.bincount(bins, minlength=_BINS).double() / len(values)  # (bins,) of all rows
        middle = low + width * (torch.arange(_BINS) + 0.5)  # (bins,)
        due = share / (share + self.settings.smoothing)
        due = due * ((middle - high) / self.settings.temperature).exp()  # (bins,)
        weights = (due / share.clamp_min(1e-12))[bins]  # (n,)
        return (weights / weights.sum()).cumsum(dim=0)

    @override
    def search(
        self, model: GenerativeModel, data: Dataset, generator: torch.Generator, q: int
    ) -> Designs:
        count = self.settings.spare * q
        wanted = (data.values.max() + self.settings.ambition).expand(count, 1)
        return self.designs(model.autoencoder.sample(count, generator, wanted), data)
