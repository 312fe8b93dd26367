"""Policies on pools of many thousands of candidates: they look at all of them, in linear time."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import ombo_agents
from ombo_agents import nearest_candidates, round_history
from ombo_agents.design_of_experiments.d_optimal import d_optimal_batch, predictive_covariance
from ombo_agents.design_of_experiments.listed_exchanges import PriorCovariances, d_optimal_listed
from ombo_gym.controls import exploration, make_control
from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns
from ombo_gym.design_spaces.local_optima import nearest_others, nearest_others_of
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import Repeats
from ombo_gym.surrogates.listed_marginals import ListedMarginals
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate
from tests.agents import cheap
from tests.wide_pools import observed, pool, some, spec_of

LOOK_AT_VALUES = (
    *("greedy", "ucb", "expected_improvement", "local_penalization", "thompson"),
    *("max_value_entropy", "rollout", "binoculars"),
)
NO_NETWORKS = [name for name in ombo_agents.names() if name not in cheap.SLOW]


def batches(policy, observation):
    rngs = [np.random.default_rng([0, row]) for row in range(len(observation["rounds_left"]))]
    return policy.spec.design_space.designs(policy.act(observation, rngs))


@pytest.mark.parametrize(
    "space", [pool(5000), CategoricalDesigns([4] * 6), CategoricalDesigns([9] * 4, ordinal=True)]
)
def test_greedy_proposes_the_largest_posterior_means_of_all_designs(space):
    spec = spec_of(space, repeats=Repeats.NEVER_AGAIN)
    codes = some(space, 1, 12)
    observation = observed(spec, codes)
    everything = space.decode(np.arange(space.size))
    posterior = Posterior(
        make_surrogate(spec),
        space.features(space.decode(codes)),
        observation["measurements"][:, :12],
    )
    mean = posterior.at(space.features(everything)[None]).mean[0]
    mean[codes[0]] = -np.inf
    found = mean[space.encode(batches(ombo_agents.make("greedy", spec), observation)[0])]
    np.testing.assert_allclose(found, np.sort(mean)[::-1][:4], rtol=1e-9)


@pytest.mark.parametrize("place", [17, 1234, 2999])
@pytest.mark.parametrize("name", LOOK_AT_VALUES)
def test_the_one_promising_candidate_is_found_wherever_it_stands(name, place):
    """Next to a good measured one, and apart from all others, which were measured to be bad."""
    features = np.random.default_rng(0).standard_normal((3000, 2)) / 20
    features[0], features[place] = 0.4, 0.5
    space = CandidateDesigns(features, scale="none")
    spec = spec_of(
        space,
        plates=[2, 2],
        repeats=Repeats.NEVER_AGAIN,
        surrogate={"kernel": "rbf", "lengthscale": 0.4},
    )
    observation = observed(spec, [np.arange(12)])
    observation["measurements"][0, :12] = [2.0, *[0.0] * 11]
    (batch,) = batches(ombo_agents.make(name, spec), observation)
    assert place in batch


@pytest.mark.parametrize("name", [name for name in NO_NETWORKS if name != "cmaes"])
def test_policies_propose_distinct_new_candidates_of_a_large_pool(name):
    space = pool(20_000)
    spec = spec_of(space, repeats=Repeats.NEVER_AGAIN)
    if not ombo_agents.supports(name, spec):
        pytest.skip("another space")
    observation = observed(spec, some(space, 1, 12))
    tracemalloc.start()
    (batch,) = batches(cheap.make(name, spec), observation)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(set(batch[:, 0])) == 4
    assert not set(batch[:, 0]) & set(observation["designs"][0, :12, 0])
    assert peak < 100 * 2**20


@pytest.mark.slow
@pytest.mark.parametrize("name", ombo_agents.names())
def test_every_policy_plays_on_100_000_candidates(name):
    space = pool(100_000, features=10)
    spec = spec_of(space, plates=[8, 8])
    if not ombo_agents.supports(name, spec):
        pytest.skip("another space")
    observation = observed(spec, some(space, 1, 12))
    policy = ombo_agents.make(name, spec)
    tracemalloc.start()
    (batch,) = batches(policy, observation)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(set(batch[:, 0])) == 8
    assert peak < 2**30


@pytest.mark.parametrize("measured", [0, 3, 20])
@pytest.mark.parametrize("repeats", list(Repeats))
def test_exchanges_without_all_covariances_are_those_with_them(measured, repeats):
    rng = np.random.default_rng(3)
    listed = np.concatenate([np.ones((60, 1)), rng.standard_normal((60, 5))], axis=1)
    known = np.stack([listed[rng.choice(60, measured, replace=False)] for _ in range(4)])
    usable = rng.random((4, 60)) < 0.8
    covariance = predictive_covariance(np.tile(listed, (4, 1, 1)), known, 1e-2)
    expected, expected_gain = d_optimal_batch(covariance, usable, 7, repeats)
    prior = PriorCovariances(listed, known, 1e-2)
    np.testing.assert_allclose(
        prior.variances(), np.diagonal(covariance, axis1=1, axis2=2), rtol=1e-8
    )
    picks, gain = d_optimal_listed(prior, usable, 7, repeats)
    np.testing.assert_array_equal(picks, expected)
    np.testing.assert_allclose(gain, expected_gain, rtol=1e-7)


def test_nearest_others_of_some_are_those_of_all():
    features = np.random.default_rng(0).standard_normal((300, 5))
    some_of_them = np.array([[5, 0, 5], [299, 17, 3]])
    expected = nearest_others(features, 12)[some_of_them]
    np.testing.assert_array_equal(nearest_others_of(features, some_of_them, 12), expected)


def test_local_search_takes_nearest_neighbours_where_no_table_of_them_is_kept():
    space = pool(9000)
    spec = spec_of(space, repeats=Repeats.NEVER_AGAIN)
    observation = observed(spec, some(space, 2, 12))
    policy = ombo_agents.make("local_search:neighbours=4", spec)
    for row, batch in enumerate(batches(policy, observation)):
        best = observation["designs"][row, observation["measurements"][row, :12].argmax(), 0]
        distances = ((space.pool_features - space.pool_features[best]) ** 2).sum(axis=1)
        assert set(batch[:, 0]) == set(np.argsort(distances)[1:5])


def test_d_optimal_is_at_least_as_good_as_of_what_it_used_to_draw():
    space = pool(6000, features=5)
    spec = spec_of(space)
    codes = some(space, 1, 12)
    (batch,) = batches(ombo_agents.make("d_optimal", spec), observed(spec, codes))

    effects = space.effects(space.decode(np.arange(6000)))
    effects = np.concatenate([np.ones((6000, 1)), effects], axis=1)

    def log_determinant(picks):
        rows = effects[np.concatenate([codes[0], picks])]
        return np.linalg.slogdet(rows.T @ rows + 1e-3 * np.eye(6))[1]

    rng = np.random.default_rng(0)
    drawn = max(log_determinant(rng.choice(6000, 4, replace=False)) for _ in range(2000))
    assert log_determinant(batch[:, 0]) > drawn + 0.5


@pytest.mark.parametrize("name", ["greedy", "genetic", "evolution", "local_search", "d_optimal"])
def test_proposals_do_not_depend_on_how_many_campaigns_are_held_at_once(name, monkeypatch):
    space = pool(9000)
    spec = spec_of(space, repeats=Repeats.NEVER_AGAIN)
    observation = observed(spec, some(space, 5, 12))
    expected = batches(ombo_agents.make(name, spec), observation)
    monkeypatch.setattr(exploration, "_HELD", 0)
    for module in (nearest_candidates, round_history):
        monkeypatch.setattr(module, "_CHUNK_ENTRIES", 20_000)
    np.testing.assert_array_equal(batches(ombo_agents.make(name, spec), observation), expected)


@pytest.mark.parametrize("name", ["exploration", "candidates"])
def test_what_an_environment_shows_stays_cheap(name, monkeypatch):
    """Its control looks at a few hundred candidates, whoever plays."""
    space = pool(4000)
    spec = spec_of(space, control=name)
    observation = observed(spec, some(space, 2, 12))
    rngs = GeneratorBatch([np.random.default_rng(row) for row in range(2)], 2)
    monkeypatch.setattr(ListedMarginals, "__init__", None)
    control = make_control(name, spec)
    seen = control.seen(control.view(observation, rngs.take))
    assert all(np.isfinite(array).all() for array in seen.values())
