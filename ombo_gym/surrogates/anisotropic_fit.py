"""One lengthscale a parameter, shrunk towards a common one, fitted for many campaigns at once.

The lengthscale of parameter j is exp(m + d_j): m is the common scale, with a normal prior; the
deviation d_j has a Cauchy prior, which pulls small deviations to none and leaves large ones, of
parameters that hardly matter, nearly alone. The noise variance, relative to the prior variance, has
a wide lognormal prior; the prior variance has the closed form (y' K^-1 y + 1) / (n + 1). The
maximum a posteriori is climbed by BFGS with exact slopes from the best point of a small grid.

Each campaign's fit is its own, to the bit: those that have arrived drop out of the arithmetic, and
no sum runs over campaigns.

Reference:
    Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, section 5.4.1; Nocedal
    and Wright, Numerical Optimization, 2nd edition, 2006, algorithm 7.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.cholesky import factorise
from ombo_gym.surrogates.kernels import KERNELS, SLOPES, Floats

_DEVIATION = 0.4  # scale of the Cauchy prior of a log lengthscale's deviation
_COMMON = (0.6, 1.0)  # median, in typical distances, and sd of the log of the common lengthscale
_NOISE = (-4.0, 3.0)  # mean and sd of the log noise variance
_BOUNDS = ((-8.0, 8.0), (-12.0, 12.0), (-16.0, 2.0))  # of m, each d_j and the log noise
_GRID = ((-1.0, 0.0, 1.0), (-9.0, -5.0, -2.0))  # log lengthscales about the prior's, log noises
_EVALUATIONS, _FEW_EVALUATIONS, _MANY = 25, 12, 200  # fewer above so many observations
_ARMIJO = 1e-4
_LONGEST_STEP = 2.0  # of any coordinate
_ARRIVED = 1e-3  # slope below which a campaign drops out
_HELD = 2**22  # entries of (R, n, n) arrays that are worked on at once


@dataclass(frozen=True)
class AnisotropicFit:
    """What was fitted.

    Attributes:
        lengthscales: (R, k) of each feature.
        noise: (R,) variance, relative to the prior variance.
        outputscale: (R,) prior variance.
        log_posterior: (R,) density at the maximum, but for a constant.
    """

    lengthscales: Floats
    noise: Floats
    outputscale: Floats
    log_posterior: Floats


def fit_anisotropic(
    features: Floats,
    targets: Floats,
    groups: NDArray[np.intp],
    typical_distance: float,
    kernel: str = "matern52",
) -> AnisotropicFit:
    """The kernel parameters of maximal posterior density.

    Args:
        features: (R, n, k).
        targets: (R, n) standardised observations.
        groups: (k,) which parameter each feature belongs to, 0 .. p - 1: features of a parameter,
            one-hot ones for example, share a lengthscale.
        typical_distance: Scale of distances of uniform designs, see `DesignSpace`.
        kernel: Name of a stationary kernel.
    """
    rows, n = targets.shape
    found = np.empty((rows, groups.max(initial=-1) + 3))  # (R, p + 2): m, d_1 .. d_p, log noise
    values = np.empty(rows)
    chunk = max(1, _HELD // max(1, n * n))
    for first in range(0, rows, chunk):
        part = slice(first, first + chunk)
        objective = _LogPosterior(features[part], targets[part], groups, typical_distance, kernel)
        found[part], values[part] = _climb(objective, n)
    whole = _LogPosterior(features, targets, groups, typical_distance, kernel)
    outputscale = np.concatenate(
        [
            whole.outputscale(found[i : i + chunk], slice(i, i + chunk))
            for i in range(0, rows, chunk)
        ]
        or [np.empty(0)]
    )
    log_scales = found[:, :1] + found[:, 1:-1]  # (R, p)
    lengthscales = np.ascontiguousarray(np.exp(log_scales)[:, groups])
    return AnisotropicFit(lengthscales, np.exp(found[:, -1]), outputscale, values)


class _LogPosterior:
    """Log density of m, d_1 .. d_p and the log noise, (S, p + 2), for some campaigns."""

    def __init__(
        self,
        features: Floats,
        targets: Floats,
        groups: NDArray[np.intp],
        typical_distance: float,
        kernel: str,
    ) -> None:
        self.num_groups = int(groups.max(initial=-1)) + 1
        self.num_campaigns, self._n = targets.shape
        self._features, self._targets, self._groups = features, targets, groups
        self._kernel, self._kernel_slope = KERNELS[kernel], SLOPES[kernel]
        self.middle = math.log(_COMMON[0] * typical_distance)
        self._squares = np.ascontiguousarray(features**2)

    def value(self, at: Floats, rows: NDArray[np.intp]) -> Floats:
        """(S, p + 2) -> (S,)."""
        _, squared = self._squared_distances(at, rows)
        lower, white = factorise(self._noisy(squared, at), self._targets[rows])
        return self._density(at, lower, white)

    def value_and_slope(self, at: Floats, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """(S, p + 2) -> (S,) and (S, p + 2)."""
        n = self._n
        weights, squared = self._squared_distances(at, rows)
        matrix, targets = self._noisy(squared, at), self._targets[rows]
        lower, white = factorise(matrix, targets)
        value = self._density(at, lower, white)
        inverse = np.linalg.inv(matrix)  # (S, n, n)
        alpha = np.matmul(inverse, targets[..., None])  # (S, n, 1)
        scale = (n + 1) / (1 + _row_sums(white**2))  # (S,) one over the prior variance
        by_matrix = np.matmul(alpha * scale[:, None, None], alpha.swapaxes(1, 2))
        by_matrix -= inverse
        by_matrix *= 0.5  # (S, n, n), of the density by the kernel matrix
        noise = np.exp(at[:, -1])
        diagonal = np.ascontiguousarray(np.diagonal(by_matrix, axis1=1, axis2=2))
        by_noise = _row_sums(diagonal) * noise - (at[:, -1] - _NOISE[0]) / _NOISE[1] ** 2
        by_matrix *= self._kernel_slope(squared)  # by the squared distances
        features = self._features[rows]
        sums = by_matrix.sum(axis=2)[..., None]  # (S, n, 1)
        crossed = np.matmul(by_matrix, features)  # (S, n, k)
        by_feature = (self._squares[rows] * sums).sum(axis=1) - (features * crossed).sum(axis=1)
        by_scale = self._grouped(-4.0 * weights[:, self._groups] * by_feature)  # (S, p)
        deviations = at[:, 1:-1]
        by_deviation = by_scale - 2 * deviations / (_DEVIATION**2 + deviations**2)
        by_common = _row_sums(by_scale) - (at[:, 0] - self.middle) / _COMMON[1] ** 2
        slope = np.concatenate([by_common[:, None], by_deviation, by_noise[:, None]], axis=1)
        return value, slope

    def outputscale(self, at: Floats, part: slice) -> Floats:
        """Prior variances, (S,)."""
        rows = np.arange(self.num_campaigns)[part]
        _, squared = self._squared_distances(at, rows)
        _, white = factorise(self._noisy(squared, at), self._targets[rows])
        found: Floats = (1 + _row_sums(white**2)) / (self._n + 1)
        return found

    def _squared_distances(self, at: Floats, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """One over squared lengthscales (S, p), and distances in their units (S, n, n)."""
        weights = np.exp(-2.0 * (at[:, :1] + at[:, 1:-1]))
        each = weights[:, self._groups]  # (S, k)
        features = self._features[rows]
        norms = np.matmul(self._squares[rows], each[..., None])  # (S, n, 1)
        squared = np.matmul(features * (-2.0 * each[:, None]), features.swapaxes(1, 2))
        squared += norms
        squared += norms.swapaxes(1, 2)
        np.maximum(squared, 0.0, out=squared)
        diagonal = np.arange(self._n)
        squared[:, diagonal, diagonal] = 0.0
        return weights, squared

    def _noisy(self, squared: Floats, at: Floats) -> Floats:
        """Kernel matrices of the observations and their noise, (S, n, n)."""
        matrix = self._kernel(squared)
        diagonal = np.arange(self._n)
        matrix[:, diagonal, diagonal] = 1.0 + np.exp(at[:, -1])[:, None]
        return matrix

    def _density(self, at: Floats, lower: Floats, white: Floats) -> Floats:
        diagonal = np.ascontiguousarray(np.diagonal(lower, axis1=1, axis2=2))
        density = -0.5 * (self._n + 1) * np.log(1 + _row_sums(white**2))
        density -= _row_sums(np.log(diagonal))
        density -= _row_sums(np.log1p((at[:, 1:-1] / _DEVIATION) ** 2))
        density -= 0.5 * ((at[:, 0] - self.middle) / _COMMON[1]) ** 2
        density -= 0.5 * ((at[:, -1] - _NOISE[0]) / _NOISE[1]) ** 2
        found: Floats = density
        return found

    def _grouped(self, by_feature: Floats) -> Floats:
        """Sums over the features of each parameter, (S, k) -> (S, p)."""
        if self.num_groups == by_feature.shape[1]:
            return by_feature
        grouped = np.zeros((len(by_feature), self.num_groups))
        for feature, group in enumerate(self._groups.tolist()):
            grouped[:, group] += by_feature[:, feature]
        return grouped


def _row_sums(array: Floats) -> Floats:
    """Sums of rows, (S, m) -> (S,), each in the same order whatever S is."""
    sums: Floats = np.ascontiguousarray(array).sum(axis=1)
    return sums


def _climb(objective: _LogPosterior, n: int) -> tuple[Floats, Floats]:
    """Where BFGS arrives from the best point of the grid, (R, p + 2), and its densities, (R,)."""
    x = _best_of_grid(objective)
    rows = np.arange(len(x))  # of the campaigns that go on
    value, slope = objective.value_and_slope(x, rows)
    low, high = _bounds(objective.num_groups)
    found, values = x.copy(), value.copy()
    moves: list[Floats] = []  # (S, p + 2) each
    changes: list[Floats] = []
    direction = slope / np.maximum(1.0, np.abs(slope).max(axis=1))[:, None]
    length = np.ones(len(x))
    for _ in range(_EVALUATIONS if n <= _MANY else _FEW_EVALUATIONS):
        tried = np.clip(x + length[:, None] * direction, low, high)
        tried_value, tried_slope = objective.value_and_slope(tried, rows)
        rise = _row_sums(slope * (tried - x))
        better = tried_value >= value + _ARMIJO * np.maximum(rise, 0.0)
        better &= tried_value > value
        moves.append(np.where(better[:, None], tried - x, 0.0))
        changes.append(np.where(better[:, None], slope - tried_slope, 0.0))
        x = np.where(better[:, None], tried, x)
        slope = np.where(better[:, None], tried_slope, slope)
        value = np.where(better, tried_value, value)
        found[rows], values[rows] = x, value
        uphill = _uphill(slope, moves, changes)
        step = np.abs(uphill).max(axis=1)
        uphill /= np.maximum(1.0, step / _LONGEST_STEP)[:, None]
        direction = np.where(better[:, None], uphill, direction)
        length = np.where(better, 1.0, 0.3 * length)
        free = ~((x <= low) & (slope < 0) | (x >= high) & (slope > 0))
        on = (np.abs(np.where(free, slope, 0.0)).max(axis=1) > _ARRIVED) & (length > 1e-4)
        if not on.any():
            break
        if not on.all():
            rows, x, slope, value = rows[on], x[on], slope[on], value[on]
            direction, length = direction[on], length[on]
            moves, changes = [m[on] for m in moves], [c[on] for c in changes]
    return found, values


def _best_of_grid(objective: _LogPosterior) -> Floats:
    """The best of a few isotropic points, (R, p + 2)."""
    rows = np.arange(objective.num_campaigns)
    best = np.zeros((len(rows), objective.num_groups + 2))
    value = np.full(len(rows), -np.inf)
    for above in _GRID[0]:
        for noise in _GRID[1]:
            at = np.zeros_like(best)
            at[:, 0], at[:, -1] = objective.middle + above, noise
            density = objective.value(at, rows)
            better = density > value
            best, value = np.where(better[:, None], at, best), np.where(better, density, value)
    return best


def _bounds(num_groups: int) -> tuple[Floats, Floats]:
    (m, d, noise) = _BOUNDS
    low, high = ([m[i], *[d[i]] * num_groups, noise[i]] for i in (0, 1))
    return np.array(low), np.array(high)


def _uphill(slope: Floats, moves: list[Floats], changes: list[Floats]) -> Floats:
    """The inverse curvature, learned from all moves so far, times the slope: (S, p + 2)."""
    direction = slope.copy()
    weights: list[Floats] = []
    products = [_row_sums(m * c) for m, c in zip(moves, changes, strict=True)]  # (S,) each
    usable = [product > 1e-12 for product in products]
    inverses = [
        np.where(u, 1 / np.where(u, p, 1.0), 0.0) for u, p in zip(usable, products, strict=True)
    ]
    for move, change, inverse in zip(moves[::-1], changes[::-1], inverses[::-1], strict=True):
        weight = inverse * _row_sums(move * direction)
        direction -= weight[:, None] * change
        weights.append(weight)
    scale = np.ones(len(slope))
    for change, product, use in zip(changes, products, usable, strict=True):
        squares = np.where(use, _row_sums(change * change), 1.0)
        scale = np.where(use, product / squares, scale)  # the latest usable one
    direction *= scale[:, None]
    for move, change, inverse, weight in zip(moves, changes, inverses, weights[::-1], strict=True):
        back = inverse * _row_sums(change * direction)
        direction += (weight - back)[:, None] * move
    rising = _row_sums(direction * slope) > 0
    return np.where(rising[:, None], direction, slope)
