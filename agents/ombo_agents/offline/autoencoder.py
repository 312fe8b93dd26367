"""Variational autoencoders of designs, on request conditional on a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ombo_agents.offline.networks import Networks, minimise
from ombo_agents.offline.outputs import Outputs


@dataclass
class Autoencoder:
    """An encoder and a decoder with two hidden layers each.

    Attributes:
        latent: Size of the latent space, whose prior is standard normal.
        encoder, decoder: Networks.
        outputs: What the decoder's outputs mean.
    """

    latent: int
    encoder: Networks
    decoder: Networks
    outputs: Outputs

    @classmethod
    def new(
        cls,
        outputs: Outputs,
        size: int,
        conditions: int,
        latent: int,
        hidden: int,
        generator: torch.Generator,
    ) -> Autoencoder:
        """With random weights, for points of a size and some conditions."""
        encoder = Networks((size + conditions, hidden, hidden, 2 * latent), 1, generator)
        decoder = Networks((latent + conditions, hidden, hidden, outputs.width), 1, generator)
        return cls(latent, encoder, decoder, outputs)

    def decode(self, codes: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Parameters of distributions over points, (m, latent) -> (m, width)."""
        return self.decoder(_beside(codes, conditions))[0]

    def loss(
        self,
        points: Tensor,
        conditions: Tensor | None,
        weights: Tensor,
        beta: float,
        generator: torch.Generator,
    ) -> Tensor:
        """Weighted negative evidence lower bound, with `beta` times the divergence."""
        mean, log_std = self.encoder(_beside(points, conditions))[0].chunk(2, dim=-1)
        log_std = log_std.clamp(-5, 2)
        codes = mean + log_std.exp() * torch.randn(mean.shape, generator=generator)
        fit = self.outputs.log_probability(self.decode(codes, conditions), points)
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


def _beside(numbers: Tensor, conditions: Tensor | None) -> Tensor:
    return numbers if conditions is None else torch.cat([numbers, conditions], dim=-1)
