"""Designs of experiments, against what is known of them."""

from __future__ import annotations

from itertools import combinations

import gymnasium as gym
import numpy as np
import pytest
from scipy.stats import qmc

import ombo_agents
from ombo_agents.design_of_experiments.d_optimal import (
    d_optimal_batch,
    predictive_covariance,
    regressors,
)
from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns, MixedDesigns
from ombo_gym.design_spaces.category_features import contrasts
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.vector_env import CampaignVectorEnv
from tests.controls.small_problems import Pool, Recipes

ROWS = 5


def play(name, env, rounds):
    """The batches of a campaign's rounds, (rounds, ROWS, q, d), and its start."""
    policy = ombo_agents.make(name, env)
    observation, _ = env.reset(seed=0)
    start = observation["designs"][:, observation["observed"][0] == 1]
    batches = []
    for round_ in range(rounds):
        rngs = [np.random.default_rng([round_, row]) for row in range(ROWS)]
        batches.append(policy.act(observation, rngs))
        observation, *_ = env.step(batches[-1])
    return np.array(batches), start


def box(dim=3, q=4, horizon=8, size=3, **arguments):
    start = {"kind": "random", "size": size} if size else {"kind": "none"}
    return CampaignVectorEnv(
        ROWS, GP(dim=dim), batch_size=q, horizon=horizon, start=start, **arguments
    )


# --- space filling --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 3])
@pytest.mark.parametrize("q", [1, 3, 4])
def test_sobol_s_rounds_are_stretches_of_one_shifted_sequence(q, size):
    batches, _ = play("sobol", box(q=q, size=size), 8)
    expected = (qmc.Sobol(3, scramble=False).random_base2(6)[: 8 * q] * 2**23).astype(int)
    shifts = set()
    for row in range(ROWS):
        points = batches[:, row].reshape(-1, 3).astype(float)
        integers = np.floor((points + 1) / 2 * 2**23).astype(int)
        shift = integers[0] ^ expected[0]
        np.testing.assert_array_equal(integers ^ shift, expected)
        shifts.add(tuple(shift))
    assert len(shifts) == ROWS


def test_a_whole_campaign_of_sobol_has_one_design_in_every_slice_of_every_coordinate():
    batches, _ = play("sobol", box(dim=5, q=4, horizon=8), 8)
    for row in range(ROWS):
        slices = np.floor((batches[:, row].reshape(32, 5).astype(float) + 1) / 2 * 32)
        np.testing.assert_array_equal(np.sort(slices, axis=0), np.tile(np.arange(32)[:, None], 5))


def test_a_whole_campaign_of_sobol_is_more_even_than_random_designs_are():
    worst = {}
    for name in ("sobol", "random"):
        batches, _ = play(name, box(dim=2, q=4, horizon=8), 8)
        points = (batches.swapaxes(0, 1).reshape(ROWS, 32, 2).astype(float) + 1) / 2
        worst[name] = [qmc.discrepancy(each) for each in points]
    assert max(worst["sobol"]) < min(worst["random"])


def test_a_latin_hypercube_keeps_away_from_what_was_measured():
    def smallest_distances(name):
        batches, start = play(name, box(dim=2, q=4, horizon=4), 4)
        gaps = []
        for row in range(ROWS):
            points = np.concatenate([start[row], *batches[:, row]])
            apart = np.linalg.norm(points[:, None] - points, axis=-1)
            apart[: len(start[row]), : len(start[row])] = np.inf  # nobody chose the start
            gaps.append(apart[~np.eye(len(points), dtype=bool)].min())
        return np.array(gaps), batches

    gaps, batches = smallest_distances("latin_hypercube")
    plain, _ = smallest_distances("latin_hypercube:candidates=1")
    assert gaps.mean() > 1.5 * plain.mean()
    for batch in batches.reshape(-1, 4, 2):
        slices = np.floor((batch.astype(float) + 1) / 2 * 4)
        np.testing.assert_array_equal(np.sort(slices, axis=0), np.tile(np.arange(4)[:, None], 2))
    with pytest.raises(ValueError, match="candidates"):
        ombo_agents.make("latin_hypercube:candidates=0", box())


def test_sobol_goes_on_with_its_sequence_whatever_the_plates_hold():
    env = CampaignVectorEnv(ROWS, GP(dim=2), plates=[5, 1, 10], start={"kind": "random", "size": 3})
    policy = ombo_agents.make("sobol", env)
    observation, _ = env.reset(seed=0)
    for round_ in range(3):
        rngs = [np.random.default_rng([round_, row]) for row in range(ROWS)]
        actions = policy.act(observation, rngs)
        observation, *_ = env.step(actions)
    points = env.campaigns.designs[:, 3:].astype(float)
    expected = (qmc.Sobol(2, scramble=False).random_base2(4) * 2**23).astype(int)
    for row in range(ROWS):
        integers = np.floor((points[row] + 1) / 2 * 2**23).astype(int)
        np.testing.assert_array_equal(integers ^ (integers[0] ^ expected[0]), expected)


