"""What nothing goes beyond, whatever a model of a few wells makes of it."""

from __future__ import annotations

import numpy as np

from ombo_agents.campaigns.data.campaign_data import CampaignData
from ombo_agents.campaigns.space.factors import Floats

_WHOLE = 100.0  # per cent


def ends_of(data: CampaignData, values: Floats) -> tuple[float, float]:
    """The lowest and the highest score that is simulated.

    A target that is nowhere below 0, as yields, viscosities and costs are, is taken to be so
    everywhere; one that is in per cent by its header, and nowhere above 100, likewise.

    Args:
        data: Of the campaign.
        values: (n,) scores.
    """
    sign = data.settings.sign
    numbers = sign * values
    low = 0.0 if numbers.min() >= 0 else -np.inf
    unit = "" if data.settings.scored else data.sheets[0].table.unit(data.measured_name)
    high = _WHOLE if "%" in unit and numbers.max() <= _WHOLE else np.inf
    lowest, highest = sorted((sign * low, sign * high))
    return lowest, highest
