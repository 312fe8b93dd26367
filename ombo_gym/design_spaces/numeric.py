"""Parameters that are numbers: ranges with and without steps, whole numbers, levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces.parameter import Parameter
from ombo_gym.design_spaces.scales import position
from ombo_gym.design_spaces.values import all_finite, finite, first_repeated, same, shortened

Floats = NDArray[np.float64]

MOST_VALUES = 2**20 + 1  # of whole or stepped numbers

_SCALES = ("linear", "log")
_ROUNDING = 1e-9  # of what numbers span, how far off they may be
_DIGITS = 13  # of a number; those behind them are noise
_EPSILON = 2.0**-52  # of float64


class Number(Parameter):
    """Numbers with a scale.

    Attributes:
        low, high: The ends, which are among the values.
        scale: "linear", or "log" where ratios matter and not differences.
    """

    low: float
    high: float
    scale: str = "linear"

    def position(self, numbers: Any) -> Floats:
        """Coordinates of numbers, elementwise."""
        return position(numbers, self.low, self.high, self.scale == "log")

    @property
    def on_scale(self) -> list[float]:
        """Values as they are, or their logarithms where the scale is logarithmic."""
        scaled: list[float] = (
            np.log(self._numbers) if self.scale == "log" else self._numbers
        ).tolist()
        return scaled

    @property
    @override
    def coordinates(self) -> Floats | None:
        return self._coordinates

    @cached_property
    def _coordinates(self) -> Floats | None:
        return None if self.values is None else self.position(self.values)

    @override
    def column(self, value: Any) -> float | int:
        number = float(finite("value", value))
        if self.values is None:
            return self._inside(number)
        above = min(int(np.searchsorted(self._numbers, number)), len(self.values) - 1)
        below = max(above - 1, 0)
        nearer_below = number - self._numbers[below] <= self._numbers[above] - number
        code = below if nearer_below else above
        zero = self.values[code] == 0 and abs(number) <= _ROUNDING * self._closest
        if not zero and not same(number, self.values[code]):
            raise ValueError(f"expected one of {shortened(self.values)}, got {value!r}")
        return code

    def _inside(self, number: float) -> float:
        """The coordinate of a number between the ends, or beyond them by rounding."""
        log, span = self.scale == "log", self.high - self.low
        below, above = (_ROUNDING * (end if log else span) for end in (self.low, self.high))
        if not self.low - below <= number <= self.high + above:
            raise ValueError(f"expected a number from {self.low} to {self.high}, got {number}")
        number = self._without_noise(number)
        return float(self.position(np.clip(number, self.low, self.high)))

    def _without_noise(self, number: float) -> float:
        """The number that a computed one is meant to be: 1.3 for 1.3000000000000003.

        In the middle of a range, where coordinates are close together, these would be two designs.
        """
        if self.scale == "log":
            return float(f"{number:.{_DIGITS}g}")
        size = max(abs(self.low), abs(self.high))
        grain = max(10.0**-_DIGITS * (self.high - self.low), 4 * _EPSILON * size)
        return round(number, math.floor(-math.log10(grain)))

    @cached_property
    def _weights(self) -> Floats | None:
        """(n,) by the stretch of the scale that a value stands for, where that is logarithmic."""
        if self._coordinates is None or self.scale == "linear":
            return None
        gaps = np.diff(self._coordinates)
        widths = np.concatenate([gaps[:1], gaps]) + np.concatenate([gaps, gaps[-1:]])
        weights: Floats = widths / widths.sum()
        return weights

    @cached_property
    def _numbers(self) -> Floats:
        return np.array(self.values, np.float64)

    @cached_property
    def _closest(self) -> float:
        """The smallest difference of two values."""
        return float(np.diff(self._numbers).min(initial=np.inf)) if len(self._numbers) > 1 else 0.0


@dataclass(frozen=True)
class Range(Number):
    """Numbers between two ends, or those that steps from the lower end come to.

    Attributes:
        low, high: The ends, which are among the values.
        scale: "linear", or "log" where ratios matter and not differences.
        step: Between values, of which high - low is a multiple; None: every number will do.

    Raises:
        ValueError: Ends, a scale or a step that are not as described.
    """

    low: float
    high: float
    scale: str = "linear"
    step: float | None = None

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # frozen from here on
        for name, end in (("low", self.low), ("high", self.high)):
            set_field(self, name, float(finite(name, end)))
        _check_ends(self.low, self.high)
        if not np.isfinite(self.high - self.low):
            raise ValueError(f"expected ends that are less far apart, got {self.low}, {self.high}")
        _check_scale(self.scale, self.low)
        if self.step is not None:
            set_field(self, "step", float(finite("step", self.step)))
            self._check_step(float(self.step))

    def _check_step(self, step: float) -> None:
        span = self.high - self.low
        if not 0 < step <= span * (1 + _ROUNDING):
            raise ValueError(f"expected a step above 0 and at most {span:g}, got {step:g}")
        steps = span / step
        if steps > MOST_VALUES - 1:
            raise ValueError(
                f"expected a step that makes at most {MOST_VALUES:,} values, got {step:g}; leave "
                "it out, and every number will do"
            )
        if abs(steps - round(steps)) > _ROUNDING * steps:
            ends = self._stepped(int(steps)), self._stepped(int(steps) + 1)
            raise ValueError(
                f"expected a step that leads from {self.low:g} to {self.high:g}, got {step:g}, "
                f"which leads to {ends[0]:g} and {ends[1]:g}; let the range end at one of these"
            )

    def _stepped(self, number: int) -> float:
        """What so many steps lead to, in decimals as they are written."""
        return float(Decimal(repr(self.low)) + number * Decimal(repr(self.step)))

    @property
    @override
    def values(self) -> tuple[float, ...] | None:  # type: ignore[override]
        return self._values

    @cached_property
    def _values(self) -> tuple[float, ...] | None:
        if self.step is None:
            return None
        steps = round((self.high - self.low) / self.step)
        return (*(self._stepped(number) for number in range(steps)), self.high)

    @property
    @override
    def count(self) -> int | None:
        return None if self.step is None else round((self.high - self.low) / self.step) + 1

    @property
    @override
    def weights(self) -> Floats | None:
        return self._weights

    @override
    def to_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"range": [self.low, self.high]}
        if self.step is not None:
            found["step"] = self.step
        return _with_scale(found, self.scale)


@dataclass(frozen=True)
class Integers(Number):
    """Whole numbers between two ends, which are among them.

    Attributes:
        low, high: The ends.
        scale: "linear", or "log" where ratios matter and not differences.

    Raises:
        ValueError: Ends that are no whole numbers, more than 1,048,577 of these, or a scale that is
            not as described.
    """

    low: int
    high: int
    scale: str = "linear"

    def __post_init__(self) -> None:
        for name, end in (("low", self.low), ("high", self.high)):
            number = finite(name, end)
            if number != int(number):
                raise ValueError(f"{name}: expected a whole number, got {end!r}")
            object.__setattr__(self, name, int(number))
        _check_ends(self.low, self.high)
        _check_scale(self.scale, self.low)
        if self.high - self.low >= MOST_VALUES:
            raise ValueError(
                f"expected at most {MOST_VALUES:,} whole numbers, got those from {self.low:,} to "
                f"{self.high:,}; write them as a range, with or without a step"
            )

    @property
    @override
    def values(self) -> tuple[int, ...]:  # type: ignore[override]
        return self._values

    @cached_property
    def _values(self) -> tuple[int, ...]:
        return tuple(range(self.low, self.high + 1))

    @property
    @override
    def count(self) -> int:
        return self.high - self.low + 1

    @property
    @override
    def weights(self) -> Floats | None:
        return self._weights

    @override
    def to_dict(self) -> dict[str, Any]:
        return _with_scale({"integer": [self.low, self.high]}, self.scale)


@dataclass(frozen=True)
class Levels(Number):
    """Some numbers, in ascending order whatever order they are given in.

    Attributes:
        values: Each once; what was given as a whole number stays one.
        scale: "linear": levels are as far apart as their values; "log": as these's logarithms.

    Raises:
        ValueError: What is no number, is there twice, or has no logarithm.
    """

    values: tuple[float, ...]
    scale: str = "linear"

    def __post_init__(self) -> None:
        numbers = sorted(all_finite("level", self.values))
        if not numbers:
            raise ValueError("expected at least one level, got none")
        if (pair := first_repeated(numbers)) is not None:
            raise ValueError(f"expected each level once, got {pair[0]!r} and {pair[1]!r}")
        if not np.isfinite(float(numbers[-1]) - float(numbers[0])):
            raise ValueError(f"expected levels that are less far apart, got {shortened(numbers)}")
        _check_scale(self.scale, numbers[0])
        object.__setattr__(self, "values", tuple(numbers))

    @property
    def low(self) -> float:  # type: ignore[override]
        """The lowest one."""
        return self.values[0]

    @property
    def high(self) -> float:  # type: ignore[override]
        """The highest one."""
        return self.values[-1]

    @override
    def position(self, numbers: Any) -> Floats:
        alone = len(self.values) == 1
        return np.zeros(np.shape(numbers)) if alone else super().position(numbers)

    @override
    def to_dict(self) -> dict[str, Any]:
        return _with_scale({"levels": list(self.values)}, self.scale)


def _check_ends(low: float, high: float) -> None:
    if low < high and not (isinstance(low, float) and same(low, high)):
        return
    alone = f"; a value that is fixed is written alone, {high!r}" if same(low, high) else ""
    raise ValueError(f"expected low < high, got {low} and {high}{alone}")


def _with_scale(found: dict[str, Any], scale: str) -> dict[str, Any]:
    return found if scale == "linear" else {**found, "scale": scale}


def _check_scale(scale: Any, low: float) -> None:
    if not isinstance(scale, str) or scale not in _SCALES:
        raise ValueError(f"scale: expected one of {list(_SCALES)}, got {scale!r}")
    if scale == "log" and not low > 0:
        raise ValueError(f"expected numbers above 0 on a logarithmic scale, got {low!r}")
