"""Observations of `control="designs"`: shown as if the round were the last, computed with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.spec import CampaignSpec, Observation

__all__ = ["Observation", "as_last_round", "computable", "next_plates"]


def as_last_round(observation: Observation) -> Observation:
    """The same as if the round were the last: of the plates to come only the next, nothing else.

    Fields that a control does not show are left out.
    """
    last = dict(observation)
    if "rounds_left" in observation:
        last["rounds_left"] = np.ones_like(observation["rounds_left"])
    if "plates" in observation:
        last["plates"] = observation["plates"].copy()
        last["plates"][..., 1:] = 0
    return last


def computable(spec: CampaignSpec, observation: Observation) -> Observation:
    """The same with designs in the type that they are computed with: small integers overflow."""
    dtype = spec.design_space.dtype
    if observation["designs"].dtype == dtype:
        return observation
    return {**observation, "designs": observation["designs"].astype(dtype)}


def next_plates(spec: CampaignSpec, observation: Observation) -> NDArray[np.int64]:
    """Designs of each campaign's next batch, (B,); the largest where the campaign is over."""
    sizes = observation["plates"][:, 0].astype(np.int64)
    return np.where(sizes > 0, sizes, spec.batch_size)
