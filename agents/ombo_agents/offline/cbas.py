"""Conditioning by adaptive sampling."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from ombo_agents.offline.autoencoder import Autoencoder, GenerativeModel
from ombo_agents.offline.distributions import point_distribution
from ombo_agents.offline.forward_model import ForwardModel, fit_forward_model
from ombo_agents.offline.networks import EnsembleSettings, batch_rows, steps_for
from ombo_agents.offline.offline_policy import Dataset, OfflinePolicy
from ombo_agents.settings import Fraction, PositiveFloat, PositiveInt
from ombo_gym.design_spaces import Designs

_MIN_SPREAD = 0.1  # of an ensemble's predictions, in standard deviations of the values
_MAX_LOG_RATIO = 3.0  # of the prior's to the current density


@dataclass(frozen=True, kw_only=True)
class CbasSettings(EnsembleSettings):
    """Settings of `Cbas`, beside those of its networks.

    Attributes:
        latent: Size of the latent space.
        latent_epochs: Passes over the data of the first fit of the autoencoder.
        latent_rate: Of Adam, at the start.
        beta: Weight of the divergence from the prior.
        iterations: How often it is fitted again.
        samples: Designs of an iteration.
        steps: Gradient steps of an iteration.
        quantile: Of the predictions, that is the threshold.
        spare: Designs drawn per design of the batch, for those that come twice.
    """

    latent: PositiveInt
    latent_epochs: PositiveFloat
    latent_rate: PositiveFloat
    beta: PositiveFloat
    iterations: PositiveInt
    samples: PositiveInt
    steps: PositiveInt
    quantile: Fraction
    spare: PositiveInt


class Cbas(OfflinePolicy[CbasSettings, GenerativeModel]):
    """Draws designs from a generative model that was conditioned on large values.

    An autoencoder is fitted to the dataset's designs, an ensemble of networks to their values. Then
    designs are drawn from the autoencoder, and it is fitted to them again, iteration after
    iteration. Each design counts by the probability, as the ensemble sees it, that the design's
    value is above a threshold, times the ratio of the design's densities under the first and the
    current autoencoder. The threshold is a quantile of the iteration's predictions, and never
    falls.

    Args:
        spec: Of the campaigns it is built for.
        settings: Of the networks, of the iterations and of the draws.

    Reference:
        Brookes, Park and Listgarten, Conditioning by adaptive sampling for robust design, ICML
        2019, algorithm 1.
    """

    settings_type = CbasSettings

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> GenerativeModel:
        settings = self.settings
        forward = fit_forward_model(data, settings, generator)
        n, k = data.points.shape
        prior = Autoencoder.new(
            point_distribution(self.relaxation, data),
            generator,
            size=k,
            num_conditions=0,
            latent=settings.latent,
            hidden=settings.hidden,
        )
        batch = batch_rows(settings.batch, n)
        ones = torch.ones(batch)

        def draw_batch() -> tuple[Tensor, None, Tensor]:
            return data.points[torch.randint(n, (batch,), generator=generator)], None, ones

        steps = steps_for(n, epochs=settings.latent_epochs, batch=batch)
        self._train(prior, draw_batch, steps, generator)
        current = deepcopy(prior)
        prior.freeze()
        threshold = -torch.inf
        for _ in range(settings.iterations):
            points, weights, threshold = self._weighted(
                prior, current, forward, threshold, generator
            )
            self._refit(current, points, weights, generator)
        return GenerativeModel(forward.queries, current.freeze())

    def _weighted(
        self,
        prior: Autoencoder,
        current: Autoencoder,
        forward: ForwardModel,
        threshold: float,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor, float]:
        """Points of an iteration, (samples, k), their weights, (samples,), and the threshold."""
        settings, distribution = self.settings, current.distribution
        with torch.no_grad():
            codes = torch.randn(settings.samples, settings.latent, generator=generator)
            parameters = current.decode(codes)  # (samples, p)
            points = distribution.sample(parameters, generator)
            predicted = forward(points)  # (E, samples)
            mean = predicted.mean(dim=0)
            spread = predicted.std(dim=0, correction=0).clamp_min(_MIN_SPREAD)
            threshold = max(threshold, float(mean.quantile(settings.quantile)))
            above = torch.special.ndtr((mean - threshold) / spread)  # probabilities
            log_ratio = distribution.log_probability(prior.decode(codes), points)
            log_ratio -= distribution.log_probability(parameters, points)
            weights = above * log_ratio.clamp(-_MAX_LOG_RATIO, _MAX_LOG_RATIO).exp()
        return points, weights / weights.mean().clamp_min(1e-12), threshold

    def _refit(
        self, current: Autoencoder, points: Tensor, weights: Tensor, generator: torch.Generator
    ) -> None:
        """Fits the current autoencoder to weighted points."""
        samples, batch = self.settings.samples, min(self.settings.batch, self.settings.samples)

        def draw_batch() -> tuple[Tensor, None, Tensor]:
            rows = torch.randint(samples, (batch,), generator=generator)
            return points[rows], None, weights[rows]

        self._train(current, draw_batch, self.settings.steps, generator)

    def _train(
        self,
        autoencoder: Autoencoder,
        draw_batch: Callable[[], tuple[Tensor, Tensor | None, Tensor]],
        steps: int,
        generator: torch.Generator,
    ) -> None:
        settings = self.settings
        autoencoder.train(
            draw_batch,
            beta=settings.beta,
            steps=steps,
            rate=settings.latent_rate,
            generator=generator,
        )

    @override
    def search(
        self, model: GenerativeModel, data: Dataset, generator: torch.Generator, q: int
    ) -> Designs:
        return self.designs(model.autoencoder.sample(self.settings.spare * q, generator), data)
