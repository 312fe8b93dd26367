"""Exact Gaussian-process posteriors for R campaigns at once.

All arithmetic is float64. Campaigns of one call have the same number of observations, so nothing is
padded and a row's numbers do not depend on its neighbours.

Reference:
    Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, algorithm 2.1 and
    equation 5.8.
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.anisotropic_fit import fit_anisotropic
from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.isotropic_fit import fit_isotropic
from ombo_gym.surrogates.kernels import squared_distances
from ombo_gym.surrogates.leave_one_out import LeftOut, leave_one_out
from ombo_gym.surrogates.marginals import CandidateMarginals
from ombo_gym.surrogates.surrogate import Surrogate

Floats = NDArray[np.float64]

_OF_EACH_CAMPAIGN = (
    "features",
    "shift",
    "scale",
    "targets",
    "lengthscale",
    "noise",
    "outputscale",
    "unit",
    "whiten",
    "white",
)


class Posterior:
    """Beliefs of R campaigns about their objectives after n observations each.

    Attributes:
        lengthscale, noise, outputscale: (R,) the kernel parameters in use; where features have
            lengthscales of their own, their geometric mean.
        unit: (R, 1 or k) the lengthscale of each feature.
        correlation: With these lengthscales.
        shift, scale: (R,) values are `shift + scale * standardised`; beliefs are in standardised
            units.
        mean_variance: (R,) of the objective's mean beforehand, where it was fitted; None: it was
            not.
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
        mean_variance: (R,) how far from the shift the objective's mean may be, relative to the
            prior variance, where it is fitted; None: as the surrogate says.
    """

    def __init__(
        self,
        surrogate: Surrogate,
        features: Floats,
        values: Floats,
        *,
        shift: Floats | None = None,
        scale: Floats | None = None,
        mean_variance: Floats | None = None,
    ) -> None:
        rows, n = values.shape
        self.kernel = surrogate.kernel
        self.features = features
        self.shift, self.scale = np.zeros(rows), np.ones(rows)
        if surrogate.standardise and n:
            self.shift = values.mean(axis=1) if shift is None else shift
            spread = values.std(axis=1) if scale is None else scale
            self.scale = np.where(spread > 1e-12 * np.abs(values).max(axis=1), spread, 1.0)
        self.targets = (values - self.shift[:, None]) / self.scale[:, None]
        if mean_variance is None and surrogate.mean_variance:
            mean_variance = np.full(rows, surrogate.mean_variance)
        self.mean_variance = mean_variance
        squared = squared_distances(features, features)  # (R, n, n)
        self._fit(surrogate, squared)
        if surrogate.groups is None:
            squared /= self.lengthscale[:, None, None] ** 2
            matrix = self.correlation.of([squared])
        else:
            lifted = self._lifted(features)
            matrix = self.correlation.between(lifted, lifted)
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
        self.correlation = Correlation(self.kernel, self.unit)
        if not surrogate.standardise or n < 2:
            return
        if surrogate.groups is None:
            fitted = fit_isotropic(surrogate, squared, self.targets)
            self.lengthscale, self.noise, self.outputscale = fitted
            self.unit = self.lengthscale[:, None]
            self.correlation = Correlation(self.kernel, self.unit)
            return
        found = fit_anisotropic(
            self.features,
            self.targets,
            np.array(surrogate.groups, np.intp),
            surrogate.typical_distance,
            self.kernel,
            categories=None if surrogate.categories is None else np.array(surrogate.categories),
            known_noise=(surrogate.noise_std / self.scale) ** 2 if surrogate.noise_std else None,
            mean_variance=self.mean_variance,
        )
        self._centre(found.mean)
        self.noise, self.outputscale = found.noise, found.outputscale
        self.correlation = found.correlation
        self.unit = found.correlation.unit
        self.lengthscale = np.exp(np.log(self.unit).mean(axis=1))

    def _centre(self, mean: Floats) -> None:
        """Makes a mean, (R,) standardised, the zero of standardised units."""
        self.shift = self.shift + self.scale * mean
        self.targets = self.targets - mean[:, None]

    @cached_property
    def _left_out(self) -> LeftOut:
        return leave_one_out(self.whiten, self.white, self.targets, self.outputscale)

    @property
    def leave_one_out_correlation(self) -> Floats:
        """Of each observation and what the others predict of it, (R,), -1 to 1.

        With the kernel parameters, shift and scale in use, which all observations have a part in.
        NaN of fewer than 3 observations, or where they or the predictions are all the same.
        """
        return self._left_out.correlation

    @property
    def leave_one_out_log_score(self) -> Floats:
        """Mean log density of each observation by what the others predict of it, (R,).

        In standardised units, in which to say nothing is worth -1.42; as above. NaN of fewer than 3
        observations, or where they are all the same.
        """
        return self._left_out.log_score

    @property
    def leave_one_out_surprises(self) -> Floats:
        """How many standard deviations each observation is above what the others predict, (R, n).

        NaN of fewer than 3 observations.
        """
        return self._left_out.surprises

    def standardised(self, values: Floats) -> Floats:
        """Values (R, m) in the units of beliefs."""
        found: Floats = (values - self.shift[:, None]) / self.scale[:, None]
        return found

    def in_units(self, standardised: Floats) -> Floats:
        """The inverse of `standardised`, (R, m)."""
        found: Floats = self.shift[:, None] + self.scale[:, None] * standardised
        return found

    def some(self, rows: NDArray[np.intp]) -> Self:
        """Of some of the campaigns."""
        found = copy(self)
        found.__dict__.pop("_left_out", None)
        for name in _OF_EACH_CAMPAIGN:
            setattr(found, name, getattr(self, name)[rows])
        if self.mean_variance is not None:
            found.mean_variance = self.mean_variance[rows]
        found.correlation = self.correlation.some(rows)
        return found

    def at(self, features: Floats) -> CandidateMarginals:
        """Mean and variance at M candidates, (R, M, k)."""
        return self._at_lifted(self._lifted(features))

    def _at_lifted(self, candidates: Floats) -> CandidateMarginals:
        """As `at`, of candidates (R, K, M) in units of the lengthscales, lifted."""
        covariances = self.correlation.between(self._lifted(self.features), candidates)
        white = np.matmul(self.whiten, covariances)  # (R, n, M)
        mean = np.matmul(white.swapaxes(1, 2), self.white)[..., 0]
        if (beforehand := self.correlation.mean(candidates)) is not None:
            mean += beforehand
        variance = self.correlation.variance(candidates) - np.einsum("rnm,rnm->rm", white, white)
        return CandidateMarginals(
            self.correlation,
            self.noise,
            self.outputscale,
            candidates,
            mean,
            np.maximum(variance, 1e-12),
            white,
        )

    def _lifted(self, features: Floats) -> Floats:
        """Points (R, m, k) in units of the lengthscales, lifted."""
        return self.correlation.lifted(self.correlation.scaled(features))

    def covariance(self, features: Floats) -> Floats:
        """Posterior covariance of M candidates, (R, M, M), in standardised units."""
        marginals = self.at(features)
        candidates = self._lifted(features)
        covariance = self.correlation.between(candidates, candidates)
        covariance -= np.matmul(marginals.white.swapaxes(1, 2), marginals.white)
        covariance *= self.outputscale[:, None, None]
        return covariance
