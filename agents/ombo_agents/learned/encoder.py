"""A network that sees the whole dataset of a campaign as a set; torch, and nothing else.

Rows are embedded one by one and summed up twice: over the whole dataset and, on finite spaces, by
*option*. An option is what a slot of a batch can choose: a design of a pool or, where designs have
several positions, a category at a position. All options are embedded by one shared network from
the rows that have them, so that designs of which nothing but the data differs are treated alike.

Reference:
    Zaheer et al., Deep Sets, NeurIPS 2017: sums over rows; maps that commute with permutations of
    options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn
from typing_extensions import override

from ombo_gym.design_spaces import DesignSpace

LARGEST_POOL = 256  # options that are scored one by one; larger spaces get a linear layer
FIELDS = ("designs", "measurements", "observed", "rounds_left")  # of the observation that are read
_NUM_COUNTS = 2  # numbers beside the sums that say how many rows were summed up


class NamingLinear(nn.Linear):
    """A linear layer that reads which design it is; starts at zero, and so with no favourites."""

    @override
    def reset_parameters(self) -> None:
        super().reset_parameters()
        nn.init.zeros_(self.weight)


def embed_values(values: Tensor) -> Tensor:
    """Values on several scales, (...,) -> (..., 9): 0.01 and 0.02 can mean different things."""
    scales = values.new_tensor([1.0, 4.0, 16.0, 64.0])
    waves = values[..., None] * scales
    # Large values stay moderate: nothing is known of their units.
    return torch.cat([torch.asinh(values)[..., None], waves.sin(), 1 - waves.cos()], dim=-1)


def embed_rounds(rounds_left: Tensor) -> Tensor:
    """Rounds left, (B, 1) -> (B, 2): whether this is the last, and how many more there are."""
    return torch.cat([1 / (1 + rounds_left), rounds_left / 8], dim=-1)


class DatasetEncoder(nn.Module):
    """Embeds padded datasets; the order of rows, the padding and its length change nothing.

    What it sees are observations of `control="designs"`, as the environments show them or behind
    `StandardizeMeasurements`, of any capacity.

    Args:
        space: The design space.
        width: Of the embeddings.

    Raises:
        ValueError: A width below 1.

    Attributes:
        features_dim: F = C + O * width, numbers that come out for each campaign.
        context_dim: C, numbers for the dataset as a whole, which come first.
        options: O, the number of options; 0 where they are not scored one by one.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> envs = gym.make_vec("Ombo/Reaction-v0", num_envs=8, batch_size=4)
        >>> encoder = DatasetEncoder(envs.unwrapped.campaign_spec.design_space, width=32)
        >>> observation, _ = envs.reset(seed=0)
        >>> tuple(encoder(observation).shape) == (8, encoder.features_dim)
        True
    """

    option_features: Tensor | None
    offsets: Tensor

    def __init__(self, space: DesignSpace, *, width: int = 64) -> None:
        if width < 1:
            raise ValueError(f"width: expected at least 1, got {width}")
        super().__init__()
        features = _option_features(space)
        self.options = 0 if features is None or len(features) > LARGEST_POOL else len(features)
        self.context_dim = width + _NUM_COUNTS + 2 + (2 * width if self.options else 0)
        self.features_dim = self.context_dim + self.options * width
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
    def forward(self, observation: Mapping[str, Any]) -> Tensor:
        """Embeds the datasets of B campaigns, (B, F): the context, then each option's embedding.

        Args:
            observation: With a leading B; NumPy arrays or tensors.

        Raises:
            ValueError: A field of `FIELDS` is missing.
        """
        if missing := [name for name in FIELDS if name not in observation]:
            raise ValueError(
                f"observation: expected the fields {list(FIELDS)} of control='designs', got "
                f"{sorted(observation)}; {missing} are missing"
            )
        device, dtype = self.rows.weight.device, self.rows.weight.dtype
        shown = {name: torch.as_tensor(observation[name], device=device) for name in FIELDS}
        observed = shown["observed"] > 0.5  # (B, n)
        # In float32 always, as in training.
        values = torch.where(observed, shown["measurements"], 0).float().to(dtype)
        designs = torch.where(observed[..., None], shown["designs"], 0)  # (B, n, *shape)
        if self.option_features is None:
            features = designs.to(dtype)  # (B, n, k)
        else:
            chosen = designs.long() + self.offsets  # (B, n, L) options of each row
            features = self.option_features[chosen].sum(dim=-2)  # (B, n, k)
        # Rows that are observed, R of all campaigns; for most of a campaign most rows are padding.
        campaign = observed.nonzero()[:, 0]  # (R,) which has the row
        rows = self.from_values(embed_values(values[observed]))
        rows = torch.relu(rows + self.from_designs(features[observed]))
        rows = torch.relu(self.rows(rows))  # (R, width) embeddings
        rounds = embed_rounds(shown["rounds_left"].to(dtype))  # (B, 2)
        dataset = _pooled(rows, [campaign], len(observed))  # (B, width + 2)
        context = torch.cat([dataset, rounds], dim=-1)
        if not self.options:
            return context
        places = [campaign * self.options + option for option in chosen[observed].T]  # L of (R,)
        by_option = _pooled(rows, places, len(observed) * self.options)
        tokens = (
            self.from_rows(by_option.reshape(len(observed), self.options, -1))
            + self.from_context(context)[:, None]
            + self.from_names(self.option_features)
        )
        tokens = torch.relu(self.tokens(torch.relu(tokens)))  # (B, O, width) embeddings
        context = torch.cat([context, tokens.mean(dim=1), tokens.amax(dim=1)], dim=-1)
        return torch.cat([context, tokens.flatten(1)], dim=-1)


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


def _pooled(rows: Tensor, places: Sequence[Tensor], num_places: int) -> Tensor:
    """Sums of rows, and how many they are.

    Args:
        rows: (R, w).
        places: Each (R,), where rows are added; a row may have several places.
        num_places: P.

    Returns:
        (P, w + 2).
    """
    total = rows.new_zeros(num_places, rows.shape[1])  # (P, w)
    count = rows.new_zeros(num_places)  # (P,)
    for place in places:
        total = total.index_add(0, place, rows)
        count += torch.bincount(place, minlength=num_places)
    count = count[:, None]
    shrunk = total / (1 + count)  # a mean that trusts few rows less
    return torch.cat([shrunk, torch.log1p(count), 1 / (1 + count)], dim=-1)
