"""Wrappers of one problem's environments wrap those of many tasks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from ombo_gym import campaign_spec
from ombo_gym.testing import assert_same
from ombo_gym.wrappers import DenseReward, FlatObservation, ScoreReward, StandardizeMeasurements
from tests.multi_task.cases import BOXES, TASKS, native, short, single, sync

pytestmark = pytest.mark.usefixtures("brief_fits")

# Those whose best value is known at once.
KNOWN = short(
    tuple(
        task
        for task in TASKS
        if task.env.split("/")[-1]
        in (
            "Reaction-v0",
            "MPSA-v0",
            "Antibody-v0",
            "TFBinding-v0",
            "CrossedBarrel-v0",
            "Ehrlich-v0",
        )
    )
)


@pytest.mark.parametrize(
    ("wrapper", "mode"),
    [
        (ScoreReward, AutoresetMode.SAME_STEP),
        (ScoreReward, AutoresetMode.DISABLED),
        (DenseReward, AutoresetMode.SAME_STEP),
        (DenseReward, AutoresetMode.NEXT_STEP),
        (FlatObservation, AutoresetMode.SAME_STEP),
    ],
)
def test_native_rows_are_wrapped_as_single_rows(wrapper: Any, mode: AutoresetMode) -> None:
    envs, others = wrapper(native(KNOWN, 5, mode)), wrapper(sync(KNOWN, 5, mode))
    assert_same(envs.reset(seed=0), others.reset(seed=0))
    envs.action_space.seed(0)
    for step in range(7):
        actions = envs.action_space.sample()
        ours = envs.step(actions)
        assert_same(ours, others.step(actions), f"step {step}")
        if mode == AutoresetMode.DISABLED and ours[2].any():
            masks = [{"reset_mask": ours[2].copy()} for _ in range(2)]
            assert_same(envs.reset(options=masks[0]), others.reset(options=masks[1]), "masked")


def test_dense_rewards_sum_to_the_utility() -> None:
    env = DenseReward(single(short(TASKS, (2, 3))))
    env.action_space.seed(0)
    for seed in range(10):
        env.reset(seed=seed)
        total, over, info = 0.0, False, {}
        while not over:
            _, reward, over, _, info = env.step(env.action_space.sample())
            total += reward
        np.testing.assert_allclose(total, info["utility"], rtol=1e-9, atol=1e-9)


def test_standardized_measurements_and_specs_through_wrappers() -> None:
    envs = StandardizeMeasurements(native(list(BOXES), 3, control="designs"))
    observations, _ = envs.reset(seed=0)
    assert observations in envs.observation_space
    assert campaign_spec(envs) == envs.unwrapped.campaign_spec == envs.campaign_spec
