"""The adapter that lets stable-baselines3 train on campaigns in lockstep."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from ombo_agents.learned.sb3_env import SB3VecEnv
from ombo_agents.learned.training import FIRST_SEED, make_training_env
from ombo_gym.vector_env import CampaignVectorEnv

ENV = "Ombo/GP-v0"
KWARGS = {"horizon": [1, 3], "batch_size": 3, "utility": "last_mean"}


def test_the_adapter_hands_over_what_a_native_env_played_by_hand_shows():
    rows, seed = 7, 5
    adapter = make_training_env(ENV, "exploration", rows, KWARGS)
    native = gym.make_vec(ENV, rows, control="exploration", autoreset_mode="SameStep", **KWARGS)
    native.action_space.seed(1)
    adapter.seed(seed)
    ours, (theirs, _) = adapter.reset(), native.reset(seed=seed)
    returns, lengths, episodes = np.zeros(rows), np.zeros(rows, int), 0
    for _ in range(12):
        assert ours.keys() == theirs.keys()
        for key, array in theirs.items():
            np.testing.assert_array_equal(ours[key], array)
        actions = native.action_space.sample()
        ours, rewards, dones, infos = adapter.step(actions)
        theirs, expected, over, _, info = native.step(actions)
        np.testing.assert_array_equal(rewards, expected.astype(np.float32))
        np.testing.assert_array_equal(dones, over)
        assert rewards.dtype == np.float32 and dones.dtype == bool and len(infos) == rows
        returns, lengths = returns + expected, lengths + 1
        for row in range(rows):
            assert ("episode" in infos[row]) == ("terminal_observation" in infos[row]) == over[row]
            if over[row]:
                last = infos[row]["terminal_observation"]
                for key, array in info["final_obs"][row].items():
                    np.testing.assert_array_equal(last[key], array)
                assert last["rounds_left"] == 0 and not last["summary"].any()
                assert infos[row]["episode"]["r"] == pytest.approx(returns[row])
                assert infos[row]["episode"]["r"] == pytest.approx(
                    info["final_info"]["utility"][row]
                )
                assert infos[row]["episode"]["l"] == lengths[row] <= 3
                assert not infos[row].get("TimeLimit.truncated", False)
                returns[row] = lengths[row] = 0
                episodes += 1
    assert episodes > rows


def test_a_row_of_the_adapter_plays_the_single_env_of_its_seed():
    rows = 4
    adapter = make_training_env(ENV, "exploration", rows, KWARGS)
    adapter.seed(FIRST_SEED)
    seen = adapter.reset()
    singles = [gym.make(ENV, control="exploration", **KWARGS) for _ in range(rows)]
    alone = [env.reset(seed=FIRST_SEED + i)[0] for i, env in enumerate(singles)]
    rng = np.random.default_rng(0)
    for _ in range(6):
        for row in range(rows):
            np.testing.assert_array_equal(seen["summary"][row], alone[row]["summary"])
        actions = rng.uniform(-1, 1, (rows, 2)).astype(np.float32)
        seen, rewards, dones, _ = adapter.step(actions)
        for row, env in enumerate(singles):
            alone[row], reward, over, _, _ = env.step(actions[row])
            assert rewards[row] == np.float32(reward) and dones[row] == over
            if over:
                alone[row], _ = env.reset()


def test_an_adapter_that_is_reset_again_goes_on_to_other_campaigns():
    adapter = make_training_env(ENV, "exploration", 2, KWARGS)
    adapter.seed(0)
    first, second = adapter.reset(), adapter.reset()
    assert (first["summary"][:, 0] != second["summary"][:, 0]).all()
    adapter.seed(0)
    np.testing.assert_array_equal(adapter.reset()["summary"], first["summary"])
    adapter.step(adapter.action_space.sample()[None].repeat(2, 0))
    adapter.reset()
    *_, infos = adapter.step(adapter.action_space.sample()[None].repeat(2, 0))
    assert all(info["episode"]["l"] == 1 for info in infos if info)  # counts began anew


@pytest.mark.parametrize("mode", ["NextStep", "Disabled"])
def test_the_adapter_refuses_environments_that_reset_otherwise(mode):
    with pytest.raises(ValueError, match="SameStep"):
        SB3VecEnv(CampaignVectorEnv(2, control="exploration", autoreset_mode=mode))


def test_attributes_and_methods_answer_once_for_each_row_asked_for():
    adapter = make_training_env(ENV, "exploration", 3, KWARGS)
    assert adapter.get_attr("num_envs") == [3, 3, 3]
    assert adapter.get_attr("num_envs", [0, 2]) == [3, 3]
    assert adapter.env_is_wrapped(gym.Wrapper, 1) == [False]
    adapter.set_attr("note", "kept")
    assert adapter.get_attr("note", 0) == ["kept"]
    assert adapter.env_method("__str__", indices=[0, 1]) == [str(adapter.env)] * 2
