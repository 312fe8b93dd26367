"""What a design tells of the largest value that there is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, log_ndtr

from ombo_gym.surrogates.marginals import Believed, Marginals

Floats = NDArray[np.float64]


class MaxValueInformation:
    """Mean over maxima of g r / 2 - log Phi(g), with g = (maximum - mean) / sd and r = phi / Phi.

    Args:
        maxima: (R, K).
    """

    noisy = True

    def __init__(self, maxima: Floats) -> None:
        self._maxima = maxima[..., None]

    def of(self, rows: NDArray[np.intp]) -> MaxValueInformation:
        """The same for some of the campaigns, (S,)."""
        return MaxValueInformation(self._maxima[rows, :, 0])

    def _terms(self, at: Believed) -> tuple[Floats, Floats]:
        gap = (self._maxima - at.mean[:, None]) / at.sd[:, None]  # (R, K, P)
        return gap, np.sqrt(2 / np.pi) / erfcx(-np.clip(gap, None, 35.0) / np.sqrt(2))

    def value(self, at: Believed) -> Floats:
        """(R, P)."""
        gap, ratio = self._terms(at)
        value: Floats = (0.5 * gap * ratio - log_ndtr(gap)).mean(axis=1)
        return value

    def slope(self, at: Marginals) -> Marginals:
        """By mean, sd and loadings."""
        gap, ratio = self._terms(at)
        by_gap = -0.5 * ratio * (1 + gap * (gap + ratio)) / at.sd[:, None]
        by_sd = -(by_gap * gap).mean(axis=1)
        return Marginals(-by_gap.mean(axis=1), by_sd, np.zeros_like(at.loadings))

    def picked(self, at: Marginals) -> None:
        """Values of picks do not matter."""
