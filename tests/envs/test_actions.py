"""A bad action raises a ValueError that says what is wrong, and the campaign goes on as before."""

from __future__ import annotations

import re
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from ombo_gym.actions import ActionCheck
from ombo_gym.testing.bad_actions import MAKERS, Odd, bad_action, bounds, raising
from tests.envs.cases import CASES, assert_same, make, make_native

pytestmark = pytest.mark.usefixtures("brief_fits")

MESSAGE = re.compile(r"action: expected (float32|int64) values of shape \(.*\) from .+ to .+, got ")
ROUNDS, PER_CASE = 3, 690  # bad actions of each id and control: more than 10,000 in all


def test_more_than_ten_thousand_bad_actions_are_tried() -> None:
    assert PER_CASE * len(CASES) >= 10_000


def torch_tensors(good: np.ndarray, space: Any, rng: np.random.Generator) -> Any:
    tensors = (
        lambda: torch.zeros(good.shape, requires_grad=True),
        lambda: torch.zeros(good.shape, dtype=torch.bfloat16),
        lambda: torch.zeros(good.shape, dtype=torch.bool),
        lambda: torch.zeros(good.shape, device="meta"),
        lambda: torch.zeros((*good.shape, 1)),
        lambda: torch.full(good.shape, torch.nan),
        lambda: torch.zeros((3, 3)).to_sparse(),
    )
    return tensors[rng.integers(len(tensors))]()


EVERY_MAKER = [*MAKERS.values(), torch_tensors]


def assert_refused(env: gym.Env | gym.vector.VectorEnv, action: Any) -> None:
    with pytest.raises(ValueError, match=MESSAGE) as caught:
        env.step(action)
    assert len(str(caught.value)) < 1000, "a message is to be read"


@pytest.mark.parametrize(("env_id", "control"), CASES)
def test_the_campaign_goes_on_as_if_bad_actions_had_not_happened(env_id: str, control: str) -> None:
    settings = {"control": control, "horizon": ROUNDS, "batch_size": 3, "noise_std": 0.1}
    env, twin = make(env_id, **settings), make(env_id, **settings)
    assert_same(env.reset(seed=1), twin.reset(seed=1))
    env.action_space.seed(0)
    rng = np.random.default_rng(0)
    for _ in range(ROUNDS):
        good = env.action_space.sample()
        for _ in range(PER_CASE // ROUNDS):
            assert_refused(env, bad_action(good, env.action_space, rng, EVERY_MAKER))
        assert_same(env.step(good), twin.step(good))
    assert_same(env.reset(), twin.reset())


@pytest.mark.parametrize(
    ("env_id", "control", "mode"),
    [  # in turn, each under one of them
        (*case, (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP)[turn % 2])
        for turn, case in enumerate(CASES)
    ],
)
def test_one_bad_row_refuses_the_whole_native_step(
    env_id: str, control: str, mode: AutoresetMode
) -> None:
    settings = {"control": control, "horizon": [1, 2], "batch_size": 3, "noise_std": 0.1}
    env = make_native(env_id, 3, mode, **settings)
    twin = make_native(env_id, 3, mode, **settings)
    assert_same(env.reset(seed=1), twin.reset(seed=1))
    env.action_space.seed(0)
    rng, single = np.random.default_rng(0), env.single_action_space
    low, high = bounds(single)
    for _ in range(4):
        good = env.action_space.sample()
        for _ in range(20):
            actions: list[Any] = list(good)
            row = int(rng.integers(3))
            actions[row] = bad_action(good[0], single, rng, EVERY_MAKER)
            # A list of actions becomes one array: of the dtype that holds them all, without masks.
            joins = getattr(actions[row], "dtype", None) in (np.dtype(bool), torch.bool)
            if not (joins or isinstance(actions[row], np.ma.MaskedArray)):
                assert_refused(env, actions)
            assert_refused(env, bad_action(good, env.action_space, rng, EVERY_MAKER))
        for row in range(3):
            for entry in (high.flat[-1] + 1, low.flat[-1] - 1):
                bad = good.copy()
                bad[row].flat[-1] = entry
                assert_refused(env, bad)
        assert_same(env.step(good), twin.step(good))


@pytest.mark.parametrize("control", ["designs", "exploration"])
def test_whatever_casts_to_float32_is_a_design_of_a_box(control: str) -> None:
    shape = make("Ombo/GP-v0", control=control, batch_size=2).action_space.shape
    action = np.zeros(shape)
    action.flat[:3] = [1, -1, 0.5][: action.size]
    expected = play("Ombo/GP-v0", action.astype(np.float32), control=control, batch_size=2)
    forms = [action, action.astype(np.float16), action.astype(np.longdouble), action.tolist()]
    forms += [torch.tensor(action), torch.tensor(action, dtype=torch.float16), np.ma.array(action)]
    forms += [np.asfortranarray(action), tuple(action.tolist()), np.repeat(action, 2, 0)[::2]]
    for form in forms:
        assert_same(play("Ombo/GP-v0", form, control=control, batch_size=2), expected)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int64, np.uint64])
