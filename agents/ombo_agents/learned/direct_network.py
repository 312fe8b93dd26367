"""Actor and critic that score raw designs over a `DatasetEncoder`, for stable-baselines3."""

from __future__ import annotations

import ombo_agents.learned.requirements  # noqa: F401  # isort: skip

import math
from collections.abc import Callable
from typing import Any

import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.distributions import (
    DiagGaussianDistribution,
    MultiCategoricalDistribution,
)
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from torch import Tensor, nn
from torch.distributions import Categorical
from typing_extensions import override

from ombo_agents.learned.encoder import DatasetEncoder, NamingLinear
from ombo_gym.design_spaces import DesignSpace


class DatasetExtractor(DatasetEncoder):
    """A `DatasetEncoder` with the arguments that stable-baselines3 gives.

    Args:
        observation_space: Of `control="designs"`; the design space says what is needed of it.
        space: The design space.
        width: Of the embeddings.
    """

    def __init__(self, observation_space: spaces.Dict, *, space: DesignSpace, width: int) -> None:
        super().__init__(space, width=width)


class OptionHeads(nn.Module):
    """Scores every option for every slot, and values the dataset.

    Args:
        encoder: Whose features it takes.
        batch_size: q.
        hidden: Width of the critic's layers.
    """

    option_features: Tensor

    def __init__(self, encoder: DatasetEncoder, batch_size: int, hidden: list[int]) -> None:
        super().__init__()
        assert encoder.option_features is not None
        self._options, self._width = encoder.options, encoder.width
        self._split = [encoder.context_dim, encoder.options * encoder.width]
        width, k = encoder.width, encoder.option_features.shape[1]
        self.register_buffer("option_features", encoder.option_features, persistent=False)
        self.from_tokens = nn.Linear(width, width)
        self.from_context = nn.Linear(encoder.context_dim, width, bias=False)
        self.scores = nn.Linear(width, batch_size)
        self.crowding = nn.Linear(width, 1)
        self.names = NamingLinear(encoder.context_dim, batch_size * k)
        layers: list[nn.Module] = []
        for before, after in zip([encoder.context_dim, *hidden], hidden, strict=False):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.critic = nn.Sequential(*layers)
        self.latent_dim_pi = 1  # of a layer that scores options, which these heads do themselves
        self.latent_dim_vf = hidden[-1]

    @override
    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.forward_actor(features), self.forward_critic(features)

    def forward_actor(self, features: Tensor) -> Tensor:
        """What a `SlotBySlot` is made of, (B, q * O + O)."""
        context, flat = torch.split(features, self._split, dim=1)
        tokens = flat.reshape(len(flat), self._options, self._width)
        tokens = torch.relu(self.from_tokens(tokens) + self.from_context(context)[:, None])
        scores = self.scores(tokens).transpose(1, 2)  # (B, q, O)
        names = self.names(context).unflatten(1, (scores.shape[1], -1))  # (B, q, k)
        scores = scores + names @ self.option_features.T
        return torch.cat([scores.flatten(1), self.crowding(tokens).flatten(1)], dim=1)

    def forward_critic(self, features: Tensor) -> Tensor:
        """(B, hidden)."""
        hidden: Tensor = self.critic(features[:, : self._split[0]])
        return hidden


