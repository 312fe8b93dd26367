"""Model inversion networks."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from ombo_agents.offline.autoencoder import Autoencoder
from ombo_agents.offline.cbas import Generative
from ombo_agents.offline.networks import steps_for
from ombo_agents.offline.one_shot import Dataset, OneShot
from ombo_agents.offline.outputs import outputs_of
from ombo_agents.settings import number, whole
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec

_BINS = 20  # of values, that rows are weighted by


class Mins(OneShot):
    """Learns designs as a function of their value and asks for those of the largest value.

    The inverse model is a conditional autoencoder, where the paper has a conditional generative
    adversarial network: both turn noise and a value into a design, and the autoencoder trains
    reliably in seconds. Rows count by bins of value: more where values are large, less where a bin
    holds few rows. Designs are drawn for the largest value measured, and `ambition` beyond.

    Args:
        spec: Of the campaigns it is built for.
        hidden, epochs, batch, rate: Of the autoencoder's networks.
        latent: Size of the latent space.
        beta: Weight of the divergence from the prior.
        temperature: In standard deviations of the values: how fast rows count less, the further
            their value is below the best.
        smoothing: Of the bins: a bin with this share of all rows counts half its due.
        ambition: Value asked for beyond the best, in standard deviations.
        spare: Designs drawn per design of the batch, for those that come twice.

    Raises:
        ValueError: A setting out of range.

    Reference:
        Kumar and Levine, Model inversion networks for model-based optimization, NeurIPS 2020,
        sections 3.1 and 3.3.
    """

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        hidden: int,
        epochs: float,
        batch: int,
        rate: float,
        latent: int,
        beta: float,
        temperature: float,
        smoothing: float,
        ambition: float,
        spare: int,
    ) -> None:
        super().__init__(spec)
        self.hidden, self.batch = whole("hidden", hidden), whole("batch", batch)
        self.epochs, self.rate = number("epochs", epochs), number("rate", rate)
        self.latent, self.beta = whole("latent", latent), number("beta", beta)
        self.temperature = number("temperature", temperature)
        self.smoothing = number("smoothing", smoothing)
        self.ambition = number("ambition", ambition, above=-1e-9)
        self.spare = whole("spare", spare)

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> Generative:
        n, k = data.points.shape
        outputs = outputs_of(self.relaxation, data)
        inverse = Autoencoder.new(outputs, k, 1, self.latent, self.hidden, generator)
        batch = min(self.batch, max(n, 16))
        chances, ones = self._chances(data.values), torch.ones(batch)

        def rows() -> tuple[Tensor, Tensor, Tensor]:
            drawn = torch.searchsorted(chances, torch.rand(batch, generator=generator).double())
            drawn = drawn.clamp_max(n - 1)
            return data.points[drawn], data.values[drawn, None], ones

        steps = steps_for(n, epochs=self.epochs, batch=batch)
        inverse.train(rows, beta=self.beta, steps=steps, rate=self.rate, generator=generator)
        return Generative(0, inverse.freeze())

    def _chances(self, values: Tensor) -> Tensor:
        """Cumulative probabilities that rows are drawn with, (n,)."""
        low, high = values.min(), values.max()
        width = (high - low).clamp_min(1e-6) / _BINS
        bins = ((values - low) / width).long().clamp(0, _BINS - 1)
        share = torch.bincount(bins, minlength=_BINS).double() / len(values)  # of all rows
        middle = low + width * (torch.arange(_BINS) + 0.5)
        due = share / (share + self.smoothing) * ((middle - high) / self.temperature).exp()
        each = (due / share.clamp_min(1e-12))[bins]
        return (each / each.sum()).cumsum(dim=0)

    @override
    def search(
        self, model: Generative, data: Dataset, generator: torch.Generator, q: int
    ) -> Designs:
        autoencoder = model.autoencoder
        count = self.spare * q
        codes = torch.randn(count, self.latent, generator=generator)
        wanted = (data.values.max() + self.ambition).expand(count, 1)
        return self.designs(
            autoencoder.outputs.sample(autoencoder.decode(codes, wanted), generator), data
        )
