"""The mean that `fit` fits: of generalised least squares, not of the values."""

from __future__ import annotations

import numpy as np
import pytest

from ombo_gym import BoxDesigns, CampaignSpec, Origin
from ombo_gym.surrogates.conditioning import condition
from ombo_gym.surrogates.log_posterior import LogPosterior
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate

SPACE = BoxDesigns(2)


def bump(designs):
    """A hill on a plain, of height 1."""
    return np.exp(-((designs - 0.5) ** 2).sum(axis=-1) / 0.1)


def collected(rows=3, spread=12, crowd=24, seed=0):
    """Designs (R, n, 2), spread ones first and then a crowd about the hill's top, and values."""
    rng = np.random.default_rng(seed)
    everywhere = rng.uniform(-1, 1, (rows, spread, 2))
    crowded = 0.5 + rng.normal(scale=0.12, size=(rows, crowd, 2))
    designs = np.concatenate([everywhere, crowded], axis=1).astype(np.float32)
    values = bump(designs) + 0.02 * rng.normal(size=designs.shape[:2])
    return designs, values


def posterior_of(designs, values, *, origin=None, start=12):
    spec = CampaignSpec(SPACE, start_origin=origin or Origin("random"), surrogate={"kernel": "fit"})
    return condition(make_surrogate(spec), SPACE, designs, values, np.full(len(designs), start))[0]


def test_the_mean_is_that_of_generalised_least_squares_shrunk_to_the_mean_of_the_values():
    designs, values = collected()
    posterior = posterior_of(designs, values)
    features = SPACE.features(designs)
    for row in range(len(designs)):
        lifted = posterior.correlation.lifted(posterior.correlation.scaled(features))
        matrix = posterior.correlation.between(lifted, lifted)[row]
        matrix[np.diag_indices(len(matrix))] += posterior.noise[row]
        ones = np.linalg.solve(matrix, np.ones(len(matrix)))
        centred = values[row] - values[row].mean()
        expected = values[row].mean() + ones @ centred / (ones.sum() + 1 / 4)
        np.testing.assert_allclose(posterior.shift[row], expected, rtol=1e-6)


def test_far_from_a_crowd_of_good_designs_the_plain_is_expected():
    designs, values = collected(rows=8)
    posterior = posterior_of(designs, values)
    far = np.array([[[-0.9, -0.9], [-0.9, 0.0], [0.0, -0.9]]], np.float32).repeat(8, axis=0)
    marginals = posterior.at(SPACE.features(far))
    fixed = Posterior(
        make_surrogate(CampaignSpec(SPACE, surrogate={"kernel": "fit"})),
        SPACE.features(designs),
        values,
        mean_variance=np.zeros(8),
    )
    np.testing.assert_allclose(fixed.shift, values.mean(axis=1))
    errors = [
        np.abs(each.in_units(each.at(SPACE.features(far)).mean) - bump(far)).mean()
        for each in (posterior, fixed)
    ]
    assert errors[0] < 0.6 * errors[1]
    assert (posterior.shift < fixed.shift - 0.1).all()
    assert np.isfinite(marginals.sd).all()


@pytest.mark.parametrize("start", [12, 24, 36])
def test_a_start_below_a_percentile_says_nothing_of_the_mean(start):
    designs, values = collected()
    origin = Origin("percentile", percentile=50.0)
    below = posterior_of(designs, values, origin=origin, start=start)
    assert below.mean_variance is not None
    np.testing.assert_allclose(below.mean_variance, 4 * (1 - start / 36))
    if start == 36:  # as it was told: the mean of normal values whose lower half these are
        np.testing.assert_allclose(
            below.shift, values.mean(axis=1) + values.std(axis=1) * 1.3236, rtol=1e-3
        )


def test_a_row_does_not_depend_on_its_neighbours_and_isotropic_has_the_mean_of_its_values():
    designs, values = collected()
    together = posterior_of(designs, values)
    for row in range(len(designs)):
        alone = posterior_of(designs[[row]], values[[row]])
        assert alone.shift[0] == together.shift[row]
        assert (alone.white[0] == together.white[row]).all()
    spec = CampaignSpec(SPACE, surrogate={"kernel": "isotropic"})
    found, _ = condition(make_surrogate(spec), SPACE, designs, values, np.full(3, 12))
    assert (found.shift == values.mean(axis=1)).all()


def test_slopes_with_a_mean_are_differences():
    designs, values = collected()
    targets = (values - values.mean(1, keepdims=True)) / values.std(1, keepdims=True)
    free = np.array([0.0, 1.0, 4.0])
    rows, features = np.arange(3), SPACE.features(designs)
    objective = LogPosterior(features, targets, np.arange(2), 1.0, "matern52", mean_variance=free)
    at = np.random.default_rng(2).normal(scale=0.3, size=(3, 4))
    at[:, -1] -= 3
    value, slope = objective.value_and_slope(at, rows)
    np.testing.assert_allclose(value, objective.value(at, rows), rtol=1e-12)
    for j in range(4):
        step = np.zeros(4)
        step[j] = 1e-5
        difference = objective.value(at + step, rows) - objective.value(at - step, rows)
        np.testing.assert_allclose(slope[:, j], difference / 2e-5, rtol=1e-4, atol=1e-4)
