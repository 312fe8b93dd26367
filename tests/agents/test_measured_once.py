"""Where nothing is measured twice, heuristics waste no slot while there is something to measure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

import ombo_agents
from ombo_agents.unmeasured import replaced, without_repeats
from ombo_gym.design_spaces import CandidateDesigns
from ombo_gym.env import CampaignEnv
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.vector_env import CampaignVectorEnv
from tests.agents.cheap import OFTEN, SLOW, make
from tests.controls.small_problems import ONCE, Pool, PoolOnce, play_without_waste

pytestmark = pytest.mark.usefixtures("brief_fits")

ROWS = 5


def make_env(case, rows=ROWS, **arguments):
    problem, defaults = ONCE[case]
    arguments = {"start": {"kind": "none"}, **defaults, **arguments}
    return CampaignVectorEnv(rows, problem, **arguments)


def heuristics(case):
    """The policies that suit a problem, but exact planners, which may waste a slot on purpose."""
    env = make_env(case)
    suited = [name for name in ombo_agents.names() if ombo_agents.supports(name, env)]
    others = {"bayes_optimal", "one_step", "rolling_2", *SLOW}  # the latter: test_every_policy.py
    return [name for name in suited if name not in others]


PLAYERS = [(name, case) for case in ONCE for name in heuristics(case)]


def cases_of(name):
    """Cases that a policy plays: all that it suits or, if it thinks long, every second one."""
    suited = [case for player, case in PLAYERS if player == name]
    return suited if name in OFTEN else suited[len(name) % 2 :: 2] or suited


def often_enough(name, case):
    """Whether a policy plays a case among the quick tests: if it thinks long, every fourth."""
    return case in (cases_of(name) if name in OFTEN else cases_of(name)[::2])


PLAYED = [  # batches of four, or of another size in turn; those that think long, every second case
    pytest.param(
        *player,
        (4, 1, 2, 3, 5)[turn % 5] if player[0] in OFTEN else 4,
        marks=() if often_enough(*player) else pytest.mark.slow,
    )
    for turn, player in enumerate(PLAYERS)
    if player[1] in cases_of(player[0])
]


def test_all_heuristics_are_among_the_players():
    quick = {name for name, case in PLAYERS if often_enough(name, case)}
    assert quick == {name for name, _ in PLAYERS}
    known = "random genetic greedy ucb expected_improvement thompson explore_then_exploit".split()
    for case in ONCE:
        assert set(known) <= {name for name, played in PLAYERS if played == case}
    assert ("greedy_refined", "box") in PLAYERS


@pytest.mark.parametrize(("name", "case", "q"), PLAYED)
def test_no_slot_is_wasted_while_designs_are_left(name, case, q):
    """All rounds until nothing is left, and one more."""
    few = case not in ("pool", "recipes", "box", "bits")
    env = make_env(case, batch_size=q, horizon=11 // q + 2 if few else 40 // q + 2 if q > 3 else 3)
    policy, rngs = make(name, env), [np.random.default_rng(i) for i in range(ROWS)]
    play_without_waste(env, lambda observation: policy.act(observation, rngs))


@pytest.mark.parametrize("name", ["greedy", "ucb", "explore_then_exploit"])
def test_nor_is_one_wasted_through_the_exploration_control(name):
    env = make_env("eleven designs", batch_size=3, horizon=5, control="exploration")
    policy = ombo_agents.make(name, env)
    play_without_waste(env, lambda seen: policy.act(seen, np.random.default_rng(0)))


def observed(env, designs, rows):
    """Campaigns that have measured some designs, and nothing else of interest."""
    env.reset(seed=0)
    observation, *_ = env.step(np.array(designs))
    return {key: np.repeat(array[None], rows, axis=0) for key, array in observation.items()}


def test_random_designs_are_uniform_among_those_that_can_be_measured():
    env = CampaignEnv("Landscapes", K=7, batch_size=3, horizon=2)
    rows = 5000
    observation = observed(env, [6, 1, 4], rows)
    actions = ombo_agents.make("random", env).act(observation, np.random.default_rng(0))
    left = [0, 2, 3, 5, 7]
    assert set(actions.ravel().tolist()) == set(left)
    sets = np.sort(actions, axis=1) @ [100, 10, 1]
    counts = np.unique(sets, return_counts=True)[1]
    assert len(counts) == 10 and stats.chisquare(counts).pvalue > 1e-4, "each set of three"


def test_random_designs_do_not_depend_on_how_others_stand():
    env = make_env("tent8", rows=9, batch_size=3, horizon=4, start={"kind": "random", "size": 2})
    policy = ombo_agents.make("random", env)
    observation, _ = env.reset(seed=0)
    empty = {key: array.copy() for key, array in observation.items()}
    for array in (empty["observed"], empty["designs"], empty["measurements"]):
        array[1:] = 0
    first, second = (
        policy.act(each, [np.random.default_rng(i) for i in range(9)])
        for each in (observation, empty)
    )
    np.testing.assert_array_equal(first[0], second[0])


@given(st.data(), st.integers(1, 4), st.integers(1, 5), st.integers(0, 6))
def test_unwanted_slots_from_the_left_are_filled_with_usable_spares_in_their_order(
    data, rows, q, m
):
    unwanted = data.draw(arrays(bool, (rows, q)))
    usable = data.draw(arrays(bool, (rows, m)))
    batch = np.arange(rows * q).reshape(rows, q, 1)
    spares = 1000 + np.arange(rows * m).reshape(rows, m, 1)
    expected = batch.copy()
    for row in range(rows):
        left = spares[row][usable[row]].tolist()
        for slot in np.flatnonzero(unwanted[row])[: len(left)]:
            expected[row, slot] = left.pop(0)
    np.testing.assert_array_equal(replaced(batch, unwanted, spares, usable), expected)


def test_what_is_not_wasted_stays_and_the_rest_is_filled_up_uniformly():
    rows = 4000
    env = CampaignEnv("Landscapes", K=7, batch_size=3, horizon=2)
    observation = observed(env, [6, 1, 4], rows)
    batch = np.tile(np.array([4, 2, 2])[:, None], (rows, 1, 1))
    rngs = GeneratorBatch(np.random.default_rng(0), rows)
    filled = without_repeats(env.campaign_spec, observation, batch, rngs)[..., 0]
    assert (filled[:, 1] == 2).all()
    pairs = np.unique(filled[:, [0, 2]], axis=0, return_counts=True)
    assert set(pairs[0].ravel().tolist()) == {0, 3, 5, 7} and len(pairs[0]) == 12
    assert stats.chisquare(pairs[1]).pvalue > 1e-4


def test_one_slot_in_a_wide_batch_is_filled_up_uniformly():
    rows, space = 4000, CandidateDesigns(np.arange(20.0)[:, None])
    spec = CampaignSpec(space, batch_sizes=(8, 8), repeats=Repeats.NEVER_AGAIN)
    empty = {"designs": np.zeros((rows, 1, 1), int), "observed": np.zeros((rows, 1))}
    batch = np.tile(np.array([0, 1, 2, 2, 4, 5, 6, 7])[:, None], (rows, 1, 1))
    rngs = GeneratorBatch(np.random.default_rng(0), rows)
    filled = without_repeats(spec, empty, batch, rngs)[..., 0]
    assert (np.delete(filled, 3, axis=1) == [0, 1, 2, 4, 5, 6, 7]).all()
    found, counts = np.unique(filled[:, 3], return_counts=True)
    assert found.tolist() == [3, *range(8, 20)] and stats.chisquare(counts).pvalue > 1e-4


def test_a_random_batch_wider_than_the_space_holds_every_design():
    env = CampaignVectorEnv(ROWS, Pool(), utility="last_max", batch_size=45, horizon=2)
    observation, _ = env.reset(seed=0)
    actions = ombo_agents.make("random", env).act(observation, np.random.default_rng(0))
    assert all(len(np.unique(batch)) == 40 for batch in actions)


def test_thompson_and_expected_improvement_choose_among_what_can_be_measured():
    """The first pick is the best-scored of those, as if the others were not listed."""
    rows = 3000
    env = CampaignEnv(
        PoolOnce(),
        batch_size=1,
        horizon=9,
        start={"kind": "none"},
        surrogate={"kernel": "rbf", "lengthscale": 0.4},
    )
    env.reset(seed=4)
    for design in range(8):
        observation, *_ = env.step([design])
    features, values = env.design_space.pool_features, observation["measurements"][:8]

    def kernel(x, y):
        return np.exp(-0.5 * ((x[:, None] - y) ** 2).sum(axis=-1) / 0.4**2)

    inverse = np.linalg.inv(kernel(features[:8], features[:8]) + 1e-6 * np.eye(8))
    across = kernel(features[8:], features[:8]) @ inverse
    mean = across @ values
    covariance = kernel(features[8:], features[8:]) - across @ kernel(features[:8], features[8:])

    sd = np.sqrt(np.diag(covariance))
    z = (mean - values.max()) / sd
    improvement = sd * (z * stats.norm.cdf(z) + stats.norm.pdf(z))
    batch = {key: np.repeat(array[None], rows, axis=0) for key, array in observation.items()}
    rng = np.random.default_rng(0)
    picked = ombo_agents.make("expected_improvement", env).act(batch, rng)
    assert (picked == 8 + improvement.argmax()).all()

    picked = ombo_agents.make("thompson", env).act(batch, rng)
    found = np.bincount(picked.ravel(), minlength=40) / rows
    samples = rng.multivariate_normal(mean, covariance + 1e-6 * np.eye(32), size=rows)
    expected = np.bincount(8 + samples.argmax(axis=1), minlength=40) / rows
    np.testing.assert_allclose(found, expected, atol=4 * np.sqrt(2 * 0.25 / rows))
    assert not found[:8].any() and expected.max() < 0.9


def test_thompson_finds_the_last_designs_of_a_large_pool_however_bad_they_look():
    """Its joint draws are of 256 designs at most, of those that can be measured first."""

    class Slope(PoolOnce):
        def __init__(self):
            super().__init__()
            self.design_space = CandidateDesigns(np.linspace(0, 3, 300)[:, None], scale="none")
            self.table = np.linspace(0, -20, 300)[None]

    env = CampaignEnv(
        Slope(),
        batch_size=4,
        horizon=75,
        start={"kind": "none"},
        surrogate={"kernel": "rbf", "lengthscale": 0.3},
    )
    env.reset(seed=0)
    for first in range(0, 296, 4):
        observation, *_ = env.step(np.arange(first, first + 4))
    batch = {key: array[None] for key, array in observation.items()}
    action = ombo_agents.make("thompson", env).act(batch, np.random.default_rng(0))[0]
    assert sorted(action) == [296, 297, 298, 299]
