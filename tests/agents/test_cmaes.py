"""CMA-ES, against pycma asked and told by hand."""

from __future__ import annotations

from itertools import pairwise

import cma
import numpy as np
import pytest

import ombo_agents
from ombo_agents.model_free.cmaes import CMAES, generations
from ombo_agents.round_history import round_edges
from ombo_gym.env import CampaignEnv
from ombo_gym.problems.synthetic.gp import GP
from tests.agents.by_hand import Recipe, batch_of, observation_of


def sphere(x):
    return -((np.asarray(x, float) - [0.3, -0.2, 0.1]) ** 2).sum(axis=-1)


@pytest.mark.parametrize("q", [4, 8])
def test_cmaes_is_pycma_told_of_every_round_in_turn(q):
    """Asked and told all the way, pycma ends with the distribution that ours has from the data."""
    env = CampaignEnv(GP(dim=3), batch_size=q, horizon=6, start={"kind": "random", "size": 1})
    policy = ombo_agents.make("cmaes:sigma=0.1", env)
    assert isinstance(policy, CMAES)
    start = np.array([[0.1, 0.2, -0.3]], np.float32)
    settings = {"popsize": q, "CMA_mirrors": 0, "seed": np.nan, "verbose": -9, "verb_log": 0}
    live = cma.CMAEvolutionStrategy(start[0].astype(float), 0.1, settings)
    rng = np.random.default_rng(3)
    live.opts["randn"] = live.sm.randn = lambda *shape: rng.standard_normal(shape)
    designs, values = start, sphere(start)
    for _ in range(4):
        asked = np.array(live.ask())
        assert np.abs(asked).max() < 1  # no mirrors in this test
        live.tell(list(asked), (-sphere(asked)).tolist())
        designs = np.concatenate([designs, asked.astype(np.float32)])
        values = np.concatenate([values, sphere(asked)])
    edges = round_edges(policy.spec, len(values), 1, q)
    replayed = policy.replayed(designs, values, edges, np.random.default_rng(0))
    np.testing.assert_allclose(replayed.mean, live.mean, atol=1e-5)
    np.testing.assert_allclose(replayed.sigma, live.sigma, rtol=1e-4)
    np.testing.assert_allclose(replayed.C, live.C, rtol=1e-3, atol=1e-4)
    batch = batch_of(policy, observation_of(policy, designs, values, start=1))
    asked = np.array(replayed.ask(q))  # both draw with a generator of seed 0
    np.testing.assert_allclose(batch, asked, atol=1e-6)


def test_cmaes_comes_close_to_the_top_of_a_smooth_hill():
    class Hill(GP):
        def true_values(self, instances, designs):
            return sphere(designs), None

    env = CampaignEnv(Hill(dim=3), batch_size=8, horizon=20)
    regrets = {}
    for name in ("cmaes", "random"):
        policy = ombo_agents.make(name, env)
        observation, _ = env.reset(seed=0)
        for round_ in range(20):
            batch = {key: array[None] for key, array in observation.items()}
            action = policy.act(batch, [np.random.default_rng(round_)])[0]
            observation, *_ = env.step(action)
        regrets[name] = -observation["measurements"][-8:].max()
    assert regrets["cmaes"] < 1e-3 < regrets["random"]


def test_cmaes_leaves_the_global_random_numbers_alone():
    env = CampaignEnv(GP(dim=2), batch_size=4)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    policy = ombo_agents.make("cmaes", env)
    observation, _ = env.reset(seed=0)
    policy.act({key: array[None] for key, array in observation.items()}, np.random.default_rng(0))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_cmaes_on_categories_moves_to_what_the_best_have_in_common():
    """Values count the positions of category 2."""
    env = CampaignEnv(
        Recipe([4] * 6), batch_size=16, horizon=9, utility="last_mean", start={"kind": "none"}
    )
    policy = ombo_agents.make("cmaes", env)
    designs = np.zeros((0, 6), np.int64)
    shares = []
    for round_ in range(9):
        observation = observation_of(policy, designs, (designs == 2).sum(axis=1))
        batch = batch_of(policy, observation, seed=round_)
        shares.append((batch == 2).mean())
        designs = np.concatenate([designs, batch])
    assert abs(shares[0] - 0.25) < 0.12 and shares[-1] > 0.6


@pytest.mark.parametrize("q", [1, 2, 3])
def test_cmaes_waits_for_four_designs_before_it_changes_its_distribution(q):
    env = CampaignEnv(GP(dim=2), batch_size=q, horizon=9, start={"kind": "random", "size": 2})
    policy = ombo_agents.make("cmaes", env)
    rng = np.random.default_rng(0)
    designs = rng.uniform(-0.2, 0.2, (2 + 9 * q, 2)).astype(np.float32)
    means = []
    for rounds in range(9):
        edges = tuple(range(2, 3 + rounds * q, q))
        told = policy.replayed(designs[: edges[-1]], np.arange(float(edges[-1])), edges, rng)
        means.append(tuple(told.mean))
    changes = [i for i in range(1, 9) if means[i] != means[i - 1]]
    wait = {1: 4, 2: 2, 3: 2}[q]
    assert changes == [i for i in range(1, 9) if i % wait == 0]


def test_generations_are_rounds_that_together_hold_four_designs():
    assert list(generations((3, 4, 6, 7, 11, 13, 29, 30))) == [(3, 7), (7, 11), (11, 29)]
    assert list(generations((5,))) == list(generations((0, 3))) == []


def test_cmaes_weighs_each_generation_as_its_size_asks_for():
    """Told of plates of 8 and of 5, pycma with these population sizes ends where ours does."""
    env = CampaignEnv(GP(dim=3), plates=[8, 5, 8, 1], start={"kind": "random", "size": 1})
    policy = ombo_agents.make("cmaes:sigma=0.1", env)
    rng = np.random.default_rng(3)
    designs = rng.uniform(-0.2, 0.2, (22, 3)).astype(np.float32)
    edges = round_edges(policy.spec, 22, 1, 1)
    assert edges == (1, 9, 14, 22)
    ours = policy.replayed(designs, sphere(designs), edges, np.random.default_rng(0))
    theirs, other = (
        cma.CMAEvolutionStrategy(
            designs[0].astype(float),
            0.1,
            {"popsize": q, "CMA_mirrors": 0, "seed": 1, "verbose": -9, "verb_log": 0},
        )
        for q in (8, 5)
    )
    used = {8: (theirs.sp, theirs.adapt_sigma.cs, theirs.adapt_sigma.damps)}
    used[5] = other.sp, other.adapt_sigma.cs, other.adapt_sigma.damps
    assert used[8][1] != used[5][1] and used[8][0].weights.mu != used[5][0].weights.mu
    for begin, end in pairwise(edges):
        theirs.sp, theirs.adapt_sigma.cs, theirs.adapt_sigma.damps = used[end - begin]
        theirs.ask()
        told = designs[begin:end].astype(float)
        theirs.tell(list(told), (-sphere(told)).tolist(), False)
    np.testing.assert_allclose(ours.mean, theirs.mean, atol=1e-12)
    np.testing.assert_allclose(ours.sigma, theirs.sigma, rtol=1e-9)
    np.testing.assert_allclose(ours.C, theirs.C, rtol=1e-9)
