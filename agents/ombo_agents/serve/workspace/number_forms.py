"""How numbers of a column are spaced: in round steps, or by ratios."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.spreadsheets.cells import unit_of_header

_ROUND = (5, 2, 1)  # times powers of ten are round steps
_MOST_STEPS = 100  # between the ends, above which numbers have no step that anybody keeps to
_NEAR = 1e-6  # of a step, within which a number lies on it
_LEAST_RATIO = 1.5  # between neighbours in a series of powers
_POWERS = 4.0  # between the ends of such a series
_WIDE = 10.0  # between the ends of any other numbers whose ratios matter
_OFF = 0.05  # of the distance between powers of one base, within which a number is one
_TEMPERATURES = frozenset(["°C", "°F", "K", "C", "F"])


def round_step(different: NDArray[np.floating[Any]]) -> float | None:
    """The largest of 1, 2, 5, 10, 20, ... and .5, .2, .1, ... of which all numbers are multiples.

    Args:
        different: Sorted numbers (n,), each once.

    Returns:
        The step; None where there is none, or more steps than anybody keeps to.

    Example:
        >>> round_step(np.array([40.0, 55, 70]))
        5.0
    """
    if len(different) < 2:
        return None
    low, high = float(different[0]), float(different[-1])
    smallest = float(np.diff(different).min()) * (1 + _NEAR)  # 1.2 - 1.1 is less than .1
    if not math.isfinite(high - low) or smallest <= 0:
        return None
    for exponent in range(math.floor(math.log10(smallest)), -13, -1):
        for digit in _ROUND:
            step = float(f"{digit}e{exponent}")
            if (high - low) / step > _MOST_STEPS:
                return None
            if step <= smallest and _are_multiples(different, step):
                return step
    return None


def ratios_matter(header: str, different: NDArray[np.floating[Any]]) -> bool:
    """Whether numbers are spaced by ratios: powers of one number, or wide and denser below.

    Args:
        header: Of the column, whose unit may be one of temperature: no ratios matter then.
        different: Sorted numbers (n,), each once.

    Example:
        >>> ratios_matter("time (h)", np.array([1.0, 2, 4, 8, 16]))
        True
    """
    if len(different) < 3 or different[0] <= 0 or not np.isfinite(different).all():
        return False
    if unit_of_header(header) in _TEMPERATURES:
        return False
    low, high = float(different[0]), float(different[-1])
    logs = np.log(different / low)  # (n,) from 0
    if high / low >= _POWERS and _are_powers(logs):
        return True
    if high / low < _WIDE:
        return False
    middle = float(np.median(different))
    by_ratio = math.log(middle / low) / math.log(high / low)
    return abs(by_ratio - 0.5) < abs((middle - low) / (high - low) - 0.5)


def _are_multiples(numbers: NDArray[np.floating[Any]], step: float) -> bool:
    counts = numbers / step
    return bool((np.abs(counts - np.round(counts)) <= _NEAR * np.maximum(1, np.abs(counts))).all())


def _are_powers(logs: NDArray[np.floating[Any]]) -> bool:
    """Whether logarithms (n,), from 0 on, are multiples of the least distance between them."""
    least = float(np.diff(logs).min())
    if least < math.log(_LEAST_RATIO):
        return False
    counts = logs / least
    return bool((np.abs(counts - np.round(counts)) <= _OFF).all())
