"""Environments are registered, and their specs make them again."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode

import ombo_gym
from ombo_gym.registration import register_all
from tests.envs.cases import (
    CASES,
    IDS,
    SMALL_STARTS,
    assert_same,
    make,
    make_native,
    play,
    settings_of,
)


def test_the_ids_are_those_of_the_table() -> None:
    ids = set(ombo_gym.env_ids())
    registered = {env_id for env_id in gym.registry if env_id.startswith("Ombo/")}
    assert registered == ids | {"Ombo/Tasks-v0"}
    assert set(SMALL_STARTS) | set(IDS) <= ids


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
        "assert envs.reset(seed=0)[0]['measurements'].shape == (3, 24)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=300)


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
