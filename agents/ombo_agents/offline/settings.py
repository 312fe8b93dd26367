"""Checks of settings that several offline methods have."""

from __future__ import annotations

import math
from typing import Any


def whole(name: str, value: Any, *, at_least: int = 1) -> int:
    """A whole number.

    Raises:
        ValueError: It is not one, or too small; says what was expected.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise ValueError(f"{name}: expected a whole number of at least {at_least}, got {value!r}")
    return value


def number(name: str, value: Any, *, above: float = 0.0, up_to: float = math.inf) -> float:
    """A number in an open-closed range.

    Raises:
        ValueError: It is not one, or out of range; says what was expected.
    """
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if not right or not above < value <= up_to or math.isinf(value):
        limit = "" if math.isinf(up_to) else f" and up to {up_to:g}"
        raise ValueError(f"{name}: expected a number above {above:g}{limit}, got {value!r}")
    return float(value)
