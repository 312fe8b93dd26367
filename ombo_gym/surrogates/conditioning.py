"""Where designs and values become a posterior, for everybody."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import Surrogate
from ombo_gym.surrogates.truncation import share_of_mean_variance, shift_and_scale


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
    kept = subsample_dataset(values, surrogate.max_data)
    row = np.arange(rows)[:, None]
    features = space.features(designs[row, kept])
    if surrogate.learned is not None:
        learned = LearnedPosterior(
            surrogate.learned, features, values[row, kept], noise_std=surrogate.noise_std
        )
        return learned, kept
    if not n:
        return Posterior(surrogate, features, values), kept
    percentile = surrogate.start_percentile
    shift, scale = shift_and_scale(values, start_counts, percentile, surrogate.truncation)
    mean_variance = None
    if surrogate.mean_variance:
        share = share_of_mean_variance(start_counts, n, percentile)
        mean_variance = surrogate.mean_variance * share
    posterior = Posterior(
        surrogate,
        features,
        values[row, kept],
        shift=shift,
        scale=scale,
        mean_variance=mean_variance,
    )
    return posterior, kept


def subsample_dataset(values: NDArray[np.float64], max_data: int) -> NDArray[np.intp]:
    """Which observations to keep when there are too many: the best half and the latest half.

    Args:
        values: (R, n), in the order of measurement.
        max_data: How many to keep.

    Returns:
        (R, min(n, max_data)) column indices, ascending.
    """
    rows, n = values.shape
    if n <= max_data:
        return np.broadcast_to(np.arange(n), (rows, n))
    best = np.argsort(-values, axis=1, kind="stable")[:, : max_data // 2]
    priority = np.broadcast_to(np.arange(n), (rows, n)).copy()  # the later, the higher
    np.put_along_axis(priority, best, n, axis=1)
    kept = np.argsort(-priority, axis=1, kind="stable")[:, :max_data]
    return np.sort(kept, axis=1)
