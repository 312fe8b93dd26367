"""Numbers as people type them into a field."""

from __future__ import annotations

import math
import re

from ombo_gym.arguments import shown

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_BETWEEN = re.compile(r"[\s;]+|,\s+")  # a comma without a blank behind it is a decimal comma
_LONGEST = 60


def number_in(text: str, name: str) -> int | float:
    """The number in a field; whole ones as int.

    Args:
        text: With a decimal point or comma, and any minus sign.
        name: Of the field, for messages.

    Raises:
        ValueError: It is none.
    """
    plain = text.strip().replace("\N{MINUS SIGN}", "-").replace(",", ".")
    if len(plain) > _LONGEST or not _PLAIN.fullmatch(plain):
        what = shown(text.strip()) if text.strip() else "nothing"
        raise ValueError(f"{name}: expected a number, got {what}; write one such as 0.5")
    value = float(plain)
    if not math.isfinite(value):
        raise ValueError(f"{name}: expected a finite number, got {plain}; write a smaller one")
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def numbers_in(text: str, name: str) -> list[int | float]:
    """The numbers in a field, one a line, or with semicolons, blanks or ", " between.

    Raises:
        ValueError: One is none, or there are none.
    """
    words = [word for word in _BETWEEN.split(text.strip()) if word]
    if not words:
        raise ValueError(f"{name}: expected numbers, one a line, got nothing; write some")
    return [number_in(word, name) for word in words]


def plates_in(text: str) -> list[int]:
    """Wells of the plates to come, 24, 24, 8.

    Raises:
        ValueError: It is anything else.
    """
    words = [word for word in re.split(r"[\s;,]+", text.strip()) if word]
    if not words or not all(re.fullmatch(r"[1-9]\d{0,5}", word) for word in words):
        what = shown(text.strip()) if text.strip() else "nothing"
        raise ValueError(
            f"expected the wells of each plate to come, the next one first, got {what}; write "
            "whole numbers such as 24, 24, 8"
        )
    return [int(word) for word in words]


def without_first(text: str) -> str:
    """The plates that are left once the first is measured; "" where there is none or no such text.

    Example:
        >>> without_first("24, 24, 8")
        '24, 8'
    """
    try:
        return ", ".join(map(str, plates_in(text)[1:]))
    except ValueError:
        return ""
