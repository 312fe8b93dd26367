"""How probable kernel parameters are, given the observations of many campaigns, and its slopes.

The lengthscale of parameter j is exp(m + d_j): m is the common scale, with a normal prior; the
deviation d_j has a Cauchy prior, which pulls small deviations to none and leaves large ones, of
parameters that hardly matter, nearly alone. The noise variance, relative to the prior variance, is
what is known of it and a rest with a wide lognormal prior; the prior variance is integrated out
under a prior of an inverse gamma variable. So is the objective's mean, under a normal prior: it is
not the mean of designs that were chosen for their values. The likelihood of flat data is raised to
a power below 1, and they have a least noise, see `ombo_gym.surrogates.ties`. Where numbers and
categories stand side by side, the correlations are the sum of their kernels, or the product, or
something between: each is as probable beforehand.

Reference:
    Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, section 5.4.1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.cholesky import factorise
from ombo_gym.surrogates.correlation import chained, parts_of, split, sum_and_product
from ombo_gym.surrogates.kernels import KERNELS, Floats, squared_distances, with_slope
from ombo_gym.surrogates.ties import commonest_share, least_noise, likelihood_power

_DEVIATION = 0.4  # scale of the Cauchy prior of a log lengthscale's deviation
_COMMON = (0.6, 1.0)  # median, in typical distances, and sd of the log of the common lengthscale
_NOISE = (-4.0, 3.0)  # mean and sd of the log noise variance that is not known
# Of the numbers' kernel, the categories' and the product: what lengthscales are fitted with at
# first, and what may be.
_BETWEEN = (0.2, 0.2, 0.6)
_STRUCTURES = ((0.0, 0.0, 1.0), (0.5, 0.5, 0.0), (1 / 3, 1 / 3, 1 / 3))
# Log lengthscale: below, rounding of squared distances would outweigh the least noise.
_SHORTEST = -7.0
_MOST_NOISE = math.exp(2.0)  # that is known
_WIDE = 3  # features a parameter from which distances are kept by parameter
_WIDER = 1.15  # the prior variance, by what the other parameters may be wrong


class LogPosterior:
    """Log density of m, d_1 .. d_p and the log noise that is not known, (S, p + 2).

    Attributes:
        num_groups: p.
        num_campaigns: R.
        middle: Median of m.
        weights: (R, 3) of the kernels, see `Correlation`; None: there is one.

    Args:
        features: (R, n, k).
        targets: (R, n) standardised observations.
        groups: (k,) which parameter each feature belongs to.
        typical_distance: Scale of distances of uniform designs, see `DesignSpace`.
        kernel: Name of a stationary kernel.
        categories: (k,) which features are categories', see `Correlation`.
        known_noise: (R,) variance of the noise that is known, in standardised units; None: 0.
        mean_variance: (R,) how far from 0 the objective's mean may be, relative to the prior
            variance; None: it is 0.
    """

    def __init__(
        self,
        features: Floats,
        targets: Floats,
        groups: NDArray[np.intp],
        typical_distance: float,
        kernel: str,
        categories: NDArray[np.bool_] | None = None,
        known_noise: Floats | None = None,
        mean_variance: Floats | None = None,
    ) -> None:
        self.num_groups = int(groups.max(initial=-1)) + 1
        self.num_campaigns, self._n = targets.shape
        self._targets, self._groups = targets, groups
        self._kernel, self._with_slope = KERNELS[kernel], with_slope(kernel)
        self.middle = math.log(_COMMON[0] * typical_distance)
        parts = zip(split(features, categories), parts_of(categories), strict=True)
        self._parts = [_Part(each, groups[columns]) for each, columns in parts]
        self.weights = None if categories is None else np.tile(_BETWEEN, (len(targets), 1))
        commonest = commonest_share(features, targets)  # (R,)
        self._power = likelihood_power(commonest)  # (R,)
        self._least_noise = least_noise(commonest)  # (R,)
        self._mean_variance = mean_variance
        if known_noise is not None:
            self._least_noise += known_share(known_noise, self._n)

    def value(self, at: Floats, rows: NDArray[np.intp]) -> Floats:
        """(S, p + 2) -> (S,)."""
        lower, white = self._factorise(at, rows)
        return self._density(at, lower, white, self._power[rows])

    def value_and_slope(self, at: Floats, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """(S, p + 2) -> (S,) and (S, p + 2)."""
        power = self._power[rows]
        both = [self._with_slope(each) for each in self._squared_distances(at, rows)]
        kernels, slopes = [each for each, _ in both], [each for _, each in both]
        if self.weights is not None:
            slopes = chained(slopes, kernels, self.weights[rows])
        matrix, targets = self._noisy(kernels, at, rows), self._targets[rows]
        lower, white = factorise(matrix, targets)
        value = self._density(at, lower, white, power)
        inverse = np.linalg.inv(matrix)  # (S, n, n)
        alpha = np.matmul(inverse, targets[..., None])  # (S, n, 1)
        # (S,) one over the prior variance
        scale = (self._n * power + 1) / (1 + power * row_sums(white**2))
        by_matrix = np.matmul(alpha * scale[:, None, None], alpha.swapaxes(1, 2))
        by_matrix -= inverse
        by_matrix *= 0.5 * power[:, None, None]  # (S, n, n), of the density by the kernel matrix
        diagonal = np.ascontiguousarray(np.diagonal(by_matrix, axis1=1, axis2=2))
        by_noise = row_sums(diagonal) * np.exp(at[:, -1])
        by_noise -= (at[:, -1] - _NOISE[0]) / _NOISE[1] ** 2
        by_scale = np.empty((len(at), self.num_groups))
        per_squared = self._per_squared(at)
        for part, slope in zip(self._parts, slopes, strict=True):
            slope *= by_matrix
            by_scale[:, part.present] = part.by_scale(slope, per_squared, rows)
        deviations = at[:, 1:-1]
        by_scale[at[:, :1] + deviations < _SHORTEST] = 0.0
        by_deviation = by_scale - 2 * deviations / (_DEVIATION**2 + deviations**2)
        by_common = row_sums(by_scale) - (at[:, 0] - self.middle) / _COMMON[1] ** 2
        slope = np.concatenate([by_common[:, None], by_deviation, by_noise[:, None]], axis=1)
        return value, slope

    def outputscale(self, at: Floats, rows: NDArray[np.intp]) -> Floats:
        """Prior variances, (S,), see `prior_variance`."""
        _, white = self._factorise(at, rows)
        power = self._power[rows]
        return prior_variance(power * row_sums(white**2), self._n * power)

    def mean(self, at: Floats, rows: NDArray[np.intp]) -> Floats:
        """Of the objective, standardised, given the observations, (S,)."""
        if self._mean_variance is None:
            return np.zeros(len(at))
        lower, white = self._factorise(at, rows)
        whitened = np.linalg.solve(lower, np.ones((*white.shape, 1)))[..., 0]  # (S, n), L^-1 1
        found: Floats = self._mean_variance[rows] * row_sums(whitened * white)
        return found

    def lengthscales(self, at: Floats) -> Floats:
        """Of each feature, (S, k)."""
        return np.ascontiguousarray(np.exp(_log_scales(at))[:, self._groups])

    def average_weights(self, at: Floats) -> None:
        """Makes the weights the average of what may be, by how probable that is at (R, p + 2)."""
        rows, densities = np.arange(self.num_campaigns), np.empty((self.num_campaigns, 0))
        for structure in _STRUCTURES:
            self.weights = np.tile(structure, (self.num_campaigns, 1))
            densities = np.column_stack([densities, self.value(at, rows)])  # (R, structures)
        shares = np.exp(densities - densities.max(axis=1, keepdims=True))
        shares /= row_sums(shares)[:, None]
        average = np.zeros((self.num_campaigns, 3))
        for share, structure in zip(shares.T, _STRUCTURES, strict=True):
            average += share[:, None] * structure
        self.weights = average

    def noise(self, at: Floats, rows: NDArray[np.intp]) -> Floats:
        """Noise variances relative to the prior variances, (S,)."""
        noise: Floats = np.exp(at[:, -1]) + self._least_noise[rows]
        return noise

    def _per_squared(self, at: Floats) -> Floats:
        """One over squared lengthscales, (S, p)."""
        per_squared: Floats = np.exp(-2.0 * _log_scales(at))
        return per_squared

    def _squared_distances(self, at: Floats, rows: NDArray[np.intp]) -> list[Floats]:
        """Of the observed designs in lengthscales, (S, n, n) for each part."""
        per_squared = self._per_squared(at)
        return [part.squared_distances(per_squared, rows) for part in self._parts]

    def _noisy(self, kernels: list[Floats], at: Floats, rows: NDArray[np.intp]) -> Floats:
        """Covariances of observations with their noise, (S, n, n), perhaps in place of kernels."""
        matrix = kernels[0]
        if self.weights is not None:
            matrix = sum_and_product(kernels[0], kernels[1], self.weights[rows])
        diagonal = np.arange(self._n)
        matrix[:, diagonal, diagonal] = 1.0 + self.noise(at, rows)[:, None]
        if self._mean_variance is not None:
            matrix += self._mean_variance[rows, None, None]
        return matrix

    def _factorise(self, at: Floats, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Cholesky factors L of these covariances (S, n, n), and L^-1 y, (S, n)."""
        kernels = [self._kernel(each) for each in self._squared_distances(at, rows)]
        return factorise(self._noisy(kernels, at, rows), self._targets[rows])

    def _density(self, at: Floats, lower: Floats, white: Floats, power: Floats) -> Floats:
        diagonal = np.ascontiguousarray(np.diagonal(lower, axis1=1, axis2=2))
        density = -0.5 * (self._n * power + 1) * np.log(1 + power * row_sums(white**2))
        density -= power * row_sums(np.log(diagonal))
        density -= row_sums(np.log1p((at[:, 1:-1] / _DEVIATION) ** 2))
        density -= 0.5 * ((at[:, 0] - self.middle) / _COMMON[1]) ** 2
        density -= 0.5 * ((at[:, -1] - _NOISE[0]) / _NOISE[1]) ** 2
        found: Floats = density
        return found


