"""Designs that are spread evenly over a box."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.policy import DesignsPolicy, Observation
from ombo_gym.randomness import GeneratorRows

_BITS = 30


class Sobol(DesignsPolicy):
    """Each round the first q points of a Sobol sequence with a random digital shift; boxes only."""

    horizon_aware = False

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        dim, q = self.space.shape[0], self.batch_size
        shift = (draws.random((1, dim)) * 2**_BITS).astype(np.int64)
        points = ((sobol_integers(q, dim) ^ shift) + 0.5) / 2**_BITS
        return (2 * points - 1).astype(np.float32)


class LatinHypercube(DesignsPolicy):
    """Each round a random Latin hypercube: one design in each of q slices of every coordinate.

    Reference:
        McKay, Beckman and Conover, Technometrics 21, 1979.
    """

    horizon_aware = False

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        dim, q = self.space.shape[0], self.batch_size
        numbers = draws.random((2, q, dim))
        slices = numbers[:, 0].argsort(axis=1)  # a permutation per coordinate
        points = (slices + numbers[:, 1]) / q
        return np.clip(2 * points - 1, -1, 1).astype(np.float32)


@cache
def sobol_integers(count: int, dim: int) -> NDArray[np.int64]:
    """The first points of the Sobol sequence as integers below 2^30, (count, dim)."""
    from scipy.stats import qmc  # takes half a second to import

    exponent = int(np.ceil(np.log2(count))) if count > 1 else 0
    points = qmc.Sobol(dim, scramble=False, bits=_BITS).random_base2(exponent)[:count]
    return (points * 2**_BITS).astype(np.int64)
