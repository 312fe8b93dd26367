"""Settings of policies: checks of single values, and frozen dataclasses that check all of theirs.

A policy with many settings takes them whole, as a subclass of `Settings` whose fields say what they
may be::

    @dataclass(frozen=True, kw_only=True)
    class ClimbSettings(Settings):
        steps: PositiveInt
        step_size: PositiveFloat
        share: Fraction
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, get_type_hints

import numpy as np

from ombo_gym.arguments import shown
from ombo_gym.problems.core.checks import is_number, is_whole, one_of

LARGEST = 100_000  # that a policy counts to: samples, candidates, iterations


def whole(name: str, value: Any, *, at_least: int = 1, at_most: int = LARGEST) -> int:
    """A whole number of things to compute with: memory ends long before the largest.

    Raises:
        ValueError: It is not one, too small or too large; says what was expected.
    """
    if not is_whole(value) or value < at_least:
        raise ValueError(
            f"{name}: expected a whole number of at least {at_least}, got {shown(value)}"
        )
    return _countable(name, value, at_most)


def even(name: str, value: Any) -> int:
    """An even number of at least 2.

    Raises:
        ValueError: It is not one, or too large; says what was expected.
    """
    if not is_whole(value) or value < 2 or value % 2:
        raise ValueError(f"{name}: expected an even number of at least 2, got {shown(value)}")
    return _countable(name, value)


def _countable(name: str, value: Any, at_most: int = LARGEST) -> int:
    if value > at_most:
        raise ValueError(
            f"{name}: expected a whole number of at most {at_most:,}, got {shown(value)}"
        )
    return int(value)


def truth(name: str, value: Any) -> bool:
    """True or false.

    Raises:
        ValueError: It is neither; says what was expected.
    """
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name}: expected true or false, got {shown(value)}")
    return bool(value)


def number(name: str, value: Any, *, above: float = 0.0, up_to: float = math.inf) -> float:
    """A number in an open-closed range.

    Raises:
        ValueError: It is not one, or out of range; says what was expected.
    """
    if not is_number(value) or not above < value <= up_to or math.isinf(value):
        limit = "" if math.isinf(up_to) else f" and up to {up_to:g}"
        raise ValueError(f"{name}: expected a number above {above:g}{limit}, got {shown(value)}")
    return float(value)


def choice(name: str, value: Any, *, options: tuple[str, ...]) -> str:
    """One of several words.

    Raises:
        ValueError: It is none of them; lists them.
    """
    return one_of(name, value, options)


PositiveInt = Annotated[int, whole]
NonNegativeInt = Annotated[int, partial(whole, at_least=0)]
PositiveFloat = Annotated[float, number]
Fraction = Annotated[float, partial(number, up_to=1)]  # above 0, up to 1
Flag = Annotated[bool, truth]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a policy is built with; every field is checked when it is built.

    The type of a field is `Annotated[type, check]`, with `check(name, value)` a function that
    returns the value to keep or raises a ValueError.

    Raises:
        ValueError: A setting out of range; says which and what was expected.
    """

    def __post_init__(self) -> None:
        for name, annotated in get_type_hints(type(self), include_extras=True).items():
            (check,) = annotated.__metadata__
            object.__setattr__(self, name, check(name, getattr(self, name)))
