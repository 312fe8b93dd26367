"""One lengthscale a parameter: slopes, maxima and rows, against scipy and one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, spearmanr

from ombo_gym import BoxDesigns, CampaignSpec, CandidateDesigns, CategoricalDesigns, MixedDesigns
from ombo_gym.surrogates.anisotropic_fit import fit_anisotropic
from ombo_gym.surrogates.kernels import matern52
from ombo_gym.surrogates.log_posterior import LogPosterior
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate

ROWS, N, K = 5, 24, 4
GROUPS = np.arange(K)


def datasets(rows=ROWS, n=N, k=K, seed=0):
    """Features (R, n, k) and standardised values of functions of the first two, (R, n)."""
    rng = np.random.default_rng(seed)
    features = rng.uniform(-1, 1, (rows, n, k))
    values = np.sin(3 * features[..., 0]) + features[..., 1] ** 2 + 0.1 * rng.normal(size=(rows, n))
    return features, (values - values.mean(1, keepdims=True)) / values.std(1, keepdims=True)


def test_the_density_is_that_of_a_normal_with_the_variance_integrated_out_and_of_the_priors():
    features, targets = datasets(rows=1)
    rng = np.random.default_rng(1)
    objective = LogPosterior(features, targets, GROUPS, 1.5, "matern52")
    constants = []
    for _ in range(4):
        at = rng.normal(scale=0.4, size=(1, K + 2)) + np.r_[np.zeros(K + 1), -3.0]
        m, deviations, log_noise = at[0, 0], at[0, 1:-1], at[0, -1]
        scaled = features[0] / np.exp(m + deviations)
        squared = ((scaled[:, None] - scaled) ** 2).sum(axis=2)
        covariance = matern52(squared) + np.exp(log_noise) * np.eye(N)
        quadratic = targets[0] @ np.linalg.solve(covariance, targets[0])
        expected = multivariate_normal.logpdf(np.zeros(N), np.zeros(N), covariance)
        expected -= 0.5 * (N + 1) * np.log(1 + quadratic)
        expected -= np.log1p((deviations / 0.4) ** 2).sum()
        expected -= 0.5 * (m - np.log(0.6 * 1.5)) ** 2 + 0.5 * ((log_noise + 4) / 3) ** 2
        constants.append(objective.value(at, np.arange(1))[0] - expected)
    np.testing.assert_allclose(constants, constants[0], rtol=1e-9)


@pytest.mark.parametrize("groups", [GROUPS, np.array([0, 0, 1, 1]), np.zeros(K, int)], ids=str)
@pytest.mark.parametrize("kernel", ["matern52", "rbf"])
def test_slopes_are_differences(groups, kernel):
    features, targets = datasets()
    rows, rng = np.arange(ROWS), np.random.default_rng(2)
    objective = LogPosterior(features, targets, groups, 1.0, kernel)
    at = rng.normal(scale=0.3, size=(ROWS, groups.max() + 3))
    at[:, -1] -= 3
    value, slope = objective.value_and_slope(at, rows)
    np.testing.assert_allclose(value, objective.value(at, rows), rtol=1e-12)
    for j in range(at.shape[1]):
        step = np.zeros(at.shape[1])
        step[j] = 1e-5
        difference = objective.value(at + step, rows) - objective.value(at - step, rows)
        np.testing.assert_allclose(slope[:, j], difference / 2e-5, rtol=1e-5, atol=1e-5)


def test_maxima_are_about_as_high_as_scipys_best_of_nine():
    features, targets = datasets()
    found, below_best = fit_anisotropic(features, targets, GROUPS, 1.0), []
    for row in range(ROWS):
        alone = LogPosterior(features[[row]], targets[[row]], GROUPS, 1.0, "matern52")

        def below(at, alone=alone):
            value, slope = alone.value_and_slope(at[None], np.zeros(1, int))
            return -value[0], -slope[0]

        starts = [
            np.r_[alone.middle + above, np.zeros(K), noise]
            for above in (-1, 0, 1)
            for noise in (-9, -5, -2)
        ]
        best = max(-minimize(below, at, jac=True, method="L-BFGS-B").fun for at in starts)
        below_best.append(best - found.log_posterior[row])
    assert max(below_best) < 0.5 and np.mean(below_best) < 0.1  # some have several maxima


def test_a_campaign_s_fit_does_not_depend_on_its_neighbours():
    features, targets = datasets(rows=9)
    together = fit_anisotropic(features, targets, GROUPS, 1.0)
    for row in (0, 4, 8):
        alone = fit_anisotropic(features[[row]], targets[[row]], GROUPS, 1.0)
        for name in ("lengthscales", "noise", "outputscale", "log_posterior"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[row])


def test_parameters_that_do_not_matter_are_found():
    features, targets = datasets(rows=8, n=40)
    lengthscales = fit_anisotropic(features, targets, GROUPS, np.sqrt(2)).lengthscales
    assert (lengthscales[:, 2:].min(axis=1) > 3 * lengthscales[:, 0]).all()


def test_where_half_of_the_parameters_do_not_matter_unseen_designs_are_ranked_better():
    features, targets = datasets(rows=20, n=160, k=6)
    quality = {}
    for kernel in ("isotropic", "fit"):
        surrogate = make_surrogate(CampaignSpec(BoxDesigns(6), surrogate={"kernel": kernel}))
        posterior = Posterior(surrogate, features[:, :40], targets[:, :40])
        mean = posterior.at(features[:, 40:]).mean
        pairs = zip(mean, targets[:, 40:], strict=True)
        quality[kernel] = np.mean([spearmanr(a, b).statistic for a, b in pairs])
    assert quality["fit"] > quality["isotropic"] + 0.03


@pytest.mark.parametrize(
    ("space", "groups"),
    [
        (BoxDesigns(3), [0, 1, 2]),
        (CategoricalDesigns([3, 1, 2]), [0, 0, 0, 1, 1, 1]),
        (CategoricalDesigns([4, 3], ordinal=True), [0, 1]),
        (CandidateDesigns(np.random.default_rng(0).normal(size=(9, 2))), [0, 1]),
        (CandidateDesigns(np.random.default_rng(0).normal(size=(99, 80))), [0] * 80),
        (MixedDesigns({"T": (0, 1), "base": ["a", "b", "c"], "n": {"integer": [1, 4]}}), None),
    ],
    ids=lambda given: getattr(given, "summary", ""),
)
def test_features_of_a_parameter_share_a_lengthscale(space, groups):
    found = space.feature_groups.tolist()
    if groups is None:
        groups = [0, 1, 1, 1, 2]
    assert found == groups
