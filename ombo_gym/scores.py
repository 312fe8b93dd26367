"""From raw units to scores that compare problems: 0 is the start's best, 1 the best value known.

Rewards, infos and tables stay in the problem's units; scores are for reports.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def score(
    utility: str, worth: Floats, base: Floats, top: Floats, *, horizon: int, batch_size: int
) -> Floats:
    """How far finished campaigns came from the start's best value to the best one known.

    `best`: of the best value; `last_*` and `recommendation`: of the value that the utility is;
    `total`: of the mean value of all proposals. What is worse than the start's best is below 0.

    Args:
        utility: Its name.
        worth: (B,) utilities, in the problem's units.
        base: (B,) the start's best true value or, without a start, the problem's reference.
        top: (B,) the optimum, or the best value known (`Problem.best_known`).
        horizon: N.
        batch_size: q.

    Returns:
        (B,); where the start already holds the best value known, 1 if the campaign kept it and 0 if
        not; NaN where no best value is known.
    """
    if utility == "best":
        level = base + worth
    elif utility == "total":
        level = worth / (horizon * batch_size)
    else:
        level = worth
    room = top - base
    there = np.where(np.isnan(top), np.nan, level >= top)
    return np.where(room > 0, (level - base) / np.where(room > 0, room, 1.0), there)
