"""Which choices of an action are worth making, for agents that mask the others."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ombo_gym.observations import computable
from ombo_gym.spec import CampaignSpec, Observation, Repeats


def choices_of(action_space: spaces.Space[Any]) -> NDArray[np.int64]:
    """How many choices each number of an action has, (numbers,).

    Raises:
        TypeError: Its numbers are no choices.
    """
    if isinstance(action_space, spaces.MultiDiscrete):
        return np.asarray(action_space.nvec, np.int64).reshape(-1)
    if isinstance(action_space, spaces.Discrete):
        return np.array([action_space.n], np.int64)
    raise TypeError(
        "action_masks: expected actions that are choices (MultiDiscrete or Discrete: pools, lists "
        f'of levels, control="candidates"), got {action_space}, where nothing can be masked'
    )


def worth_measuring(spec: CampaignSpec, observation: Observation) -> NDArray[np.bool_]:
    """Which designs, by their number, are worth measuring, (B, designs).

    All are, unless measuring a design again is worth nothing: those that were measured are not
    then, as long as others are left.

    Args:
        spec: Of the campaigns; its designs can be counted.
        observation: Of `control="designs"`, with a leading B.
    """
    space, observed = spec.design_space, observation["observed"] == 1  # (B, capacity)
    if space.size is None:
        raise TypeError(f"expected designs that can be counted, got {space!r}")
    if spec.repeats is not Repeats.NEVER_AGAIN:
        return np.ones((len(observed), space.size), bool)
    designs = computable(spec, observation)["designs"]
    return some_of_each(~space.marked(designs, observed))


def some_of_each(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Masks (B, choices), all True where none was: something has to be chosen."""
    return masks | ~masks.any(axis=1, keepdims=True)
