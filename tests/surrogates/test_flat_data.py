"""On data most of which have one value a fit stays honest; on others nothing changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from ombo_gym import BoxDesigns, CampaignSpec, CategoricalDesigns
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates import ties
from ombo_gym.surrogates.anisotropic_fit import fit_anisotropic
from ombo_gym.surrogates.kernels import matern52
from ombo_gym.surrogates.log_posterior import LogPosterior
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate
from ombo_gym.surrogates.ties import commonest_share, least_noise, likelihood_power

SPACES = {"box": BoxDesigns(3), "strings": CategoricalDesigns([4] * 6)}


def designs_of(space, rows, n, seed=0):
    """Features (R, n, k) of uniform designs."""
    rngs = GeneratorBatch([np.random.default_rng([seed, row]) for row in range(rows)], rows)
    return space.features(space.sample(rngs, n)).astype(float)


def mostly_zero(features, share):
    """0 but for the best share of designs, of which there are some, (R, n)."""
    score = np.sin(features @ np.arange(1.0, 1.0 + features.shape[2]))
    edge = np.quantile(score, 1 - share, axis=1, keepdims=True)
    return np.where(score >= edge, 1.0 + score - edge, 0.0)


def standardised(values):
    spread = values.std(axis=1, keepdims=True)
    return (values - values.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)


@pytest.mark.parametrize(
    ("kind", "n", "share"),
    [("box", 16, 0.15), ("box", 40, 0.3), ("strings", 40, 0.1), ("strings", 40, 0.3)],
)
def test_no_jump_off_a_flat_part_is_impossible(kind, n, share):
    """With the whole likelihood and any noise scores of single data sets are below -100."""
    space, held_out = SPACES[kind], 60
    features = designs_of(space, 12, n + held_out)
    values = mostly_zero(features, share)
    posterior = Posterior(make_surrogate(CampaignSpec(space)), features[:, :n], values[:, :n])
    at = posterior.at(features[:, n:])
    sd = posterior.scale[:, None] * np.sqrt(
        at.sd**2 + (posterior.noise * posterior.outputscale)[:, None]
    )
    mean = posterior.shift[:, None] + posterior.scale[:, None] * at.mean
    units = values.std(axis=1, keepdims=True)
    scores = (norm.logpdf(values[:, n:], mean, sd) + np.log(units)).mean(axis=1)
    assert scores.min() > -10 and scores.mean() > -2.5


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("n", [2, 5, 40])
def test_where_all_values_are_the_same_the_prior_is_all_that_is_believed(kind, n):
    space = SPACES[kind]
    features = designs_of(space, 2, n)
    posterior = Posterior(make_surrogate(CampaignSpec(space)), features, np.full((2, n), 7.0))
    far = posterior.at(features + 1e3)
    np.testing.assert_allclose(far.sd, np.sqrt(1.15), rtol=1e-6)
    assert np.ptp(posterior.unit) < 1e-6  # no parameter is told from others


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 30),
    factor=st.floats(1e-6, 1e6),
    shift=st.floats(-10, 10),
    levels=st.integers(1, 5),
)
def test_shares_are_those_of_counting_whatever_the_units(seed, n, factor, shift, levels):
    rng = np.random.default_rng(seed)
    features, values = rng.uniform(-1, 1, (3, n, 2)), rng.integers(0, levels, (3, n)) / 3
    features[:, 0] = features[:, -1]  # a repeat, as which it counts only if its value differs
    expected = []
    for x, y in zip(features, values, strict=True):
        others = [[j for j in range(n) if (x[j] != x[i]).any()] for i in range(n)]
        equal = [sum(y[j] == y[i] for j in others[i]) for i in range(n)]
        expected.append(max(e / max(1, len(o)) for e, o in zip(equal, others, strict=True)))
    for each in (values, factor * (values + shift)):
        np.testing.assert_array_equal(commonest_share(features, standardised(each)), expected)


def test_up_to_half_of_the_values_may_be_the_same_before_they_count_for_less():
    np.testing.assert_array_equal(likelihood_power(np.array([0, 0.5, 0.75, 1])), [1, 1, 0.5, 0])
    noise = least_noise(np.array([0, 0.5, 1]))
    assert noise[0] == 0 and 0 < noise[1] < noise[2] < 0.1


def test_designs_that_are_repeated_are_not_flat():
    """As where a policy measures the best design again and again, without noise."""
    features = designs_of(SPACES["box"], 1, 12)
    again = np.concatenate([features, np.repeat(features[:, :1], 40, axis=1)], axis=1)
    values = standardised(np.sin(again.sum(axis=2)))
    assert commonest_share(again, values) == 0


def without_ties(monkeypatch):
    monkeypatch.setattr(
        "ombo_gym.surrogates.log_posterior.commonest_share", lambda _, targets: 0 * targets[:, 0]
    )


@pytest.mark.parametrize("kind", SPACES)
def test_where_no_two_values_are_the_same_nothing_changes_to_the_bit(kind, monkeypatch):
    features = designs_of(SPACES[kind], 3, 20)
    values = np.random.default_rng(0).normal(size=(3, 20))
    surrogate = make_surrogate(CampaignSpec(SPACES[kind]))
    found = Posterior(surrogate, features, values)
    without_ties(monkeypatch)
    plain = Posterior(surrogate, features, values)
    for name in ("unit", "noise", "outputscale", "white"):
        np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))


def test_a_flat_campaign_s_fit_does_not_depend_on_its_neighbours():
    features = designs_of(SPACES["box"], 6, 20)
    values = mostly_zero(features, 0.2)
    values[0], values[1] = 3.0, np.random.default_rng(0).normal(size=20)
    groups, targets = np.arange(3), standardised(values)
    together = fit_anisotropic(features, targets, groups, 1.5)
    for row in range(6):
        alone = fit_anisotropic(features[[row]], targets[[row]], groups, 1.5)
        for name in ("lengthscales", "noise", "outputscale", "log_posterior"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[row])


def test_the_density_is_that_of_the_likelihood_raised_to_a_power():
    features = designs_of(SPACES["box"], 1, 20)
    targets = standardised(mostly_zero(features, 0.2))  # 4 of 20 are not 0
    commonest = commonest_share(features, targets)[0]
    power, n = likelihood_power(np.array([commonest]))[0], 20
    assert commonest == 15 / 19 and power == pytest.approx(8 / 19)
    objective = LogPosterior(features, targets, np.arange(3), 1.5, "matern52")
    constants = []
    for seed in range(3):
        at = np.random.default_rng(seed).normal(scale=0.4, size=(1, 5)) - [0, 0, 0, 0, 3]
        scaled = features[0] / np.exp(at[0, 0] + at[0, 1:-1])
        covariance = matern52(((scaled[:, None] - scaled) ** 2).sum(axis=2))
        covariance += (np.exp(at[0, -1]) + ties._MOST_TIED * commonest**2) * np.eye(n)
        quadratic = targets[0] @ np.linalg.solve(covariance, targets[0])
        expected = power * multivariate_normal.logpdf(np.zeros(n), np.zeros(n), covariance)
        expected -= 0.5 * (power * n + 1) * np.log(1 + power * quadratic)
        expected -= np.log1p((at[0, 1:-1] / 0.4) ** 2).sum()
        expected -= 0.5 * (at[0, 0] - np.log(0.6 * 1.5)) ** 2 + 0.5 * ((at[0, -1] + 4) / 3) ** 2
        constants.append(objective.value(at, np.arange(1))[0] - expected)
        _, slope = objective.value_and_slope(at, np.arange(1))
        for j, step in enumerate(1e-5 * np.eye(5)):
            up, down = (objective.value(at + each, np.arange(1)) for each in (step, -step))
            np.testing.assert_allclose(slope[0, j], (up - down) / 2e-5, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(constants, constants[0], rtol=1e-9)
