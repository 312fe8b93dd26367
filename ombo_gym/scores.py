"""From raw units to scores that compare problems: 0 is the start's best, 1 the best value known.

Rewards, infos and tables stay in the problem's units; scores are for reports.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.utilities import make_utility

Floats = NDArray[np.float64]


def score(
    utility: Any, utilities: Floats, base: Floats, top: Floats, *, measurements: int
) -> Floats:
    """How far finished campaigns came from the start's best value to the best one known.

    Of the value that the utility is on the scale of (`Utility.level`): the best one, the last
    batch's, the mean of all proposals. What is worse than the start's best is below 0.

    Args:
        utility: A utility, or what `make_utility` makes one of.
        utilities: (B,) in the problem's units.
        base: (B,) the start's best true value or, without a start, the problem's reference.
        top: (B,) the optimum, or the best value known (`Problem.best_known`).
        measurements: Designs that a campaign proposes, in all.

    Returns:
        (B,); where the start already holds the best value known, 1 if the campaign kept it and 0 if
        not; NaN where no best value is known.

    Raises:
        ValueError: A utility that is none, or whose `level` is not one number a campaign.
    """
    kind = make_utility(utility)
    level = kind.level(utilities, base, measurements)
    if np.shape(level) != np.shape(utilities):
        raise ValueError(
            f"{type(kind).__name__}.level: expected numbers of shape {np.shape(utilities)}, one a "
            f"campaign, got shape {np.shape(level)}"
        )
    room = top - base
    kept = np.where(np.isnan(top), np.nan, level >= top)  # where there is no room
    return np.where(room > 0, (level - base) / np.where(room > 0, room, 1.0), kept)
