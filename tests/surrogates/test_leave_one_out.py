"""Leave-one-out scores against refits without each observation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, pearsonr

from ombo_gym import BoxDesigns, CampaignSpec, MixedDesigns
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import Surrogate, make_surrogate

ROWS = 3
SPACES = {
    "box": BoxDesigns(3),
    "mixed": MixedDesigns({"T": (0, 1), "p": (0, 1), "base": ["a", "b", "c"]}),
}


def dataset(space, n, seed):
    """Features (R, n, k) and values (R, n)."""
    rngs = GeneratorBatch([np.random.default_rng([seed, row]) for row in range(ROWS)], ROWS)
    features = space.features(space.sample(rngs, n))
    noise = np.random.default_rng(seed).normal(size=(ROWS, n))
    return features, 5 + 2 * np.sin(3 * features[..., 0]) + features[..., -1] + 0.3 * noise


def refitted(posterior, row):
    """Means and sds (n,) of each observation given the others, the kernel parameters as they are.

    By the textbook's formula, solved anew for each, in standardised units.
    """
    lifted = posterior._lifted(posterior.features)
    covariance = posterior.correlation.between(lifted, lifted)[row]
    covariance = posterior.outputscale[row] * covariance
    noisy = covariance + posterior.outputscale[row] * posterior.noise[row] * np.eye(len(covariance))
    means, sds = [], []
    for left in range(len(covariance)):
        others = np.arange(len(covariance)) != left
        weights = np.linalg.solve(noisy[np.ix_(others, others)], covariance[others, left])
        means.append(weights @ posterior.targets[row, others])
        sds.append(np.sqrt(noisy[left, left] - weights @ covariance[others, left]))
    return np.array(means), np.array(sds)


@settings(max_examples=10)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(3, 12),
    kind=st.sampled_from(sorted(SPACES)),
    recipe=st.sampled_from(["fit", "isotropic", "given"]),
)
def test_scores_are_those_of_refits_without_each_observation(seed, n, kind, recipe):
    space = SPACES[kind]
    features, values = dataset(space, n, seed)
    surrogate = Surrogate("rbf", (0.9,), (0.05,), standardise=False)
    if recipe != "given":
        surrogate = make_surrogate(CampaignSpec(space, surrogate={"kernel": recipe}))
    posterior = Posterior(surrogate, features, values)
    for row in range(ROWS):
        mean, sd = refitted(posterior, row)
        score = norm.logpdf(posterior.targets[row], mean, sd).mean()
        np.testing.assert_allclose(posterior.leave_one_out_log_score[row], score, rtol=1e-6)
        correlation = pearsonr(mean, posterior.targets[row]).statistic
        np.testing.assert_allclose(
            posterior.leave_one_out_correlation[row], correlation, rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("n", [0, 1, 2])
def test_of_fewer_than_three_observations_nothing_is_known(n):
    features, values = dataset(SPACES["box"], n, 0)
    posterior = Posterior(make_surrogate(CampaignSpec(SPACES["box"])), features, values)
    assert np.isnan(posterior.leave_one_out_correlation).all()
    assert np.isnan(posterior.leave_one_out_log_score).all()
    assert posterior.leave_one_out_log_score.shape == (ROWS,)


@pytest.mark.filterwarnings("error")
def test_of_values_that_are_all_the_same_nothing_is_known_and_of_others_it_is():
    features, values = dataset(SPACES["box"], 9, 0)
    values[1] = 7.0
    posterior = Posterior(make_surrogate(CampaignSpec(SPACES["box"])), features, values)
    for scores in (posterior.leave_one_out_correlation, posterior.leave_one_out_log_score):
        assert np.isnan(scores).tolist() == [False, True, False]


def test_where_something_can_be_predicted_the_scores_say_so():
    features, values = dataset(SPACES["box"], 40, 0)
    shuffled = np.random.default_rng(0).permuted(values, axis=1)
    surrogate = make_surrogate(CampaignSpec(SPACES["box"]))
    good, bad = (Posterior(surrogate, features, each) for each in (values, shuffled))
    assert (good.leave_one_out_correlation > 0.85).all()
    assert (bad.leave_one_out_correlation < 0.5).all()
    assert (good.leave_one_out_log_score > -1.0).all()
    assert (good.leave_one_out_log_score > bad.leave_one_out_log_score + 0.3).all()


def test_a_campaign_s_scores_do_not_depend_on_its_neighbours_and_cost_nothing_unasked():
    features, values = dataset(SPACES["mixed"], 15, 3)
    surrogate = make_surrogate(CampaignSpec(SPACES["mixed"]))
    together = Posterior(surrogate, features, values)
    assert "_left_out" not in vars(together)
    for row in range(ROWS):
        alone = Posterior(surrogate, features[[row]], values[[row]])
        for name in ("leave_one_out_correlation", "leave_one_out_log_score"):
            assert getattr(alone, name)[0] == getattr(together, name)[row]
