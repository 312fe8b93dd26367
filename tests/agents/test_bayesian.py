"""Policies that read a posterior: batches that keep apart, trust regions, the posterior mean."""

from __future__ import annotations

import numpy as np
import pytest

import ombo_agents
from ombo_agents.bayesian.greedy_refined import RefinedGreedy
from ombo_agents.bayesian.turbo import Turbo
from ombo_agents.hyperparameters import settings_of
from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns, MixedDesigns
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.vector_env import CampaignVectorEnv
from tests.controls.small_problems import Pool

ROWS = 5


def generators(rows=ROWS, seed=0):
    return [np.random.default_rng([seed, i]) for i in range(rows)]


@pytest.mark.parametrize("name", ["max_value_entropy", "local_penalization"])
@pytest.mark.parametrize("problem", ["GP", "pool"])
def test_slots_keep_apart(name, problem):
    env = CampaignVectorEnv(ROWS, Pool() if problem == "pool" else "GP", batch_size=4)
    observation, _ = env.reset(seed=0)
    actions = ombo_agents.make(name, env).act(observation, generators())
    for batch in env.design_space.designs(actions):
        assert len(np.unique(np.round(batch.astype(float), 3), axis=0)) == 4


def turbo(**settings):
    env = CampaignVectorEnv(1, "GP", batch_size=2, horizon=12, start={"kind": "random", "size": 3})
    return ombo_agents.make("turbo", env, **settings), env


@pytest.mark.parametrize(
    ("batches", "length"),
    [
        ([], 0.8),
        ([1], 0.8),  # a success
        ([1, 2, 3], 1.6),  # three: it doubles
        ([1, 2, 3, 4, 5, 6], 1.6),  # and no further
        ([-1, -1], 0.4),  # failures = 4 designs = 2 batches
        ([-1, 1, -1, 2], 0.8),  # never two in a row
        ([-1, -1, 1, 2, 3], 0.8),
        ([1, 1.0005, 1.0005], 0.4),  # no gain worth the name
        ([-1] * 14, 0.8),  # 0.8 / 2^7 is below the smallest: anew
    ],
)
def test_trust_regions_grow_with_success_and_shrink_with_failure(batches, length):
    policy, _ = turbo()
    values = np.array([[0.0, -0.5, -0.2, *np.repeat(batches, 2)]])
    values[:, 4::2] -= 0.1  # the better design of each batch counts
    edges = tuple(range(3, len(values[0]) + 1, 2))
    assert policy.lengths(values, edges)[0] == pytest.approx(length)


def test_trust_regions_count_designs_measured_in_vain_whatever_the_plates():
    policy, _ = turbo()  # failures = 4 designs
    vain, start = -np.ones(9), np.zeros(1)
    for sizes, length in [((3,), 0.8), ((3, 1), 0.4), ((1, 1, 1), 0.8), ((1, 1, 1, 1), 0.4)]:
        values = np.concatenate([start, vain[: sum(sizes)]])[None]
        edges = tuple(np.cumsum([1, *sizes]).tolist())
        assert policy.lengths(values, edges)[0] == pytest.approx(length)


def test_trust_regions_go_through_plates_of_different_sizes():
    plates = [2, 5, 3]
    env = CampaignVectorEnv(3, "GP", plates=plates, start={"kind": "random", "size": 4})
    policy = ombo_agents.make("turbo", env)
    observation, _ = env.reset(seed=0)
    seen, lengths = [], policy.lengths

    def watched(values, edges):
        seen.append(edges)
        return lengths(values, edges)

    policy.lengths = watched
    for _ in plates:
        actions = policy.act(observation, generators(3))
        assert env.action_space.contains(actions)
        observation, *_ = env.step(actions)
    assert seen == [(4,), (4, 6), (4, 6, 11)]


def test_trust_regions_hold_the_batch():
    policy, env = turbo(length=0.1)
    observation, _ = env.reset(seed=0)
    batch = policy.act(observation, generators(1))[0]
    centre = observation["designs"][0, observation["measurements"][0, :3].argmax()]
    assert (np.abs(batch - centre) <= 0.1 + 1e-6).all()
    assert isinstance(env.design_space, BoxDesigns)


