"""stable-baselines3's own wrappers and its algorithms for one choice, as the guide shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecFrameStack, VecNormalize

from ombo_agents.learned import SB3VecEnv
from ombo_gym.wrappers import (
    DenseReward,
    FlatActions,
    FlatObservation,
    OneHotDesigns,
    ScoreReward,
    StandardizeMeasurements,
)
from tests.wrappers.cases import KINDS, make, make_native

SMALL = {"n_steps": 8, "batch_size": 8, "n_epochs": 1, "device": "cpu"}
NUMBERS = ["measurements", "rounds_left", "plates"]


def flat(env: Any) -> Any:
    return FlatActions(FlatObservation(StandardizeMeasurements(env)))


def dummy(kind: str, wrap: Callable[[Any], Any], **settings: Any) -> VecEnv:
    return DummyVecEnv([lambda: wrap(make(kind, **settings))] * 2)


def native(kind: str, wrap: Callable[[Any], Any], **settings: Any) -> VecEnv:
    return SB3VecEnv(wrap(make_native(kind, 2, "SameStep", **settings)))


def learnable(env: Any) -> Any:
    """Everything numbers, and paid every round in scores."""
    return flat(OneHotDesigns(ScoreReward(DenseReward(env))))


@pytest.mark.parametrize("build", [dummy, native])
def test_ppo_trains_on_a_stack_that_is_paid_every_round(build: Any) -> None:
    env = build("table", learnable, horizon=3, utility="last_mean")
    model = PPO("MlpPolicy", env, **SMALL).learn(16)
    rewards = model.rollout_buffer.rewards
    assert np.isfinite(rewards).all() and np.count_nonzero(rewards) > rewards.size / 2


@pytest.mark.parametrize("kind", KINDS)
def test_its_checker_finds_nothing_wrong(kind: str) -> None:
    check_env(flat(make(kind, batch_size=1)), warn=True)


@pytest.mark.parametrize("build", [dummy, native])
@pytest.mark.parametrize("kind", ["box", "pool"])
def test_vec_normalize_scales_the_numbers_that_are_named(kind: str, build: Any) -> None:
    env = VecNormalize(build(kind, lambda env: env, horizon=2), norm_obs_keys=NUMBERS)
    model = PPO("MultiInputPolicy", env, **SMALL).learn(16)
    observation: Any = env.reset()
    for name in NUMBERS:
        assert abs(observation[name]).max() <= 10
    np.testing.assert_array_equal(observation["observed"], env.get_original_obs()["observed"])
    assert model.num_timesteps >= 16


@pytest.mark.parametrize("build", [dummy, native])
def test_vec_normalize_scales_rewards_alone(build: Any) -> None:
    env = VecNormalize(build("box", flat, horizon=2), norm_obs=False)
    assert PPO("MlpPolicy", env, **SMALL).learn(16).num_timesteps >= 16


@pytest.mark.parametrize("build", [dummy, native])
def test_vec_frame_stack_stacks_flat_observations(build: Any) -> None:
    env = VecFrameStack(build("box", flat, horizon=3), n_stack=2)
    width = env.observation_space.shape[0] // 2
    first: Any = env.reset()
    assert not first[:, :width].any()
    second = env.step(np.zeros((2, *env.action_space.shape), np.float32))[0]
    np.testing.assert_array_equal(second[:, :width], first[:, width:])
    assert PPO("MlpPolicy", env, **SMALL).learn(16).num_timesteps >= 16


@pytest.mark.parametrize("build", [dummy, native])
@pytest.mark.parametrize(
    ("kind", "settings"),
    [("pool", {}), ("grid", {}), ("choices", {}), ("box", {"control": "candidates"})],
)
def test_dqn_trains_where_the_action_is_one_choice(
    kind: str, settings: dict[str, Any], build: Any
) -> None:
    wrap = flat if "control" not in settings else (lambda env: FlatActions(FlatObservation(env)))
    env = build(kind, wrap, batch_size=1, horizon=2, **settings)
    model = DQN("MlpPolicy", env, buffer_size=100, learning_starts=4, device="cpu").learn(16)
    assert isinstance(env.action_space, gym.spaces.Discrete) and model.num_timesteps >= 16


def test_sac_trains_on_flat_designs() -> None:
    env = dummy("mixed", flat, horizon=2)
    model = SAC("MlpPolicy", env, buffer_size=100, learning_starts=4, device="cpu").learn(16)
    assert model.num_timesteps >= 16


class TestMaskablePPO:
    """Of sb3-contrib: it asks environments for `action_masks()`."""

    CASES = (
        ("pool", {"batch_size": 1}),
        ("pool", {"batch_size": 3}),
        ("pool", {"control": "candidates"}),
        ("box", {"control": "candidates", "batch_size": 1}),
        ("grid", {"batch_size": 1}),
        ("sequences", {"batch_size": 2}),
    )

    @pytest.mark.parametrize("build", [dummy, native])
    @pytest.mark.parametrize(("kind", "settings"), CASES)
    def test_it_finds_the_masks_and_trains(
        self, kind: str, settings: dict[str, Any], build: Any
    ) -> None:
        contrib = pytest.importorskip("sb3_contrib", reason="needs sb3-contrib")
        masking = pytest.importorskip("sb3_contrib.common.maskable.utils")
        env = build(kind, FlatActions, horizon=2, **settings)
        assert masking.is_masking_supported(env)
        env.reset()
        masks = masking.get_action_masks(env)
        choices = getattr(env.action_space, "n", None) or env.action_space.nvec.sum()
        assert masks.shape == (2, choices)
        model = contrib.MaskablePPO("MultiInputPolicy", env, **SMALL).learn(16)
        assert model.num_timesteps >= 16

    @pytest.mark.parametrize("build", [dummy, native])
    def test_no_slot_is_wasted_on_what_was_measured(self, build: Any) -> None:
        contrib = pytest.importorskip("sb3_contrib", reason="needs sb3-contrib")
        masking = pytest.importorskip("sb3_contrib.common.maskable.utils")
        start = {"kind": "random", "size": 2}
        env = build("pool", FlatActions, batch_size=1, horizon=5, K=12, start=start)
        model = contrib.MaskablePPO("MultiInputPolicy", env, **SMALL)
        observation: Any = env.reset()
        for _ in range(4):
            masks = masking.get_action_masks(env)
            assert not masks.all()
            action, _ = model.predict(observation, action_masks=masks)
            before = observation["observed"].sum(axis=1)
            observation = env.step(action)[0]
            np.testing.assert_array_equal(observation["observed"].sum(axis=1), before + 1)

    def test_it_finds_them_behind_a_monitor(self) -> None:
        pytest.importorskip("sb3_contrib", reason="needs sb3-contrib")
        masking = pytest.importorskip("sb3_contrib.common.maskable.utils")
        env = make_vec_env("ombo_gym:Ombo/Landscapes-v0", n_envs=2)
        env.reset()
        assert masking.is_masking_supported(env)
        assert masking.get_action_masks(env).shape == (2, env.action_space.nvec.sum())
