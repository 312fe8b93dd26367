"""Checks of settings that several policies have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ombo_gym.problems.core.checks import is_number, is_whole


def whole(name: str, value: Any, *, at_least: int = 1) -> int:
    """A whole number.

    Raises:
        ValueError: It is not one, or too small; says what was expected.
    """
    if not is_whole(value) or value < at_least:
        raise ValueError(f"{name}: expected a whole number of at least {at_least}, got {value!r}")
    return int(value)


def even(name: str, value: Any) -> int:
    """An even number of at least 2.

    Raises:
        ValueError: It is not one; says what was expected.
    """
    if not is_whole(value) or value < 2 or value % 2:
        raise ValueError(f"{name}: expected an even number of at least 2, got {value!r}")
    return int(value)


def truth(name: str, value: Any) -> bool:
    """True or false.

    Raises:
        ValueError: It is neither; says what was expected.
    """
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name}: expected true or false, got {value!r}")
    return bool(value)


def number(name: str, value: Any, *, above: float = 0.0, up_to: float = math.inf) -> float:
    """A number in an open-closed range.

    Raises:
        ValueError: It is not one, or out of range; says what was expected.
    """
    if not is_number(value) or not above < value <= up_to or math.isinf(value):
        limit = "" if math.isinf(up_to) else f" and up to {up_to:g}"
        raise ValueError(f"{name}: expected a number above {above:g}{limit}, got {value!r}")
    return float(value)
