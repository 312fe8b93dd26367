"""Wrappers around each other, in whatever order makes sense, for whoever trains."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import ombo_gym
from ombo_gym.testing import assert_same
from ombo_gym.wrappers import (
    DenseReward,
    FlatActions,
    FlatObservation,
    OneHotDesigns,
    ScoreReward,
    StandardizeMeasurements,
)
from tests.wrappers.cases import make, make_native

ALL = (DenseReward, FlatActions, OneHotDesigns, ScoreReward, StandardizeMeasurements)
SETTINGS: dict[str, Any] = {"horizon": [1, 3], "utility": "last_mean"}
ORDERS = [*permutations(ALL)][::17]  # 8 of 120, of which each order of each pair is one


def stacked(env: Any, order: Any = ALL, *, flat: bool = True) -> Any:
    for wrap in order:
        env = wrap(env)
    return FlatObservation(env) if flat else env


def close(a: Any, b: Any) -> None:
    """Rewards are sums in another order; all else is the same to the bit."""
    np.testing.assert_allclose(a[1], b[1], atol=1e-9)
    assert_same((a[0], *a[2:4]), (b[0], *b[2:4]))


def test_each_order_of_each_pair_is_tried() -> None:
    pairs = {(a, b) for order in ORDERS for i, a in enumerate(order) for b in order[i + 1 :]}
    assert len(pairs) == len(ALL) * (len(ALL) - 1)


@pytest.mark.parametrize("kind", ["box", "pool", "table"])
def test_the_order_changes_nothing(kind: str) -> None:
    envs = [
        stacked(make_native(kind, 2, "SameStep", **SETTINGS), order, flat=False) for order in ORDERS
    ]
    first, *others = envs
    start = [env.reset(seed=0) for env in envs]
    for each in start[1:]:
        assert_same(each[0], start[0][0])
    for _ in range(4):
        action = first.action_space.sample()
        steps = [env.step(action) for env in envs]
        for each in steps[1:]:
            close(steps[0], each)
    assert len(others) == 7


@pytest.mark.parametrize(("kind", "q"), [("box", 2), ("pool", 1), ("pool", 2), ("choices", 1)])
def test_a_stack_is_made_again_from_json_and_knows_spec_and_masks(kind: str, q: int) -> None:
    known = {"box": "Ombo/GP-v0", "pool": "Ombo/Landscapes-v0", "choices": "Ombo/TFBinding-v0"}
    plain = gym.make(known[kind], batch_size=q, horizon=2, utility="last_mean")
    env = stacked(plain)
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.observation_space == env.observation_space
    assert again.action_space == env.action_space
    assert_same(again.reset(seed=3), env.reset(seed=3))
    assert ombo_gym.campaign_spec(env) == plain.unwrapped.campaign_spec
    action = env.action_space.sample()
    if kind != "box":
        masks = env.get_wrapper_attr("action_masks")()
        choices = getattr(env.action_space, "n", None) or env.action_space.nvec.sum()
        assert masks.shape == (choices,) and masks.dtype == bool
    assert_same(again.step(action), env.step(action))


def test_masks_and_specs_of_many_go_through_the_stack() -> None:
    envs = make_native("pool", 3, "NextStep", batch_size=1)
    wrapped = RecordEpisodeStatistics(stacked(envs))
    wrapped.reset(seed=0)
    wrapped.step(wrapped.action_space.sample())
    assert ombo_gym.campaign_spec(wrapped) == envs.campaign_spec
    masks = wrapped.env.action_masks()
    np.testing.assert_array_equal(masks, envs.action_masks())
    assert (~masks).any()


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize("utility", ["last_mean", "total", "auc"])
def test_rewards_of_environments_that_are_not_native_are_the_same(utility: str, mode: str) -> None:
    settings = SETTINGS | {"utility": utility}

    def sync(wrap: Any) -> Any:
        rows = [lambda: wrap(make("pool", **settings))] * 3
        return SyncVectorEnv(rows, autoreset_mode=AutoresetMode(mode))

    envs = [
        ScoreReward(DenseReward(make_native("pool", 3, mode, **settings))),
        ScoreReward(DenseReward(sync(lambda env: env))),
        ScoreReward(sync(DenseReward)),
        DenseReward(sync(ScoreReward)),
        sync(lambda env: ScoreReward(DenseReward(env))),
    ]
    first = [env.reset(seed=2) for env in envs]
    for each in first[1:]:
        assert_same(each, first[0])
    for _ in range(6):
        action = envs[0].action_space.sample()
        steps = [env.step(action) for env in envs]
        for each in steps[1:]:
            close(steps[0], each)
