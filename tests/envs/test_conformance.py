"""Environments keep the promises of gymnasium, of stable-baselines3 and of the public contract."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
import warnings
from typing import Any

import cloudpickle
import gymnasium as gym
import matplotlib
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env as sb3_check_env

import ombo_gym
from ombo_gym.registration import register_all
from ombo_gym.utilities import NEEDS_POSTERIOR, UTILITIES
from tests.envs.cases import (
    CASES,
    IDS,
    SMALL_STARTS,
    assert_same,
    make,
    make_native,
    settings_of,
)

matplotlib.use("Agg")

# Warnings of SB3's checker that we accept, and why.
ALLOWED = (
    # A dataset is a table, as is a list of candidates; SB3 flattens both.
    r"Your observation (designs|candidates) has an unconventional shape",
)
# Rendering knows nothing of controls.
CHECKED = [(*case, None) for case in CASES]
CHECKED += [(env_id, "designs", mode) for env_id in IDS for mode in ("rgb_array", "human")]
SETTINGS: dict[str, Any] = {"horizon": 3, "batch_size": 3, "noise_std": 0.1}


def test_the_ids_are_those_of_the_table() -> None:
    ids = set(ombo_gym.env_ids())
    assert ids == {env_id for env_id in gym.registry if env_id.startswith("Ombo/")}
    assert set(SMALL_STARTS) | set(IDS) <= ids


# --- the checkers of others --------------------------------------------------------------------


@pytest.mark.parametrize(("env_id", "control", "render_mode"), CHECKED)
def test_gymnasiums_checker_has_nothing_to_say(
    env_id: str, control: str, render_mode: str | None
) -> None:
    env = make(env_id, control=control, render_mode=render_mode, horizon=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Once for all render modes: the check makes an environment for each.
        check_env(env.unwrapped, skip_render_check=render_mode is not None)


@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_stable_baselines3s_checker_warns_of_nothing_but_tables(env_id: str, control: str) -> None:
    env = make(env_id, control=control, render_mode="rgb_array")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sb3_check_env(env.unwrapped)
    unexpected = [
        str(warning.message)
        for warning in caught
        if not any(re.match(allowed, str(warning.message)) for allowed in ALLOWED)
    ]
    assert unexpected == []


@pytest.mark.parametrize("env_id", IDS)
def test_ppo_trains_through_gym_make_alone(env_id: str) -> None:
    env = make(env_id, batch_size=2)
    agent = PPO(
        "MultiInputPolicy", env, n_steps=250, batch_size=125, n_epochs=1, device="cpu", seed=0
    )
    agent.learn(2_000)
    assert agent.num_timesteps == 2_000
    assert len(agent.ep_info_buffer) == 100, "whole campaigns were played"
    assert all(episode["l"] == 5 for episode in agent.ep_info_buffer)
    for parameter in agent.policy.parameters():
        assert bool(parameter.isfinite().all())
    observation, _ = env.reset(seed=0)
    assert agent.predict(observation)[0] in env.action_space


# --- observations, rewards, endings ------------------------------------------------------------


def check_observation(observation: Any, space: gym.Space[Any]) -> None:
    """Inside, of exactly the space's dtypes and shapes, finite, and zero behind the rows in use."""
    assert observation in space
    assert isinstance(space, gym.spaces.Dict)
    assert set(observation) == set(space.spaces)
    for name, part in space.spaces.items():
        array = observation[name]
        assert type(array) is np.ndarray
        assert array.dtype == part.dtype and array.shape == part.shape, name
        assert np.isfinite(array).all(), name
        assert array.flags.writeable, name
    if "observed" in observation:
        used = observation["observed"] == 1
        np.testing.assert_array_equal(used, np.sort(used)[..., ::-1])  # the rows in use come first
        assert (observation["values"][~used] == 0).all()
        assert (observation["designs"][~used] == 0).all()


