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

from ombo_gym.surrogates.anisotropic_fit import fit_anisotropic
from ombo_gym.surrogates.isotropic_fit import fit_isotropic
from ombo_gym.surrogates.kernels import (
    KERNELS,
    lifted,
    squared_distances,
    squared_distances_of_lifted,
)
from ombo_gym.surrogates.marginals import CandidateMarginals
from ombo_gym.surrogates.surrogate import Surrogate

Floats = NDArray[np.float64]


class Posterior:
    """Beliefs of R campaigns about their objectives after n observations each.

    Attributes:
        lengthscale, noise, outputscale: (R,) the kernel parameters in use; where features have
            lengthscales of their own, their geometric mean.
        unit: (R, 1 or k) the lengthscale of each feature.
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
        self._fit(surrogate, squared)
        if surrogate.groups is None:
            squared /= self.lengthscale[:, None, None] ** 2
        else:
            squared = squared_distances(*[features / self.unit[:, None]] * 2)
        matrix = self._kernel(squared)
        diagonal = np.arange(n)
        matrix[:, diagonal, diagonal] = 1.0 + self.noise[:, None]
        lower = np.linalg.cholesky(matrix)
        self.whiten = np.linalg.inv(lower)  # (R, n, n), L^-1
        self.white = np.matmul(self.whiten, self.targets[:, :, None])  # (R, n, 1), L^-1 y

    def _fit(self, surrogate: Surrogate, squared: Floats) -> None:
        """Chooses the kernel parameters, where that is meant and there is something to fit them to.

        Args:
            surrogate: What was known before.
            squared: (R, n, n) distances of the observed designs.
        """
        rows, n = self.targets.shape
        middle = len(surrogate.lengthscales) // 2
        self.lengthscale = np.full(rows, surrogate.lengthscales[middle])
        self.noise = np.full(rows, surrogate.noise_variances[0])
        self.outputscale = np.ones(rows)
        self.unit = self.lengthscale[:, None]
        if not surrogate.standardise or n < 2:
            return
        if surrogate.groups is None:
            fitted = fit_isotropic(surrogate, squared, self.targets)
            self.lengthscale, self.noise, self.outputscale = fitted
            self.unit = self.lengthscale[:, None]
            return
        groups = np.array(surrogate.groups, np.intp)
        found = fit_anisotropic(
            self.features, self.targets, groups, surrogate.typical_distance, self.kernel
        )
        self.unit, self.noise, self.outputscale = found.lengthscales, found.noise, found.outputscale
        self.lengthscale = np.exp(np.log(self.unit).mean(axis=1))

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
        """Points (R, m, k) in units of the lengthscales, lifted."""
        return lifted(features / self.unit[:, None])

    def covariance(self, features: Floats) -> Floats:
        """Posterior covariance of M candidates, (R, M, M), in standardised units."""
        marginals = self.at(features)
        candidates = self._scaled(features)
        squared = squared_distances_of_lifted(candidates, candidates)
        covariance = self._kernel(squared)
        covariance -= np.matmul(marginals.white.swapaxes(1, 2), marginals.white)
        covariance *= self.outputscale[:, None, None]
        return covariance
