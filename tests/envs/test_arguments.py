"""Bad arguments, options and resets are ValueErrors that say what was expected."""

from __future__ import annotations

import json
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import ombo_gym
from ombo_gym.env import CampaignEnv
from ombo_gym.vector_env import CampaignVectorEnv
from tests.envs.cases import IDS, assert_same, make, make_native, play

SETTINGS: dict[str, Any] = {"horizon": 3, "batch_size": 3, "noise_std": 0.1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"horizon": 0}, "horizon: .*at least 1.*got 0"),
        ({"horizon": -1}, "horizon: .*got -1"),
        ({"horizon": True}, "horizon: .*got True"),
        ({"horizon": 2.0}, r"horizon: .*got 2\.0"),
        ({"horizon": "3"}, "horizon: .*got '3'"),
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
        ({"batch_size": [4, 1]}, r"batch_size: .*low <= high.*got \[4, 1\]"),
        ({"batch_size": [0, 4]}, r"batch_size: .*got \[0, 4\]"),
        ({"batch_size": [1, 2, 3]}, r"batch_size: .*got \[1, 2, 3\]"),
        ({"plates": []}, r"plates: .*list of batch sizes.*got \[\]"),
        ({"plates": 4}, "plates: .*list of batch sizes.*got 4"),
        ({"plates": "44"}, "plates: .*list of batch sizes.*got '44'"),
        ({"plates": [4, 0]}, r"plates: .*at least 1.*got \[4, 0\]"),
        ({"plates": [4, True]}, r"plates: .*got \[4, True\]"),
        ({"plates": [4, 2.0]}, r"plates: .*got \[4, 2\.0\]"),
        ({"plates": [[4, 4]]}, "plates: .*got"),
        ({"plates": [4, 2], "horizon": 2}, "plates: .*horizon.*together with {'horizon': 2}"),
        ({"plates": [4, 2], "batch_size": 4}, "plates: .*together with {'batch_size': 4}"),
        ({"noise_std": -0.1}, r"noise_std: .*at least 0.*got -0\.1"),
        ({"noise_std": float("nan")}, "noise_std: .*got nan"),
        ({"noise_std": float("inf")}, "noise_std: .*got inf"),
        ({"noise_std": "0.1"}, r"noise_std: .*got '0\.1'"),
        ({"noise_std": True}, "noise_std: .*got True"),
        ({"noise_std": [0.1]}, r"noise_std: .*got \[0\.1\]"),
        ({"control": "design"}, "control: .*candidates.*designs|designs.*candidates"),
        ({"control": None}, "control: .*exploration.*got None"),
        ({"control": ["designs"]}, "control: .*exploration.*got"),
        ({"utility": "Best"}, "utility: .*auc.*best.*last_max.*last_quantile.*total.*'Best'"),
        ({"utility": "last_quantile"}, "utility: 'last_quantile' takes .*'quantile'.*got {}"),
        ({"utility": {"name": "best", "quantile": 1}}, "utility: 'best' takes .*got .*quantile"),
        ({"utility": {"name": "last_quantile", "quantile": 2}}, "utility: .*from 0 to 1, got 2"),
        ({"utility": {"name": "last_quantile", "quantile": True}}, "utility: .*0 to 1, got True"),
        ({"utility": "last_quantile:quantile=x"}, "utility: .*key=number.*got"),
        ({"utility": {"quantile": 0.9}}, "utility: .*best.*got"),
        ({"utility": None}, "utility: .*best.*got None"),
        ({"utility": ["best"]}, "utility: .*best.*got"),
        ({"start": {}}, "start: .*none.*percentile.*random.*got {}"),
        ({"start": {"kind": "empty"}}, "start: .*none.*percentile.*random.*'empty'"),
        ({"start": {"kind": ["none"]}}, "start: .*none.*percentile.*random"),
        ({"start": {"kind": None}}, "start: .*none.*percentile.*random"),
        ({"start": "none"}, "start: .*none.*percentile.*random.*got 'none'"),
        ({"start": 4}, "start: .*none.*percentile.*random.*got 4"),
        ({"start": {"kind": "random", "number": 4}}, "start: .*size.*number"),
        ({"start": {"kind": "listed"}}, "start: .*designs"),
        ({"start": {"kind": "listed", "designs": []}}, "start: .*at least one design"),
        ({"start": {"kind": "listed", "designs": "ab"}}, "start: .*list of designs.*got 'ab'"),
        ({"start": {"kind": "listed", "designs": [[0, 0], [0, 2]]}}, "start: design 1: .*got"),
        ({"start": {"kind": "listed", "designs": [[0, 0, 0]]}}, "start: design 0: .*got"),
        ({"start": {"kind": "space_filling", "size": 0}}, "start: .*size.*got 0"),
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
    problem = ombo_gym.make_problem("GP", dim=1)
    assert CampaignEnv(problem).action_space.shape == (4, 1)
    with pytest.raises(TypeError, match=r"'dim': arguments go with a problem's name"):
        CampaignEnv(problem, dim=2)
    with pytest.raises(ValueError, match=r"split: .*'train'"):
        CampaignEnv(problem, split="train")
    with pytest.raises(ValueError, match=r"problem: .*GP.*TFBind8.*got 'Gp'"):
        CampaignEnv("Gp")
