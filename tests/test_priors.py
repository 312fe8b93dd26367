"""Known processes: what a dataset says of them, against Bayes' rule by hand, and as JSON."""

from __future__ import annotations

import json
import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ombo_gym
from ombo_gym.env import CampaignEnv
from ombo_gym.priors import BernoulliArms, FiniteLandscapes, GaussianProcess, prior_from_dict
from ombo_gym.vector_env import CampaignVectorEnv

NAN = float("nan")
OWN: dict[str, Any] = {
    "matrix": [[0.0, 1.0, 0.5, 2.0], [0.5, 1.0, 0.0, -1.0], [1.0, 0.0, 0.5, 0.0]],
    "weights": [1, 2, 5],
    "noise": {"values": [-0.5, 0.0, 0.5], "probabilities": [0.25, 0.5, 0.25]},
}


def problem(**arguments: Any) -> Any:
    return ombo_gym.make_problem("Landscapes", **arguments)


PRIORS = {
    "gp": GaussianProcess("rbf", 0.4),
    "arms": ombo_gym.make_problem("Bandit", arms=2, prior=[[1, 2], [3, 4]], known=[0.5]).prior,
    "no unknown arm": ombo_gym.make_problem("Bandit", arms=0, known=[0.5]).prior,
    "landscapes": problem(**OWN).prior,
    "signpost": problem().prior,
}


@pytest.mark.parametrize("name", PRIORS)
def test_a_prior_is_a_value_that_survives_json_and_pickle(name: str) -> None:
    prior = PRIORS[name]
    for again in (
        prior_from_dict(json.loads(json.dumps(prior.to_dict()))),
        pickle.loads(pickle.dumps(prior)),
    ):
        assert again == prior and hash(again) == hash(prior)
    assert all(prior != other for key, other in PRIORS.items() if key != name)


def test_an_unknown_kind_of_prior_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"prior: .*bernoulli.*gaussian.*got 'wiener'"):
        prior_from_dict({"kind": "wiener"})


def test_a_player_cannot_write_to_the_prior_that_the_truth_is_drawn_from() -> None:
    matrix = np.eye(3)
    prior = FiniteLandscapes(matrix, np.ones(3) / 3, np.zeros(1), np.ones(1))
    matrix[:] = 9
    assert prior.matrix.max() == 1
    for array in (prior.matrix, BernoulliArms(np.ones((1, 2)), np.ones(1)).beta):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7


def test_only_exact_priors_have_posterior_means() -> None:
    with pytest.raises(TypeError, match="GaussianProcess has no exact posterior"):
        PRIORS["gp"].posterior_means(*dataset([], 1))


# --- finite landscapes ---------------------------------------------------------------------------


def bayes(arguments: dict[str, Any], data: list[tuple[int, Fraction]]) -> list[Fraction] | None:
    """Bayes' rule in fractions: the probability of every landscape, None where all are excluded."""
    noise = arguments.get("noise") or {"values": [0], "probabilities": [1]}
    values, odds = ([Fraction(x) for x in noise[k]] for k in ("values", "probabilities"))
    weights = arguments.get("weights") or [1] * len(arguments["matrix"])
    joint = []
    for landscape, weight in zip(arguments["matrix"], weights, strict=True):
        chance = Fraction(weight)
        for design, value in data:
            error = value - Fraction(landscape[design])
            chance *= odds[values.index(error)] / sum(odds) if error in values else 0
        joint.append(chance)
    return [chance / sum(joint) for chance in joint] if any(joint) else None


halves = st.integers(-3, 3).map(lambda n: n / 2)  # exact in float32, sums too


@st.composite
def settings_and_data(draw: Any) -> tuple[dict[str, Any], list[tuple[int, Fraction]]]:
    designs, count = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    row = st.lists(halves, min_size=designs, max_size=designs)
    weight = st.integers(0, 8)
    arguments: dict[str, Any] = {
        "matrix": draw(st.lists(row, min_size=count, max_size=count)),
        "weights": draw(st.lists(weight, min_size=count, max_size=count).filter(any)),
    }
    if draw(st.booleans()):
        values = sorted(draw(st.sets(halves, min_size=1, max_size=3)))
        odds = st.lists(st.sampled_from([1, 2, 5]), min_size=len(values), max_size=len(values))
        arguments["noise"] = {"values": values, "probabilities": draw(odds)}
    errors = st.sampled_from(arguments.get("noise", {"values": [0.0]})["values"])
    data = []
    for _ in range(draw(st.integers(0, 4))):  # a design can be in the data twice
        design = draw(st.integers(0, designs - 1))
        landscape = draw(st.sampled_from(arguments["matrix"]))
        data.append((design, Fraction(landscape[design]) + Fraction(draw(errors))))
    return arguments, data


def dataset(data: list[tuple[int, Any]], capacity: int) -> tuple[np.ndarray, ...]:
    designs, values = np.zeros((1, capacity, 1), np.int64), np.zeros((1, capacity))
    for i, (design, value) in enumerate(data):
        designs[0, i], values[0, i] = design, float(value)
    return designs, values, np.arange(capacity)[None] < len(data)


