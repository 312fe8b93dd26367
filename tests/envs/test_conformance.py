"""Environments keep the promises of gymnasium, of stable-baselines3 and of the public contract."""

from __future__ import annotations

import pickle
import re
import warnings
from typing import Any

import cloudpickle
import gymnasium as gym
import matplotlib
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env as sb3_check_env

from ombo_gym.testing.contract import UNBOUNDED
from ombo_gym.utilities import UTILITIES, make_utility
from tests.envs.cases import (
    CASES,
    IDS,
    assert_same,
    make,
    make_native,
    play,
)

pytestmark = pytest.mark.usefixtures("brief_fits")

matplotlib.use("Agg")

# Warnings of SB3's checker that we accept, and why.
ALLOWED = (
    # A dataset is a table, as is a list of candidates; SB3 flattens both.
    r"Your observation (designs|candidates) has an unconventional shape",
)
SETTINGS: dict[str, Any] = {"horizon": 3, "batch_size": 3, "noise_std": 0.1}
SIMPLE = set(UTILITIES) - {"last_quantile"}  # those without arguments


# --- the checkers of others --------------------------------------------------------------------


def test_gymnasiums_checker_has_nothing_to_say_of_rendering() -> None:
    """It makes an environment for each render mode; without them, the conformance suite runs it."""
    env = make("Ombo/GP-v0", horizon=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", UNBOUNDED, UserWarning)  # measurements have no bounds
        check_env(env.unwrapped)


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
        "MultiInputPolicy", env, n_steps=100, batch_size=100, n_epochs=1, device="cpu", seed=0
    )
    agent.learn(200)
    assert agent.num_timesteps == 200
    assert len(agent.ep_info_buffer) == 40, "whole campaigns were played"
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
        assert (observation["measurements"][~used] == 0).all()
        assert (observation["designs"][~used] == 0).all()
        assert (observation["from_start"] <= used).all()
        left = int(observation["rounds_left"][0])
        assert observation["plates"].tolist() == [3.0] * left + [0.0] * (3 - left)


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


@pytest.mark.parametrize(
    ("env_id", "control", "mode"),
    # Every pair of an environment, a control and a mode.
    [(*case, list(AutoresetMode)[(i + i // 3) % 3]) for i, case in enumerate(CASES)],
)
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


@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_a_seed_determines_all_campaigns(env_id: str, control: str) -> None:
    settings = {**SETTINGS, "horizon": [1, 3], "control": control}
    env = make(env_id, **settings)
    first = play(env, 11)
    assert_same(play(env, 11), first)
    assert_same(play(make(env_id, **settings), 11), first)
    other, _ = env.reset(seed=12)
    assert any((other[name] != first[0][0][name]).any() for name in other)


@pytest.mark.parametrize(
    ("env_id", "control", "module"),
    [(*case, (pickle, cloudpickle)[i % 2]) for i, case in enumerate(CASES)],
)
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


@pytest.mark.parametrize(
    ("env_id", "control", "module"),
    [(*case, (cloudpickle, pickle)[i % 2]) for i, case in enumerate(CASES)],
)
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


@pytest.mark.parametrize("utility", ["last_quantile:quantile=0.9", *sorted(SIMPLE)])
def test_environments_of_every_utility_can_be_pickled_before_and_after_a_campaign(
    utility: str,
) -> None:
    posterior = make_utility(utility).needs_posterior
    env_id = "Ombo/Bandit-v0" if posterior else "Ombo/GP-v0"
    env = make(env_id, utility=utility, horizon=1)
    env = pickle.loads(pickle.dumps(env))
    first = play(env, 0, 1)
    assert_same(play(pickle.loads(pickle.dumps(env)), 0, 1), first)


def test_an_environment_that_rendered_can_be_pickled() -> None:
    env = make("Ombo/GP-v0", render_mode="rgb_array")
    env.reset(seed=0)
    frame = env.render()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(env)).render(), frame)