@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_a_campaign_keeps_its_promises(env_id: str, control: str) -> None:
    env = make(env_id, control=control, **SETTINGS)
    env.action_space.seed(0)
    for seed in (0, 1, None):
        observation, info = env.reset(seed=seed)
        check_observation(observation, env.observation_space)
        assert info["round"] == 0 and type(info["round"]) is int
        assert {"round", "best_value"} <= set(info)
        assert not {"true_values", "utility", "wasted", "infeasible"} & set(info)
        assert observation["rounds_left"].tolist() == [3.0]
        best = info["best_value"]
        for number in (1, 2, 3):
            observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
            check_observation(observation, env.observation_space)
            assert type(reward) is float and np.isfinite(reward)
            assert terminated is (number == 3) and truncated is False
            assert observation["rounds_left"].tolist() == [3.0 - number]
            assert info["round"] == number and type(info["round"]) is int
            assert info["true_values"].shape == (3,) and info["true_values"].dtype == np.float64
            assert type(info["wasted"]) is int and type(info["infeasible"]) is int
            assert type(info["best_value"]) is float and info["best_value"] >= best
            best = max(best, info["true_values"].max())
            assert info["best_value"] == best
            assert ("utility" in info) is terminated
        assert type(info["utility"]) is float


@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_stepping_a_finished_or_unbegun_campaign_needs_a_reset(env_id: str, control: str) -> None:
    env = make(env_id, control=control, horizon=1).unwrapped
    env.action_space.seed(0)
    action = env.action_space.sample()
    with pytest.raises(ResetNeeded, match="reset"):
        env.step(action)
    env.reset(seed=0)
    assert env.step(action)[2] is True
    for _ in range(2):
        with pytest.raises(ResetNeeded, match="over"):
            env.step(action)
    env.reset()
    assert env.step(action)[2] is True


@pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.value)
def test_the_vector_env_needs_a_reset_too(mode: AutoresetMode) -> None:
    env = make_native("Ombo/GP-v0", 3, mode, horizon=1)
    actions = np.zeros((3, 4, 2), np.float32)
    with pytest.raises(ResetNeeded, match=r"\[0, 1, 2\]"):
        env.step(actions)
    env.reset(seed=0, options={"reset_mask": np.array([True, False, True])})
    with pytest.raises(ResetNeeded, match=r"\[1\]"):
        env.step(actions)
    env.reset(seed=0)
    env.step(actions)
    if mode == AutoresetMode.DISABLED:
        env.reset(options={"reset_mask": np.array([True, False, False])})
        with pytest.raises(ResetNeeded, match=r"\[1, 2\]"):
            env.step(actions)


@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_vector_observations_are_in_the_space(env_id: str, control: str) -> None:
    env = make_native(env_id, 3, AutoresetMode.NEXT_STEP, control=control, horizon=[1, 3])
    env.action_space.seed(0)
    results: list[Any] = [env.reset(seed=0)]
    results += [env.step(env.action_space.sample()) for _ in range(6)]
    for result in results:
        observation = result[0]
        assert observation in env.observation_space
        for name, part in env.observation_space.spaces.items():
            assert observation[name].dtype == part.dtype
            assert observation[name].shape == part.shape
    for _, rewards, terminations, truncations, _ in results[1:]:
        assert (rewards.dtype, rewards.shape) == (np.float64, (3,))
        assert (terminations.dtype, truncations.dtype) == (np.bool_, np.bool_)
        assert not truncations.any()


def scribble(thing: Any) -> None:
    """Overwrites every array that was handed out."""
    if isinstance(thing, dict):
        for value in thing.values():
            scribble(value)
    elif isinstance(thing, tuple | list):
        for value in thing:
            scribble(value)
    elif isinstance(thing, np.ndarray):
        if thing.dtype == object:
            scribble(thing.tolist())
        thing[...] = None if thing.dtype == object else 1


@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_whoever_overwrites_what_was_handed_out_changes_no_campaign(
    env_id: str, control: str
) -> None:
    settings = {**SETTINGS, "control": control}
    env, twin = make(env_id, **settings), make(env_id, **settings)
    env.action_space.seed(0)
    scribble(env.reset(seed=0, options={"optimum": True}))
    twin.reset(seed=0, options={"optimum": True})
    for _ in range(3):
        action = env.action_space.sample()
        result = env.step(action)
        assert_same(result, twin.step(action))
        scribble(result)
        action[...] = 0
    assert_same(env.reset(), twin.reset())


@pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_whoever_overwrites_what_the_vector_env_handed_out_changes_no_campaign(
    env_id: str, control: str, mode: AutoresetMode
) -> None:
    settings = {**SETTINGS, "horizon": 2, "control": control}
    env = make_native(env_id, 2, mode, **settings)
    twin = make_native(env_id, 2, mode, **settings)
    env.action_space.seed(0)
    scribble(env.reset(seed=0))
    twin.reset(seed=0)
    for _ in range(2 if mode == AutoresetMode.DISABLED else 4):
        actions = env.action_space.sample()
        result = env.step(actions)
        assert_same(result, twin.step(actions))
        scribble(result)
        actions[...] = 0
    assert_same(env.reset(), twin.reset())


# --- the same again ----------------------------------------------------------------------------


def play(env: gym.Env, seed: int, campaigns: int = 2) -> list[Any]:
    env.action_space.seed(seed)
    results: list[Any] = []
    for number in range(campaigns):
        results.append(env.reset(seed=seed if number == 0 else None))
        while len(results[-1]) == 2 or not results[-1][2]:
            results.append(env.step(env.action_space.sample()))
    return results


@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_a_seed_determines_all_campaigns(env_id: str, control: str) -> None:
    settings = {**SETTINGS, "horizon": [1, 3], "control": control}
    env = make(env_id, **settings)
    first = play(env, 11)
    assert_same(play(env, 11), first)
    assert_same(play(make(env_id, **settings), 11), first)
    other, _ = env.reset(seed=12)
    assert any((other[name] != first[0][0][name]).any() for name in other)


@pytest.mark.parametrize("module", [pickle, cloudpickle], ids=lambda module: module.__name__)
@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_a_pickled_campaign_goes_on_identically(env_id: str, control: str, module: Any) -> None:
    env = make(env_id, control=control, **SETTINGS)
    env.action_space.seed(0)
    env.reset(seed=5, options={"optimum": True})
    env.step(env.action_space.sample())
    copy = module.loads(module.dumps(env))
    for _ in range(2):
        action = env.action_space.sample()
        assert_same(copy.step(action), env.step(action))
    assert_same(copy.reset(), env.reset())


@pytest.mark.parametrize("module", [pickle, cloudpickle], ids=lambda module: module.__name__)
@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_pickled_vector_campaigns_go_on_identically(env_id: str, control: str, module: Any) -> None:
    mode = AutoresetMode.SAME_STEP
    env = make_native(env_id, 2, mode, control=control, horizon=[1, 3], noise_std=0.1)
    env.action_space.seed(0)
    env.reset(seed=5)
    env.step(env.action_space.sample())
    copy = module.loads(module.dumps(env))
    for _ in range(4):
        actions = env.action_space.sample()
        assert_same(copy.step(actions), env.step(actions))
    assert_same(copy.reset(), env.reset())


@pytest.mark.parametrize("utility", sorted(UTILITIES))
def test_environments_of_every_utility_can_be_pickled_before_and_after_a_campaign(
    utility: str,
) -> None:
    env_id = "Ombo/Bandit-v0" if utility in NEEDS_POSTERIOR else "Ombo/GP-v0"
    env = make(env_id, utility=utility, horizon=1)
    env = pickle.loads(pickle.dumps(env))
    first = play(env, 0, 1)
    assert_same(play(pickle.loads(pickle.dumps(env)), 0, 1), first)


def test_an_environment_that_rendered_can_be_pickled() -> None:
    env = make("Ombo/GP-v0", render_mode="rgb_array")
    env.reset(seed=0)
    frame = env.render()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(env)).render(), frame)


# --- specs and registration --------------------------------------------------------------------

SPEC_SETTINGS: dict[str, Any] = {
    "horizon": [2, 3],
    "batch_size": 2,
    "utility": "last_median",
    "noise_std": 0.25,
    "split": "all",
    "surrogate": {"kernel": "fit", "max_data": 16},
    "render_mode": "rgb_array",
}


