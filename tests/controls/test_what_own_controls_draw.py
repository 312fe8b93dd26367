"""A control of one's own may draw for every campaign, and need not show the time."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import ombo_gym
from ombo_agents import ControlPolicy, Myopic
from ombo_gym import CampaignSpec, Control
from ombo_gym.testing import assert_same


class Drawn(Control):
    """Shows a random number of every campaign, over or not, and nothing of the time."""

    def __init__(self, spec: CampaignSpec) -> None:
        self.action_space = spaces.Discrete(2)
        self.observation_space = spaces.Dict({"luck": spaces.Box(0, 1, (2,), np.float32)})
        self.space, self.q = spec.design_space, spec.batch_size

    def view(self, observation: Any, rngs: Any) -> Any:
        every = rngs(np.arange(len(observation["rounds_left"])))
        return every.random((2,)), self.space.sample(every, self.q)

    def seen(self, view: Any) -> Any:
        return {"luck": view[0].astype(np.float32)}

    def designs(self, view: Any, actions: Any) -> Any:
        return view[1] * actions[:, None, None]


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_campaigns_that_are_over_have_random_numbers_too(mode: AutoresetMode) -> None:
    arguments: dict[str, Any] = {"horizon": [1, 3], "control": f"{__name__}:Drawn"}
    native = gym.make_vec("Ombo/GP-v0", num_envs=2, autoreset_mode=mode.value, **arguments)
    single = SyncVectorEnv([lambda: gym.make("Ombo/GP-v0", **arguments)] * 2, autoreset_mode=mode)
    assert_same(native.reset(seed=1), single.reset(seed=1))
    for step in range(3):
        actions = np.array([1, step % 2])
        ours = native.step(actions)
        assert_same(ours, single.step(actions))
        if mode is AutoresetMode.DISABLED and ours[2].any():
            break


def test_a_policy_acts_on_a_control_that_shows_no_time() -> None:
    class Second(ControlPolicy):
        def choose(self, seen: Any) -> Any:
            return (seen["luck"][:, 0] > 0.5).astype(int)

    name = f"{__name__}:Drawn"
    envs = gym.make_vec("Ombo/GP-v0", num_envs=3, control=name)
    policy = Second(ombo_gym.campaign_spec(envs), name)
    observation, _ = envs.reset(seed=0)
    actions = policy.act(observation, envs.np_random)
    assert actions.shape == (3,) and actions in envs.action_space
    np.testing.assert_array_equal(Myopic(policy).act(observation, envs.np_random), actions)
    one = {"luck": observation["luck"][0]}
    with pytest.raises(ValueError, match=r"a single one \(luck has the shape \(2,\), not \(B, 2\)"):
        policy.act(one, envs.np_random)
    with pytest.raises(ValueError, match=r"expected a dict of fields.*got \['rounds_left'\]"):
        policy.act({"rounds_left": np.ones((3, 1))}, envs.np_random)
