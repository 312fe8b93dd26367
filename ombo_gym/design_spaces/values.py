"""Values of parameters as people write them: which are the same, as arrays, as JSON."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Hashable, Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NEAR = 1e-9  # of a number: others as near are the same, as 0.3 and 0.1 + 0.2 are
_SHOWN = 8  # values that are listed in a message
_COMPARED = 2000  # values without a hash, of which every two are compared
_KINDS = (bool | np.bool_, int | float | np.integer | np.floating, str)  # that arrays are made of


def is_real(given: Any) -> bool:
    """Whether it is a real number, however large: truth values are none."""
    return isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)


def is_number(given: Any) -> bool:
    """Whether it is a real number that a float holds: truth values are none."""
    return is_real(given) and not (isinstance(given, int) and abs(given) > sys.float_info.max)


def plain(given: Any) -> Any:
    """Numbers and texts of numpy as Python's own."""
    return given.item() if isinstance(given, np.generic) else given


def all_numbers(values: Sequence[Any]) -> bool:
    """Whether all of some values are numbers."""
    return set(map(type, values)) <= {int, float} or all(map(is_number, values))


def all_finite(name: str, values: Sequence[Any]) -> list[float]:
    """As `finite`, of many at once.

    Raises:
        ValueError: One is no finite number; names it.
    """
    if set(map(type, values)) <= {int, float}:
        try:
            if np.isfinite(np.array(values, np.float64)).all():
                return list(values)
        except OverflowError:  # a whole number beyond the largest float
            pass
    return [finite(name, value) for value in values]


def finite(name: str, given: Any) -> float:
    """A finite number as Python's own: whole ones stay whole.

    Raises:
        ValueError: It is none; names it.
    """
    if is_number(given):
        number: float = plain(given)
        try:
            if math.isfinite(number):
                return number
        except OverflowError:
            pass
    raise ValueError(f"{name}: expected a finite number, got {given!r}")


def numbers(given: Any) -> NDArray[Any]:
    """The array that nested lists of numbers make; a lone NaN where they make none."""
    try:
        array = np.asarray(given)
    except Exception:  # lists of different lengths; objects convert through code of their own
        return np.array(np.nan)
    return array if array.dtype.kind in "iuf" else np.array(np.nan)


def same(one: Any, other: Any) -> bool:
    """Whether two values are meant to be one.

    Numbers are, unless both are whole, that differ by less than a billionth: 0.3 and
    0.30000000000000004 are one.

    Raises:
        ValueError: `==` cannot tell.
    """
    if isinstance(one, bool | np.bool_) is not isinstance(other, bool | np.bool_):
        return False
    whole = isinstance(one, int | np.integer) and isinstance(other, int | np.integer)
    if is_number(one) and is_number(other) and one != other and not whole:
        try:
            return bool(abs(one - other) <= _NEAR * max(abs(one), abs(other)))
        except OverflowError:
            return False
    try:
        return bool(one == other)
    except Exception as error:
        raise ValueError(f"expected values that == tells apart, got {one!r}, {other!r}") from error


def first_repeated(values: Sequence[Any]) -> tuple[Any, Any] | None:
    """The first pair of values that are the same; None where all differ.

    Raises:
        ValueError: `==` cannot tell, or too many values that have no hash.
    """
    kinds = set(map(type, values))
    if kinds <= {str} and len(set(values)) == len(values):
        return None
    ascending = sorted(values if kinds <= {int, float} else filter(is_number, values))
    for i in _nearly_equal(ascending):
        if same(ascending[i], ascending[i + 1]):
            return ascending[i], ascending[i + 1]
    if len(ascending) == len(values):
        return None
    seen: dict[Hashable, Any] = {}
    without_hash: list[Any] = []
    for value in values:
        if is_number(value):
            continue
        try:
            key = (isinstance(value, bool | np.bool_), value)
            if key in seen:
                return seen[key], value
            seen[key] = value
        except TypeError:
            for other in without_hash:
                if same(value, other):
                    return other, value
            without_hash.append(value)
            if len(without_hash) > _COMPARED:
                raise ValueError(
                    f"expected at most {_COMPARED:,} choices without a hash, since every two of "
                    f"them are compared, got more, such as {value!r}; write lists as tuples"
                ) from None
    return None


def _nearly_equal(ascending: list[Any]) -> Sequence[int]:
    """Which numbers may be the same as the next one."""
    try:
        numbers = np.array(ascending, np.float64)  # (n,)
    except OverflowError:  # whole numbers beyond the largest float
        return range(len(ascending) - 1)
    gaps = np.diff(numbers)
    largest = np.maximum(np.abs(numbers[1:]), np.abs(numbers[:-1]))
    found: list[int] = np.flatnonzero(gaps <= 2 * _NEAR * largest).tolist()
    return found


def check_writable(name: str, value: Any) -> None:
    """Refuses what means nothing as a value, or cannot be written to files and read again.

    Args:
        name: What messages call it.
        value: Anything; tuples, lists, sets and dicts are looked into.

    Raises:
        ValueError: It is, or holds, a number that is not finite, or a text with a character
            that files cannot hold.
    """
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError(f"{name}: expected a text without NUL characters, got {value!r}")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError(
                    f"{name}: expected a text of Unicode characters, got {value!r}"
                ) from None
    elif is_number(value):
        if isinstance(value, float | np.floating) and not math.isfinite(value):
            raise ValueError(f"{name}: expected a finite number, got {value!r}")
    elif isinstance(value, Mapping):
        for key, inside in value.items():
            check_writable(name, key)
            check_writable(name, inside)
    elif isinstance(value, list | tuple | Set):
        for inside in value:
            check_writable(name, inside)


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
    truths = sum(isinstance(value, bool | np.bool_) for value in values)
    for kinds in _KINDS:
        if truths in (0, len(values)) and all(isinstance(value, kinds) for value in values):
            array = np.array(list(values))
            if array.tolist() == list(values):
                return array
            break
    found = np.empty(len(values), object)
    for i, value in enumerate(values):
        found[i] = copied(value)
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