def _log_scales(at: Floats) -> Floats:
    """Logarithms of the lengthscales, (S, p)."""
    log_scales: Floats = np.maximum(at[:, :1] + at[:, 1:-1], _SHORTEST)
    return log_scales


def _some(array: Floats, rows: NDArray[np.intp]) -> Floats:
    """Rows of an array, each at most once and in order; the array itself where these are all."""
    return array if len(rows) == len(array) else array[rows]


class _Part:
    """Features that one squared distance is of.

    Args:
        features: (R, n, k).
        groups: (k,) which parameter each belongs to.

    Attributes:
        present: (p',) these parameters, ascending.
    """

    def __init__(self, features: Floats, groups: NDArray[np.intp]) -> None:
        self._features, self._groups = features, groups
        self._squares = np.ascontiguousarray(features**2)
        self._order = np.argsort(groups, kind="stable")
        self.present, self._first = np.unique(groups[self._order], return_index=True)
        self._tables: Floats | None = None  # (R, p', n, n) squared distances of each parameter
        if _WIDE * len(self.present) <= len(groups):
            each = [features[..., groups == group] for group in self.present]
            self._tables = np.stack([squared_distances(part, part) for part in each], axis=1)
            diagonal = np.arange(features.shape[1])
            self._tables[:, :, diagonal, diagonal] = 0.0

    def squared_distances(self, per_squared: Floats, rows: NDArray[np.intp]) -> Floats:
        """In units of the lengthscales, (S, p) one over their squares -> (S, n, n)."""
        if self._tables is not None:
            tables = _some(self._tables, rows)
            flat = tables.reshape(*tables.shape[:2], -1)  # (S, p', n n)
            combined = np.matmul(np.take(per_squared, self.present, axis=1)[:, None], flat)
            return np.asarray(combined.reshape(len(rows), *tables.shape[2:]), np.float64)
        each = per_squared[:, self._groups]  # (S, k)
        features = self._features[rows]
        norms = np.matmul(self._squares[rows], each[..., None])  # (S, n, 1)
        squared = np.matmul(features * (-2.0 * each[:, None]), features.swapaxes(1, 2))
        squared += norms
        squared += norms.swapaxes(1, 2)
        np.maximum(squared, 0.0, out=squared)
        diagonal = np.arange(squared.shape[1])
        squared[:, diagonal, diagonal] = 0.0
        found: Floats = squared
        return found

    def by_scale(self, by_squared: Floats, per_squared: Floats, rows: NDArray[np.intp]) -> Floats:
        """Derivatives by the logarithms of the lengthscales, (S, n, n) and (S, p) -> (S, p')."""
        if self._tables is not None:
            tables = _some(self._tables, rows)
            flat = tables.reshape(*tables.shape[:2], -1)  # (S, p', n n)
            by_table = np.matmul(flat, by_squared.reshape(len(rows), -1, 1))[..., 0]
            by_table *= -2.0 * np.take(per_squared, self.present, axis=1)
            return np.asarray(by_table, np.float64)
        features = self._features[rows]
        sums = by_squared.sum(axis=2)[..., None]  # (S, n, 1)
        crossed = np.matmul(by_squared, features)  # (S, n, k)
        by_feature = (self._squares[rows] * sums).sum(axis=1) - (features * crossed).sum(axis=1)
        by_feature *= -4.0 * per_squared[:, self._groups]  # (S, k)
        if len(self.present) == by_feature.shape[1]:
            return np.take(by_feature, self._order, axis=1)
        ordered = np.take(by_feature, self._order, axis=1)
        found: Floats = np.add.reduceat(ordered, self._first, axis=1)
        return found


