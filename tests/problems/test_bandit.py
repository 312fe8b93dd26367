"""Bandits: what is drawn, what a pull shows, and what the data say."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from scipy import stats

import ombo_gym
from ombo_gym.env import CampaignEnv
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.vector_env import CampaignVectorEnv
from tests.envs.cases import assert_same

ROWS = 4000
PRIORS = [[1, 1], [2, 5], [0.5, 0.5]]


def probabilities(**arguments: Any) -> np.ndarray:
    problem = ombo_gym.make_problem("Bandit", **arguments)
    rngs = KeyedGenerator(np.arange(ROWS, dtype=np.uint64), Stream.INSTANCE)
    return problem.draw(rngs)["probabilities"]


# --- arguments -----------------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("arms", value) for value in (-1, 0, 2.0, True, "2", None, [2])],
        *[("prior", value) for value in ([1], [0, 1], [-1, 1], [NAN, 1], [1, INF], [[1, 1]], [])],
        *[("prior", value) for value in ([[1, 1], [1]], [[1, 1, 1], [1, 1, 1]], 1, None, "11")],
        *[("prior", value) for value in (["1", "1"], [None, 1], [1j, 1], [True, True], {"a": 1})],
        *[("known", value) for value in ([1.1], [-0.1], [NAN], [INF], 0.5, [[0.5]], None, "0.5")],
        *[("known", value) for value in (["0.5"], [None], [1j], [True], {"a": 0.5})],
    ],
)
def test_a_bad_argument_is_a_value_error_that_names_it(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected .*got"):
        gym.make("Ombo/Bandit-v0", **{name: value})


def test_an_unknown_argument_is_refused_with_the_known_ones() -> None:
    with pytest.raises(TypeError, match=r"arms.*prior.*known.*'k'"):
        gym.make("Ombo/Bandit-v0", k=2)


def test_arms_are_the_unknown_ones_and_then_the_known_ones() -> None:
    for arguments, arms in (
        ({}, 2),
        ({"arms": np.int64(5)}, 5),
        ({"arms": 1, "known": [0.6]}, 2),
        ({"arms": 0, "known": (0.1, 0.2, 0.3)}, 3),
        ({"arms": 0, "prior": [], "known": [0]}, 1),
        ({"arms": 3, "prior": PRIORS}, 3),
    ):
        env = CampaignEnv("Bandit", batch_size=3, **arguments)
        assert env.action_space == gym.spaces.MultiDiscrete([arms] * 3)


def test_the_spec_survives_json_with_all_arguments() -> None:
    arguments = {"arms": 3, "prior": PRIORS, "known": [0.25], "utility": "recommendation"}
    env = gym.make("Ombo/Bandit-v0", **arguments)
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert json.loads(env.spec.to_json())["kwargs"]["prior"] == PRIORS
    for each in (env, again):
        each.action_space.seed(0)
    assert_same(again.reset(seed=1), env.reset(seed=1))
    for _ in range(5):
        assert_same(again.step(again.action_space.sample()), env.step(env.action_space.sample()))


# --- what is drawn -------------------------------------------------------------------------------


def test_every_unknown_arm_is_drawn_from_its_own_prior_independently() -> None:
    drawn = probabilities(arms=3, prior=PRIORS, known=[0.25, 1.0])
    assert drawn.shape == (ROWS, 5)
    for arm, (a, b) in enumerate(PRIORS):
        prior = stats.beta(a, b)
        assert stats.kstest(drawn[:, arm], prior.cdf).pvalue > 1e-4
        assert abs(drawn[:, arm].mean() - a / (a + b)) < 4.5 * prior.std() / np.sqrt(ROWS)
    correlations = np.corrcoef(drawn[:, :3].T)[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(ROWS)
    assert (drawn[:, 3:] == [0.25, 1.0]).all(), "known arms come last and are what they are"


def test_a_single_prior_is_that_of_all_arms() -> None:
    drawn = probabilities(arms=3, prior=[2, 5])
    np.testing.assert_array_equal(drawn, probabilities(arms=3, prior=[[2, 5]] * 3))
    assert stats.kstest(drawn.ravel(), stats.beta(2, 5).cdf).pvalue > 1e-4
    assert stats.kstest(probabilities(arms=1)[:, 0], "uniform").pvalue > 1e-4, "by default"


def test_the_optimum_is_the_largest_probability() -> None:
    env = CampaignVectorEnv(50, "Bandit", arms=2, known=[0.5])
    _, info = env.reset(seed=0)
    probability = env.campaigns.instances["probabilities"]
    assert (info["optimum"] == probability.max(axis=1)).all() and info["optimum_exact"].all()
    assert (info["optimum"] == 0.5).any() and (info["optimum"] > 0.5).any()


# --- what a pull shows ---------------------------------------------------------------------------


def pull(num_campaigns: int, batch: list[int], **arguments: Any) -> tuple[np.ndarray, ...]:
    """True values, and what one round of the same pulls shows in many campaigns, (B, q)."""
    env = CampaignVectorEnv(num_campaigns, "Bandit", horizon=1, batch_size=len(batch), **arguments)
    env.reset(seed=0)
    observation, _, _, _, info = env.step(np.tile(batch, (num_campaigns, 1)))
    return info["true_values"], observation["measurements"]


def test_a_pull_succeeds_with_the_arms_probability_independently_of_other_pulls() -> None:
    true_values, values = pull(ROWS, [0, 0, 1, 2], arms=2, known=[0.3])
    assert set(np.unique(values)) == {0.0, 1.0}
    assert (true_values[:, 0] == true_values[:, 1]).all() and (true_values[:, 3] == 0.3).all()
    error = values - true_values
    deviation = np.sqrt((true_values * (1 - true_values)).mean(axis=0) / ROWS)
    assert (np.abs(error.mean(axis=0)) < 4.5 * deviation).all()
    high = true_values[:, 0] > 0.8  # not only on average over arms
    assert abs(error[high, 0].mean()) < 4.5 * 0.4 / np.sqrt(high.sum())
    correlations = np.corrcoef(error.T)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 4.5 / np.sqrt(ROWS)


def test_arms_that_surely_succeed_or_fail_do() -> None:
    _, values = pull(500, [0, 1], arms=0, known=[0.0, 1.0])
    assert (values == [0.0, 1.0]).all()


def test_a_coin_goes_with_the_round_and_the_slot_and_not_with_the_arm() -> None:
    """The better arm succeeds wherever the worse one would: common random numbers."""
    _, low = pull(ROWS, [0, 0], arms=0, known=[0.3, 0.6])
    _, high = pull(ROWS, [1, 1], arms=0, known=[0.3, 0.6])
    _, mixed = pull(ROWS, [0, 1], arms=0, known=[0.3, 0.6])
    assert (high >= low).all() and (high > low).any()
    np.testing.assert_array_equal(mixed, np.stack([low[:, 0], high[:, 1]], axis=1))


def test_gaussian_noise_comes_on_top_of_the_coins() -> None:
    batch, arguments = [0, 0, 1], {"arms": 2}
    true_values, values = pull(ROWS, batch, **arguments)
    noisy_truth, noisy = pull(ROWS, batch, noise_std=0.5, **arguments)
    np.testing.assert_array_equal(true_values, noisy_truth)
    noise = (noisy.astype(float) - values) / 0.5
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-4
    assert abs(np.corrcoef(noise.ravel(), values.ravel())[0, 1]) < 4.5 / np.sqrt(3 * ROWS)


def test_utilities_count_probabilities_and_not_successes() -> None:
    env = CampaignEnv("Bandit", arms=0, known=[0.25, 0.75], horizon=2, batch_size=2)
    env.reset(seed=0)
    assert env.step([0, 0])[1] == 0.25, "the reference is 0"
    assert env.step([1, 0])[1] == 0.5
    env = CampaignEnv("Bandit", arms=0, known=[0.25, 0.75], utility="total", batch_size=3)
    env.reset(seed=0)
    assert env.step([1, 1, 0])[1] == 1.75
    assert env.step([1, 1, 1])[4]["wasted"] == 0, "pulling again is what batches are for"


# --- what the data say ---------------------------------------------------------------------------

DATA = {  # arm -> what its pulls showed
    0: [1, 0, 1, 1],
    1: [],
    2: [0, 0],
    3: [1, 1],  # known
}


def dataset(data: dict[int, list[int]], capacity: int) -> tuple[np.ndarray, ...]:
    """Padded by zeros, which are neither pulls of arm 0 nor failures."""
    pulls = [(arm, value) for arm, values in data.items() for value in values]
    designs, values = np.zeros((1, capacity, 1), np.int64), np.zeros((1, capacity), np.float32)
    for i, (arm, value) in enumerate(pulls[::-1]):
        designs[0, i], values[0, i] = arm, value
    return designs, values, np.arange(capacity)[None] < len(pulls)


@pytest.mark.parametrize("capacity", [8, 13])
def test_counts_and_posterior_means_are_those_of_conjugate_priors(capacity: int) -> None:
    problem = ombo_gym.make_problem("Bandit", arms=3, prior=PRIORS, known=[0.25])
    first, empty = dataset(DATA, capacity), dataset({}, capacity)
    both = [np.concatenate(pair) for pair in zip(first, empty, strict=True)]
    counts = problem.prior.counts(*both)
    assert counts.tolist() == [[[1, 3], [0, 0], [2, 0]], [[0, 0]] * 3]
    means = problem.prior.posterior_means(*both)
    half = Fraction(1, 2)
    expected = [
        [(1 + 3) / Fraction(2 + 4), Fraction(2, 7), half / (1 + 2), Fraction(1, 4)],
        [half, Fraction(2, 7), half, Fraction(1, 4)],
    ]
    np.testing.assert_allclose(means, np.array(expected, float), rtol=1e-15)


def test_the_posterior_mean_is_what_probabilities_are_on_average_given_the_data() -> None:
    """Of 20,000 campaigns, those that showed the same have that average probability."""
    num_campaigns = 20_000
    env = CampaignVectorEnv(num_campaigns, "Bandit", arms=1, prior=[2, 1], batch_size=3, horizon=2)
    env.reset(seed=0)
    observation, *_ = env.step(np.zeros((num_campaigns, 3), np.int64))
    observed = observation["observed"].astype(bool)
    means = env.problem.prior.posterior_means(
        observation["designs"], observation["measurements"], observed
    )[:, 0]
    probability = env.campaigns.instances["probabilities"][:, 0]
    successes = observation["measurements"].sum(axis=1)
    for s in range(4):
        same = successes == s
        (mean,) = set(means[same])
        assert mean == pytest.approx((2 + s) / 6)
        assert abs(probability[same].mean() - mean) < 4.5 * 0.2 / np.sqrt(same.sum())


@pytest.mark.parametrize("value", [0.5, -1.0, 2.0, np.nan])
def test_a_value_that_no_arm_shows_is_refused(value: float) -> None:
    problem = ombo_gym.make_problem("Bandit", arms=3, prior=PRIORS, known=[0.25])
    designs, values, observed = dataset(DATA, 9)
    values[0, 8] = value
    problem.prior.counts(designs, values, observed)  # what is not in use does not matter
    values[0, 3] = value
    for function in (problem.prior.counts, problem.prior.posterior_means):
        with pytest.raises(ValueError, match=r"measurements: expected 0 or 1.*got"):
            function(designs, values, observed)


# --- recommendation ------------------------------------------------------------------------------


def test_recommendation_is_refused_where_the_posterior_is_not_known() -> None:
    recommended = {"utility": "recommendation"}
    for env_id in ("Ombo/GP-v0", "Ombo/TFBind8-v0"):
        with pytest.raises(ValueError, match=r"utility: 'recommendation' needs .*Bandit.*got"):
            gym.make(env_id, **recommended)
    for name in ("Bandit", "Landscapes"):
        with pytest.raises(ValueError, match=r"noise_std=0.*got .*noise_std=0\.1"):
            gym.make(f"Ombo/{name}-v0", noise_std=0.1, **recommended)
        with pytest.raises(ValueError, match=r"noise_std=0.*got .*noise_std=0\.1"):
            gym.make_vec(f"Ombo/{name}-v0", 2, noise_std=0.1, **recommended)


def test_recommendation_pays_what_the_data_say_of_the_best_arm() -> None:
    env = CampaignEnv(
        "Bandit", arms=1, known=[0.45], horizon=3, batch_size=2, utility="recommendation"
    )
    for seed in range(20):
        env.reset(seed=seed)
        total, successes = 0.0, 0.0
        for number in range(1, 4):
            observation, reward, _, _, info = env.step([0, 0])
            total += reward
            successes = observation["measurements"].sum()
            assert total == pytest.approx(max(0.45, (1 + successes) / (2 + 2 * number)))
        assert info["utility"] == pytest.approx(total)
