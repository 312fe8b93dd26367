"""Scale, offset and skewness: from measured values to those that a learned prior speaks of.

A family is learnt in warped values w = h((y - a) / s), with an offset a and a scale s of each
instance, so that they have mean 0 and variance 1: h(t) = t above 0 and -log(1 - c t) / c below,
which draws in the long tail of bad values that many families have. Of a new instance, log s is
normal beforehand, and a is normal around a line in log s. Both are inferred from its data, as their
means a posteriori on a grid. What is not known of the offset stays part of the posterior, to first
order: it moves w by h'(t).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_GRIDS = ((21, 21), (11, 11))  # scales and offsets, of a wide grid and of one around its best part
_REACH = 3.5  # standard deviations beforehand, of the wide grid
_REACH_AGAIN = 2.0  # standard deviations a posteriori, of the other
_STEPS = 60  # of finding an instance's own offset and scale
_HELD = 2**20  # warped values that are held at once


@dataclass(frozen=True)
class Warp:
    """h, and its inverse.

    Attributes:
        curvature: c, at least 0; 0: no warp.
    """

    curvature: float

    def __call__(self, standardised: Floats) -> Floats:
        """h, of any shape."""
        if self.curvature == 0:
            return standardised
        below = np.minimum(standardised, 0.0)
        found: Floats = np.maximum(standardised, 0.0)
        found -= np.log1p(-self.curvature * below) / self.curvature
        return found

    def inverse(self, warped: Floats) -> Floats:
        """The standardised values that are warped to these."""
        if self.curvature == 0:
            return warped
        below = np.minimum(warped, 0.0)
        found: Floats = np.maximum(warped, 0.0)
        found -= np.expm1(-self.curvature * below) / self.curvature
        return found

    def log_slope(self, warped: Floats) -> Floats:
        """Logarithm of h' where h is so."""
        return self.curvature * np.minimum(warped, 0.0)


@dataclass(frozen=True)
class ScalePrior:
    """What scale and offset of an instance are like, in the values' units.

    Attributes:
        log_scale: Mean of the logarithm of the scale.
        log_scale_sd: Its standard deviation.
        offset: Mean of the offset at the mean scale.
        offset_slope: By how much the offset changes with the logarithm of the scale.
        offset_sd: Standard deviation of the offset, given the scale.
        curvature: Of the warp.
    """

    log_scale: float
    log_scale_sd: float
    offset: float
    offset_slope: float
    offset_sd: float
    curvature: float = 0.0

    @property
    def warp(self) -> Warp:
        """From standardised values to those that the prior speaks of."""
        return Warp(self.curvature)

    def offset_at(self, log_scale: Floats) -> Floats:
        """Mean of the offset, given the scale."""
        return self.offset + self.offset_slope * (log_scale - self.log_scale)


class Scales(NamedTuple):
    """Scales and offsets of R campaigns.

    Attributes:
        scale: (R,).
        offset: (R,).
        mean: (R,) of the offset beforehand, less the above, in scales.
        variance: (R,) of the offset beforehand, in squared scales.
    """

    scale: Floats
    offset: Floats
    mean: Floats
    variance: Floats


def infer_scales(prior: ScalePrior, values: Floats, whiten: Floats, mean: Floats) -> Scales:
    """Scale and offset of R campaigns with n observations each.

    Args:
        prior: What is known beforehand.
        values: (R, n) observed.
        whiten: (R, n, n) inverse of the Cholesky factor of the observations' covariance, warped.
        mean: (R, n) of the family there, likewise.
    """
    rows, n = values.shape
    log_scale, deviation = np.full(rows, prior.log_scale), np.zeros(rows)
    if n:
        several = max(1, _HELD // (n * _GRIDS[0][0] * _GRIDS[0][1]))
        for first in range(0, rows, several):
            part = slice(first, first + several)
            log_scale[part], deviation[part] = _inferred(
                prior, values[part], whiten[part], mean[part]
            )
    scale = np.exp(log_scale)
    offset = prior.offset_at(log_scale) + prior.offset_sd * deviation
    return Scales(
        scale, offset, -deviation * prior.offset_sd / scale, (prior.offset_sd / scale) ** 2
    )


def _inferred(
    prior: ScalePrior, values: Floats, whiten: Floats, mean: Floats
) -> tuple[Floats, Floats]:
    """Log scales, and offsets in standard deviations from the line, (P,) each."""
    rows = len(values)
    middle = np.zeros((2, rows))  # in standard deviations beforehand
    reach = np.full((2, rows), _REACH)
    for sizes in _GRIDS:
        steps = [np.linspace(-1.0, 1.0, size) for size in sizes]
        u, v = (each.ravel() for each in np.meshgrid(*steps, indexing="ij"))  # (G,) each
        at_u = middle[0][:, None] + reach[0][:, None] * u  # (P, G)
        at_v = middle[1][:, None] + reach[1][:, None] * v
        log_scale = prior.log_scale + prior.log_scale_sd * at_u
        offset = prior.offset_at(log_scale) + prior.offset_sd * at_v
        density = _log_density(prior.warp, values, whiten, mean, log_scale, offset)
        density -= 0.5 * (at_u**2 + at_v**2)
        shares = np.exp(density - density.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        middle = np.stack([(shares * each).sum(axis=1) for each in (at_u, at_v)])
        apart = [
            ((each - m[:, None]) ** 2 * shares).sum(axis=1)
            for each, m in zip((at_u, at_v), middle, strict=True)
        ]
        spacing = reach / (np.array(sizes)[:, None] - 1)
        reach = np.maximum(_REACH_AGAIN * np.sqrt(np.stack(apart)), 2 * spacing)
    return prior.log_scale + prior.log_scale_sd * middle[0], middle[1]


def _log_density(
    warp: Warp, values: Floats, whiten: Floats, mean: Floats, log_scale: Floats, offset: Floats
) -> Floats:
    """Of the values (P, n), but for a constant, at (P, G) scales and offsets."""
    standardised = (values[:, :, None] - offset[:, None]) / np.exp(log_scale)[:, None]  # (P, n, G)
    warped = warp(standardised)
    white = np.matmul(whiten, warped - mean[:, :, None])
    density: Floats = -values.shape[1] * log_scale
    density -= 0.5 * np.einsum("png,png->pg", white, white)
    if warp.curvature:
        density += warp.log_slope(warped).sum(axis=1)
    return density


def standardising(values: Floats, warp: Warp) -> tuple[Floats, Floats]:
    """Offsets and scales by which instances (I, D) have mean 0 and variance 1 once warped.

    NaN where an instance was not measured counts for nothing.
    """
    offsets, scales = np.nanmean(values, axis=1), np.nanstd(values, axis=1)
    if warp.curvature:
        for _ in range(_STEPS):
            warped = warp((values - offsets[:, None]) / scales[:, None])
            offsets = offsets + 0.7 * scales * np.nanmean(warped, axis=1)
            scales = scales * np.nanstd(warped, axis=1) ** 0.7
    return offsets, scales