@settings(max_examples=300, derandomize=True)
@given(settings_and_data())
def test_the_posterior_is_bayes_rule(
    given_: tuple[dict[str, Any], list[tuple[int, Fraction]]],
) -> None:
    arguments, data = given_
    landscapes = problem(**arguments)
    expected = bayes(arguments, data)
    seen = dataset(data, 5)
    if expected is None:
        with pytest.raises(ValueError, match="measurements: expected a dataset that some"):
            landscapes.prior.posterior(*seen)
        return
    posterior = landscapes.prior.posterior(*seen)
    np.testing.assert_allclose(posterior[0], np.array(expected, float), atol=1e-14)
    means = [
        float(
            sum(p * Fraction(row[x]) for p, row in zip(expected, arguments["matrix"], strict=True))
        )
        for x in range(len(arguments["matrix"][0]))
    ]
    np.testing.assert_allclose(landscapes.prior.posterior_means(*seen)[0], means, atol=1e-14)


def test_rows_have_posteriors_of_their_own_to_the_bit() -> None:
    num_campaigns = 60
    env = CampaignVectorEnv(num_campaigns, "Landscapes", horizon=[1, 4], batch_size=2, **OWN)
    env.action_space.seed(0)
    env.reset(seed=0)
    for _ in range(3):
        observation, *_ = env.step(env.action_space.sample())
    seen = [observation[name] for name in ("designs", "measurements")]
    seen.append(observation["observed"].astype(bool))
    assert len(set(seen[2].sum(axis=1))) > 2
    means_of_all = env.problem.prior.posterior_means(*seen)
    for row in range(num_campaigns):
        alone = env.problem.prior.posterior_means(*(array[row : row + 1] for array in seen))
        np.testing.assert_array_equal(alone[0], means_of_all[row])


def test_the_posterior_is_how_often_a_landscape_is_the_truth_given_the_data() -> None:
    num_campaigns = 20_000
    env = CampaignVectorEnv(num_campaigns, "Landscapes", horizon=2, batch_size=2, **OWN)
    env.reset(seed=0)
    observation, *_ = env.step(np.tile([0, 2], (num_campaigns, 1)))
    observed = observation["observed"].astype(bool)
    posterior = env.problem.prior.posterior(
        observation["designs"], observation["measurements"], observed
    )
    truth = env.campaigns.instances["landscape"]
    shown = observation["measurements"][:, :2]
    different = np.unique(shown, axis=0)
    assert len(different) > 5
    for values in different:
        same = (shown == values).all(axis=1)
        counts = np.bincount(truth[same], minlength=3)
        expected = posterior[same][0]
        assert (posterior[same] == expected).all()
        error = np.sqrt(expected * (1 - expected) / same.sum())
        assert (np.abs(counts / same.sum() - expected) <= 4.5 * error + 1e-12).all()


def test_the_sign_tells_where_the_prize_is() -> None:
    sign = problem(K=3)
    means = sign.prior.posterior_means(*dataset([(0, 0.02)], 4))
    np.testing.assert_allclose(means[0], [0.02, 0, 1, 0], atol=1e-15)
    prior = sign.prior.posterior_means(*dataset([], 4))
    np.testing.assert_allclose(prior[0], [0.02, 1 / 3, 1 / 3, 1 / 3])
    missed = sign.prior.posterior_means(*dataset([(1, 0.0)], 4))
    np.testing.assert_allclose(missed[0], [0.025, 0, 0.5, 0.5])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([(0, 0.04)], r"at design 0 \(0\.01, 0\.02, 0\.03\), got 0\.04"),
        ([(2, 0.5)], r"at design 2 \(0, 1\), got 0\.5"),
        ([(1, 0.0), (2, NAN)], "at design 2 .*got nan"),
        ([(1, 1.0), (2, 1.0)], "a dataset that some landscape shows"),
        ([(0, 0.01), (1, 0.0)], "a dataset that some landscape shows"),
    ],
)
def test_data_that_no_landscape_shows_are_refused(
    data: list[tuple[int, float]], message: str
) -> None:
    sign = problem(K=3)
    for function in (sign.prior.posterior, sign.prior.posterior_means):
        with pytest.raises(ValueError, match=f"^measurements: expected .*{message}"):
            function(*dataset(data, 4))


def test_recommendation_names_the_prize_once_the_sign_was_read() -> None:
    env = CampaignEnv("Landscapes", K=6, horizon=2, batch_size=1, utility="recommendation")
    env.reset(seed=0)
    assert env.step([0])[1] == pytest.approx(1.0)
    assert env.step([0])[1] == pytest.approx(0.0), "wasted, and nothing is lost"
    env.reset(seed=0)
    info = env.step([1])[4]
    expected = 1.0 if info["true_values"][0] == 1 else 1 / 5
    assert env.step([1])[4]["utility"] == pytest.approx(expected)