@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_the_spec_survives_json(env_id: str, control: str) -> None:
    env = make(env_id, control=control, **SPEC_SETTINGS)
    text = env.spec.to_json()
    spec = EnvSpec.from_json(text)
    assert spec == env.spec
    assert spec.kwargs == {"problem": spec.name, "control": control} | settings_of(
        env_id, **SPEC_SETTINGS
    )
    assert_same(play(gym.make(spec), 3, 1), play(env, 3, 1))


@pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_the_vector_spec_survives_json(env_id: str, control: str, mode: AutoresetMode) -> None:
    env = make_native(env_id, 3, mode, control=control, **SPEC_SETTINGS)
    assert env.spec.kwargs["autoreset_mode"] == mode.value
    assert type(env.spec.kwargs["autoreset_mode"]) is str
    assert env.metadata["autoreset_mode"] is mode
    spec = EnvSpec.from_json(env.spec.to_json())
    assert spec == env.spec
    again = gym.make_vec(spec)
    assert again.num_envs == 3 and again.metadata["autoreset_mode"] is mode
    assert type(again) is type(env)
    assert_same(again.reset(seed=1), env.reset(seed=1))
    env.action_space.seed(0)
    for _ in range(2):
        actions = env.action_space.sample()
        assert_same(again.step(actions), env.step(actions))


@pytest.mark.parametrize("env_id", IDS)
def test_make_vec_gives_the_native_environment(env_id: str) -> None:
    env = gym.make_vec(env_id, num_envs=2, **settings_of(env_id))
    assert type(env).__name__ == "CampaignVectorEnv"
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert isinstance(env.spec.to_json(), str)


