"""The score that is maximised, from what was measured."""

from __future__ import annotations

import numpy as np

from ombo_agents.campaigns.data.settings import Settings, Target
from ombo_agents.campaigns.space.factors import Floats


def scores(targets: Floats, settings: Settings) -> Floats:
    """What is maximised, (n,) of (n, t) measured values."""
    found = np.zeros(len(targets))
    for j, target in enumerate(settings.targets):
        found += target.weight * contribution(targets[:, j], target)
    return found


def contribution(values: Floats, target: Target) -> Floats:
    """What a target adds to the score, its weight aside, (n,)."""
    if target.low is None or target.high is None:
        return target.sign * values
    share = np.clip((values - target.low) / (target.high - target.low), 0.0, 1.0)
    return share if target.goal == "max" else 1.0 - share
