"""A bad action raises a ValueError that says what is wrong, and the campaign goes on as before."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from ombo_gym.actions import ActionCheck
from tests.envs.cases import CASES, assert_same, make, make_native

MESSAGE = re.compile(r"action: expected (float32|int64) values of shape \(.*\) from .+ to .+, got ")
ROUNDS, PER_CASE = 3, 1200  # bad actions of each id and control: more than 10,000 in all


def test_more_than_ten_thousand_bad_actions_are_tried() -> None:
    assert PER_CASE * len(CASES) >= 10_000


class Odd:
    """Becomes an array by code of its own, which does what it is told."""

    def __init__(self, behave: Callable[[], Any]) -> None:
        self._behave = behave

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self._behave()


def raising(error: BaseException) -> Callable[[], Any]:
    def behave() -> Any:
        raise error

    return behave


class OddSequence:
    """Looks like a sequence until it is read."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        raise RuntimeError("cannot be read")


def bad_action(good: np.ndarray, space: spaces.Space[Any], rng: np.random.Generator) -> Any:
    """One of many things that are no action; `good` is one."""
    makers = list(MAKERS.values())
    return makers[rng.integers(len(makers))](good, space, rng)


def bounds(space: spaces.Space[Any]) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(space, spaces.Box):
        return space.low, space.high
    assert isinstance(space, spaces.MultiDiscrete)
    return space.start, space.start + space.nvec - 1


def one_entry(good: np.ndarray, entry: Any, rng: np.random.Generator, dtype: Any) -> np.ndarray:
    changed = good.astype(dtype)
    changed.flat[rng.integers(changed.size)] = entry
    return changed


def wrong_shape(good: np.ndarray, space: Any, rng: np.random.Generator) -> Any:
    shapes = (
        lambda: good[None],
        lambda: good[..., None],
        lambda: good[:-1],
        lambda: good[:0],
        lambda: np.concatenate([good, good]),
        lambda: good.flat[0],
        lambda: good.reshape(1, -1, 1),
        lambda: np.append(good, good.flat[0]),
        lambda: good[None].tolist(),
        lambda: np.empty(0, good.dtype),
        lambda: good.flatten().tolist() * 2,
    )
    return shapes[rng.integers(len(shapes))]()


def out_of_bounds(good: np.ndarray, space: Any, rng: np.random.Generator) -> Any:
    low, high = bounds(space)
    where = int(rng.integers(good.size))
    if good.dtype.kind == "f":
        beyond = [np.nextafter(np.float32(1), np.float32(2)), -1.0001, 2, -7, 1e30, 1e300, -1e300]
        changed = good.astype(np.float64)
    else:
        beyond = [high.flat[where] + 1, low.flat[where] - 1, 2**40, -(2**63), 2**63 - 1]
        changed = good.copy()
    changed.flat[where] = beyond[rng.integers(len(beyond))]
    return changed if rng.random() < 0.5 else changed.tolist()


def not_finite(good: np.ndarray, space: Any, rng: np.random.Generator) -> Any:
    dtype = [np.float16, np.float32, np.float64, np.longdouble][rng.integers(4)]
    changed = one_entry(good, [np.nan, np.inf, -np.inf][rng.integers(3)], rng, dtype)
    return changed if rng.random() < 0.7 else changed.tolist()


def wrong_dtype(good: np.ndarray, space: Any, rng: np.random.Generator) -> Any:
    dtypes = [np.complex64, np.complex128, bool, object, "U8", "S8", "M8[s]", "m8[D]", "V8"]
    if good.dtype.kind == "i":
        dtypes += [np.float16, np.float32, np.float64]
    dtype = dtypes[rng.integers(len(dtypes))]
    if dtype == "V8":
        return np.zeros(good.shape, dtype)
    if dtype in ("M8[s]", "m8[D]"):
        return good.astype(np.int64).astype(dtype)
    return good.astype(dtype)


