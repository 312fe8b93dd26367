"""A utility of one's own that mixes campaigns, or fails on the shapes it is given, is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import ombo_agents
import ombo_gym
from ombo_gym import Utility
from ombo_gym.utilities import UTILITIES


@pytest.fixture(autouse=True)
def names_of_a_test() -> Iterator[None]:
    before = dict(UTILITIES)
    yield
    UTILITIES.clear()
    UTILITIES.update(before)


def step(gain: Any, num_envs: int, batch_size: int = 4) -> Any:
    """Rewards of a round under a utility with this gain, (B,)."""

    class Own(Utility):
        name = "test_rows_own"

        def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
            return gain(batch, best, rounds_left)

        def level(self, utility: Any, base: Any, measurements: int) -> Any:
            return utility

    env = gym.make_vec("Ombo/GP-v0", num_envs=num_envs, batch_size=batch_size, utility=Own())
    env.reset(seed=0)
    env.action_space.seed(0)
    return env.step(env.action_space.sample())[1]


def _better(batch: Any, best: Any, rounds_left: Any) -> Any:
    return (batch > best).mean(axis=-1)  # which has the right shapes where B = q, or B = 1


def _best_of_all(batch: Any, best: Any, rounds_left: Any) -> Any:
    return batch.max(axis=-1) - best.mean()


def _ranks(batch: Any, best: Any, rounds_left: Any) -> Any:
    return batch.mean(axis=-1) - batch.mean()


@pytest.mark.parametrize("gain", [_better, _best_of_all, _ranks])
def test_a_gain_that_mixes_campaigns_is_refused(gain: Any) -> None:
    with pytest.raises(
        ValueError, match=r"^Own\.gain: .*same campaign alone.*best\[\.\.\., None\]"
    ):
        step(gain, num_envs=4)


def test_what_fails_on_its_shapes_is_told_them() -> None:
    with pytest.raises(
        ValueError, match=r"^Own\.gain: .*ValueError: operands.*batch .*\(3, 4\).*\(3,\)"
    ):
        step(_better, num_envs=3)
    with pytest.raises(ValueError, match=r"^Own\.gain: .*ZeroDivisionError"):
        step(lambda *_: 1 / 0, num_envs=3)


@pytest.mark.parametrize("num_envs", [1, 3, 4])
def test_right_ones_are_worth_what_they_say(num_envs: int) -> None:
    rewards = step(lambda batch, best, _: (batch > best[..., None]).mean(axis=-1), num_envs)
    assert rewards.shape == (num_envs,) and np.isin(rewards, [0, 0.25, 0.5, 0.75, 1]).all()


def test_a_single_campaign_needs_no_company() -> None:
    env = ombo_gym.CampaignEnv("GP", batch_size=3)
    env.reset(seed=0)
    assert step(_better, num_envs=1).shape == (1,)


def test_planners_hand_over_what_the_guide_says() -> None:
    """Whatever they think through, `best[..., None]` stands beside a batch."""

    class Above(Utility):
        name = "test_rows_above"

        def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
            return (batch > best[..., None]).sum(axis=-1).astype(float)

        def level(self, utility: Any, base: Any, measurements: int) -> Any:
            return utility

    class Sum(Above):
        name = "test_rows_sum"
        linear = True

        def gain(self, batch: Any, best: Any, rounds_left: Any) -> Any:
            return (batch + 0 * best[..., None]).sum(axis=-1)

    for env_id, utility, policy in (
        ("Ombo/GP-v0", Above(), "rollout"),
        ("Ombo/Landscapes-v0", Above(), "bayes_optimal"),
        ("Ombo/Bandit-v0", Sum(), "one_step"),
    ):
        env = gym.make(env_id, utility=utility, horizon=2, batch_size=1)
        observation, _ = env.reset(seed=0)
        batch = {name: array[None] for name, array in observation.items()}
        action = ombo_agents.make(policy, env).act(batch, np.random.default_rng(0))[0]
        env.step(action)
