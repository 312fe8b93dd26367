"""Every policy on every environment it suits, and what each is known for."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import tomllib
from importlib import resources

import gymnasium as gym
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

import ombo_agents
from ombo_agents import Myopic, Policy, hyperparameters
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
from tests.agents.cheap import OFTEN, SLOW
from tests.controls.small_problems import BoxOnce, Pool, PoolOnce, Recipes, RecipesOnce
from tests.envs.cases import IDS
from tests.surrogates.test_posterior import textbook_posterior

ROWS = 9
SMALL = {"start": {"kind": "percentile", "size": 64}}
CASES = {
    **{name: (name, SMALL if "TF" in name else {}) for name in [*IDS, "Ombo/TFBind8-v0"]},
    "GP, 1-D": ("Ombo/GP-v0", {"dim": 1}),
    "GP, noisy": ("Ombo/GP-v0", {"noise_std": 0.1}),
    "GP, 6-D, fit": ("Ombo/GP-v0", {"dim": 6, "surrogate": {"kernel": "fit"}}),
    "GP, noise, no start": ("Ombo/GP-v0", {"noise_std": 0.3, "start": {"kind": "none"}}),
    "TFBind8, no start": ("Ombo/TFBind8-v0", {"start": {"kind": "none"}}),
    "GP, q = 1": ("Ombo/GP-v0", {"batch_size": 1}),
    "GP, q = 5": ("Ombo/GP-v0", {"batch_size": 5}),
    "TFBinding, q = 1": ("Ombo/TFBinding-v0", {**SMALL, "batch_size": 1}),
    "TFBinding, q = 5": ("Ombo/TFBinding-v0", {**SMALL, "batch_size": 5}),
    "pool": (Pool(), {}),
    "pool, no start": (Pool(), {"start": {"kind": "none"}}),
    "recipes, no start": (Recipes(), {"start": {"kind": "none"}, "batch_size": 6}),
    "bandit, noise, a start": (
        "Ombo/Bandit-v0",
        {"known": [0.5], "noise_std": 0.2, "start": {"kind": "random", "size": 2}},
    ),
    "tents, a start": (
        "Ombo/Landscapes-v0",
        {"name": "tent8", "start": {"kind": "random", "size": 2}, "batch_size": 2},
    ),
    "pool, measured once": (PoolOnce(), {"batch_size": 5}),
    "recipes, measured once": (RecipesOnce(), {"batch_size": 5}),
    "box, measured once": (BoxOnce(), {}),
}


def make_env(case, rows=None, **arguments):
    problem, defaults = CASES[case]
    arguments = {"horizon": 3, "batch_size": 3, **defaults, **arguments}
    if not isinstance(problem, str):
        if rows is None:
            return CampaignEnv(problem, **arguments)
        return CampaignVectorEnv(rows, problem, **arguments)
    if rows is None:
        return gym.make(problem, **arguments)
    return gym.make_vec(problem, rows, **arguments)


TABLED = ("Ombo/TFBind8-v0",)  # problems with settings of their own
FEW = ("Ombo/GP-v0", "Ombo/TFBinding-v0", "pool", "GP, noise, no start", "recipes, measured once")
PLAYERS = [
    (name, case)
    for case in CASES
    for name in ombo_agents.names()
    if (name in OFTEN or (case in FEW and name not in SLOW))
    and ombo_agents.supports(name, make_env(case))
]
PLANS_AHEAD = {
    *("explore_then_exploit", "rollout", "binoculars", "botorch_multistep"),
    *("rolling_2", "bayes_optimal"),
}
EXACT = {"one_step", "rolling_2", "bayes_optimal"}  # where the posterior is known exactly
every_player = pytest.mark.parametrize(("name", "case"), PLAYERS)


@functools.cache
def situations(case):
    """Observations of campaigns that stand differently: counts differ, some are over, some anew."""
    env = make_env(case, ROWS, horizon=[1, 4], autoreset_mode="NextStep")
    env.action_space.seed(0)
    observation, _ = env.reset(seed=0)
    observations = [observation]
    for _ in range(3):
        observations.append(env.step(env.action_space.sample())[0])
    left = [o["rounds_left"] for o in observations]
    assert any((each == 0).any() and (each > 1).any() for each in left)
    assert any(len(np.unique(o["observed"].sum(axis=1))) > 1 for o in observations)
    for each in observations:
        for array in each.values():
            array.setflags(write=False)
    return env, observations


def generators(rows=ROWS, seed=0):
    return [np.random.default_rng([seed, i]) for i in range(rows)]


def one_row(observation, row):
    return {key: array[row : row + 1] for key, array in observation.items()}


@every_player
def test_actions_are_exactly_of_the_vector_action_space(name, case):
    env, observations = situations(case)
    policy = cheap.make(name, env)
    for observation in observations:  # finished campaigns among them
        actions = policy.act(observation, generators())
        assert actions.dtype == env.action_space.dtype
        assert actions.shape == env.action_space.shape
        assert env.action_space.contains(actions)


@every_player
def test_a_policy_made_from_a_single_env_plays_it_to_the_end(name, case):
    env = make_env(case)
    policy = cheap.make(name, env)
    assert isinstance(policy, Policy)
    observation, _ = env.reset(seed=1)
    rngs, over, rounds = generators(1), False, 0
    while not over:
        batch = {key: array[None] for key, array in observation.items()}
        action = policy.act(batch, rngs)[0]
        assert action.dtype == env.action_space.dtype
        assert env.action_space.contains(action)
        observation, _, over, _, _ = env.step(action)
        rounds += 1
    assert rounds == 3


@every_player
def test_a_row_s_action_depends_on_that_row_and_its_generator_alone_to_the_bit(name, case):
    env, observations = situations(case)
    policy = cheap.make(name, env)
    for observation in observations:
        together = policy.act(observation, generators())
        for row in range(ROWS):
            alone = policy.act(one_row(observation, row), generators()[row : row + 1])
            np.testing.assert_array_equal(together[row], alone[0])
        order = np.random.default_rng(0).permutation(ROWS)
        turned = {key: array[order] for key, array in observation.items()}
        shuffled = policy.act(turned, [generators()[i] for i in order])
        np.testing.assert_array_equal(shuffled, together[order])


@every_player
def test_one_generator_means_the_generators_that_it_spawns(name, case):
    env, observations = situations(case)
    policy = cheap.make(name, env)
    spawned = np.random.default_rng(5).spawn(ROWS)
    np.testing.assert_array_equal(
        policy.act(observations[1], np.random.default_rng(5)), policy.act(observations[1], spawned)
    )


@every_player
def test_a_policy_is_a_pure_function_of_observations_and_generators(name, case):
    env, observations = situations(case)  # whose arrays are read-only
    first, second = cheap.make(name, env), cheap.make(name, make_env(case))
    actions = [first.act(observation, generators()) for observation in observations]
    for observation, expected in zip(observations[::-1], actions[::-1], strict=True):
        np.testing.assert_array_equal(first.act(observation, generators()), expected)
        np.testing.assert_array_equal(second.act(observation, generators()), expected)
        explained, details = first.explain(observation, generators())
        np.testing.assert_array_equal(explained, expected)
        assert all(len(array) == ROWS for array in details.values())


@every_player
def test_actions_are_fresh_arrays(name, case):
    env, observations = situations(case)
    policy = cheap.make(name, env)
    actions = policy.act(observations[0], generators())
    again = policy.act(observations[0], generators())
    assert not np.shares_memory(actions, again)
    for array in observations[0].values():
        assert not np.shares_memory(actions, array)


@every_player
def test_where_horizon_aware_is_false_being_myopic_changes_nothing(name, case):
    env, observations = situations(case)
    policy = cheap.make(name, env)
    assert policy.horizon_aware == (name in PLANS_AHEAD)
    differs = False
    for observation in observations:
        unfinished = observation["rounds_left"][:, 0] > 0
        told = Myopic(policy).act(observation, generators())[unfinished]
        differs |= not np.array_equal(told, policy.act(observation, generators())[unfinished])
    if not policy.horizon_aware:
        assert not differs
    elif case == "Ombo/GP-v0":
        assert differs


@pytest.mark.parametrize("name", sorted(SLOW))
def test_slow_policies_say_whether_they_read_the_rounds_left(name):
    policy = ombo_agents.make(name, make_env("Ombo/GP-v0"))
    assert policy.horizon_aware == (name in PLANS_AHEAD)


class Spy(Policy):
    horizon_aware = True

    def act(self, observation, rng):
        self.saw, self.rng = observation, rng
        return np.zeros(len(observation["rounds_left"]))


def test_myopic_sets_rounds_left_to_one_and_drops_the_plates_behind_the_next_and_nothing_else():
    _, observations = situations("Ombo/GP-v0")
    spy, rng = Spy(), generators()
    myopic = Myopic(spy)
    assert myopic.horizon_aware is False
    for call in (myopic.act, myopic.explain):
        call(observations[2], rng)
        assert spy.rng is rng
        assert spy.saw.keys() == observations[2].keys()
        for key, array in spy.saw.items():
            expected = np.ones((ROWS, 1)) if key == "rounds_left" else observations[2][key]
            if key == "plates":
                expected = np.where(np.arange(expected.shape[1]) == 0, expected, 0)
            assert array.dtype == observations[2][key].dtype
            np.testing.assert_array_equal(array, expected)
    assert (observations[2]["rounds_left"] != 1).any()
    assert observations[2]["plates"][:, 1:].any()


@pytest.mark.parametrize("name", ["random", "greedy"])
def test_the_observation_of_a_single_campaign_is_refused_with_what_to_do(name):
    env = make_env("Ombo/GP-v0")
    observation, _ = env.reset(seed=0)
    with pytest.raises(ValueError, match=r"leading B.*single.*array\[None\].*action \[0\]"):
        ombo_agents.make(name, env).act(observation, generators(1))


# --- the registry -----------------------------------------------------------------------------


@pytest.mark.parametrize("control", ["designs", "exploration", "candidates"])
@pytest.mark.parametrize("case", CASES)
def test_make_refuses_with_a_value_error_exactly_what_supports_denies(case, control):
    env = make_env(case, control=control)
    for name in ombo_agents.names():
        if ombo_agents.supports(name, env):
            ombo_agents.make(name, env)
        else:
            with pytest.raises(ValueError, match=r"suit|control"):
                ombo_agents.make(name, env)


def test_boxes_and_sequences_have_all_policies_but_those_that_are_not_for_them():
    everything = set(ombo_agents.names())
    box, sequences = make_env("Ombo/GP-v0"), make_env("Ombo/TFBind8-v0")
    suited = {name for name in everything if ombo_agents.supports(name, box)}
    assert everything - suited == EXACT | {"adalead", "d_optimal"}
    suited = {name for name in everything if ombo_agents.supports(name, sequences)}
    assert everything - suited == EXACT | {
        *("sobol", "latin_hypercube", "greedy_refined", "turbo", "evolution"),
        *("botorch_kg", "botorch_multistep"),
    }
    with pytest.raises(ValueError, match=r"sobol does not suit Categ.*random, genetic, greedy"):
        ombo_agents.make("sobol", sequences)


@pytest.mark.parametrize("function", [ombo_agents.make, ombo_agents.supports])
@pytest.mark.parametrize("name", ["gredy", "", "runs/nowhere", "Random", "ucb=2"])
def test_an_unknown_name_is_refused_with_the_known_ones(name, function):
    with pytest.raises(ValueError) as caught:
        function(name, make_env("Ombo/GP-v0"))
    for known in [*ombo_agents.names(), repr(name)]:
        assert known in str(caught.value)


def test_policies_are_made_from_wrapped_vector_and_sync_vector_environments_alike():
    single = gym.wrappers.RecordEpisodeStatistics(gym.make("Ombo/GP-v0", horizon=2))
    native = gym.wrappers.vector.RecordEpisodeStatistics(
        gym.make_vec("Ombo/GP-v0", num_envs=2, horizon=2)
    )
    sync = gym.make_vec("Ombo/GP-v0", num_envs=2, vectorization_mode="sync", horizon=2)
    observation, _ = native.reset(seed=0)
    actions = []
    for env in (single, native, sync):
        assert ombo_agents.supports("greedy", env)
        actions.append(ombo_agents.make("greedy", env).act(observation, generators(2)))
    np.testing.assert_array_equal(actions[0], actions[1])
    np.testing.assert_array_equal(actions[0], actions[2])


def test_an_environment_of_another_package_is_refused():
    with pytest.raises(ValueError, match="ombo_gym"):
        ombo_agents.make("random", gym.make("CartPole-v1"))
    with pytest.raises(ValueError, match="ombo_gym"):
        ombo_agents.supports("random", gym.make("CartPole-v1"))


class Still(DesignsPolicy):
    """Proposes what was measured first, as a policy of someone else might."""

    def propose(self, observation, rngs, q):
        return np.repeat(observation["designs"][:, :1], q, axis=1)


def test_a_policy_of_your_own_is_named_by_its_module_and_class():
    env, observations = situations("GP, noisy")
    name = f"{__name__}:Still"
    assert ombo_agents.supports(name, env)
    actions = ombo_agents.make(name, env).act(observations[0], generators())
    np.testing.assert_array_equal(actions[:, 2], observations[0]["designs"][:, 0])
    for wrong in (f"{__name__}:Absent", "nowhere.at_all:Still"):
        with pytest.raises(ValueError, match=wrong):
            ombo_agents.make(wrong, env)
    assert Still.__name__ not in ombo_agents.names()


def weights_used(policy, rounds_left, env):
    observation, _ = env.reset(seed=0)
    batch = {
        key: np.repeat(array[None], len(rounds_left), axis=0) for key, array in observation.items()
    }
    batch["rounds_left"] = np.array(rounds_left, np.float32)[:, None]
    if "plates" in batch:
        to_come = np.arange(max(rounds_left)) < batch["rounds_left"]
        batch["plates"] = np.where(to_come, batch["plates"][:, :1], 0)
    return policy.explain(batch, generators(len(rounds_left)))[1]["exploration_weights"]


@pytest.mark.parametrize("control", ["designs", "exploration"])
@pytest.mark.parametrize(
    ("name", "settings", "weights"),
    [
        ("greedy", {}, [0, 0, 0, 0, 0]),
        ("ucb", {}, [2, 2, 2, 2, 2]),
        ("ucb:weight=1.5", {}, [1.5, 1.5, 1.5, 1.5, 1.5]),
        ("ucb", {"weight": 0.25}, [0.25, 0.25, 0.25, 0.25, 0.25]),
        ("ucb:weight=1e1", {}, [10, 10, 10, 10, 10]),
        ("explore_then_exploit", {}, [0, 1, 2, 3, 3]),
        ("explore_then_exploit:weights=3/1/0", {}, [0, 1, 3, 3, 3]),
        ("explore_then_exploit:weights=5", {}, [5, 5, 5, 5, 5]),
        ("explore_then_exploit", {"weights": (0.5, 4.0)}, [4, 0.5, 0.5, 0.5, 0.5]),
    ],
)
def test_settings_set_the_weight_for_1_2_3_4_and_9_rounds_left(name, settings, weights, control):
    env = make_env("Ombo/GP-v0", control=control)
    policy = ombo_agents.make(name, env, **settings)
    used = weights_used(policy, [1, 2, 3, 4, 9], env)
    np.testing.assert_allclose(used, np.repeat(np.array(weights)[:, None], 2, axis=1), atol=1e-5)
    assert policy.horizon_aware == (len(set(weights)) > 1)


@pytest.mark.parametrize(
    "name",
    [
        "ucb:weight",
        "ucb:weight=",
        "ucb:weight=two",
        "ucb:weight=-1",
        "ucb:weight=11",
        "ucb:weight=NaN",
        "ucb:weight=Infinity",
        'ucb:weight="2"',
        "ucb:weight=null",
        "ucb:weight=[1]",
        "ucb:weight=1/2",
        "ucb:waight=2",
        "ucb:2",
        "ucb:weights=3/1",
        "greedy:weight=0",
        "random:seed=1",
        "explore_then_exploit:weights=",
        "explore_then_exploit:weights=3//0",
        "explore_then_exploit:weights=3/x",
        "explore_then_exploit:weights=12/0",
        "explore_then_exploit:weights=nan/0",
        "genetic:population=0",
        "genetic:population=-3",
        "genetic:population=2.5",
        "genetic:population=true",
        "genetic:mutation=-0.1",
        "genetic:mutation=NaN",
        'genetic:mutation="much"',
        "genetic:spec=1",
        "genetic:mutation=true",
        "ucb:weight=true",
        "ucb:climb=no",
        "ucb:climb=0",
        "ucb:climb=null",
        'explore_then_exploit:climb="false"',
        "explore_then_exploit:weights=[true, 0]",
        "botorch_multistep:fantasies=2.5",
        "botorch_multistep:fantasies=10/2.5",
        "botorch_multistep:fantasies=0",
        "botorch_multistep:fantasies=true",
        'botorch_multistep:fantasies="3"',
        "botorch_multistep:fantasies=1e999",
        "botorch_multistep:inner_samples=0",
        "botorch_multistep:inner_samples=-4",
    ],
)
def test_settings_that_make_no_sense_are_refused_before_anything_is_played(name):
    with pytest.raises(ValueError):
        ombo_agents.make(name, make_env("Ombo/GP-v0"))


def test_every_file_of_settings_is_of_a_policy_and_its_tables_of_spaces_and_problems():
    """What is named wrongly would be passed over in silence."""
    files = [each for each in resources.files(hyperparameters).iterdir() if each.suffix == ".toml"]
    problems = {type(gym.make(each).unwrapped.problem).__name__ for each in TABLED}
    assert len(files) > 25
    for each in files:
        assert each.stem in ombo_agents.names()
        tables = tomllib.loads(each.read_text("utf-8"))
        assert set(tables) <= {"default", "box", "categorical", "pool", "mixed"} | problems
        assert all(set(table) <= set(tables["default"]) for table in tables.values())


def test_settings_of_the_genetic_policy_reach_it():
    env, observations = situations("GP, noisy")
    still = ombo_agents.make("genetic:population=1;mutation=0", env)
    actions = still.act(observations[0], generators())
    values = np.where(observations[0]["observed"], observations[0]["measurements"], -np.inf)
    best = values.argmax(axis=1)
    expected = observations[0]["designs"][np.arange(ROWS), best]
    np.testing.assert_array_equal(actions, np.repeat(expected[:, None], 3, axis=1))


@pytest.mark.parametrize(
    ("missing", "module"),
    [
        ("scipy", "ombo_agents"),
        ("torch", "ombo_agents.learned.storage"),
        ("stable_baselines3", "ombo_agents.learned.training"),
        ("safetensors", "ombo_agents.learned.storage"),
    ],
)
def test_without_a_package_the_error_names_the_extra_that_brings_it(missing, module):
    code = f"import sys; sys.modules[{missing!r}] = None; import {module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode != 0
    assert f"{missing.replace('_', '-')}" in done.stderr and "ombo-gym[agents]" in done.stderr


def test_importing_the_policies_imports_neither_torch_nor_what_the_evaluation_needs():
    heavy = ["torch", "stable_baselines3", "pandas", "matplotlib", "joblib", "scipy.stats"]
    code = f"import sys, ombo_agents; print([m for m in {json.dumps(heavy)} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- what each is known for -------------------------------------------------------------------


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


def advantage(
    better, worse, *, utility="best", env="Ombo/GP-v0", campaigns=300, horizon=3, **kwargs
):
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
    assert advantage(better, "random").low > 0.05


def test_a_schedule_that_explores_first_beats_greedy_on_the_last_batch_s_mean():
    assert advantage("explore_then_exploit", "greedy", utility="last_mean").low > 0.1


def test_greedy_is_the_best_schedule_when_one_round_is_all_there_is():
    assert advantage("greedy", "ucb:weight=2", utility="last_mean", horizon=1).low > 0.1


@pytest.mark.parametrize("better", ["genetic", "ucb"])
def test_on_dna_binding_who_learns_from_the_data_beats_random_in_ten_rounds(better):
    difference = advantage(
        better, "random", env="Ombo/TFBinding-v0", campaigns=60, horizon=10, utility="last_median"
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