class SlotBySlot(MultiCategoricalDistribution):
    """Slots that choose one after the other, each knowing which options the earlier ones chose.

    Slots that chose independently could share out a batch only by agreeing beforehand on who takes
    what, which takes long to learn: each finds the others' choices too uncertain to commit itself.

    Args:
        categories: Options at each position, L of them.
        batch_size: q.
    """

    def __init__(self, categories: list[int], batch_size: int) -> None:
        super().__init__(categories * batch_size)
        self.categories, self.batch_size = categories, batch_size

    @override
    def proba_distribution(self, action_logits: Tensor) -> SlotBySlot:
        """Takes the scores of all slots and what each earlier use of an option adds to its score.

        Args:
            action_logits: (B, q * O + O), options in the order of the action space.
        """
        options = sum(self.categories)
        flat, self.crowding = torch.split(
            action_logits, [self.batch_size * options, options], dim=1
        )
        self.scores = flat.reshape(len(flat), self.batch_size, options)  # (B, q, O)
        return self

    @override
    def log_prob(self, actions: Tensor) -> Tensor:
        """Of whole batches, (B, q * L) -> (B,)."""
        slots = actions.long().reshape(len(actions), self.batch_size, len(self.categories))
        chosen = self._options(slots)  # (B, q, O)
        chosen_before = chosen.cumsum(dim=1) - chosen  # (B, q, O) by how many earlier slots
        self.distribution = self._heads(self.scores + chosen_before * self.crowding[:, None])
        log_probs = [
            head.log_prob(slots[..., position])  # type: ignore[no-untyped-call]
            for position, head in enumerate(self.distribution)
        ]
        return torch.stack(log_probs).sum(dim=(0, 2))

    @override
    def entropy(self) -> Tensor:
        """Of the slots given the earlier slots of the last `log_prob`: unbiased, (B,)."""
        entropies = [
            head.entropy()  # type: ignore[no-untyped-call]
            for head in self.distribution
        ]
        return torch.stack(entropies).sum(dim=(0, 2))

    @override
    def sample(self) -> Tensor:
        return self._one_by_one(lambda head: head.sample())  # type: ignore[no-untyped-call]

    @override
    def mode(self) -> Tensor:
        return self._one_by_one(lambda head: head.logits.argmax(dim=-1))

    def _one_by_one(self, choose: Callable[[Categorical], Tensor]) -> Tensor:
        chosen = torch.zeros_like(self.crowding)  # (B, O)
        slots = []
        for scores in self.scores.unbind(dim=1):
            heads = self._heads(scores + chosen * self.crowding)
            slots.append(torch.stack([choose(head) for head in heads], dim=-1))  # (B, L)
            chosen = chosen + self._options(slots[-1])
        return torch.cat(slots, dim=1)

    def _heads(self, scores: Tensor) -> list[Categorical]:
        parts = torch.split(scores, self.categories, dim=-1)  # (..., options of a position) each
        return [Categorical(logits=logits) for logits in parts]

    def _options(self, slots: Tensor) -> Tensor:
        """Which options are chosen, one-hot: (..., L) -> (..., O)."""
        one_hot = [
            nn.functional.one_hot(slots[..., position], count)
            for position, count in enumerate(self.categories)
        ]
        return torch.cat(one_hot, dim=-1).to(self.crowding.dtype)


class BoundedSpread(DiagGaussianDistribution):
    """Numbers whose entropy counts no further than the spread that they begin with.

    Choices are spread out most when all are equally likely; numbers have no such end, and a bonus
    for their entropy would drive them into the corners of the box.

    Args:
        action_dim: How many numbers.
        log_std: Of each, at the start.
    """

    def __init__(self, action_dim: int, log_std: float) -> None:
        super().__init__(action_dim)
        self._widest = log_std + 0.5 * math.log(2 * math.pi * math.e)  # entropy at that spread

    @override
    def entropy(self) -> Tensor:
        """Of all numbers together, (B,)."""
        entropies: Tensor = self.distribution.entropy()  # type: ignore[no-untyped-call]
        return torch.clamp(entropies, max=self._widest).sum(dim=1)


class DirectPolicy(MultiInputActorCriticPolicy):
    """Actor and critic over a `DatasetEncoder`; `storage.network_of` has its arguments."""

    @override
    def _build_mlp_extractor(self) -> None:
        encoder = self.features_extractor
        assert isinstance(encoder, DatasetEncoder) and isinstance(self.net_arch, list)
        if not encoder.options:
            super()._build_mlp_extractor()
            if isinstance(self.action_dist, DiagGaussianDistribution):
                self.action_dist = BoundedSpread(self.action_dist.action_dim, self.log_std_init)
            return
        assert isinstance(self.action_space, spaces.MultiDiscrete)
        sizes = self.action_space.nvec.tolist()
        batch_size = sum(sizes) // encoder.options
        heads: Any = OptionHeads(encoder, batch_size, self.net_arch)
        self.mlp_extractor = heads
        self.action_dist = SlotBySlot(sizes[: len(sizes) // batch_size], batch_size)

    @override
    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        if isinstance(self.mlp_extractor, OptionHeads):
            self.action_net = nn.Identity()
            nn.init.orthogonal_(self.mlp_extractor.scores.weight, gain=0.01)
            nn.init.zeros_(self.mlp_extractor.crowding.weight)
        for module in self.modules():
            if isinstance(module, NamingLinear):
                nn.init.zeros_(module.weight)
        optimizer: Any = self.optimizer_class
        self.optimizer = optimizer(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)

    def actor(self, observation: dict[str, NDArray[Any]]) -> Tensor:
        """The actor's outputs for B datasets: the mean of numbers, or logits; (B, ...).

        Args:
            observation: Fields of `control="designs"` with a leading B, padded to any length.
        """
        features = self.features_extractor(observation)
        outputs: Tensor = self.action_net(self.mlp_extractor.forward_actor(features))
        return outputs


def check_outputs(outputs: Tensor) -> None:
    """Refuses to play what a network says when it is no number.

    Raises:
        ValueError: NaN or infinity among the outputs, (B, ...).
    """
    finite = torch.isfinite(outputs).flatten(1).all(dim=1)  # (B,)
    if not finite.all():
        row = int(torch.argmin(finite.int()))
        raise ValueError(
            f"the trained network's outputs are not finite for campaign {row} of {len(outputs)}: "
            "its weights, or what it sees, are too large; train it again"
        )
