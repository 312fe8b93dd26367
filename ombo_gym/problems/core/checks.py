"""Checks of the arguments of problems: no string or truth value counts as a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces.values import is_number as is_number  # at home there, used everywhere
from ombo_gym.design_spaces.values import numbers as array_of_numbers


def one_of(argument: str, given: Any, known: Iterable[str]) -> str:
    """The name given, if it is known.

    Raises:
        ValueError: It is not; lists those that are.
    """
    names = list(known)
    if not isinstance(given, str) or given not in names:
        raise ValueError(f"{argument}: expected one of {names}, got {given!r}")
    return given


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
    return array_of_numbers(given).astype(np.float64)
