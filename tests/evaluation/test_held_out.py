"""The judge of training loops: returns are utilities, intervals are paired, chance is fair."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from ombo_gym.evaluation.held_out import Act, judge, random_actions, returns
from ombo_gym.wrappers import FlatActions, ScoreReward
from tests.wrappers.cases import make_native

CHOICE = {"utility": "last_mean", "horizon": [1, 3], "batch_size": 2}


def make_envs(num_envs: int) -> Any:
    return make_native("sequences", num_envs, "NextStep", **CHOICE)


def always(letter: int) -> Act:
    return lambda observation: np.full((len(observation["rounds_left"]), 10), letter)


def test_returns_are_the_utilities_of_the_campaigns_of_these_seeds() -> None:
    """Of the first campaign of each row, however many rounds it has."""
    envs = gym.make_vec("Ombo/GP-v0", num_envs=6, horizon=[1, 4], batch_size=2)
    action = np.full((2, 2), 0.3, np.float32)
    found = returns(envs, lambda observation: np.tile(action, (6, 1, 1)), seed=11)
    env = gym.make("Ombo/GP-v0", horizon=[1, 4], batch_size=2)
    lengths = []
    for row in range(6):
        observation, info = env.reset(seed=11 + row)
        lengths.append(int(observation["rounds_left"].item()))
        over = False
        while not over:
            _, _, over, _, info = env.step(action)
        assert found[row] == pytest.approx(info["utility"])
    assert len(set(lengths)) > 1


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
def test_rewards_of_wrappers_are_what_is_summed_up(mode: str) -> None:
    envs = ScoreReward(make_native("table", 4, mode, utility="last_mean", horizon=[1, 2]))
    found = returns(envs, random_actions(envs), seed=0)
    assert (found <= 1).all() and found.std() > 0


def test_intervals_are_paired_and_say_who_is_better() -> None:
    found = judge(make_envs, always(3), always(0), campaigns=40)
    assert found.trained == (45.0, 45.0, 45.0) == found.above_untrained and found.learned
    assert 0 < found.above_random.low < found.above_random.estimate < 45
    worst = judge(make_envs, always(0), always(0), campaigns=40)
    assert worst.above_untrained == (0.0, 0.0, 0.0) and worst.above_random.high < 0
    assert not worst.learned
    better_than_itself_alone = judge(make_envs, always(1), always(0), campaigns=40)
    assert (
        better_than_itself_alone.above_untrained.low > 0 > better_than_itself_alone.above_random.low
    )
    assert not better_than_itself_alone.learned
    lines = str(found).splitlines()
    assert lines[1].startswith("minus random") and lines[2].split()[:3] == [
        *("minus", "untrained", "+45.000"),
    ]
    assert lines[-1] == "it learned" and str(worst).endswith("it did not learn")


def test_chance_is_uniform_over_what_is_worth_choosing() -> None:
    envs = make_native("pool", 400, "NextStep", horizon=3, batch_size=1)
    act = random_actions(envs)
    observation, _ = envs.reset(seed=0)
    first = act(observation)
    designs = envs.single_action_space.nvec[0]
    counts = np.bincount(first[:, 0], minlength=designs)
    assert counts.min() > 0.5 * 400 / designs and counts.max() < 1.6 * 400 / designs
    observation, *_ = envs.step(first)
    assert (act(observation) != first).all(), "measured designs are not chosen again"
    numbered = FlatActions(make_native("pool", 3, "NextStep", horizon=3, batch_size=1))
    numbered.reset(seed=0)
    assert random_actions(numbered)(None).shape == (3,)
    several = make_envs(5)
    observation, _ = several.reset(seed=0)
    assert several.action_space.contains(random_actions(several)(observation))
    box = gym.make_vec("Ombo/GP-v0", num_envs=2)
    np.testing.assert_array_equal(random_actions(box)(None), random_actions(box)(None))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"campaigns": 1}, "campaigns: expected at least 2, for an interval, got 1"),
        ({"campaigns": 10, "seed": 2**31 - 9}, "seed: expected campaigns whose seeds are"),
        ({"seed": -1}, "seed: expected campaigns whose seeds are"),
    ],
)
def test_campaigns_of_training_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("*", r"\*")):
        judge(make_envs, always(0), always(0), **settings)
