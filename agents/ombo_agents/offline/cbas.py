"""Conditioning by adaptive sampling."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from ombo_agents.offline.autoencoder import Autoencoder
from ombo_agents.offline.forward import Forward, Training, fit_forward
from ombo_agents.offline.networks import steps_for
from ombo_agents.offline.one_shot import Dataset, Model, OneShot
from ombo_agents.offline.outputs import outputs_of
from ombo_agents.settings import number, whole
from ombo_gym.design_spaces import Designs
from ombo_gym.spec import CampaignSpec

_LEAST_SPREAD = 0.1  # of an ensemble's predictions, in standard deviations of the values
_LARGEST_RATIO = 3.0  # logarithm, of the prior's to the current density


@dataclass
class Generative(Model):
    """A generative model of designs."""

    autoencoder: Autoencoder


class Cbas(OneShot):
    """Draws designs from a generative model that was conditioned on large values.

    An autoencoder is fitted to the dataset's designs, an ensemble of networks to their values. Then
    designs are drawn from the autoencoder, and it is fitted to them again, iteration after
    iteration, each
    with the probability, as the ensemble sees it, that its value is above a threshold, times the
    ratio of its densities under the first and the current autoencoder. The threshold is a quantile
    of the iteration's predictions, and never falls.

    Args:
        spec: Of the campaigns it is built for.
        members, hidden, epochs, batch, rate: Of the networks (`Training`).
        latent: Size of the latent space.
        latent_epochs: Passes over the data of the first fit of the autoencoder.
        latent_rate: Of Adam, at the start.
        beta: Weight of the divergence from the prior.
        iterations: How often it is fitted again.
        samples: Designs of an iteration.
        steps: Gradient steps of an iteration.
        quantile: Of the predictions, that is the threshold.
        spare: Designs drawn per design of the batch, for those that come twice.

    Raises:
        ValueError: A setting out of range.

    Reference:
        Brookes, Park and Listgarten, Conditioning by adaptive sampling for robust design, ICML
        2019, algorithm 1.
    """

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        members: int,
        hidden: int,
        epochs: float,
        batch: int,
        rate: float,
        latent: int,
        latent_epochs: float,
        latent_rate: float,
        beta: float,
        iterations: int,
        samples: int,
        steps: int,
        quantile: float,
        spare: int,
    ) -> None:
        super().__init__(spec)
        self.training = Training(members, hidden, epochs, batch, rate)
        self.latent, self.steps = whole("latent", latent), whole("steps", steps)
        self.latent_epochs = number("latent_epochs", latent_epochs)
        self.latent_rate, self.beta = number("latent_rate", latent_rate), number("beta", beta)
        self.iterations, self.samples = whole("iterations", iterations), whole("samples", samples)
        self.quantile = number("quantile", quantile, up_to=1)
        self.spare = whole("spare", spare)

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> Generative:
        forward = fit_forward(data, self.training, generator)
        n, k = data.points.shape
        outputs = outputs_of(self.relaxation, data)
        first = Autoencoder.new(outputs, k, 0, self.latent, self.training.hidden, generator)
        batch = min(self.training.batch, max(n, 16))
        ones = torch.ones(batch)

        def rows() -> tuple[Tensor, None, Tensor]:
            return data.points[torch.randint(n, (batch,), generator=generator)], None, ones

        steps = steps_for(n, epochs=self.latent_epochs, batch=batch)
        first.train(rows, beta=self.beta, steps=steps, rate=self.latent_rate, generator=generator)
        current = deepcopy(first)
        first.freeze()
        threshold = -torch.inf
        for _ in range(self.iterations):
            points, weights, threshold = self._weighted(
                first, current, forward, threshold, generator
            )
            self._refit(current, points, weights, generator)
        return Generative(forward.queries, current.freeze())

    def _weighted(
        self,
        first: Autoencoder,
        current: Autoencoder,
        forward: Forward,
        threshold: float,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor, float]:
        """Designs of an iteration, how much each counts, and the threshold."""
        with torch.no_grad():
            codes = torch.randn(self.samples, self.latent, generator=generator)
            parameters = current.decode(codes)
            points = current.outputs.sample(parameters, generator)
            predicted = forward(points)  # (E, samples)
            mean = predicted.mean(dim=0)
            spread = predicted.std(dim=0, correction=0).clamp_min(_LEAST_SPREAD)
            threshold = max(threshold, float(mean.quantile(self.quantile)))
            above = torch.special.ndtr((mean - threshold) / spread)
            ratio = first.outputs.log_probability(first.decode(codes), points)
            ratio -= current.outputs.log_probability(parameters, points)
            weights = above * ratio.clamp(-_LARGEST_RATIO, _LARGEST_RATIO).exp()
        return points, weights / weights.mean().clamp_min(1e-12), threshold

    def _refit(
        self, current: Autoencoder, points: Tensor, weights: Tensor, generator: torch.Generator
    ) -> None:
        batch = min(self.training.batch, self.samples)

        def drawn() -> tuple[Tensor, None, Tensor]:
            rows = torch.randint(self.samples, (batch,), generator=generator)
            return points[rows], None, weights[rows]

        current.train(
            drawn, beta=self.beta, steps=self.steps, rate=self.latent_rate, generator=generator
        )

    @override
    def search(
        self, model: Generative, data: Dataset, generator: torch.Generator, q: int
    ) -> Designs:
        autoencoder = model.autoencoder
        count = self.spare * q
        codes = torch.randn(count, self.latent, generator=generator)
        return self.designs(autoencoder.outputs.sample(autoencoder.decode(codes), generator), data)