def test_whole_numbers_are_designs_of_a_box(dtype: Any) -> None:
    entries = np.array([[1, 0], [0, 1]])
    expected = play("Ombo/GP-v0", entries.astype(np.float32), batch_size=2)
    assert_same(play("Ombo/GP-v0", entries.astype(dtype), batch_size=2), expected)
    assert_same(play("Ombo/GP-v0", entries.tolist(), batch_size=2), expected)


@pytest.mark.parametrize("control", ["designs", "candidates"])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint32, np.uint64, ">i4"])
def test_any_whole_numbers_are_categories(control: str, dtype: Any) -> None:
    env = make("Ombo/TFBind8-v0", control=control, batch_size=2)
    env.action_space.seed(0)
    action = env.action_space.sample()
    expected = play("Ombo/TFBind8-v0", action, control=control, batch_size=2)
    for form in (action.astype(dtype), torch.tensor(action), action.tolist()):
        assert_same(play("Ombo/TFBind8-v0", form, control=control, batch_size=2), expected)


def play(env_id: str, action: Any, **settings: Any) -> Any:
    env = make(env_id, **settings)
    env.reset(seed=3)
    return env.step(action)


def test_bounds_themselves_are_inside() -> None:
    box = ActionCheck(spaces.Box(-1, 1, (2, 2), np.float32))
    np.testing.assert_array_equal(box([[1, -1], [-1, 1]]), np.float32([[1, -1], [-1, 1]]))
    categories = ActionCheck(spaces.MultiDiscrete([2, 5, 3]))
    np.testing.assert_array_equal(categories([1, 4, 2]), [1, 4, 2])
    for bad in ([2, 0, 0], [0, 5, 0], [0, 0, 3], [-1, 0, 0]):
        with pytest.raises(ValueError, match=r"got (2|5|3|-1) at index \((0|1|2),\)"):
            categories(bad)


def test_the_checked_action_is_a_copy_of_the_spaces_dtype() -> None:
    for space in (spaces.Box(-1, 1, (2, 2), np.float32), spaces.MultiDiscrete([3, 3])):
        action = space.sample()
        checked = ActionCheck(space)(action)
        assert checked.dtype == space.dtype and not np.shares_memory(checked, action)


def test_an_action_can_be_changed_after_the_step() -> None:
    env = make("Ombo/GP-v0")
    env.reset(seed=0)
    action = np.full((4, 2), 0.5, np.float32)
    observation = env.step(action)[0]
    action[:] = -1
    assert (observation["designs"][4:8] == 0.5).all()
    assert (env.step(action)[0]["designs"][4:8] == 0.5).all()


def test_a_message_says_what_was_expected_and_what_came() -> None:
    env = make("Ombo/TFBind8-v0", batch_size=1).unwrapped
    env.reset(seed=0)
    for action, message in [
        ([0] * 7, r"int64 values of shape \(8,\) from 0 to 3, got shape \(7,\)"),
        ([0.0] * 8, "got dtype float64"),
        ([0] * 7 + [4], r"got 4 at index \(7,\)"),
        (Odd(raising(RuntimeError("my reason"))), r"got Odd, which is no array \(RuntimeError\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            env.step(action)


def test_an_interrupt_is_not_taken_for_a_bad_action() -> None:
    env = make("Ombo/GP-v0").unwrapped
    env.reset(seed=0)
    with pytest.raises(KeyboardInterrupt):
        env.step(Odd(raising(KeyboardInterrupt())))
