"""Checks of the arguments of problems: no string or truth value counts as a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def one_of(argument: str, given: Any, known: Iterable[str]) -> str:
    """The name given, if it is known.

    Raises:
        ValueError: It is not; lists those that are.
    """
    names = list(known)
    if not isinstance(given, str) or given not in names:
        raise ValueError(f"{argument}: expected one of {names}, got {given!r}")
    return given


def is_number(given: Any) -> bool:
    """Whether it is a real number."""
    return isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)


def is_whole(given: Any) -> bool:
    """Whether it is a whole number, by its type."""
    return isinstance(given, int | np.integer) and not isinstance(given, bool)


def is_list(given: Any) -> bool:
    """Whether it is a list of something: no text, no bytes, no lone number in an array."""
    if isinstance(given, np.ndarray):
        return given.ndim == 1 and len(given) > 0
    return isinstance(given, Sequence) and not isinstance(given, str | bytes) and len(given) > 0


def numbers(given: Any) -> NDArray[np.float64]:
    """The array that nested lists of numbers make; a lone NaN where they make none."""
    try:
        array = np.asarray(given)
    except ValueError:  # lists of different lengths
        return np.array(np.nan)
    return array.astype(np.float64) if array.dtype.kind in "iuf" else np.array(np.nan)