MIXED = MixedDesigns(
    {"T": (0, 1), "P": (-1, 1), "n": {"integer": [1, 9]}, "solvent": ["a", "b", "c"]}
)


MEASURED = MIXED.sample(GeneratorBatch(np.random.default_rng(0), 1), 12)[0]


VALUES = -(MIXED.features(MEASURED) ** 2).sum(axis=1)


def mixed_campaigns(repeats, q):
    spec = CampaignSpec(
        MIXED, batch_sizes=(q, q), repeats=repeats, noise_std=0.1, start_capacity=12
    )
    return spec, spec.observation(MEASURED, VALUES, [q])


def test_in_mixed_spaces_a_trust_region_is_one_of_numbers_and_some_categories_change():
    spec, observation = mixed_campaigns(Repeats.DISTINCT_IN_BATCH, 64)
    policy = ombo_agents.make("turbo", spec, length=0.2, largest=0.2)
    batch = MIXED.designs(policy.act(observation, generators(1)))[0]
    np.testing.assert_array_equal(MIXED.canonical(batch), batch)
    centre, free = MEASURED[VALUES.argmax()], MIXED.free
    apart = np.abs(MIXED.features(batch) - MIXED.features(centre))
    assert (apart[:, free] <= 0.2 + 1e-6).all() and (apart[:, free] > 0).any(axis=1).all()
    others = (apart[:, ~free] > 1e-9).any(axis=1)
    assert 0 < others.mean() < 0.5
    assert len(np.unique(batch[others][:, 3:], axis=0)) > 1  # solvents


def test_in_mixed_spaces_the_largest_mean_is_found_among_all_numbers():
    spec, observation = mixed_campaigns(Repeats.ALLOWED, 2)
    policy = ombo_agents.make("greedy_refined", spec)
    batch = MIXED.designs(policy.act(observation, generators(1)))[0]
    np.testing.assert_array_equal(MIXED.canonical(batch), batch)
    np.testing.assert_array_equal(batch[0], batch[1])
    rngs = GeneratorBatch(generators(1), 1)
    (group,) = policy.groups(observation, rngs)
    found = group.posterior.at(MIXED.features(batch[None])).mean[0, 0]
    assert found >= group.marginals.mean.max()
    around = np.repeat(MIXED.features(batch[:1]), 500, axis=0)
    step = 0.05 * np.random.default_rng(1).normal(size=(500, MIXED.free.sum()))
    around[:, MIXED.free] = np.clip(around[:, MIXED.free] + step, -1, 1)
    assert found >= group.posterior.at(around[None]).mean.max() - 1e-4


@pytest.mark.parametrize("name", ["turbo", "greedy_refined"])
def test_where_nothing_can_move_a_little_it_says_so(name):
    spec = CampaignSpec(CategoricalDesigns([3, 4]))
    assert not ombo_agents.supports(name, spec)
    policy = {"turbo": Turbo, "greedy_refined": RefinedGreedy}[name]
    with pytest.raises(ValueError, match="move a little"):
        policy(spec, **settings_of(name, spec))


def test_without_a_start_the_first_batch_has_nothing_to_beat():
    env = CampaignVectorEnv(1, "GP", batch_size=2, horizon=3, start={"kind": "none"})
    policy = ombo_agents.make("turbo", env)
    assert policy.lengths(np.array([[1.0, 2.0]]), (0, 2))[0] == 0.8
    observation, _ = env.reset(seed=0)
    assert env.action_space.contains(policy.act(observation, generators(1)))


@pytest.mark.parametrize(
    ("name", "rows"), [("max_value_entropy", 20), ("local_penalization", 20), ("turbo", 75)]
)
def test_rivals_beat_random_designs_on_a_gaussian_process(name, rows):
    env = CampaignVectorEnv(rows, "GP", horizon=3, batch_size=4, autoreset_mode="Disabled")
    totals = {}
    for each in (name, "random"):
        policy, rngs = ombo_agents.make(each, env), generators(rows)
        observation, _ = env.reset(seed=10)
        totals[each] = 0.0
        for _ in range(3):
            observation, reward, *_ = env.step(policy.act(observation, rngs))
            totals[each] = totals[each] + reward
    gain = totals[name] - totals["random"]
    assert gain.mean() > 3 * gain.std() / np.sqrt(rows)