def structured(good: np.ndarray, space: Any, rng: np.random.Generator) -> Any:
    return np.zeros(good.shape, [("a", good.dtype), ("b", "i4")])


def huge_integers(good: np.ndarray, space: Any, rng: np.random.Generator) -> Any:
    entries: list[Any] = good.astype(object).flatten().tolist()
    entries[rng.integers(len(entries))] = [2**63, 2**64 - 1, 2**64, -(2**70), 10**400][
        rng.integers(5)
    ]
    return np.array(entries, object).reshape(good.shape).tolist()


def ragged(good: np.ndarray, space: Any, rng: np.random.Generator) -> Any:
    entries = good.tolist()
    entries[rng.integers(len(entries))] = [[0, 1], [], [[0]]][rng.integers(3)]
    return entries + [[0]] * int(rng.integers(1, 3))


def no_array(good: np.ndarray, space: Any, rng: np.random.Generator) -> Any:
    things: tuple[Any, ...] = (
        None,
        "left",
        b"left",
        True,
        0,
        0.5,
        1j,
        object(),
        {},
        {"designs": good},
        set(good.flatten().tolist()),
        (),
        [],
        iter([1]),
        (x for x in good),
        len,
        Odd,
        slice(3),
        Ellipsis,
        [None] * len(good),
        ["0.5"] * len(good),
        [good, None],
        np.datetime64("2026-01-01"),
        range(10**6),
        memoryview(b"12345678"),
        type("Hidden", (), {"__repr__": raising(RuntimeError("no repr"))})(),
    )
    return things[rng.integers(len(things))]


def odd_objects(good: np.ndarray, space: Any, rng: np.random.Generator) -> Any:
    behaviours: tuple[Callable[[], Any], ...] = (
        raising(RuntimeError("cannot")),
        raising(TypeError("cannot")),
        raising(KeyError("cannot")),
        raising(MemoryError()),
        raising(AttributeError("cannot")),
        raising(StopIteration()),
        raising(RecursionError()),
        lambda: "no array",
        lambda: None,
    )
    return OddSequence() if rng.random() < 0.1 else Odd(behaviours[rng.integers(len(behaviours))])


def nested_in_itself(good: np.ndarray, space: Any, rng: np.random.Generator) -> Any:
    deep: list[Any] = []
    if rng.random() < 0.5:
        deep.append(deep)
    else:
        for _ in range(100):
            deep = [deep]
    return deep


def masked(good: np.ndarray, space: Any, rng: np.random.Generator) -> Any:
    mask = np.zeros(good.shape, bool)
    mask.flat[rng.integers(mask.size)] = True
    return np.ma.array(good, mask=mask)


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


MAKERS: dict[str, Callable[[np.ndarray, Any, np.random.Generator], Any]] = {
    "shape": wrong_shape,
    "bounds": out_of_bounds,
    "not finite": not_finite,
    "dtype": wrong_dtype,
    "structured": structured,
    "huge integers": huge_integers,
    "ragged": ragged,
    "no array": no_array,
    "odd objects": odd_objects,
    "nested in itself": nested_in_itself,
    "masked": masked,
    "torch": torch_tensors,
}


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
            assert_refused(env, bad_action(good, env.action_space, rng))
        assert_same(env.step(good), twin.step(good))
    assert_same(env.reset(), twin.reset())


@pytest.mark.parametrize(("env_id", "control"), CASES)
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
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
            rows: list[Any] = list(good)
            row = int(rng.integers(3))
            rows[row] = bad_action(good[0], single, rng)
            # A list of rows becomes one array: of the dtype that holds them all, without masks.
            joins = getattr(rows[row], "dtype", None) in (np.dtype(bool), torch.bool)
            if not (joins or isinstance(rows[row], np.ma.MaskedArray)):
                assert_refused(env, rows)
            assert_refused(env, bad_action(good, env.action_space, rng))
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
