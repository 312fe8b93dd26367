"""Kernels of numbers and categories side by side, wherever beliefs are worked out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from ombo_gym import BoxDesigns, CampaignSpec, CategoricalDesigns, MixedDesigns
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.fantasies import FantasyPosterior
from ombo_gym.surrogates.kernels import KERNELS, SLOPES, WITH_SLOPES, lifted
from ombo_gym.surrogates.listed_marginals import ListedDesigns, ListedMarginals
from ombo_gym.surrogates.log_posterior import LogPosterior
from ombo_gym.surrogates.marginals import Marginals
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate

ROWS, N = 3, 14
# Categories first and between numbers, one by descriptors, and a number with steps.
SPACE = MixedDesigns(
    {
        "base": ["a", "b", "c"],
        "T": (20, 100),
        "solvent": {"choices": ["x", "y", "z"], "descriptors": {"logP": [0.1, 0.9, 2.0]}},
        "amount": {"integer": [1, 6]},
    }
)


class Bumpy:
    """A score of everything that it may read: mean sd + sd^2 + sum of sin(loadings)."""

    def value(self, at):
        return at.mean * at.sd + at.sd**2 + np.sin(at.loadings).sum(axis=1)

    def slope(self, at):
        return Marginals(at.sd, at.mean + 2 * at.sd, np.cos(at.loadings))


def fitted(rows=ROWS, n=N, seed=0, further=6):
    """A posterior that is fitted to functions of numbers and categories, and features of others."""
    rngs = GeneratorBatch([np.random.default_rng([seed, row]) for row in range(rows)], rows)
    features = SPACE.features(SPACE.sample(rngs, n + further))  # (R, n + further, k)
    columns = SPACE.category_features
    numbers, categories = features[..., ~columns], features[..., columns]
    weights = rngs.draw(lambda rng: rng.uniform(-2, 2, categories.shape[-1]))  # (R, .)
    values = np.sin(2 * numbers[..., 0]) + (categories * weights[:, None]).sum(axis=-1)
    values += (np.arange(rows) % 2)[:, None] * numbers[..., 0] * categories[..., 0]
    surrogate = make_surrogate(CampaignSpec(SPACE))
    return Posterior(surrogate, features[:, :n], values[:, :n]), features[:, n:]


def textbook(correlation, row, a, b):
    """w1 k(numbers) + w2 k(categories) + w3 k(numbers) k(categories), from scipy's distances."""
    kernels = []
    for columns in (~SPACE.category_features, SPACE.category_features):
        unit = correlation.unit[row, columns]
        r = np.sqrt(5) * cdist(a[:, columns] / unit, b[:, columns] / unit)
        kernels.append((1 + r + r**2 / 3) * np.exp(-r))
    of_numbers, of_categories, of_product = correlation.weights[row]
    return of_numbers * kernels[0] + of_categories * kernels[1] + of_product * np.prod(kernels, 0)


def test_spaces_say_which_features_are_categories_where_there_are_numbers_too():
    assert SPACE.feature_groups.tolist() == [0, 0, 0, 1, 2, 3]
    assert SPACE.category_features.tolist() == [True, True, True, False, True, False]
    for space in (
        BoxDesigns(2),
        CategoricalDesigns([3, 3]),
        MixedDesigns({"T": (0, 1), "n": {"integer": [1, 3]}}),
    ):
        assert space.category_features is None
        assert make_surrogate(CampaignSpec(space)).categories is None
    assert make_surrogate(CampaignSpec(SPACE, surrogate={"kernel": "isotropic"})).categories is None


def test_mean_sd_and_covariance_are_the_textbook_s():
    posterior, others = fitted()
    assert posterior.correlation.weights is not None
    at, covariance = posterior.at(others), posterior.covariance(others)
    for row in range(ROWS):
        x, z = posterior.features[row], others[row]
        known = textbook(posterior.correlation, row, x, x) + posterior.noise[row] * np.eye(N)
        cross = textbook(posterior.correlation, row, x, z)
        mean = cross.T @ np.linalg.solve(known, posterior.targets[row])
        rest = textbook(posterior.correlation, row, z, z) - cross.T @ np.linalg.solve(known, cross)
        rest *= posterior.outputscale[row]
        np.testing.assert_allclose(at.mean[row], mean, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(at.sd[row] ** 2, np.diag(rest), rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(covariance[row], rest, rtol=1e-5, atol=1e-7)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**32 - 1),
    kernel=st.sampled_from(sorted(KERNELS)),
    shares=st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda s: sum(s) > 0.1),
)
def test_correlations_are_positive_definite_1_of_a_design_with_itself_and_row_by_row(
    seed, kernel, shares
):
    rng = np.random.default_rng(seed)
    rngs = GeneratorBatch([np.random.default_rng([seed, row]) for row in range(ROWS)], ROWS)
    features = SPACE.features(SPACE.sample(rngs, 12))
    unit = np.exp(rng.normal(size=(ROWS, features.shape[-1])))
    weights = np.tile(np.array(shares) / sum(shares), (ROWS, 1))
    correlation = Correlation(kernel, unit, SPACE.category_features, weights)
    points = correlation.lifted(correlation.scaled(features))
    matrix = correlation.between(points, points)
    np.testing.assert_allclose(np.diagonal(matrix, axis1=1, axis2=2), 1.0, atol=1e-5)
    assert np.linalg.eigvalsh(matrix).min() > -1e-6
    alone = Correlation(kernel, unit[[1]], SPACE.category_features, weights[[1]])
    point = alone.lifted(alone.scaled(features[[1]]))
    np.testing.assert_array_equal(alone.between(point, point)[0], matrix[1])