def test_in_mixed_spaces_a_latin_hypercube_slices_numbers_and_shares_out_categories():
    space = MixedDesigns({"x": (0.0, 1.0), "n": {"integer": [1, 3]}, "a": ["u", "v"]})
    spec = CampaignSpec(space, horizons=(2, 2), batch_sizes=(6, 6))
    policy = ombo_agents.make("latin_hypercube", spec)
    designs, values = np.zeros((0, *space.shape)), []
    for round_ in range(2):
        observation = spec.observation(designs, values, [6] * (2 - round_), from_start=0)
        batch = policy.act(observation, [np.random.default_rng(round_)])[0]
        units = [space.describe(each) for each in batch]
        assert sorted(int(each["x"] * 6) for each in units) == list(range(6))
        assert sorted(each["n"] for each in units) == [1, 1, 2, 2, 3, 3]
        assert sorted(each["a"] for each in units) == ["u", "u", "u", "v", "v", "v"]
        designs, values = np.concatenate([designs, batch]), [*values, *range(6)]


# --- d_optimal ------------------------------------------------------------------------------------


def log_determinant(designs, space, ridge=1e-3):
    """Of the information of main effects, by dummies and their own scale: up to a constant."""
    rows = regressors(space, np.asarray(designs)[None])[0]
    return np.linalg.slogdet(rows.T @ rows + ridge * np.eye(rows.shape[1]))[1]


def proposed(categories, q, measured=None, rows=ROWS, **settings):
    """Batches after some designs, (ROWS, q, L), and the design space."""
    problem = Recipes(categories)
    env = CampaignVectorEnv(rows, problem, batch_size=q, horizon=4, start={"kind": "none"})
    observation, _ = env.reset(seed=0)
    if measured is not None:
        n = len(measured)
        observation["designs"][:, :n] = measured
        observation["observed"][:, :n] = 1
    policy = ombo_agents.make("d_optimal", env, **settings)
    rngs = [np.random.default_rng(row) for row in range(rows)]
    return problem.design_space.designs(policy.act(observation, rngs)), problem.design_space


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_contrasts_are_orthogonal_to_each_other_and_to_the_intercept(n):
    table = contrasts(n)
    np.testing.assert_allclose(table.T @ table, n * np.eye(n - 1), atol=1e-12)
    np.testing.assert_allclose(table.sum(axis=0), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("categories", "q"),
    [([2, 2, 2], 4), ([3, 3, 3, 3], 9), ([2] * 7, 8)],
    ids=["half of 2^3", "L9", "L8"],
)
def test_d_optimal_finds_the_orthogonal_arrays(categories, q):
    """Of q rows the determinant is at most q^p, which orthogonal arrays reach."""
    batches, space = proposed(categories, q)
    for batch in batches:
        rows = regressors(space, batch[None])[0]
        np.testing.assert_allclose(rows.T @ rows, q * np.eye(rows.shape[1]), atol=1e-9)


@pytest.mark.parametrize("measured", [None, [[0, 0, 0]], [[1, 2, 3], [0, 1, 0], [0, 0, 1]]])
def test_d_optimal_is_the_best_of_all_batches(measured):
    batches, space = proposed((2, 3, 4), 4, measured)
    known = np.zeros((0, 3), int) if measured is None else np.array(measured)
    everything = space.decode(np.arange(24))
    left = [d for d in everything if d.tolist() not in known.tolist()]
    rows = regressors(space, np.array(left)[None])[0]
    base = regressors(space, known[None])[0] if len(known) else np.zeros((0, 7))
    choices = np.array(list(combinations(range(len(left)), 4)))
    information = np.einsum("bip,biq->bpq", rows[choices], rows[choices])
    information += base.T @ base + 1e-3 * np.eye(7)
    best = np.linalg.slogdet(information)[1].max()
    for batch in batches:
        found = log_determinant(np.concatenate([known, batch]), space)
        assert found > best - 0.05  # exchanges end in a local optimum
        assert len(np.unique(np.concatenate([known, batch]), axis=0)) == len(known) + 4
    found = [log_determinant(np.concatenate([known, batch]), space) for batch in batches]
    assert max(found) > best - 1e-6


