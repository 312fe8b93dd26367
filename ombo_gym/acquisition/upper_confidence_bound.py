"""Upper confidence bounds with hallucinated variances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.marginals import Believed, Marginals

Floats = NDArray[np.float64]


class UpperConfidenceBound:
    """mean + weight * sd, the sd given noisy measurements of the slots before.

    Args:
        weights: Of the sd, (R,) for all slots or (R, q), one a slot.

    Reference:
        Desautels, Krause and Burdick, Parallelizing exploration-exploitation tradeoffs in Gaussian
        process bandit optimization, JMLR 15, 2014.
    """

    noisy = True

    def __init__(self, weights: Floats) -> None:
        self._weights = weights
        self._slot = 0

    def _weight(self) -> Floats:
        """Of this slot, (R, 1)."""
        return (self._weights if self._weights.ndim == 1 else self._weights[:, self._slot])[:, None]

    def value(self, at: Believed) -> Floats:
        """(R, P)."""
        return at.mean + self._weight() * at.sd

    def slope(self, at: Marginals) -> Marginals:
        """By mean, sd and loadings."""
        by_sd = np.broadcast_to(self._weight(), at.mean.shape)
        return Marginals(np.ones_like(at.mean), by_sd, np.zeros_like(at.loadings))

    def picked(self, at: Marginals) -> None:
        """Values of picks do not matter."""
        self._slot += 1
