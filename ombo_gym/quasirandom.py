"""Evenly spread points for any number of dimensions, without a table of direction numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ombo_gym.randomness import BatchedGenerator


@cache
def kronecker(count: int, dim: int) -> NDArray[np.float64]:
    """The first points of the R_d sequence in [0, 1)^d, (count, dim), read-only.

    Point i is the fractional part of 1/2 + i (1/g, 1/g^2, ...), g the positive root of g^(d+1) = g
    + 1: a Kronecker sequence of low discrepancy whose every prefix is spread evenly.

    Reference:
        M. Roberts, The unreasonable effectiveness of quasirandom sequences, 2018.
    """
    g = 2.0
    for _ in range(64):  # a contraction: converges to machine precision
        g = (1 + g) ** (1 / (dim + 1))
    steps = g ** -np.arange(1, dim + 1)
    points = (0.5 + np.outer(np.arange(1, count + 1), steps)) % 1.0
    points.setflags(write=False)
    return points


def shifted(rngs: BatchedGenerator, count: int, dim: int) -> NDArray[np.float64]:
    """Quasi-random points, shifted at random modulo 1 for each row, (R, count, dim).

    Reference:
        Cranley and Patterson, Randomization of number theoretic methods for multiple integration,
        1976.
    """
    points = np.repeat(rngs.random((1, dim)), count, axis=1)
    flat = points.reshape(len(points), count * dim)  # loops of length dim would take longer
    flat += kronecker(count, dim).reshape(count * dim)
    flat -= flat >= 1.0
    return points
