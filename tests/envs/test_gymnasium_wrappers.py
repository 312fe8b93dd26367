"""gymnasium's own wrappers play whole campaigns on the environments as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.wrappers import vector
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wrappers.cases import make, make_native

Wrap = Callable[[Any], Any]
ANY: dict[str, Wrap] = {
    "Autoreset": wrappers.Autoreset,
    "FilterObservation": lambda env: wrappers.FilterObservation(env, ["measurements", "observed"]),
    "FlattenObservation": wrappers.FlattenObservation,
    "FrameStackObservation": lambda env: wrappers.FrameStackObservation(env, 2),
    "NormalizeObservation": lambda env: wrappers.NormalizeObservation(
        wrappers.FlattenObservation(env)
    ),
    "NormalizeReward": wrappers.NormalizeReward,
    "RecordEpisodeStatistics": wrappers.RecordEpisodeStatistics,
    "StickyAction": lambda env: wrappers.StickyAction(env, 0.5),
    "TimeAwareObservation": lambda env: wrappers.TimeAwareObservation(
        wrappers.TimeLimit(env, 10), flatten=False
    ),
    "TransformReward": lambda env: wrappers.TransformReward(env, lambda reward: 2 * reward),
}
BOXES: dict[str, Wrap] = {
    "ClipAction": wrappers.ClipAction,
    "RescaleAction": lambda env: wrappers.RescaleAction(env, np.float32(0), np.float32(1)),
}
MANY: dict[str, Wrap] = {
    "DictInfoToList": vector.DictInfoToList,
    "FilterObservation": lambda env: vector.FilterObservation(env, ["measurements", "observed"]),
    "FlattenObservation": vector.FlattenObservation,
    "NormalizeReward": vector.NormalizeReward,
    "RecordEpisodeStatistics": vector.RecordEpisodeStatistics,
}


@pytest.mark.parametrize("kind", ["box", "sequences", "pool", "mixed"])
@pytest.mark.parametrize("name", [*ANY, *BOXES])
def test_a_campaign_is_played_through(name: str, kind: str) -> None:
    env = make(kind, horizon=2)
    if name in BOXES and not isinstance(env.action_space, gym.spaces.Box):
        with pytest.raises((TypeError, AssertionError)):
            BOXES[name](env)
        return
    env = (ANY | BOXES)[name](env)
    env.action_space.seed(0)
    assert env.reset(seed=0)[0] in env.observation_space
    terminated = False
    for _ in range(2):
        assert not terminated
        observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
        assert observation in env.observation_space and not truncated
    assert terminated


@pytest.mark.parametrize("kind", ["box", "sequences", "pool", "mixed"])
@pytest.mark.parametrize("name", MANY)
def test_campaigns_in_lockstep_are_too(name: str, kind: str) -> None:
    envs = MANY[name](make_native(kind, 2, "NextStep", horizon=2))
    envs.reset(seed=0)
    for _ in range(4):
        observation, *_ = envs.step(envs.action_space.sample())
    assert observation in envs.observation_space


@given(
    st.floats(-1000, 1000, width=32),
    st.floats(2**-10, 2**10, width=32),
    st.sampled_from(["box", "mixed"]),
)
@settings(max_examples=40)
def test_bounds_of_a_rescaled_action_are_the_designs_bounds(
    low: float, width: float, kind: str
) -> None:
    """float32 comes to 1.0000001 there, which is clipped."""
    low = float(np.clip(low, -width, width))  # far from 0 the rescaling itself loses more digits
    high = float(np.float32(low) + np.float32(width))
    env = make(kind, horizon=2)
    rescaled = wrappers.RescaleAction(env, np.float32(low), np.float32(high))
    for action, expected in ((rescaled.action_space.low, -1), (rescaled.action_space.high, 1)):
        env.reset(seed=0)
        n = int(env.unwrapped.campaigns.num_observed[0])
        observation = rescaled.step(action)[0]
        if kind == "box":
            np.testing.assert_allclose(observation["designs"][n : n + 4], expected, atol=1e-6)


def test_the_bounds_that_float32_comes_to_are_clipped_and_no_others() -> None:
    env = make("box", horizon=2)
    for beyond in (1.0000001, 1 + 9e-7, np.float32(1.0000001)):
        env.reset(seed=0)
        n = int(env.unwrapped.campaigns.num_observed[0])
        action = np.full(env.action_space.shape, beyond, np.asarray(beyond).dtype)
        assert (env.step(action)[0]["designs"][n : n + 4] == 1).all()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"from -1\.0 to 1\.0, got 1\.00001"):
        env.step(np.full(env.action_space.shape, 1.00001))


def test_time_is_in_the_observation_already() -> None:
    """A campaign's end is no time limit, which gymnasium's wrapper looks for."""
    env = make("box", horizon=3)
    with pytest.raises(ValueError, match="TimeLimit"):
        wrappers.TimeAwareObservation(env)
    env.reset(seed=0)
    for left in (2, 1, 0):
        observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
        assert observation["rounds_left"] == left and not truncated
    assert terminated
