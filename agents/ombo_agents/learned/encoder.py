"""A network that sees the whole dataset as a set and scores raw designs, for stable-baselines3.

Rows are embedded one by one and summed up twice: over the whole dataset and, on finite spaces, by
*option*. An option is what a slot of a batch can choose: a design of a pool or, where designs have
several positions, a category at a position. All options are scored by one shared network from the
rows that have them, so that designs of which nothing but the data differs are treated alike.

Reference:
    Zaheer et al., Deep Sets, NeurIPS 2017: sums over rows; maps that commute with permutations of
    options.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.distributions import MultiCategoricalDistribution
from stable_baselines3.common.policies import MultiInputActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn
from torch.distributions import Categorical
from typing_extensions import override

from ombo_gym.design_spaces import DesignSpace

LARGEST_POOL = 256  # options that are scored one by one; larger spaces get a linear layer
_NUM_COUNTS = 2  # numbers beside the sums that say how many rows were summed up


class NamingLinear(nn.Linear):
    """A linear layer that reads which design it is; starts at zero, and so with no favourites."""


def embed_values(values: Tensor) -> Tensor:
    """Values on several scales, (...,) -> (..., 9): 0.01 and 0.02 can mean different things."""
    scales = torch.tensor([1.0, 4.0, 16.0, 64.0], dtype=values.dtype)
    waves = values[..., None] * scales
    # Large values stay moderate: nothing is known of their units.
    return torch.cat([torch.asinh(values)[..., None], waves.sin(), 1 - waves.cos()], dim=-1)


def embed_rounds(rounds_left: Tensor) -> Tensor:
    """Rounds left, (B, 1) -> (B, 2): whether this is the last, and how many more there are."""
    return torch.cat([1 / (1 + rounds_left), rounds_left / 8], dim=-1)


class DatasetEncoder(BaseFeaturesExtractor):
    """Embeds padded datasets; the order of rows, the padding and its length change nothing.

    Args:
        observation_space: Of `control="designs"`.
        space: The design space.
        width: Of the embeddings.

    Attributes:
        options: O, the number of options; 0 where they are not scored one by one.
        context_dim: C, numbers for the dataset as a whole.

    Returns (of `forward`):
        (B, C + O * width): the context, then each option's embedding.
    """

    option_features: Tensor | None
    offsets: Tensor

    def __init__(self, observation_space: spaces.Dict, *, space: DesignSpace, width: int) -> None:
        features = _option_features(space)
        self.options = 0 if features is None or len(features) > LARGEST_POOL else len(features)
        self.context_dim = width + _NUM_COUNTS + 2 + (2 * width if self.options else 0)
        super().__init__(observation_space, self.context_dim + self.options * width)
        self.width = width
        # Not saved: they are the design space's own, wherever the network plays.
        self.register_buffer("option_features", features, persistent=False)
        offsets = np.cumsum([0, *options_of(space)[:-1]])
        self.register_buffer("offsets", torch.as_tensor(offsets), persistent=False)
        design_layer = nn.Linear if space.pool_features is None else NamingLinear
        k = space.shape[0] if features is None else features.shape[1]
        self.from_values = nn.Linear(9, width)
        self.from_designs = design_layer(k, width, bias=False)
        self.rows = nn.Linear(width, width)
        if self.options:
            self.from_rows = nn.Linear(width + _NUM_COUNTS, width)
            self.from_context = nn.Linear(width + _NUM_COUNTS + 2, width, bias=False)
            self.from_names = design_layer(k, width, bias=False)
            self.tokens = nn.Linear(width, width)

    @override
    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        dtype = self.rows.weight.dtype
        observed = observations["observed"] > 0.5  # (B, n)
        # In float32 always, as in training.
        values = torch.where(observed, observations["measurements"], 0).float().to(dtype)
        designs = torch.where(observed[..., None], observations["designs"], 0)  # (B, n, *shape)
        if self.option_features is None:
            features = designs.to(dtype)  # (B, n, k)
        else:
            chosen = designs.long() + self.offsets  # (B, n, L) options of each row
            features = self.option_features[chosen].sum(dim=-2)  # (B, n, k)
        rows = torch.relu(self.from_values(embed_values(values)) + self.from_designs(features))
        rows = torch.relu(self.rows(rows))  # (B, n, width) embeddings
        rounds = embed_rounds(observations["rounds_left"].to(dtype))  # (B, 2)
        dataset = _pooled(rows, observed.to(dtype)[..., None])[:, 0]  # (B, width + 2)
        context = torch.cat([dataset, rounds], dim=-1)
        if not self.options:
            return context
        member = nn.functional.one_hot(chosen, self.options).sum(dim=-2)  # (B, n, O)
        tokens = (
            self.from_rows(_pooled(rows, (member * observed[..., None]).to(dtype)))
            + self.from_context(context)[:, None]
            + self.from_names(self.option_features)
        )
        tokens = torch.relu(self.tokens(torch.relu(tokens)))  # (B, O, width) embeddings
        context = torch.cat([context, tokens.mean(dim=1), tokens.amax(dim=1)], dim=-1)
        return torch.cat([context, tokens.flatten(1)], dim=-1)


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


class DirectPolicy(MultiInputActorCriticPolicy):
    """Actor and critic over a `DatasetEncoder`; `storage.network_of` has its arguments."""

    @override
    def _build_mlp_extractor(self) -> None:
        encoder = self.features_extractor
        assert isinstance(encoder, DatasetEncoder) and isinstance(self.net_arch, list)
        if not encoder.options:
            super()._build_mlp_extractor()
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
        tensors = {name: torch.as_tensor(array) for name, array in observation.items()}
        features = self.features_extractor(tensors)
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


def options_of(space: DesignSpace) -> list[int]:
    """How many options there are at each position of a design; none where actions are numbers."""
    actions = space.action_space(1)
    return actions.nvec.tolist() if isinstance(actions, spaces.MultiDiscrete) else []


def _option_features(space: DesignSpace) -> Tensor | None:
    """What is known of the options beforehand, (O, k); None where actions are numbers."""
    if not (options := options_of(space)):
        return None
    if space.pool_features is not None:
        return torch.as_tensor(space.pool_features, dtype=torch.float32)
    return torch.eye(sum(options))


def _pooled(rows: Tensor, member: Tensor) -> Tensor:
    """Sums over members, and how many they are: (B, n, w) and (B, n, O) -> (B, O, w + 2)."""
    count = member.sum(dim=1)[..., None]  # (B, O, 1)
    shrunk = (member.transpose(1, 2) @ rows) / (1 + count)  # a mean that trusts few rows less
    return torch.cat([shrunk, torch.log1p(count), 1 / (1 + count)], dim=-1)
