"""Values of parameters as people write them: which are the same, as arrays, as JSON."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NEAR = 1e-9  # of a number: others as near are the same, as 0.3 and 0.1 + 0.2 are
_SHOWN = 8  # values that are listed in a message
_KINDS = (bool | np.bool_, int | float | np.integer | np.floating, str)  # that arrays are made of


def is_number(given: Any) -> bool:
    """Whether it is a real number: truth values are none."""
    return isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)


def plain(given: Any) -> Any:
    """Numbers and texts of numpy as Python's own."""
    return given.item() if isinstance(given, np.generic) else given


def finite(name: str, given: Any) -> float:
    """A finite number as Python's own: whole ones stay whole.

    Raises:
        ValueError: It is none; names it.
    """
    if is_number(given):
        number: float = plain(given)
        try:
            if np.isfinite(float(number)):
                return number
        except OverflowError:
            pass
    raise ValueError(f"{name}: expected a finite number, got {given!r}")


def numbers(given: Any) -> NDArray[Any]:
    """The array that nested lists of numbers make; a lone NaN where they make none."""
    try:
        array = np.asarray(given)
    except ValueError:  # lists of different lengths
        return np.array(np.nan)
    return array if array.dtype.kind in "iuf" else np.array(np.nan)


def same(one: Any, other: Any) -> bool:
    """Whether two values are meant to be one: numbers that are nearly equal are.

    Raises:
        ValueError: `==` cannot tell.
    """
    if isinstance(one, bool | np.bool_) is not isinstance(other, bool | np.bool_):
        return False
    if is_number(one) and is_number(other) and one != other:
        try:
            return bool(abs(one - other) <= _NEAR * max(abs(one), abs(other)))
        except OverflowError:
            return False
    try:
        return bool(one == other)
    except Exception as error:
        raise ValueError(f"expected values that == tells apart, got {one!r}, {other!r}") from error


def first_repeated(values: Sequence[Any]) -> Any:
    """The first pair of values that are the same; None where all differ."""
    ascending = sorted(value for value in values if is_number(value))
    for one, other in pairwise(ascending):
        if same(one, other):
            return one, other
    seen: set[str] = set()
    others: list[Any] = []
    for value in values:
        if isinstance(value, str):
            if value in seen:
                return value, value
            seen.add(value)
        elif not is_number(value):
            for other in others:
                if same(value, other):
                    return other, value
            others.append(value)
    return None


def shortened(values: Sequence[Any]) -> str:
    """Values in a message: all of a few, the ends of many."""
    if len(values) <= _SHOWN:
        return ", ".join(map(repr, values))
    return f"{values[0]!r}, {values[1]!r}, ..., {values[-1]!r}"


def copied(value: Any) -> Any:
    """The caller's own, to be written into."""
    return copy.deepcopy(value) if isinstance(value, list | dict | set) else value


def as_array(values: Sequence[Any]) -> NDArray[Any]:
    """Values as an array (n,): of truth values, numbers or texts where all are, else of objects.

    Of objects too where an array of numbers or texts would hold others than those given.
    """
    found = np.empty(len(values), object)
    for i, value in enumerate(values):
        found[i] = copied(value)
    for kinds in _KINDS:
        truths = sum(isinstance(value, bool | np.bool_) for value in values)
        if all(isinstance(value, kinds) for value in values) and truths in (0, len(values)):
            array = np.array(list(values))
            return array if array.tolist() == list(values) else found
    return found


def to_json(value: Any) -> Any:
    """A value as JSON holds it: tuples and dicts by their names, so that they come back.

    What JSON cannot hold stays as it is, for `json.dumps` to refuse.
    """
    if isinstance(value, tuple):
        return {"tuple": [to_json(each) for each in value]}
    if isinstance(value, dict):
        return {"dict": [[to_json(key), to_json(each)] for key, each in value.items()]}
    return [to_json(each) for each in value] if isinstance(value, list) else value


def from_json(value: Any) -> Any:
    """The inverse of `to_json`."""
    if isinstance(value, dict):
        ((kind, inside),) = value.items()
        if kind == "tuple":
            return tuple(from_json(each) for each in inside)
        return {from_json(key): from_json(each) for key, each in inside}
    return [from_json(each) for each in value] if isinstance(value, list) else value
