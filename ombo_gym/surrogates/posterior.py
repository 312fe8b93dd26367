"""Exact Gaussian-process posteriors for R campaigns at once.

All arithmetic is float64. Campaigns of one call have the same number of observations, so nothing is
padded and a row's numbers do not depend on its neighbours.

Reference:
    Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, algorithm 2.1 and
    equation 5.8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.kernels import (
    KERNELS,
    lifted,
    squared_distances,
    squared_distances_of_lifted,
)
from ombo_gym.surrogates.marginals import CandidateMarginals
from ombo_gym.surrogates.surrogate import Surrogate

Floats = NDArray[np.float64]

_TIE = 1e-10  # log likelihoods an observation that count as equal: the first on the grid is chosen


class Posterior:
    """Beliefs of R campaigns about their objectives after n observations each.

    Attributes:
        lengthscale, noise, outputscale: (R,) the kernel parameters in use.
        shift, scale: (R,) values are `shift + scale * standardised`; beliefs are in standardised
            units.
        targets: (R, n) standardised observations.
        kernel: Its name.
        features: (R, n, k) of the observed designs.
        whiten: (R, n, n) inverse of the Cholesky factor L of the observations' covariance.
        white: (R, n, 1) L^-1 targets.

    Args:
        surrogate: What was known before.
        features: (R, n, k) of the observed designs.
        values: (R, n) observed.
        shift: (R,) mean of the values to standardise with; None: the mean of `values`.
        scale: (R,) likewise the standard deviation.
    """

    def __init__(
        self,
        surrogate: Surrogate,
        features: Floats,
        values: Floats,
        *,
        shift: Floats | None = None,
        scale: Floats | None = None,
    ) -> None:
        rows, n = values.shape
        self.kernel = surrogate.kernel
        self._kernel = KERNELS[surrogate.kernel]
        self.features = features
        self.shift, self.scale = np.zeros(rows), np.ones(rows)
        if surrogate.standardise and n:
            self.shift = values.mean(axis=1) if shift is None else shift
            spread = values.std(axis=1) if scale is None else scale
            self.scale = np.where(spread > 1e-12 * np.abs(values).max(axis=1), spread, 1.0)
        self.targets = (values - self.shift[:, None]) / self.scale[:, None]
        squared = squared_distances(features, features)  # (R, n, n)
        self._choose(surrogate, squared)
        lower = np.linalg.cholesky(self._noisy(squared, self.lengthscale, self.noise))
        self.whiten = np.linalg.inv(lower)  # (R, n, n), L^-1
        self.white = np.matmul(self.whiten, self.targets[:, :, None])  # (R, n, 1), L^-1 y

    def _noisy(self, squared: Floats, lengthscale: Floats, noise: Floats) -> Floats:
        """Kernel matrices of the observations and their noise, relative to the prior variance."""
        matrix = self._kernel(squared / lengthscale[:, None, None] ** 2)
        n = matrix.shape[1]
        matrix[:, np.arange(n), np.arange(n)] = 1.0 + noise[:, None]
        return matrix

    def _choose(self, surrogate: Surrogate, squared: Floats) -> None:
        """The likeliest kernel parameters on the grid, a posteriori; variance in closed form."""
        rows, n = self.targets.shape
        middle = len(surrogate.lengthscales) // 2
        self.lengthscale = np.full(rows, surrogate.lengthscales[middle])
        self.noise = np.full(rows, surrogate.noise_variances[0])
        self.outputscale = np.ones(rows)
        if not surrogate.standardise or n < 2:
            return
        best = np.full(rows, -np.inf)
        for at, lengthscale in enumerate(surrogate.lengthscales):
            for noise in surrogate.noise_variances:
                each, level = np.full(rows, lengthscale), np.full(rows, noise)
                lower, white = factorise(self._noisy(squared, each, level), self.targets)
                outputscale = np.maximum((white**2).sum(axis=1) / n, 1e-6)
                # In the order of a single row: sums along another stride round differently.
                diagonal = np.ascontiguousarray(np.diagonal(lower, axis1=1, axis2=2))
                likelihood = -0.5 * n * np.log(outputscale) - np.log(diagonal).sum(axis=1)
                if surrogate.log_prior:
                    likelihood += surrogate.log_prior[at]
                better = likelihood > best + _TIE * n
                best = np.where(better, likelihood, best)
                self.lengthscale = np.where(better, each, self.lengthscale)
                self.noise = np.where(better, level, self.noise)
                self.outputscale = np.where(better, outputscale, self.outputscale)

    def at(self, features: Floats) -> CandidateMarginals:
        """Mean and variance at M candidates, (R, M, k)."""
        candidates = self._scaled(features)
        squared = squared_distances_of_lifted(self._scaled(self.features), candidates)
        white = np.matmul(self.whiten, self._kernel(squared))  # (R, n, M)
        mean = np.matmul(white.swapaxes(1, 2), self.white)[..., 0]
        variance = 1.0 - np.einsum("rnm,rnm->rm", white, white)
        return CandidateMarginals(
            self._kernel,
            self.noise,
            self.outputscale,
            candidates,
            mean,
            np.maximum(variance, 1e-12),
            white,
        )

    def _scaled(self, features: Floats) -> Floats:
        """Points (R, m, k) in units of the lengthscale, lifted."""
        return lifted(features / self.lengthscale[:, None, None])

    def covariance(self, features: Floats) -> Floats:
        """Posterior covariance of M candidates, (R, M, M), in standardised units."""
        marginals = self.at(features)
        candidates = self._scaled(features)
        squared = squared_distances_of_lifted(candidates, candidates)
        covariance = self._kernel(squared)
        covariance -= np.matmul(marginals.white.swapaxes(1, 2), marginals.white)
        covariance *= self.outputscale[:, None, None]
        return covariance


def factorise(matrix: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Cholesky factor L and L^-1 y in one go: the factor of [[K, y], [y', c]] holds both.

    Args:
        matrix: K, (R, n, n), positive definite.
        targets: y, (R, n).

    Returns:
        (R, n, n) and (R, n).
    """
    rows, n = targets.shape
    bordered = np.empty((rows, n + 1, n + 1))
    bordered[:, :n, :n] = matrix
    bordered[:, n, :n] = targets  # the upper triangle is not read
    bordered[:, n, n] = 1e300  # so large that the last pivot is positive, whatever y' K^-1 y is
    lower = np.linalg.cholesky(bordered)
    return lower[:, :n, :n], lower[:, n, :n]