def known_share(known_noise: Floats, n: int) -> Floats:
    """Noise variances that are known, relative to the prior variances, (R,).

    What is no noise has the rest of the values' variance, which n values may be a standard error
    too small for.

    Args:
        known_noise: (R,) in units of the values' variance.
        n: Number of values, at least 2.
    """
    share = known_noise / (1 + math.sqrt(2 / (n - 1)))
    rest = np.maximum(1 - share, 1 / (1 + _MOST_NOISE))
    found: Floats = np.minimum(share / rest, _MOST_NOISE)
    return found


def prior_variance(quadratic: Floats, n: float | Floats) -> Floats:
    """Prior variances given the other kernel parameters and y' K^-1 y, (S,).

    The mean of its inverse gamma distribution, and a little more: the other parameters are not
    known as well as a maximum makes believe. That of the prior itself is not finite: where fewer
    than two observations count, as where all values are the same, it is as of two.

    Args:
        quadratic: (S,) y' K^-1 y, times what the likelihood is raised to.
        n: Number of observations that count, (S,) or one for all.
    """
    found: Floats = _WIDER * (1 + quadratic) / np.maximum(n - 1, 1)
    return found


def row_sums(array: Floats) -> Floats:
    """Sums of rows, (S, m) -> (S,), each in the same order whatever S is."""
    sums: Floats = np.ascontiguousarray(array).sum(axis=1)
    return sums
