"""Numbers between two ends, and where they stand from -1 to 1 on a linear or logarithmic scale."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_POWERS = np.array([float(f"1e{n}") for n in range(300)])
_FINEST = 2.0**-40  # of a coordinate, below which decimals are not looked for
_EXACT = 22  # the largest power of ten that is a float64 to the bit
_WIDE = 1e3  # ratio of the ends, above which a linear scale is likely to be an oversight
_PASSED_OVER = 20  # of so many values the lowest
_NOISE = 1e-9  # of a number, below which others are the same


def warn_of_wide_spans(given: Mapping[str, Any], *, argument: str, remedy: str) -> None:
    """Warns of positive numbers that span more than 3 decades on a scale that nobody chose.

    On a linear scale a surrogate takes all but the largest of them for the same. It is called once
    for a space or table, with everything that no scale was chosen for.

    Args:
        given: Numbers by name of a parameter or column: the two ends of a range, or all values. Of
            many values the lowest twentieth is passed over, since some of any many random numbers
            are next to 0.
        argument: What the message begins with, such as "space" or "csv: screen.csv".
        remedy: What to write for a logarithmic scale, and what for a linear one.

    Example:
        >>> warn_of_wide_spans({"pH": (1, 14)}, argument="space", remedy='write "scale": "log"')
    """
    wide = []
    for name, values in given.items():
        numbers = np.sort(np.asarray(values, np.float64), axis=None)  # (n,)
        if len(numbers) and numbers[0] > 0:
            low, high = numbers[len(numbers) // _PASSED_OVER], numbers[-1]
            if high > low * _WIDE * (1 + _NOISE):
                wide.append(f"{name!r} from {numbers[0]:g} to {high:g}")
    if wide:
        warnings.warn(
            f"{argument}: positive values span more than 3 decades and no scale was chosen: "
            f"{', '.join(wide)}; on a linear scale all but the largest look the same to a "
            f"surrogate; {remedy}",
            UserWarning,
            stacklevel=3,
        )


def position(numbers: Any, low: Any, high: Any, log: Any) -> Floats:
    """Coordinates of numbers, which are -1 and 1 at the ends, (..., k).

    Args:
        numbers: (..., k), positive where the scale is logarithmic.
        low: (k,)
        high: (k,)
        log: (k,) whether the scale is logarithmic.
    """
    x, low, high = (np.asarray(each, np.float64) for each in (numbers, low, high))
    log = np.asarray(log, bool)
    x, low, high = (
        np.where(log, np.log(np.where(log, each, 1.0)), each) for each in (x, low, high)
    )
    found: Floats = 2.0 * ((x - low) / (high - low)) - 1.0
    return found


def between(coordinates: NDArray[np.float32], low: Floats, high: Floats, log: Any) -> Floats:
    """The numbers at float32 coordinates, (..., k): the inverse of `position`.

    Of all numbers that stand at the same coordinate it is the one with the fewest decimals: 37.2
    comes back as 37.2 and not as 37.200000762939453.

    Args:
        coordinates: (..., k)
        low: (k,)
        high: (k,)
        log: (k,)
    """
    coordinate = np.asarray(coordinates, np.float32)
    share = (coordinate.astype(np.float64) + 1.0) / 2.0
    bottom, top = _on_scale(low, log), _on_scale(high, log)
    exact = (1.0 - share) * bottom + share * top
    if np.any(log):
        exact = np.where(log, np.exp(np.where(log, exact, 0.0)), exact)
    exact = np.clip(exact, low, high)
    half = np.maximum(
        np.spacing(np.abs(coordinate)).astype(np.float64) / 2, _FINEST
    )  # of the spacing
    near = half * (top - bottom) / 2 * np.where(log, exact, 1.0)  # how far the same coordinate goes
    # Of decimals on a grid coarser than the stretch at most one is in it, and of a finer grid some.
    exponent = np.floor(np.log10(2 * near)).astype(np.int64)
    found: Floats = exact
    for coarser in (0, 1):
        decimal = _on_decimals(exact, exponent + coarser)
        good = (decimal >= low) & (decimal <= high)
        stands = position(np.where(good, decimal, high), low, high, log).astype(np.float32)
        found = np.where(good & (stands == coordinate), decimal, found)
    ends: Floats = np.where(coordinate <= -1, low, np.where(coordinate >= 1, high, found))
    return ends


def _on_scale(numbers: Floats, log: Any) -> Floats:
    if not np.any(log):
        return numbers
    scaled: Floats = np.where(log, np.log(np.where(log, numbers, 1.0)), numbers)
    return scaled


def _on_decimals(numbers: Floats, exponent: NDArray[np.int64]) -> Floats:
    """The nearest multiples of powers of ten, as they are written."""
    power = _POWERS[np.minimum(np.abs(exponent), len(_POWERS) - 1)]
    fine = exponent < 0
    counted = np.rint(np.where(fine, numbers * power, numbers / power))
    decimals: Floats = np.where(fine, counted / power, counted * power) + 0.0  # -0.0 is 0.0
    if (inexact := np.abs(exponent) > _EXACT).any():
        pairs = zip(counted[inexact].tolist(), exponent[inexact].tolist(), strict=True)
        decimals[inexact] = [float(f"{count:.0f}e{tens}") for count, tens in pairs]
    return decimals
