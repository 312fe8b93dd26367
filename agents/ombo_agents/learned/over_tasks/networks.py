"""Networks on their way to where campaigns are played: as bytes, and never as code."""

from __future__ import annotations

from typing import Any, NamedTuple

import safetensors.torch
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy, MultiInputActorCriticPolicy


class Network(NamedTuple):
    """An actor-critic network that acts through a control.

    Attributes:
        hidden: Widths of its layers.
        weights: In the format of safetensors.
    """

    hidden: tuple[int, ...]
    weights: bytes

    def build(self, observations: spaces.Dict, actions: spaces.Space[Any]) -> ActorCriticPolicy:
        """The network, in float32, for these spaces."""
        network = MultiInputActorCriticPolicy(
            observations, actions, lambda _: 0.0, net_arch=list(self.hidden)
        )
        load(network, safetensors.torch.load(self.weights))
        return network.eval()


def taken(network: ActorCriticPolicy, hidden: tuple[int, ...]) -> Network:
    """A network as it is now."""
    return Network(hidden, safetensors.torch.save(weights_of(network)))


def weights_of(network: ActorCriticPolicy) -> dict[str, torch.Tensor]:
    """Copies of a network's weights by name."""
    return {name: each.detach().clone() for name, each in network.named_parameters()}


def load(network: ActorCriticPolicy, weights: dict[str, torch.Tensor]) -> None:
    """Puts weights into a network."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(weights[name])