@pytest.mark.parametrize("n", [0, 1, 3, 7, 30])
def test_what_is_predicted_is_the_posterior_covariance_of_a_linear_model(n):
    rng = np.random.default_rng(n)
    candidates, measured = rng.normal(size=(2, 6, 5)), rng.normal(size=(2, n, 5))
    for row in range(2):
        precision = measured[row].T @ measured[row] + 0.1 * np.eye(5)
        expected = candidates[row] @ np.linalg.inv(precision) @ candidates[row].T
        found = predictive_covariance(candidates, measured, 0.1)[row]
        np.testing.assert_allclose(found, expected, atol=1e-8)


@pytest.mark.parametrize("repeats", Repeats)
def test_the_gain_of_a_batch_is_that_of_its_determinant(repeats):
    rng = np.random.default_rng(0)
    candidates, measured = rng.normal(size=(3, 20, 4)), rng.normal(size=(3, 2, 4))
    covariance = predictive_covariance(candidates, measured, 0.5)
    batch, gain = d_optimal_batch(covariance, np.ones((3, 20), bool), 6, repeats)
    for row in range(3):
        before = measured[row].T @ measured[row] + 0.5 * np.eye(4)
        new = candidates[row, batch[row]]
        expected = np.linalg.slogdet(before + new.T @ new)[1] - np.linalg.slogdet(before)[1]
        np.testing.assert_allclose(gain[row], expected)
        assert len(set(batch[row])) == 6 or repeats is Repeats.ALLOWED


def test_on_a_large_space_passes_bring_more_and_all_is_more_than_random():
    env = gym.make_vec("Ombo/TFBinding-v0", num_envs=3, batch_size=32, start={"kind": "none"})
    observation, _ = env.reset(seed=0)
    space, means = env.unwrapped.design_space, []
    for name in ("random", "d_optimal:passes=0", "d_optimal"):
        actions = ombo_agents.make(name, env).act(observation, np.random.default_rng(0))
        rows = [log_determinant(batch, space) for batch in space.designs(actions)]
        means.append(np.mean(rows) / 25 - np.log(32))  # of 25 coefficients, 0 at best
    assert means[0] < -0.4 and -0.25 < means[1] < means[2] - 0.03 and means[2] > -0.15


def test_d_optimal_in_a_pool_spreads_over_the_features():
    env = CampaignVectorEnv(ROWS, Pool(), batch_size=4, start={"kind": "none"})
    observation, _ = env.reset(seed=0)
    space = env.unwrapped.design_space
    assert isinstance(space, CandidateDesigns)
    found = {}
    for name in ("d_optimal", "random"):
        actions = ombo_agents.make(name, env).act(observation, np.random.default_rng(0))
        found[name] = [log_determinant(batch, space) for batch in space.designs(actions)]
    rows = regressors(space, space.decode(np.arange(40))[None])[0]
    choices = rows[np.array(list(combinations(range(40), 4)))]
    information = np.matmul(choices.swapaxes(1, 2), choices) + 1e-3 * np.eye(3)
    best = np.linalg.slogdet(information)[1].max()
    assert min(found["d_optimal"]) > best - 0.1 > max(found["random"])


def test_d_optimal_beside_categories_takes_numbers_to_their_ends():
    """A linear model learns a slope from the ends; every category comes as often as another."""
    space = MixedDesigns({"x": (0.0, 1.0), "y": (0.0, 1.0), "a": ["u", "v", "w"]})
    spec = CampaignSpec(space, batch_sizes=(12, 12))
    empty = spec.observation(np.zeros((0, *space.shape)), [], [12])
    found = {}
    for name in ("random", "d_optimal"):
        rng = [np.random.default_rng(0)]
        batch = ombo_agents.make(name, spec).act(empty, rng)[0]
        np.testing.assert_array_equal(space.canonical(batch), batch)
        found[name] = log_determinant(batch, space)
    assert found["d_optimal"] > found["random"] + 2
    assert np.abs(batch[:, :2]).mean() > 0.85  # of d_optimal, from -1 to 1
    counts = (batch[:, 2:] > 0).sum(axis=0)
    assert counts.min() >= 3 and counts.sum() == 12


def test_d_optimal_is_not_for_boxes():
    assert not ombo_agents.supports("d_optimal", box())
    assert isinstance(proposed((2, 1, 3), 2)[1], CategoricalDesigns)  # a position without a choice
    for setting in ("candidates=0", "ridge=0", "passes=-1"):
        with pytest.raises(ValueError, match=setting.partition("=")[0]):
            env = CampaignVectorEnv(1, Pool(), start={"kind": "none"})
            ombo_agents.make(f"d_optimal:{setting}", env)
