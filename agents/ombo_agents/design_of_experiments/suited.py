"""When a first batch is designed without a look at values, and which design suits a space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_agents.design_of_experiments.d_optimal import DOptimal
from ombo_agents.design_of_experiments.space_filling import LatinHypercube, Sobol
from ombo_agents.hyperparameters import settings_of
from ombo_agents.policy import DesignsPolicy
from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec


def design_policy(spec: CampaignSpec) -> DesignsPolicy:
    """What designs a batch without a look at values.

    Points of a Sobol sequence in boxes, D-optimal designs in finite spaces, beside categories a
    Latin hypercube.
    """
    space = spec.design_space
    if space.free is not None and space.free.all():
        return Sobol(spec)
    if space.size is not None:
        return DOptimal(spec, **settings_of("d_optimal", spec))
    return LatinHypercube(spec, **settings_of("latin_hypercube", spec))


def start_says_little(
    spec: CampaignSpec, observation: Observation, least_start: int
) -> NDArray[np.bool_]:
    """Which campaigns are in their first round after a start that misleads a model, (B,).

    It was chosen by value, is missing, or has fewer rows than `least_start`.
    """
    num_start = observation["from_start"].sum(axis=1, dtype=np.int64)
    is_first = observation["observed"].sum(axis=1, dtype=np.int64) == num_start
    truncated = spec.start_origin.percentile is not None
    found: NDArray[np.bool_] = is_first & (truncated | (num_start < least_start))
    return found
