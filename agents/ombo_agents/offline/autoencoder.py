"""Variational autoencoders of designs, on request conditional on a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ombo_agents.offline.distributions import PointDistribution
from ombo_agents.offline.networks import Networks, minimise
from ombo_agents.offline.offline_policy import FittedModel


@dataclass
class Autoencoder:
    """An encoder and a decoder with two hidden layers each.

    Attributes:
        latent: Size of the latent space, whose prior is standard normal.
        encoder, decoder: Networks.
        distribution: Of points, whose parameters are the decoder's outputs.
    """

    latent: int
    encoder: Networks
    decoder: Networks
    distribution: PointDistribution

    @classmethod
    def new(
        cls,
        distribution: PointDistribution,
        generator: torch.Generator,
        *,
        size: int,
        num_conditions: int,
        latent: int,
        hidden: int,
    ) -> Autoencoder:
        """With random weights.

        Args:
            distribution: Of points.
            generator: Of the weights.
            size: k, of a point.
            num_conditions: Numbers that encoder and decoder are given besides.
            latent: Size of the latent space.
            hidden: Width of the hidden layers.
        """
        encoder_sizes = (size + num_conditions, hidden, hidden, 2 * latent)
        decoder_sizes = (latent + num_conditions, hidden, hidden, distribution.num_parameters)
        encoder = Networks(encoder_sizes, 1, generator)
        decoder = Networks(decoder_sizes, 1, generator)
        return cls(latent, encoder, decoder, distribution)

    def decode(self, codes: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Parameters of distributions over points, (m, latent) -> (m, num_parameters)."""
        return self.decoder(_joined(codes, conditions))[0]

    def sample(
        self, count: int, generator: torch.Generator, conditions: Tensor | None = None
    ) -> Tensor:
        """Points of codes from the prior, (count, k)."""
        codes = torch.randn(count, self.latent, generator=generator)
        return self.distribution.sample(self.decode(codes, conditions), generator)

    def loss(
        self,
        points: Tensor,
        conditions: Tensor | None,
        weights: Tensor,
        beta: float,
        generator: torch.Generator,
    ) -> Tensor:
        """Weighted negative evidence lower bound, with `beta` times the divergence."""
        mean, log_std = self.encoder(_joined(points, conditions))[0].chunk(2, dim=-1)
        log_std = log_std.clamp(-5, 2)
        codes = mean + log_std.exp() * torch.randn(mean.shape, generator=generator)
        fit = self.distribution.log_probability(self.decode(codes, conditions), points)
        divergence = 0.5 * (mean**2 + (2 * log_std).exp() - 1) - log_std
        return (weights * (beta * divergence.sum(dim=-1) - fit)).mean()

    def train(
        self,
        batches: Callable[[], tuple[Tensor, Tensor | None, Tensor]],
        *,
        beta: float,
        steps: int,
        rate: float,
        generator: torch.Generator,
    ) -> None:
        """Minimises the loss over batches of points, conditions and weights."""
        parameters = [*self.encoder.parameters, *self.decoder.parameters]
        minimise(
            parameters, lambda step: self.loss(*batches(), beta, generator), steps=steps, rate=rate
        )

    def freeze(self) -> Autoencoder:
        """Ends training."""
        self.encoder.freeze()
        self.decoder.freeze()
        return self


@dataclass
class GenerativeModel(FittedModel):
    """A generative model of designs."""

    autoencoder: Autoencoder


def _joined(numbers: Tensor, conditions: Tensor | None) -> Tensor:
    """Numbers and conditions side by side, (m, k) and (m, c) -> (m, k + c)."""
    return numbers if conditions is None else torch.cat([numbers, conditions], dim=-1)