def test_an_id_with_the_package_before_it_needs_no_import() -> None:
    program = (
        "import gymnasium as gym\n"
        "assert not any(name.startswith('Ombo/') for name in gym.registry)\n"
        "env = gym.make('ombo_gym:Ombo/GP-v0', horizon=1)\n"
        "env.reset(seed=0)\n"
        "assert env.step(env.action_space.sample())[2] is True\n"
        "envs = gym.make_vec('ombo_gym:Ombo/GP-v0', num_envs=3)\n"
        "assert envs.reset(seed=0)[0]['values'].shape == (3, 24)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


def test_registering_twice_is_harmless() -> None:
    before = {env_id: gym.registry[env_id] for env_id in IDS}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        register_all()
    assert all(gym.registry[env_id] is spec for env_id, spec in before.items())


def test_no_environment_has_a_time_limit() -> None:
    for env_id in IDS:
        spec = gym.spec(env_id)
        assert spec.max_episode_steps is None and spec.vector_entry_point is not None


def test_defaults_are_those_of_the_contract() -> None:
    env = gym.make("Ombo/GP-v0")
    observation, info = env.reset(seed=0)
    assert env.action_space == gym.spaces.Box(-1, 1, (4, 2), np.float32)
    assert observation["rounds_left"].tolist() == [5.0]
    assert observation["designs"].shape == (24, 2) and observation["observed"].sum() == 4
    assert "optimum" not in info
    observation, info = gym.make("Ombo/TFBinding-v0").reset(seed=0)
    assert observation["designs"].shape == (64 + 20, 8) and observation["observed"].sum() == 64
    assert info["optimum"] == 1.0 and info["optimum_exact"] is True


# --- arguments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"horizon": 0}, "horizon: .*at least 1.*got 0"),
        ({"horizon": -1}, "horizon: .*got -1"),
        ({"horizon": True}, "horizon: .*got True"),
        ({"horizon": 2.0}, r"horizon: .*got 2\.0"),
        ({"horizon": "3"}, "horizon: .*got '3'"),
        ({"horizon": None}, "horizon: .*got None"),
        ({"horizon": [3, 1]}, r"horizon: .*low <= high.*got \[3, 1\]"),
        ({"horizon": [0, 1]}, r"horizon: .*got \[0, 1\]"),
        ({"horizon": [1, 2, 3]}, r"horizon: .*got \[1, 2, 3\]"),
        ({"horizon": [1]}, r"horizon: .*got \[1\]"),
        ({"horizon": []}, r"horizon: .*got \[\]"),
        ({"horizon": [1, True]}, "horizon: .*got"),
        ({"horizon": [1, 2.5]}, "horizon: .*got"),
        ({"horizon": {"low": 1, "high": 2}}, "horizon: .*got"),
        ({"batch_size": 0}, "batch_size: .*at least 1.*got 0"),
        ({"batch_size": -4}, "batch_size: .*got -4"),
        ({"batch_size": True}, "batch_size: .*got True"),
        ({"batch_size": "4"}, "batch_size: .*got '4'"),
        ({"batch_size": 4.0}, r"batch_size: .*got 4\.0"),
        ({"batch_size": None}, "batch_size: .*got None"),
        ({"noise_std": -0.1}, r"noise_std: .*at least 0.*got -0\.1"),
        ({"noise_std": float("nan")}, "noise_std: .*got nan"),
        ({"noise_std": float("inf")}, "noise_std: .*got inf"),
        ({"noise_std": "0.1"}, r"noise_std: .*got '0\.1'"),
        ({"noise_std": True}, "noise_std: .*got True"),
        ({"noise_std": [0.1]}, r"noise_std: .*got \[0\.1\]"),
        ({"control": "design"}, "control: .*candidates.*designs|designs.*candidates"),
        ({"control": None}, "control: .*exploration.*got None"),
        ({"control": ["designs"]}, "control: .*exploration.*got"),
        ({"utility": "Best"}, "utility: .*best.*last_max.*last_mean.*last_median.*total.*'Best'"),
        ({"utility": None}, "utility: .*best.*got None"),
        ({"utility": ["best"]}, "utility: .*best.*got"),
        ({"start": {}}, "start: .*none.*percentile.*random.*got {}"),
        ({"start": {"kind": "empty"}}, "start: .*none.*percentile.*random.*'empty'"),
        ({"start": {"kind": ["none"]}}, "start: .*none.*percentile.*random"),
        ({"start": {"kind": None}}, "start: .*none.*percentile.*random"),
        ({"start": "none"}, "start: .*none.*percentile.*random.*got 'none'"),
        ({"start": 4}, "start: .*none.*percentile.*random.*got 4"),
        ({"start": {"kind": "random", "number": 4}}, "start: .*size.*number"),
        ({"start": {"kind": "none", "size": 4}}, "start: .*size"),
        ({"start": {"kind": "random", "size": 0}}, "start: .*size.*got 0"),
        ({"start": {"kind": "random", "size": -1}}, "start: .*size.*got -1"),
        ({"start": {"kind": "random", "size": True}}, "start: .*size.*got True"),
        ({"start": {"kind": "random", "size": 4.0}}, r"start: .*size.*got 4\.0"),
        ({"start": {"kind": "random", "size": "4"}}, "start: .*size.*got '4'"),
        ({"start": {"kind": "random", "size": None}}, "start: .*size.*got None"),
        ({"start": {"kind": "percentile", "percentile": -1}}, "start: .*percentile.*got -1"),
        ({"start": {"kind": "percentile", "percentile": 100.5}}, r"start: .*got 100\.5"),
        ({"start": {"kind": "percentile", "percentile": "50"}}, "start: .*percentile.*got '50'"),
        ({"start": {"kind": "percentile", "percentile": None}}, "start: .*percentile.*got None"),
        ({"start": {"kind": "percentile", "percentile": float("nan")}}, "start: .*got nan"),
        ({"start": {"kind": "percentile", "size": 10**6}}, "start: .*at most 512.*got 1000000"),
        ({"split": "train"}, "split: .*all.*got 'train'"),
        ({"split": None}, "split: .*all.*got None"),
        ({"surrogate": {"kernel": "linear"}}, "surrogate: .*fit.*matern52.*rbf.*'linear'"),
        ({"surrogate": {"kernal": "fit"}}, "surrogate: .*kernel.*lengthscale.*max_data.*kernal"),
        ({"surrogate": {"max_data": 0}}, "surrogate: .*max_data.*got 0"),
        ({"surrogate": "fit"}, "surrogate: .*kernel.*got 'fit'"),
        ({"surrogate": {"kernel": "rbf"}}, "surrogate: .*lengthscale"),
        ({"surrogate": {"kernel": "rbf", "lengthscale": -1}}, "surrogate: .*got -1"),
        ({"render_mode": "ansi"}, "render_mode: .*rgb_array.*human.*got 'ansi'"),
        ({"dim": 0}, "dim.*at least 1.*got 0"),
        ({"dim": "2"}, "dim.*got '2'"),
        ({"dim": True}, "dim.*got True"),
        ({"features": 0}, "features.*got"),
        ({"features": 10**30}, "features: expected at most 65,536, got 1,000,000"),
        ({"dim": 2**70}, "dim: expected at most 65,536, got 1,180,591"),
        ({"kernel": "linear"}, "kernel: .*matern52.*rbf.*got 'linear'"),
        ({"lengthscale": 0}, "lengthscale: .*got 0"),
        ({"lengthscale": float("nan")}, "lengthscale: .*got nan"),
        ({"lengthscale": "0.3"}, r"lengthscale: .*got '0\.3'"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_a_bad_argument_is_a_value_error_that_says_what_is_known(
    arguments: dict[str, Any], message: str
) -> None:
    from ombo_gym.env import CampaignEnv
    from ombo_gym.vector_env import CampaignVectorEnv

    with pytest.raises(ValueError, match=message):
        CampaignEnv("GP", **arguments)
    with pytest.raises(ValueError, match=message):
        CampaignVectorEnv(2, "GP", **arguments)


@pytest.mark.parametrize(
    ("env_id", "arguments", "message"),
    [
        ("Ombo/TFBind8-v0", {"factor": "SIX6"}, "factor: .*ARX_REF_R1.*SIX6_REF_R1.*got .*'SIX6'"),
        ("Ombo/TFBind8-v0", {"factor": None}, "factor: .*SIX6_REF_R1.*got .*None"),
        ("Ombo/TFBind8-v0", {"factor": ["SIX6_REF_R1"]}, "factor: .*SIX6_REF_R1.*got"),
        ("Ombo/TFBind8-v0", {"factor": np.array(["a", "b"])}, "factor: .*SIX6_REF_R1.*got array"),
        ("Ombo/TFBind8-v0", {"split": "test"}, "split: .*all.*got 'test'"),
        ("Ombo/TFBinding-v0", {"split": "valid"}, "split: .*all.*test.*train.*got 'valid'"),
        ("Ombo/TFBinding-v0", {"factors": []}, "factors: .*SIX6_REF_R1"),
        ("Ombo/TFBinding-v0", {"factors": [1, "x"]}, "factors: .*SIX6_REF_R1.*got"),
        ("Ombo/TFBinding-v0", {"factors": "SIX6_REF_R1"}, "factors: .*SIX6_REF_R1.*got"),
        ("Ombo/TFBinding-v0", {"factors": 3}, "factors: .*SIX6_REF_R1.*got"),
        ("Ombo/TFBind8-v0", {"surrogate": {"kernel": "prior"}}, "surrogate: .*prior.*fit"),
        ("Ombo/TFBind8-v0", {"start": {"kind": "random", "size": 65_537}}, "start: .*65536"),
        ("Ombo/TFBind8-v0", {"start": {"kind": "percentile", "size": 32_899}}, "start: .*32898"),
    ],
)
def test_a_bad_argument_of_a_measured_problem_says_what_is_known(
    env_id: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        gym.make(env_id, **arguments)


@pytest.mark.parametrize("env_id", IDS)
def test_an_unknown_argument_is_an_error_that_lists_the_known_ones(env_id: str) -> None:
    known = {"Ombo/GP-v0": "lengthscale", "Ombo/TFBind8-v0": "factor"}.get(env_id, "")
    with pytest.raises((TypeError, ValueError), match=f"{known}.*'horizons'"):
        gym.make(env_id, horizons=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_envs": 0}, "num_envs: .*got 0"),
        ({"num_envs": True}, "num_envs: .*got True"),
        ({"num_envs": "2"}, "num_envs: .*got '2'"),
        ({"autoreset_mode": "next"}, "autoreset_mode: .*NextStep.*SameStep.*Disabled.*got 'next'"),
        ({"autoreset_mode": None}, "autoreset_mode: .*NextStep.*got None"),
    ],
)
def test_a_bad_argument_of_the_vector_env_says_what_is_known(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        gym.make_vec("Ombo/GP-v0", **{"num_envs": 2, **arguments})


def test_numpy_numbers_are_numbers() -> None:
    plain: dict[str, Any] = {
        "horizon": [1, 3],
        "batch_size": 3,
        "noise_std": 0.5,
        "start": {"kind": "percentile", "percentile": 25, "size": 7},
        "dim": 2,
        "features": 64,
    }
    from_numpy: dict[str, Any] = {
        "horizon": np.array([1, 3]),
        "batch_size": np.int32(3),
        "noise_std": np.float32(0.5),
        "start": {"kind": "percentile", "percentile": np.int64(25), "size": np.int64(7)},
        "dim": np.int64(2),
        "features": np.int16(64),
    }
    env, twin = gym.make("Ombo/GP-v0", **plain), gym.make("Ombo/GP-v0", **from_numpy)
    assert env.observation_space == twin.observation_space
    assert env.action_space == twin.action_space
    assert_same(play(env, 0), play(twin, 0))
    assert_same(
        play(gym.make("Ombo/GP-v0", horizon=3), 0),
        play(gym.make("Ombo/GP-v0", horizon=np.int64(3)), 0),
    )


@pytest.mark.parametrize("options", [{"optima": True}, {"reset_mask": np.array([True])}])
def test_an_unknown_option_is_refused_and_changes_nothing(options: dict[str, Any]) -> None:
    env, twin = make("Ombo/GP-v0", **SETTINGS), make("Ombo/GP-v0", **SETTINGS)
    env.reset(seed=0)
    twin.reset(seed=0)
    with pytest.raises(ValueError, match=r"options: .*optimum.*got"):
        env.reset(seed=1, options=options)
    action = np.zeros((3, 2), np.float32)
    assert_same(env.step(action), twin.step(action))
    assert_same(env.reset(), twin.reset())


@pytest.mark.parametrize(
    ("reset", "message"),
    [
        ({"seed": [1, 2]}, "seed: .*3 seeds, got 2"),
        ({"seed": 1.5}, r"seed: .*got 1\.5"),
        ({"seed": "1"}, "seed: .*got '1'"),
        ({"seed": [1, 2.5, 3]}, "seed: .*got"),
        ({"options": {"optima": True}}, "options: .*optimum.*got"),
        ({"options": {"reset_mask": [1, 0, 1]}}, "reset_mask: .*got"),
        ({"options": {"reset_mask": np.ones(2, bool)}}, r"reset_mask: .*\(3,\).*got"),
        ({"options": {"reset_mask": np.zeros(3, bool)}}, "reset_mask: .*at least one True"),
    ],
)
def test_a_bad_reset_of_the_vector_env_is_refused_and_changes_nothing(
    reset: dict[str, Any], message: str
) -> None:
    mode = AutoresetMode.SAME_STEP
    env = make_native("Ombo/GP-v0", 3, mode, **SETTINGS)
    twin = make_native("Ombo/GP-v0", 3, mode, **SETTINGS)
    env.reset(seed=0)
    twin.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.reset(**reset)
    actions = np.zeros((3, 3, 2), np.float32)
    assert_same(env.step(actions), twin.step(actions))
    assert_same(env.reset(), twin.reset())


def test_an_own_problem_takes_no_arguments_beside_it() -> None:
    from ombo_gym.env import CampaignEnv

    problem = ombo_gym.make_problem("GP", dim=1)
    assert CampaignEnv(problem).action_space.shape == (4, 1)
    with pytest.raises(ValueError, match=r"problem: .*dim"):
        CampaignEnv(problem, dim=2)
    with pytest.raises(ValueError, match=r"problem: .*train"):
        CampaignEnv(problem, split="train")
    with pytest.raises(ValueError, match=r"problem: .*GP.*TFBind8.*got 'Gp'"):
        CampaignEnv("Gp")