@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_a_kernel_and_its_slope_at_once_are_both(kernel):
    squared = np.random.default_rng(0).uniform(0, 30, (2, 5, 4))
    value, slope = WITH_SLOPES[kernel](squared)
    np.testing.assert_allclose(value, KERNELS[kernel](squared), rtol=1e-12)
    np.testing.assert_allclose(slope, SLOPES[kernel](squared), rtol=1e-12)


@pytest.mark.parametrize("kernel", sorted(KERNELS))
def test_slopes_of_the_density_are_differences(kernel):
    posterior, _ = fitted()
    objective = LogPosterior(
        posterior.features,
        posterior.targets,
        SPACE.feature_groups,
        1.0,
        kernel,
        SPACE.category_features,
        np.full(ROWS, 0.2),
    )
    objective.weights = np.random.default_rng(1).dirichlet(np.ones(3), ROWS)
    rows, rng = np.arange(ROWS), np.random.default_rng(2)
    at = rng.normal(scale=0.3, size=(ROWS, 6))
    value, slope = objective.value_and_slope(at, rows)
    np.testing.assert_allclose(value, objective.value(at, rows), rtol=1e-12)
    for j in range(at.shape[1]):
        step = np.zeros(at.shape[1])
        step[j] = 1e-5
        difference = objective.value(at + step, rows) - objective.value(at - step, rows)
        np.testing.assert_allclose(slope[:, j], difference / 2e-5, rtol=1e-5, atol=1e-5)


def test_fantasies_slopes_and_copies_are_of_the_same_kernel():
    posterior, others = fitted()
    pending, marginals = FantasyPosterior(posterior), posterior.at(others)
    for slot in range(2):
        pending.add(others[:, slot], marginals, noisy=False)
    at, points = pending.at(others), others[:, 2:]
    np.testing.assert_allclose(at.mean, posterior.at(others).mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(at.sd, marginals.sd, atol=1e-5)
    np.testing.assert_allclose(at.loadings, marginals.loadings, atol=1e-7)
    told, joint = FantasyPosterior(posterior).given(others[:, :2])
    np.testing.assert_allclose(told.at(points).sd, pending.at(points).sd, rtol=1e-5)
    np.testing.assert_allclose(
        joint.lower @ joint.lower.swapaxes(1, 2), posterior.covariance(others[:, :2]), atol=1e-7
    )
    np.testing.assert_array_equal(
        pending.copies(2).at(np.tile(points, (2, 1, 1))).sd, np.tile(pending.at(points).sd, (2, 1))
    )
    score = Bumpy()
    slope, mean_slope = pending.slope(points, score), pending.mean_slope(points)
    for j in range(points.shape[2]):
        step = np.zeros(points.shape[2])
        step[j] = 1e-5
        higher, lower = pending.at(points + step), pending.at(points - step)
        difference = (score.value(higher) - score.value(lower)) / 2e-5
        np.testing.assert_allclose(slope[..., j], difference, rtol=1e-4, atol=1e-5)
        difference = (higher.mean - lower.mean) / 2e-5
        np.testing.assert_allclose(mean_slope[..., j], difference, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kept", [True, False])
def test_of_designs_that_are_listed_the_same_is_believed(kept, monkeypatch):
    if not kept:
        monkeypatch.setattr("ombo_gym.surrogates.listed_marginals._KEPT", 0)
    posterior, others = fitted()
    features = others[0]  # (M, k)
    listed = ListedDesigns(np.arange(6), np.zeros((6, 1)), features, lifted(features[None])[0])
    found = ListedMarginals(posterior, listed)
    expected = posterior.at(np.tile(features, (ROWS, 1, 1)))
    for _ in range(2):
        np.testing.assert_allclose(found.mean, expected.mean, atol=1e-9)
        np.testing.assert_allclose(found.sd, expected.sd, atol=1e-6)
        np.testing.assert_allclose(found.loadings, expected.loadings, atol=1e-7)
        for marginals in (found, expected):
            marginals.fantasize(np.array([1, 4, 0]), noisy=True)


def test_a_campaign_s_fit_does_not_depend_on_its_neighbours():
    posterior, others = fitted(rows=7)
    surrogate = make_surrogate(CampaignSpec(SPACE))
    features, values = posterior.features, posterior.targets
    together = Posterior(surrogate, features, values)
    for row in (0, 3, 6):
        some = slice(row, row + 1)
        alone = Posterior(surrogate, features[some], values[some])
        for name in ("unit", "weights"):
            one, all_of_them = (getattr(each.correlation, name) for each in (alone, together))
            np.testing.assert_array_equal(one[0], all_of_them[row])
        found, expected = together.at(others), alone.at(others[some])
        np.testing.assert_array_equal(found.mean[row], expected.mean[0])
        np.testing.assert_array_equal(found.sd[row], expected.sd[0])


def test_weights_find_a_sum_and_a_product():
    """On numbers and categories whose effects add up, and where a category turns a number round."""
    rng = np.random.default_rng(0)
    space = MixedDesigns({"T": (0, 1), "base": ["a", "b"]})
    rngs = GeneratorBatch([np.random.default_rng(row) for row in range(6)], 6)
    features = space.features(space.sample(rngs, 40))
    wave, sign = np.sin(3 * features[..., 0]), np.sign(features[..., 1] - 0.1)
    surrogate = make_surrogate(CampaignSpec(space))
    noise = 0.02 * rng.normal(size=wave.shape)
    added = Posterior(surrogate, features, wave + sign + noise).correlation.weights
    turned = Posterior(surrogate, features, wave * sign + noise).correlation.weights
    assert (added[:, 2] < 0.2).all() and (turned[:, 2] > 0.5).all()
    np.testing.assert_allclose(np.concatenate([added, turned]).sum(axis=1), 1.0)
