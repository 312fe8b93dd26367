"""The adapter for stable-baselines3 takes many tasks at once, and wrappers of gymnasium's."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers.vector import TransformReward
from stable_baselines3 import PPO

from ombo_agents.learned import SB3VecEnv
from ombo_gym.wrappers import ScoreReward

TASKS = [
    {"env": "Ombo/Landscapes-v0", "horizon": [1, 3], "batch_size": 2},
    {"env": "Ombo/CrossedBarrel-v0", "horizon": 2, "batch_size": 1, "utilities": ["last_mean"]},
]


def make(control: str, mode: str = "SameStep") -> Any:
    envs = gym.make_vec(*("Ombo/Tasks-v0", 6), tasks=TASKS, control=control, autoreset_mode=mode)
    return TransformReward(ScoreReward(envs), lambda rewards: np.maximum(rewards, -1.0))


@pytest.mark.parametrize("control", ["exploration", "candidates:size=8"])
def test_rows_of_many_tasks_are_handed_over_with_their_returns(control: str) -> None:
    adapter, native = SB3VecEnv(make(control)), make(control)
    adapter.seed(2**31)
    ours, (theirs, _) = adapter.reset(), native.reset(seed=2**31)
    returns, episodes = np.zeros(6), 0
    native.action_space.seed(0)
    for _ in range(5):
        for name, array in theirs.items():
            np.testing.assert_array_equal(ours[name], array)
        actions = native.action_space.sample()
        ours, rewards, dones, infos = adapter.step(actions)
        theirs, expected, over, _, _ = native.step(actions)
        np.testing.assert_array_equal(rewards, expected.astype(np.float32))
        np.testing.assert_array_equal(dones, over)
        returns += expected
        for row in np.flatnonzero(over):
            assert infos[row]["episode"]["r"] == pytest.approx(returns[row])
            returns[row], episodes = 0.0, episodes + 1
    assert episodes > 6 and (np.abs(rewards) <= 1).all()


def test_masks_of_rows_go_through_wrappers() -> None:
    adapter = SB3VecEnv(make("candidates:size=8"))
    observation = adapter.reset()
    masks = adapter.env_method("action_masks", indices=[0, 5])
    q = len(adapter.action_space.nvec)
    for row, mask in zip((0, 5), masks, strict=True):
        np.testing.assert_array_equal(mask, np.tile(observation["action_mask"][row], q))


def test_it_trains_and_still_wants_resets_in_the_same_step() -> None:
    model = PPO(
        "MultiInputPolicy", SB3VecEnv(make("exploration")), n_steps=4, batch_size=24, device="cpu"
    )
    assert model.learn(48).num_timesteps == 48
    with pytest.raises(ValueError, match='expected autoreset_mode="SameStep"'):
        SB3VecEnv(make("exploration", "NextStep"))
