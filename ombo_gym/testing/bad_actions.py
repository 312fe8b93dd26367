"""Things that are no action, and that an environment has to refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

Maker = Callable[[NDArray[Any], Any, np.random.Generator], Any]


class Odd:
    """Becomes an array by code of its own, which does what it is told."""

    def __init__(self, behave: Callable[[], Any]) -> None:
        self._behave = behave

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self._behave()


def raising(error: BaseException) -> Callable[[], Any]:
    """A function that does nothing but raise."""

    def behave() -> Any:
        raise error

    return behave


class OddSequence:
    """Looks like a sequence until it is read."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        raise RuntimeError("cannot be read")


def bad_action(
    good: NDArray[Any],
    space: spaces.Space[Any],
    rng: np.random.Generator,
    makers: Sequence[Maker] | None = None,
) -> Any:
    """One of many things that are no action.

    Args:
        good: An action.
        space: Its space.
        rng: Which of them.
        makers: What to choose from; None: `MAKERS`.
    """
    every = list(MAKERS.values()) if makers is None else makers
    return every[int(rng.integers(len(every)))](good, space, rng)


def bounds(space: spaces.Space[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The smallest and the largest action."""
    if isinstance(space, spaces.Box):
        return space.low, space.high
    assert isinstance(space, spaces.MultiDiscrete)
    return space.start, space.start + space.nvec - 1


def _one_entry(
    good: NDArray[Any], entry: Any, rng: np.random.Generator, dtype: Any
) -> NDArray[Any]:
    changed = good.astype(dtype)
    changed.flat[rng.integers(changed.size)] = entry
    return changed


def _wrong_shape(good: NDArray[Any], space: Any, rng: np.random.Generator) -> Any:
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


def _out_of_bounds(good: NDArray[Any], space: Any, rng: np.random.Generator) -> Any:
    low, high = bounds(space)
    where = int(rng.integers(good.size))
    if good.dtype.kind == "f":
        beyond = [1 + 1.1e-6, -1.0001, 2, -7, 1e30, 1e300, -1e300]
        changed = good.astype(np.float64)
    else:
        beyond = [high.flat[where] + 1, low.flat[where] - 1, 2**40, -(2**63), 2**63 - 1]
        changed = good.copy()
    changed.flat[where] = beyond[rng.integers(len(beyond))]
    return changed if rng.random() < 0.5 else changed.tolist()


def _not_finite(good: NDArray[Any], space: Any, rng: np.random.Generator) -> Any:
    dtype = [np.float16, np.float32, np.float64, np.longdouble][rng.integers(4)]
    changed = _one_entry(good, [np.nan, np.inf, -np.inf][rng.integers(3)], rng, dtype)
    return changed if rng.random() < 0.7 else changed.tolist()


def _wrong_dtype(good: NDArray[Any], space: Any, rng: np.random.Generator) -> Any:
    dtypes: list[Any] = [
        np.complex64,
        np.complex128,
        bool,
        object,
        "U8",
        "S8",
        "M8[s]",
        "m8[D]",
        "V8",
    ]
    if good.dtype.kind == "i":
        dtypes += [np.float16, np.float32, np.float64]
    dtype = dtypes[rng.integers(len(dtypes))]
    if dtype == "V8":
        return np.zeros(good.shape, dtype)
    if dtype in ("M8[s]", "m8[D]"):
        return good.astype(np.int64).astype(dtype)
    return good.astype(dtype)


def _structured(good: NDArray[Any], space: Any, rng: np.random.Generator) -> Any:
    return np.zeros(good.shape, [("a", good.dtype), ("b", "i4")])


def _huge_integers(good: NDArray[Any], space: Any, rng: np.random.Generator) -> Any:
    entries: list[Any] = good.astype(object).flatten().tolist()
    entries[rng.integers(len(entries))] = [2**63, 2**64 - 1, 2**64, -(2**70), 10**400][
        rng.integers(5)
    ]
    return np.array(entries, object).reshape(good.shape).tolist()


def _ragged(good: NDArray[Any], space: Any, rng: np.random.Generator) -> Any:
    entries = good.tolist()
    entries[rng.integers(len(entries))] = [[0, 1], [], [[0]]][rng.integers(3)]
    return entries + [[0]] * int(rng.integers(1, 3))


def _no_array(good: NDArray[Any], space: Any, rng: np.random.Generator) -> Any:
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


def _odd_objects(good: NDArray[Any], space: Any, rng: np.random.Generator) -> Any:
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


def _nested_in_itself(good: NDArray[Any], space: Any, rng: np.random.Generator) -> Any:
    deep: list[Any] = []
    if rng.random() < 0.5:
        deep.append(deep)
    else:
        for _ in range(100):
            deep = [deep]
    return deep


def _masked(good: NDArray[Any], space: Any, rng: np.random.Generator) -> Any:
    mask = np.zeros(good.shape, bool)
    mask.flat[rng.integers(mask.size)] = True
    return np.ma.array(good, mask=mask)


MAKERS: dict[str, Maker] = {
    "shape": _wrong_shape,
    "bounds": _out_of_bounds,
    "not finite": _not_finite,
    "dtype": _wrong_dtype,
    "structured": _structured,
    "huge integers": _huge_integers,
    "ragged": _ragged,
    "no array": _no_array,
    "odd objects": _odd_objects,
    "nested in itself": _nested_in_itself,
    "masked": _masked,
}
