"""How large networks and rollouts would be: what nobody can hold is refused before it is made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from gymnasium import spaces

from ombo_agents.learned.encoder import options_of
from ombo_agents.learned.ppo_settings import PPOSettings
from ombo_gym.arguments import shown
from ombo_gym.memory import LIMIT, largest_bytes
from ombo_gym.spec import CampaignSpec

LARGEST_DEPTH = 64  # layers
MOST_CAMPAIGNS = 2**20  # in lockstep: those of the next training seed are seeded from there on
_BYTES = 16  # of a weight in training: itself, its gradient, two moments


def check_network_size(
    spec: CampaignSpec,
    observations: spaces.Dict,
    actions: spaces.Space[Any],
    *,
    hidden: Sequence[int],
) -> None:
    """Refuses layers that are too many or too large.

    Args:
        spec: Of the campaigns.
        observations: What the network sees of one campaign.
        actions: What it says of one.
        hidden: Widths of its layers.

    Raises:
        ValueError: The network would have more than `LARGEST_DEPTH` layers, or take more memory in
            training than campaigns may (`ombo_gym.memory`).
    """
    if len(hidden) > LARGEST_DEPTH:
        raise ValueError(
            f"hidden: expected at most {LARGEST_DEPTH} layers, got {len(hidden):,}; give fewer and "
            "wider ones, for instance [64, 64]"
        )
    numbers = _numbers(spec, observations, actions, hidden)
    _check_bytes(
        f"hidden: {_shown(numbers)} weights, of layers {shown(list(hidden))} for these campaigns,",
        _BYTES * numbers,
        "give narrower layers, or campaigns with fewer options and smaller batches",
    )


def _check_bytes(what: str, size: int, remedy: str) -> None:
    """Refuses what takes more memory than campaigns may.

    Raises:
        ValueError: It does; says what it is, how much it takes and what to do.
    """
    limit = largest_bytes()
    if limit is not None and size > limit:
        raise ValueError(
            f"{what} take about {_shown(-(-size // 2**30))} GiB, expected at most "
            f"{limit / 2**30:.3g}; {remedy}, or raise the limit by the environment variable "
            f"{LIMIT}, in GiB"
        )


def check_campaigns(num_envs: int) -> None:
    """Refuses more campaigns in lockstep than a training seed has seeds for.

    Raises:
        ValueError: There are more than `MOST_CAMPAIGNS`.
    """
    if num_envs > MOST_CAMPAIGNS:
        raise ValueError(
            f"num_envs: expected at most {MOST_CAMPAIGNS:,} campaigns in lockstep, got "
            f"{num_envs:,}; those of the next training seed would be the same"
        )


def check_rollout_size(
    observations: spaces.Dict, actions: spaces.Space[Any], settings: PPOSettings
) -> None:
    """Refuses rollouts that do not fit into memory.

    Args:
        observations: Of one campaign.
        actions: Likewise.
        settings: Say how many campaigns and rounds there are in an update.

    Raises:
        ValueError: They take more than campaigns may (`ombo_gym.memory`).
    """
    kept = [*observations.values(), actions]
    row = 24 + sum(math.prod(each.shape or ()) * np.dtype(each.dtype).itemsize for each in kept)
    rounds = settings.num_envs * settings.rounds_per_update
    _check_bytes(
        f"num_envs: rounds of {_shown(row)} bytes each, {_shown(settings.rounds_per_update)} of "
        f"{_shown(settings.num_envs)} campaigns in an update,",
        2 * row * rounds,  # stable-baselines3 copies a rollout before it learns from it
        "give fewer campaigns, or smaller ones (a start of fewer rows, a shorter horizon)",
    )


def _numbers(
    spec: CampaignSpec, observations: spaces.Dict, actions: spaces.Space[Any], hidden: Sequence[int]
) -> int:
    """About how many weights a network has, rounded up."""
    outputs = _outputs(actions)
    layers = 2 * sum(before * after for before, after in pairwise(hidden))  # actor and critic
    width = hidden[0] if hidden else 1
    last = hidden[-1] if hidden else 1
    if "designs" not in observations.spaces:
        inputs = sum(math.prod(each.shape or ()) for each in observations.values())
        return layers + 2 * inputs * width + last * outputs
    options = options_of(spec.design_space)
    known = spec.design_space.pool_features
    if known is not None:
        columns = int(known.shape[1])
    else:
        columns = sum(options) or spec.design_space.shape[0]
    context = 3 * width + 4
    encoder = (2 * columns + 5 * width + 9) * width + sum(options) * columns
    names = context * spec.batch_sizes[1] * columns
    return layers + encoder + names + 2 * context * width + last * outputs


def _outputs(actions: spaces.Space[Any]) -> int:
    """How many numbers an actor says."""
    if isinstance(actions, spaces.MultiDiscrete):
        return int(actions.nvec.sum())
    return math.prod(actions.shape or ())


def _shown(number: int) -> str:
    """A number in a message, however large."""
    return f"{number:,}" if number < 10**15 else "a million billion or more"
