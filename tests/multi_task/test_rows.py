"""Rows of many tasks play what single rows play, and what each task's own environment plays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from ombo_gym.testing import assert_same
from tests.multi_task.cases import BOXES, FACTORS, TASKS, alone, native, short, single, sync

pytestmark = pytest.mark.usefixtures("brief_fits")


def begin_and_pad(array: np.ndarray, shape: tuple[int, ...], fill: float = 0) -> np.ndarray:
    """An array of a task alone, as long as those of all tasks."""
    wide = np.full(shape, fill, array.dtype)
    wide[tuple(slice(n) for n in array.shape)] = array
    return wide


@pytest.mark.parametrize(
    ("tasks", "control", "mode"),
    [
        *[(tasks, "designs", mode) for tasks in (BOXES, FACTORS) for mode in AutoresetMode],
        (TASKS, "exploration", AutoresetMode.SAME_STEP),
        (TASKS, "candidates", AutoresetMode.DISABLED),
        (TASKS, "candidates", AutoresetMode.NEXT_STEP),
    ],
)
def test_native_rows_are_the_rows_of_sync_vector_env(
    tasks: Any, control: str, mode: AutoresetMode
) -> None:
    """To the bit, infos, masks, `final_obs` and `final_info` included."""
    given = short(tasks)
    envs = native(given, 5, mode, control=control)
    others = sync(given, 5, mode, control=control)
    assert_same(envs.reset(seed=3), others.reset(seed=3), "reset")
    assert envs.observation_space == others.observation_space
    envs.action_space.seed(0)
    ended = 0
    for step in range(9):
        actions = envs.action_space.sample()
        ours, theirs = envs.step(actions), others.step(actions)
        assert_same(ours, theirs, f"step {step}")
        ended += int(ours[2].sum())
        if mode == AutoresetMode.DISABLED and ours[2].any():
            masks = [{"reset_mask": ours[2].copy()} for _ in range(2)]
            assert_same(envs.reset(options=masks[0]), others.reset(options=masks[1]), "masked")
    assert ended > 5


def follow(env: Any, tasks: Any, control: str, seeds: int) -> set[int]:
    """Compares seeded campaigns with those of the drawn tasks' own environments."""
    met = set()
    env.action_space.seed(0)
    for seed in range(seeds):
        observation, info = env.reset(seed=seed)
        number = info.pop("task")
        met.add(number)
        spec = env.unwrapped.campaign_spec
        own = alone(tasks[number], spec.utility.config(), control=control)
        assert own.unwrapped.campaign_spec == spec
        theirs, their_info = own.reset(seed=seed)
        over = False
        while True:
            for name, array in theirs.items():
                padded = begin_and_pad(array, observation[name].shape)
                assert_same(observation[name], padded, f"{tasks[number]}: {name}")
            if "true_values" in their_info:
                shape = info["true_values"].shape
                values = begin_and_pad(their_info["true_values"], shape, np.nan)
                their_info["true_values"] = values
            assert_same(info, their_info, f"{tasks[number]}")
            if over:
                break
            action = env.action_space.sample()
            slots = own.action_space.shape[0]
            observation, reward, over, _, info = env.step(action)
            assert info.pop("task") == number
            theirs, their_reward, their_end, _, their_info = own.step(action[:slots])
            assert (reward, over) == (their_reward, their_end)
    return met


@pytest.mark.parametrize("control", ["exploration", "candidates"])
def test_a_campaign_is_that_of_its_tasks_own_environment(control: str) -> None:
    """Seeded alike, to the bit: whatever a key decides does not depend on the other tasks."""
    met = follow(single(list(TASKS), control=control), TASKS, control, 14)
    assert len(met) >= 7


@pytest.mark.parametrize("tasks", [BOXES, FACTORS], ids=["boxes", "sequences"])
def test_raw_designs_are_those_of_the_tasks_own_environment(tasks: Any) -> None:
    assert follow(single(list(tasks), control="designs"), tasks, "designs", 24) == set(
        range(len(tasks))
    )


def test_rows_do_not_depend_on_how_many_there_are() -> None:
    """Blocks of other sizes hold them, and others are in the blocks."""
    given = short(TASKS)
    many, few = native(given, 20), native(given, 3)
    observations, infos = many.reset(seed=0)
    first, first_infos = few.reset(seed=0)
    many.action_space.seed(1)
    for _ in range(5):
        for name, array in first.items():
            np.testing.assert_array_equal(observations[name][:3], array)
        np.testing.assert_array_equal(infos["task"][:3], first_infos["task"])
        actions = many.action_space.sample()
        observations, rewards, *_, infos = many.step(actions)
        first, first_rewards, *_, first_infos = few.step(actions[:3])
        np.testing.assert_array_equal(rewards[:3], first_rewards)


def test_over_many_resets_every_task_and_utility_is_played() -> None:
    tasks = short(BOXES, (1, 1))
    envs = native(tasks, 64, AutoresetMode.SAME_STEP, control="designs")
    envs.reset(seed=0)
    found: dict[tuple[int, str], int] = {}
    for _ in range(12):
        played = envs.reset()[1]["task"]
        for task, spec in zip(played.tolist(), envs.unwrapped.campaign_spec, strict=True):
            pair = task, str(spec.utility)
            found[pair] = found.get(pair, 0) + 1
    expected = {(i, str(u)) for i, task in enumerate(BOXES) for u in task.utilities}
    assert set(found) == expected
    for (task, _), count in found.items():
        share = 1 / len(BOXES) / len(BOXES[task].utilities)
        sd = np.sqrt(12 * 64 * share * (1 - share))
        assert abs(count - 12 * 64 * share) < 4.5 * sd


@pytest.mark.slow
@pytest.mark.parametrize("control", ["exploration", "candidates"])
@pytest.mark.parametrize("mode", list(AutoresetMode)[:2], ids=lambda mode: mode.value)
def test_rows_of_up_to_ten_rounds_of_sixteen_are_single_rows(
    control: str, mode: AutoresetMode
) -> None:
    envs = native(list(TASKS), 16, mode, control=control)
    others = sync(list(TASKS), 16, mode, control=control)
    assert_same(envs.reset(seed=1), others.reset(seed=1))
    envs.action_space.seed(0)
    for step in range(14):
        actions = envs.action_space.sample()
        assert_same(envs.step(actions), others.step(actions), f"step {step}")


@pytest.mark.slow
def test_rows_of_every_protocol_are_single_rows() -> None:
    pytest.importorskip("ioh")
    pytest.importorskip("RNA")
    for protocol in ("ML-families-v0", "ML-instances-v0", "ML-synthetic-v0"):
        for split in ("train", "test"):
            name = f"{protocol}:{split}"
            envs, others = native(name, 6), sync(name, 6, AutoresetMode.NEXT_STEP)
            assert_same(envs.reset(seed=5), others.reset(seed=5), name)
            envs.action_space.seed(0)
            for _ in range(4):
                actions = envs.action_space.sample()
                assert_same(envs.step(actions), others.step(actions), name)
