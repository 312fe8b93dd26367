"""Expected improvement of one slot after the other, on a logarithmic scale."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, ndtri

from ombo_gym.quasirandom import kronecker
from ombo_gym.surrogates.marginals import Believed, Marginals

Floats = NDArray[np.float64]

_LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)
_HIGH, _FAR = 30.0, -1e3  # beyond, leading terms are exact to some digits


@cache
def standard_normals(count: int, dim: int) -> Floats:
    """Quasi-random standard normal numbers, (count, dim)."""
    normals: Floats = ndtri(kronecker(count, dim))
    return normals


class LogImprovement:
    """Logarithm of E[max(0, f - max(best, f_1, ..., f_j))], the f_i drawn jointly.

    Args:
        best: (R,) values to improve on.
        normals: (S, q) that the values of picks are drawn with.
    """

    noisy = False

    def __init__(self, best: Floats, normals: Floats) -> None:
        self._normals = normals
        self._incumbents = best[:, None, None]  # (R, 1 or S, 1)

    def of(self, rows: NDArray[np.intp]) -> LogImprovement:
        """The same for some of the campaigns, (S,)."""
        some = copy.copy(self)
        some._incumbents = self._incumbents[rows]
        return some

    def _terms(self, at: Believed, sd: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Of draws, (R, S, P): Phi / phi, h / phi, share of the mean; and log mean h (R, P)."""
        loadings = at.loadings
        z = at.mean[:, None] - self._incumbents
        if slots := loadings.shape[1]:
            z = z + np.matmul(self._normals[:, :slots], loadings)
        z = z / sd[:, None]
        ratio, share, log_h = improvement(z)
        highest = log_h.max(axis=1)
        weights = np.exp(log_h - highest[:, None])
        total = weights.sum(axis=1)
        return ratio, share, weights / total[:, None], highest + np.log(total / z.shape[1])

    def value(self, at: Believed) -> Floats:
        """(R, P)."""
        sd = at.sd
        value: Floats = self._terms(at, sd)[3] + np.log(sd)
        return value

    def slope(self, at: Marginals) -> Marginals:
        """By mean, sd and loadings."""
        ratio, share, weights, _ = self._terms(at, at.sd)
        # EI = sd h(z) with h' = Phi and h - z h' = phi.
        by_mean = weights * ratio / share / at.sd[:, None]
        by_sd = (weights / share).sum(axis=1) / at.sd
        slots = at.loadings.shape[1]
        each = np.broadcast_to(by_mean, (len(by_mean), len(self._normals), by_mean.shape[2]))
        by_loadings = np.matmul(self._normals[:, :slots].T, each)
        return Marginals(by_mean.sum(axis=1), by_sd, by_loadings)

    def picked(self, at: Marginals) -> None:
        """Draws the value of the design that was picked."""
        slots = at.loadings.shape[1]
        values = at.mean[:, None] + at.sd[:, None] * self._normals[:, slots, None]
        values = values + np.matmul(self._normals[:, :slots], at.loadings)  # (R, S, 1)
        self._incumbents = np.maximum(self._incumbents, values)


def improvement(z: Floats) -> tuple[Floats, Floats, Floats]:
    """Phi(z) / phi(z), h(z) / phi(z) and log h(z) with h(z) = phi(z) + z Phi(z).

    Accurate far into the tail; where z is large, the first two are those of 30.

    Reference:
        Ament et al., NeurIPS 2023, equation 9.
    """
    low = np.minimum(z, _HIGH)
    ratio = np.sqrt(0.5 * np.pi) * erfcx(-low / np.sqrt(2.0))
    share = 1.0 + low * ratio
    far = z < _FAR
    share[far] = low[far] ** -2.0  # 1 - |z| Phi / phi to the first order
    log_h = np.log(share) - 0.5 * low**2 - _LOG_SQRT_2PI
    return ratio, share, np.where(z > _HIGH, np.log(np.maximum(z, 1.0)), log_h)
