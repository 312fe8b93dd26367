"""What single policies are known for, and who beats whom."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import ombo_agents
from ombo_agents.nearest_candidates import nearest
from ombo_agents.policy import DesignsPolicy
from ombo_gym.design_spaces import CategoricalDesigns
from ombo_gym.env import CampaignEnv
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.run import run
from ombo_gym.evaluation.statistics import paired_difference
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import Repeats
from ombo_gym.surrogates.candidate_posterior import condition_on_dataset
from ombo_gym.surrogates.surrogate import JITTER, make_surrogate
from ombo_gym.vector_env import CampaignVectorEnv
from tests.agents import cheap
from tests.agents.policy_cases import PLANS_AHEAD, ROWS, generators, make_env, situations
from tests.controls.small_problems import Pool, Recipes
from tests.surrogates.test_posterior import textbook_posterior


@pytest.mark.parametrize("name", ["sobol", "latin_hypercube"])
def test_space_filling_batches_have_one_design_in_every_slice_of_every_coordinate(name):
    env = make_env("GP, 6-D, fit", batch_size=8)
    policy = ombo_agents.make(name, env)
    observation, _ = env.reset(seed=0)
    batch = {key: np.repeat(array[None], ROWS, axis=0) for key, array in observation.items()}
    actions = policy.act(batch, generators())
    for row in actions:
        slices = np.floor((row.astype(float) + 1) / 2 * 8)
        np.testing.assert_array_equal(np.sort(slices, axis=0), np.arange(8)[:, None] * np.ones(6))
    assert len(np.unique(actions.reshape(ROWS, -1), axis=0)) == ROWS


@pytest.mark.parametrize("case", ["Ombo/TFBind8-v0", "pool", "recipes, no start"])
@pytest.mark.parametrize(
    "name", ["random", "greedy", "ucb", "explore_then_exploit", "expected_improvement", "thompson"]
)
def test_on_finite_spaces_a_batch_holds_distinct_designs(name, case):
    env = make_env(case, ROWS, batch_size=12, autoreset_mode="Disabled")
    policy = ombo_agents.make(name, env)
    observation, _ = env.reset(seed=0)
    rngs = generators()
    for _ in range(2):
        actions = policy.act(observation, rngs)
        for batch in env.unwrapped.design_space.designs(actions):
            assert len(np.unique(batch, axis=0)) == 12
        observation, *_ = env.step(actions)


def test_thompson_fills_a_batch_although_most_of_the_candidates_it_looks_at_are_copies():
    """The most hopeful 256 are mutants of few parents, less than 128 different ones."""
    env = gym.make_vec(
        "Ombo/TFBind8-v0",
        num_envs=2,
        horizon=2,
        batch_size=128,
        utility="last_max",
        start={"kind": "percentile", "size": 40},
    )
    observation, _ = env.reset(seed=1)
    actions = ombo_agents.make("thompson", env).act(observation, generators(2))
    for batch in actions.reshape(2, 128, 8):
        assert len(np.unique(batch, axis=0)) == 128


@pytest.mark.parametrize("name", ombo_agents.names())
def test_a_batch_larger_than_the_space_is_filled_all_the_same(name):
    env = CampaignEnv(Recipes((2, 2)), batch_size=7, horizon=2, start={"kind": "none"})
    if not ombo_agents.supports(name, env):
        return
    policy = cheap.make(name, env)
    observation, _ = env.reset(seed=0)
    for _ in range(2):
        batch = {key: array[None] for key, array in observation.items()}
        action = policy.act(batch, generators(1))[0]
        assert env.action_space.contains(action)
        observation, *_ = env.step(action)


def test_random_designs_are_uniform():
    env = make_env("pool", 2000)
    observation, _ = env.reset(seed=0)
    actions = ombo_agents.make("random", env).act(observation, np.random.default_rng(0))
    counts = np.bincount(actions.ravel(), minlength=40)
    assert np.abs(counts - 150).max() < 5 * np.sqrt(150)


def test_genetic_parents_win_tournaments_of_two():
    env = make_env("Ombo/GP-v0", ROWS, batch_size=500, noise_std=0.1)
    observation, _ = env.reset(seed=0)
    actions = ombo_agents.make("genetic:mutation=0", env).act(observation, generators())
    ranking = np.argsort(-observation["measurements"][:, :4], axis=1)  # the start is all there is
    won = np.zeros(4)
    for row in range(ROWS):
        for rank in range(4):
            parent = observation["designs"][row, ranking[row, rank]]
            won[rank] += (actions[row] == parent).sum()  # coordinates inherited
    assert won.sum() == ROWS * 500 * 2
    np.testing.assert_allclose(won / won.sum(), np.array([7, 5, 3, 1]) / 16, atol=0.03)


def test_genetic_children_are_mutants_of_crossed_parents_from_the_best_rows():
    env = make_env("Ombo/TFBind8-v0", ROWS, batch_size=50, utility="last_median")
    observation, _ = env.reset(seed=0)
    actions = ombo_agents.make("genetic:population=2", env).act(observation, generators())
    top = np.argsort(-observation["measurements"], axis=1, kind="stable")[:, :2]
    for row in range(ROWS):
        parents = observation["designs"][row, top[row]]
        children = actions[row].reshape(50, 8)
        foreign = (children != parents[0]) & (children != parents[1])
        assert 1 <= foreign.sum(axis=1).max() <= 5 and foreign.mean() < 0.3
        assert (children != parents[0]).any(axis=1).sum() > 25  # the position that surely changes


def test_expected_improvement_of_one_design_is_the_textbook_s():
    env, observations = situations("GP, q = 1")
    policy = ombo_agents.make("expected_improvement", env, num_restarts=0)
    spec, observation = env.unwrapped.campaign_spec, observations[1]
    actions = policy.act(observation, generators())
    rngs = GeneratorBatch(generators(), ROWS)
    for group in condition_on_dataset(observation, spec, make_surrogate(spec), rngs.take):
        for i, row in enumerate(group.env_indices):
            n = group.num_observed
            x = observation["designs"][row, :n].astype(float)
            y = observation["measurements"][row, :n]
            z = group.candidates[i].astype(float)
            mean, covariance = textbook_posterior("matern52", x, y, z, 0.3, JITTER)
            predictive = norm(mean, np.sqrt(np.diag(covariance).clip(1e-12)))
            grid = y.max() + np.linspace(0, 8, 4001)[:, None]  # EI is the integral of P(f > t)
            improvement = np.trapezoid(predictive.sf(grid), grid, axis=0)
            np.testing.assert_array_equal(
                actions[row, 0], group.candidates[i][improvement.argmax()]
            )


def test_thompson_picks_a_design_as_often_as_it_is_the_best_of_a_posterior_sample():
    rows = 3000
    env = CampaignEnv(
        Pool(),
        batch_size=1,
        horizon=2,
        noise_std=0.5,
        surrogate={"kernel": "rbf", "lengthscale": 1.0},
    )
    observation, _ = env.reset(seed=0)
    batch = {key: np.repeat(array[None], rows, axis=0) for key, array in observation.items()}
    actions = ombo_agents.make("thompson", env).act(batch, np.random.default_rng(0))
    features = env.design_space.pool_features
    measured, values = observation["designs"][:5, 0], observation["measurements"][:5]
    mean, covariance = textbook_posterior(
        "rbf", features[measured], values, features, 1.0, 0.25 + JITTER
    )
    samples = multivariate_normal.rvs(
        mean, covariance + 1e-6 * np.eye(40), size=rows, random_state=np.random.default_rng(1)
    )
    found = np.bincount(actions.ravel(), minlength=40) / rows
    expected = np.bincount(samples.argmax(axis=1), minlength=40) / rows
    np.testing.assert_allclose(found, expected, atol=4 * np.sqrt(2 * 0.25 / rows))
    assert expected.max() < 0.9  # otherwise there was nothing to get wrong


# --- who beats whom ---------------------------------------------------------------------------


def advantage(better, worse, *, campaigns, utility="best", env="Ombo/GP-v0", horizon=3, **kwargs):
    plan = EvaluationPlan(
        env=env,
        policies=[better, worse],
        horizons=[horizon],
        utilities=[utility],
        campaigns=campaigns,
        seed=1000,
        told=("true",),
        env_kwargs=kwargs,
    )
    values = run(plan).campaigns.set_index(["policy", "campaign"])["value"]
    return paired_difference(values[better], values[worse])


@pytest.mark.parametrize("better", ["ucb", "expected_improvement", "thompson"])
def test_on_gp_functions_who_learns_from_the_data_beats_random(better):
    assert advantage(better, "random", campaigns=30).low > 0.05


def test_a_schedule_that_explores_first_beats_greedy_on_the_last_batch_s_mean():
    difference = advantage("explore_then_exploit", "greedy", utility="last_mean", campaigns=30)
    assert difference.low > 0.1


def test_greedy_is_the_best_schedule_when_one_round_is_all_there_is():
    settings = {"utility": "last_mean", "horizon": 1, "campaigns": 30}
    assert advantage("greedy", "ucb:weight=2", **settings).low > 0.1


@pytest.mark.parametrize("better", ["genetic", "ucb"])
def test_on_dna_binding_who_learns_from_the_data_beats_random_in_ten_rounds(better):
    difference = advantage(
        better, "random", env="Ombo/TFBinding-v0", campaigns=10, horizon=10, utility="last_median"
    )
    assert difference.low > 0.05


# --- what a review found --------------------------------------------------------------------------


def test_greedy_refined_proposes_the_maximum_of_the_posterior_mean_over_the_whole_box():
    env = make_env("Ombo/GP-v0", 6, batch_size=3, utility="last_mean")
    observation, _ = env.reset(seed=5)
    side = np.linspace(-1, 1, 201)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    refined, greedy = (
        ombo_agents.make(name, env).act(observation, generators(6))
        for name in ("greedy_refined", "greedy")
    )
    for row in range(6):
        data = observation["designs"][row, :4].astype(float), observation["measurements"][row, :4]

        def mean(at, data=data):
            distance = np.sqrt(5) / 0.3 * np.linalg.norm(at[:, None] - data[0], axis=-1)
            between = np.sqrt(5) / 0.3 * np.linalg.norm(data[0][:, None] - data[0], axis=-1)
            kernel = [(1 + d + d**2 / 3) * np.exp(-d) for d in (distance, between)]
            return kernel[0] @ np.linalg.solve(kernel[1] + JITTER * np.eye(4), data[1])

        assert (refined[row] == refined[row, 0]).all()
        best = mean(refined[row, :1].astype(float))[0]
        assert best >= mean(grid).max() - 1e-4
        assert best >= mean(greedy[row, :1].astype(float))[0]


def test_a_policy_that_says_nothing_of_the_horizon_is_taken_to_read_it():
    assert DesignsPolicy.horizon_aware is True
    for env in (make_env("Ombo/GP-v0"), make_env("Ombo/Landscapes-v0")):
        played = [name for name in ombo_agents.names() if ombo_agents.supports(name, env)]
        reads = {name for name in played if ombo_agents.make(name, env).horizon_aware}
        assert reads == PLANS_AHEAD & set(played)


def test_round_after_round_a_row_ignores_its_neighbours_on_spaces_too_large_to_list():
    class Bits(Recipes):
        def __init__(self):
            super().__init__()
            self.design_space = CategoricalDesigns([2] * 21)

    def batches(rows):
        env = CampaignVectorEnv(rows, Bits(), batch_size=200, start={"kind": "none"})
        policy, rngs = ombo_agents.make("random", env), generators(rows)
        observation, _ = env.reset(seed=0)
        return [policy.act(observation, rngs)[0] for _ in range(3)]

    np.testing.assert_array_equal(batches(1), batches(300))


def test_genetic_children_in_a_pool_are_new_while_there_are_new_ones():
    envs = gym.make_vec(
        "Ombo/Materials-v0", num_envs=3, dataset="perovskite", batch_size=20, horizon=5
    )
    policy = ombo_agents.make("genetic", envs)
    observation, _ = envs.reset(seed=0)
    for round_ in range(5):
        batch = policy.act(observation, [np.random.default_rng(row) for row in range(3)])
        for row in range(3):
            measured = observation["designs"][row, observation["observed"][row] == 1, 0]
            left = 94 - len(set(measured.tolist()))
            new = set(batch[row].tolist()) - set(measured.tolist())
            assert len(new) == min(left, 20), round_
        observation, *_ = envs.step(batch)


def test_genetic_children_in_a_pool_are_the_nearest_new_candidates():
    pool, points = np.array([[0.0], [1.0], [2.0], [5.0]]), np.array([[[0.9], [1.1], [0.8]]])
    measured, everything = np.array([[[1]]]), np.arange(4)[None, :, None]
    for repeats in (Repeats.NEVER_AGAIN, Repeats.DISTINCT_IN_BATCH):
        assert nearest(pool, points, measured, repeats)[0, :, 0].tolist() == [0, 2, 3]
        assert nearest(pool, points, everything, repeats)[0, :, 0].tolist() == [1, 1, 1]
    allowed = nearest(pool, points, measured, Repeats.ALLOWED)
    assert allowed[0, :, 0].tolist() == [1, 1, 1]
