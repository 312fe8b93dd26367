"""Campaigns that are shared out among policies, each row to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.policy import Policy
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec


def act_by_campaign(
    spec: CampaignSpec,
    players: Sequence[tuple[Policy, NDArray[np.bool_]]],
    observation: Observation,
    rngs: GeneratorBatch,
) -> NDArray[Any]:
    """Actions of B campaigns.

    Args:
        spec: Of the campaigns.
        players: Policies, each with the campaigns that it plays, (B,).
        observation: Of B campaigns.
        rngs: Likewise.
    """
    space = spec.action_space
    assert space.shape is not None
    actions = np.zeros((len(rngs), *space.shape), space.dtype)
    for policy, rows in players:
        env_indices = np.flatnonzero(rows)
        if len(env_indices):
            group = {name: array[env_indices] for name, array in observation.items()}
            actions[env_indices] = policy.act(group, rngs.take(env_indices).generators)
    return actions
