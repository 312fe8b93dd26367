"""Lengthscales far below the distances of designs, which a fit tries on its way."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym.surrogates.log_posterior import LogPosterior


@pytest.mark.parametrize("deviation", [-9.0, -11.3, -12.0])
@pytest.mark.parametrize("common", [-2.0, 0.5])
def test_covariances_are_positive_definite_when_rounding_outweighs_the_noise(
    deviation: float, common: float
) -> None:
    """One parameter of few levels with a lengthscale next to nothing, without any noise."""
    rng = np.random.default_rng(0)
    campaigns, n = 20, 101
    levels = rng.uniform(-1, 1, size=(campaigns, 10))
    middle = np.take_along_axis(levels, rng.integers(10, size=(campaigns, n)), axis=1)
    others = rng.uniform(-1, 1, size=(campaigns, n, 2))
    features = np.stack([others[..., 0], middle, others[..., 1]], axis=-1)  # (R, n, k)
    targets = rng.standard_normal((campaigns, n))
    objective = LogPosterior(features, targets, np.arange(3), 1.0, "matern52")
    at = np.tile([common, 12.0, deviation, -1.0, -16.0], (campaigns, 1))  # (R, p + 2)
    value, slope = objective.value_and_slope(at, np.arange(campaigns))
    assert np.isfinite(value).all() and np.isfinite(slope).all()
