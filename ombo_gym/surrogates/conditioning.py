"""Where designs and values become a posterior, for everybody."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.surrogates.gp import Posterior, Surrogate, most_telling
from ombo_gym.surrogates.truncation import shift_and_scale


def condition(
    surrogate: Surrogate,
    space: DesignSpace,
    designs: Designs,
    values: NDArray[np.float64],
    start_counts: NDArray[np.integer],
) -> tuple[Posterior, NDArray[np.intp]]:
    """Posteriors of R campaigns with n observations each.

    Args:
        surrogate: What was known before.
        space: Design space.
        designs: (R, n, *shape).
        values: (R, n) as measured.
        start_counts: (R,) how many of them are the start's.

    Returns:
        The posteriors, and which observations they rest on, (R, min(n, max_data)).
    """
    rows, n = values.shape
    shift, scale = None, None
    if n:
        shift, scale = shift_and_scale(values, start_counts, surrogate.start_percentile)
    kept = most_telling(values, surrogate.max_data)
    row = np.arange(rows)[:, None]
    features = space.features(designs[row, kept])
    return Posterior(surrogate, features, values[row, kept], shift=shift, scale=scale), kept
