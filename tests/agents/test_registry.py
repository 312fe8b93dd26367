"""Names, folders and settings: what `make` builds and what it refuses."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tomllib
from importlib import resources

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
from ombo_agents import hyperparameters
from ombo_agents.policy import DesignsPolicy
from tests.agents.policy_cases import CASES, EXACT, ROWS, generators, make_env, situations

TABLED = ("Ombo/TFBind8-v0",)  # problems with settings of their own


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
    everything = set(ombo_agents.names()) - {"portfolio", "portfolio_then_ei"}  # of learned priors
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
    touched = {"ombo_agents", missing}
    before = {name: each for name, each in sys.modules.items() if name.split(".")[0] in touched}
    for name in before:
        del sys.modules[name]
    hidden = {name: None for name in (missing, *before) if name.split(".")[0] == missing}
    sys.modules.update(hidden)
    try:
        with pytest.raises(ImportError) as caught:
            importlib.import_module(module)
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] in touched]:
            del sys.modules[name]
        sys.modules.update(before)
    assert missing.replace("_", "-") in str(caught.value)
    assert "ombo-gym[agents]" in str(caught.value)


def test_importing_the_policies_imports_neither_torch_nor_what_the_evaluation_needs():
    heavy = ["torch", "stable_baselines3", "pandas", "matplotlib", "joblib", "scipy.stats"]
    code = f"import sys, ombo_agents; print([m for m in {json.dumps(heavy)} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
