"""Arguments as people give them: whole numbers, ranges of them, plates; and how messages show them.

Numbers of numpy are numbers; truth values, texts and numbers with a fraction are no whole ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LONGEST = 200  # characters of a value in a message


def shown(given: Any) -> str:
    """A value in a message: as Python writes it, cut where it is long."""
    try:
        text = " ".join(repr(given).split())  # of arrays, in one line
    except Exception:  # values of users, whose own code writes them; numbers of 5,000 digits
        text = f"a value of type {type(given).__name__}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def message_of(error: BaseException) -> str:
    """What an error says, with what was noted beside it: the design it was raised at, for one."""
    notes = "; ".join(map(str, getattr(error, "__notes__", ())))
    return f"{error} ({notes})" if notes else str(error)


def is_whole(number: Any) -> bool:
    """Whether it is a whole number of at least 1."""
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    return whole and bool(number >= 1)


def whole(name: str, number: Any, *, least: int = 1) -> int:
    """A whole number as Python's own.

    Raises:
        ValueError: It is none, or a smaller one; names it.
    """
    given = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if not given or number < least:
        raise ValueError(
            f"{name}: expected a whole number of at least {least}, got {shown(number)}"
        )
    return int(number)


def low_and_high(name: str, given: Any) -> tuple[int, int]:
    """A range as it was given, or a single number twice.

    Raises:
        ValueError: It is neither; names it.
    """
    given = given.item() if isinstance(given, np.ndarray) and given.ndim == 0 else given
    pair = (given, given) if is_whole(given) else tuple(members(given) or ())
    if len(pair) != 2 or not all(map(is_whole, pair)) or pair[0] > pair[1]:
        raise ValueError(
            f"{name}: expected a whole number of at least 1, or [low, high] with "
            f"1 <= low <= high, got {shown(given)}"
        )
    return int(pair[0]), int(pair[1])


def batch_sizes_of_plates(name: str, given: Any) -> tuple[int, ...]:
    """Sizes of plates, one a round, at least one.

    Raises:
        ValueError: They are none; names them.
    """
    sizes = members(given)
    if not sizes or not all(map(is_whole, sizes)):
        raise ValueError(
            f"{name}: expected a list of batch sizes, whole numbers of at least 1, one a round, "
            f"got {shown(given)}"
        )
    return tuple(int(size) for size in sizes)


def members(given: Any) -> Sequence[Any] | None:
    """The members of a list, a tuple or an array; None of anything else."""
    if isinstance(given, np.ndarray | np.generic):
        given = given.tolist()
    elif not isinstance(given, Sequence) and hasattr(given, "tolist"):  # a column of a table
        given = given.tolist()
    several = isinstance(given, Sequence) and not isinstance(given, str | bytes)
    return given if several else None


def as_json(given: Any) -> Any:
    """What JSON holds in place of arrays, numbers of numpy and paths, in lists and dicts too."""
    if given is None or isinstance(given, str | float | int):  # most members of long lists
        return given
    if isinstance(given, os.PathLike):
        return os.fspath(given)
    if isinstance(given, dict):
        return {key: as_json(each) for key, each in given.items()}
    if isinstance(given, list | tuple):
        return [as_json(each) for each in given]
    if hasattr(given, "__array__") and not isinstance(given, type):  # of other libraries as well
        return np.asarray(given).tolist()
    return given


def read_json(name: str, text: Any) -> Any:
    """What a text of JSON holds.

    Raises:
        ValueError: It is none; names it.
    """
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name}: expected a text of JSON, got {shown(text)}: {error}") from error


def as_array(given: Any) -> NDArray[Any]:
    """An array of it; of None, which is nothing that arguments are, where it makes none."""
    try:
        return np.asarray(given)
    except Exception:  # lists of different lengths; objects convert through code of their own
        return np.asarray(None)


def check_fields(name: str, given: Any, known: Iterable[str]) -> None:
    """Refuses a dict that lacks a field or has another one.

    Raises:
        ValueError: It does, or it is no dict; says which fields were expected.
    """
    expected = sorted(known)
    if not isinstance(given, dict):
        raise ValueError(f"{name}: expected a dict, got {shown(given)}")
    if missing := sorted(set(expected) - set(given)):
        raise ValueError(f"{name}: expected the fields {expected}, {missing} missing")
    if unknown := sorted(set(given) - set(expected), key=str):
        raise ValueError(f"{name}: expected the fields {expected}, got {shown(unknown)} too")
