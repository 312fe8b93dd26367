"""One lengthscale a parameter, shrunk towards a common one, fitted for many campaigns at once.

The maximum of `LogPosterior` is climbed by BFGS with exact slopes from the best point of a small
grid. Each campaign's fit is its own, to the bit: those that have arrived drop out of the
arithmetic, and no sum runs over campaigns.

Reference:
    Nocedal and Wright, Numerical Optimization, 2nd edition, 2006, algorithm 6.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.kernels import Floats
from ombo_gym.surrogates.log_posterior import LogPosterior, row_sums

_BOUNDS = ((-8.0, 8.0), (-12.0, 12.0), (-16.0, 2.0))  # of m, each d_j and the log noise
_GRID = ((-1.0, 0.0, 1.0), (-9.0, -5.0, -2.0))  # log lengthscales about the prior's, log noises
_EVALUATIONS, _FEW_EVALUATIONS, _MANY = 25, 12, 200  # fewer above so many observations
_AGAIN = 8  # after the few, once it is known how kernels are weighted
_ARMIJO = 1e-4
_LONGEST_STEP = 2.0  # of any coordinate
_ARRIVED = 1e-3  # slope below which a campaign drops out
_HELD = 2**17  # entries of (R, n, n) arrays that stay in a processor's cache


@dataclass(frozen=True)
class AnisotropicFit:
    """What was fitted.

    Attributes:
        correlation: With the lengthscales and weights.
        noise: (R,) variance, relative to the prior variance.
        outputscale: (R,) prior variance.
        log_posterior: (R,) density at the maximum, but for a constant.
        mean: (R,) of the objective, standardised.
    """

    correlation: Correlation
    noise: Floats
    outputscale: Floats
    log_posterior: Floats
    mean: Floats

    @property
    def lengthscales(self) -> Floats:
        """(R, k) of each feature."""
        return self.correlation.unit


def fit_anisotropic(
    features: Floats,
    targets: Floats,
    groups: NDArray[np.intp],
    typical_distance: float,
    kernel: str = "matern52",
    *,
    categories: NDArray[np.bool_] | None = None,
    known_noise: Floats | None = None,
    mean_variance: Floats | None = None,
) -> AnisotropicFit:
    """The kernel parameters of maximal posterior density.

    Args:
        features: (R, n, k).
        targets: (R, n) standardised observations, n of at least 2.
        groups: (k,) which parameter each feature belongs to, 0 .. p - 1: features of a parameter,
            one-hot ones for example, share a lengthscale.
        typical_distance: Scale of distances of uniform designs, see `DesignSpace`.
        kernel: Name of a stationary kernel.
        categories: (k,) which features are categories', beside others, which have a kernel of their
            own, see `Correlation`; None: there is one kernel.
        known_noise: (R,) variance of the observations' noise, as far as it is known; None: 0.
        mean_variance: (R,) of the objective's mean beforehand, relative to the prior variance;
            None: it is 0.
    """
    rows, n = targets.shape
    chunk = max(1, _HELD // max(1, n * n))
    lengthscales, weights = np.empty(features.shape[::2]), np.empty((rows, 3))
    noise, outputscale, values, mean = (np.empty(rows) for _ in range(4))
    for first in range(0, rows, chunk):
        part = slice(first, first + chunk)
        objective = LogPosterior(
            features[part],
            targets[part],
            groups,
            typical_distance,
            kernel,
            categories,
            None if known_noise is None else known_noise[part],
            None if mean_variance is None else mean_variance[part],
        )
        few = n > _MANY or categories is not None
        evaluations = _FEW_EVALUATIONS if few else _EVALUATIONS
        found, values[part] = _climb(objective, _best_of_grid(objective), evaluations)
        if objective.weights is not None:
            objective.average_weights(found)
            found, values[part] = _climb(objective, found, _AGAIN)
            objective.average_weights(found)
            weights[part] = objective.weights
        everyone = np.arange(len(found))
        lengthscales[part] = objective.lengthscales(found)
        noise[part] = objective.noise(found, everyone)
        outputscale[part] = objective.outputscale(found, everyone)
        mean[part] = objective.mean(found, everyone)
    one_kernel = categories is None
    correlation = Correlation(kernel, lengthscales, categories, None if one_kernel else weights)
    return AnisotropicFit(correlation, noise, outputscale, values, mean)


def _climb(objective: LogPosterior, x: Floats, evaluations: int) -> tuple[Floats, Floats]:
    """Where BFGS arrives from points (R, p + 2), likewise, and the densities there, (R,)."""
    rows = np.arange(len(x))  # of the campaigns that go on
    value, slope = objective.value_and_slope(x, rows)
    low, high = _bounds(objective.num_groups)
    found, values = x.copy(), value.copy()
    curvature = np.tile(np.eye(x.shape[1]), (len(x), 1, 1))  # (S, p + 2, p + 2), inverse
    fresh = np.ones(len(x), bool)
    direction = slope / np.maximum(1.0, np.abs(slope).max(axis=1))[:, None]
    length = np.ones(len(x))
    for _ in range(evaluations):
        tried = np.clip(x + length[:, None] * direction, low, high)
        tried_value, tried_slope = objective.value_and_slope(tried, rows)
        rise = row_sums(slope * (tried - x))
        better = tried_value >= value + _ARMIJO * np.maximum(rise, 0.0)
        better &= tried_value > value
        move = np.where(better[:, None], tried - x, 0.0)
        change = np.where(better[:, None], slope - tried_slope, 0.0)
        curvature, fresh = _learn(curvature, fresh, move, change)
        x = np.where(better[:, None], tried, x)
        slope = np.where(better[:, None], tried_slope, slope)
        value = np.where(better, tried_value, value)
        found[rows], values[rows] = x, value
        uphill = np.matmul(curvature, slope[..., None])[..., 0]
        rising = row_sums(uphill * slope) > 0
        uphill = np.where(rising[:, None], uphill, slope)
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
            curvature, fresh = curvature[on], fresh[on]
    return found, values


def _best_of_grid(objective: LogPosterior) -> Floats:
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
    """Least and largest of each coordinate, (p + 2,)."""
    (m, d, noise) = _BOUNDS
    low, high = ([m[i], *[d[i]] * num_groups, noise[i]] for i in (0, 1))
    return np.array(low), np.array(high)


def _learn(
    curvature: Floats, fresh: NDArray[np.bool_], move: Floats, change: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """The inverse curvature (S, p + 2, p + 2) after a move, and where it knows nothing yet, (S,).

    Args:
        curvature: So far, the identity where it knows nothing; is changed.
        fresh: (S,) where.
        move: (S, p + 2) of the points, none where there was no better one.
        change: (S, p + 2) of the slopes, downwards.
    """
    product = row_sums(move * change)  # (S,)
    usable = product > 1e-12
    per_product = np.where(usable, 1 / np.where(usable, product, 1.0), 0.0)
    if (first := usable & fresh).any():
        squares = np.where(first, row_sums(change * change), 1.0)
        curvature *= np.where(first, product / squares, 1.0)[:, None, None]
    turned = np.matmul(curvature, change[..., None])[..., 0]  # (S, p + 2)
    weight = per_product * (1.0 + per_product * row_sums(change * turned))
    half = (0.5 * weight)[:, None] * move - per_product[:, None] * turned
    update = move[:, :, None] * half[:, None]
    curvature += update
    curvature += update.swapaxes(1, 2)
    return curvature, fresh & ~usable
