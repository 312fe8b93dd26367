"""Student's t distribution with a whole number of degrees of freedom, in plain Python.

Reference:
    Abramowitz and Stegun, "Handbook of mathematical functions", 1964, 26.7.3 and 26.7.4 (finite
    series for the probability, here inverted by bisection), 26.7.5 and 26.7.8 (expansions for many
    degrees of freedom).
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

MANY = 10_000  # degrees of freedom from which the expansions are exact to 1e-7


@lru_cache(maxsize=256)
def student_t_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t distribution.

    Args:
        probability: Inside [0.5, 1).
        degrees: Degrees of freedom, at least 1.

    Returns:
        The t below which the distribution has that probability.

    Raises:
        ValueError: An argument is out of range.
    """
    if not 0.5 <= probability < 1 or degrees < 1:
        raise ValueError(
            f"expected probability in [0.5, 1) and degrees >= 1, got {probability=}, {degrees=}"
        )
    if degrees > MANY:
        z = NormalDist().inv_cdf(probability)
        return z + (z**3 + z) / (4 * degrees)
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        inside = _central(middle, degrees) < 2 * probability - 1
        low, high = (middle, high) if inside else (low, middle)
    return math.sqrt(degrees) * math.tan((low + high) / 2)


def student_t_p_value(t: float, degrees: int) -> float:
    """Two-sided p-value: the probability of a value at least as far from 0 as t.

    Args:
        t: The statistic; nan gives nan.
        degrees: Degrees of freedom, at least 1.

    Returns:
        P(|T| >= |t|), exact to 1e-7; below about 1e-15 it is 0.

    Raises:
        ValueError: `degrees` is out of range.
    """
    if degrees < 1:
        raise ValueError(f"expected degrees >= 1, got {degrees}")
    if math.isnan(t):
        return math.nan
    size = abs(t)
    if degrees > MANY:
        if math.isinf(size):
            return 0.0
        z = size * (1 - 1 / (4 * degrees)) / math.sqrt(1 + size**2 / (2 * degrees))
        return math.erfc(z / math.sqrt(2))
    return max(0.0, 1.0 - _central(math.atan(size / math.sqrt(degrees)), degrees))


def _central(theta: float, degrees: int) -> float:
    """P(|T| <= t) at t = sqrt(degrees) * tan(theta)."""
    sine, cosine = math.sin(theta), math.cos(theta)
    terms = 1 + float(np.cumprod(_factors(degrees) * cosine**2).sum())
    if degrees % 2 == 0:
        return sine * terms
    return 2 / math.pi * (theta + (sine * cosine * terms if degrees > 1 else 0.0))


@lru_cache(maxsize=16)
def _factors(degrees: int) -> npt.NDArray[np.float64]:
    """Each term of the series over the one before it, without cosine**2."""
    odd = degrees % 2
    k = np.arange(1, (degrees - odd) // 2)
    return 2 * k / (2 * k + 1) if odd else (2 * k - 1) / (2 * k)
