"""Posteriors under a prior that was learnt from a family of objectives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import Designs
from ombo_gym.surrogates.learned_correlation import LearnedCorrelation
from ombo_gym.surrogates.learned_prior import LearnedPrior
from ombo_gym.surrogates.learned_scale import infer_scales
from ombo_gym.surrogates.listed_marginals import ListedDesigns
from ombo_gym.surrogates.marginals import CandidateMarginals
from ombo_gym.surrogates.posterior import Posterior

Floats = NDArray[np.float64]

_HELD = 2**22  # means of designs that are held at once
_AGAIN = 2  # times that a known noise is brought to the scale that was inferred with it


class LearnedPosterior(Posterior):
    """Beliefs of R campaigns after n observations each; attributes as `Posterior` has them.

    Beliefs are about warped values, see `ombo_gym.surrogates.learned_scale`, with the shift and the
    scale that are inferred; the outputscale calibrates them.

    Args:
        prior: What was learnt.
        features: (R, n, k) of the observed designs.
        values: (R, n) observed.
        noise_std: Of a measurement, in the values' units, on top of what was learnt.
    """

    correlation: LearnedCorrelation

    def __init__(
        self, prior: LearnedPrior, features: Floats, values: Floats, *, noise_std: float = 0.0
    ) -> None:
        rows = len(values)
        self.prior, self.kernel, self.features = prior, prior.residual.kernel, features
        self.correlation = prior.correlation(rows)
        self.outputscale, self.mean_variance = np.full(rows, prior.calibration), None
        self.noise = np.full(rows, prior.noise + noise_std**2 * np.exp(-2 * prior.scale.log_scale))
        inputs = self._lifted(features)
        covariance, mean = self.correlation.between(inputs, inputs), inputs[:, 0]
        for _ in range(1 + _AGAIN * (noise_std > 0)):
            scales = infer_scales(prior.scale, values, self._whitening(covariance), mean)
            if noise_std:
                self.noise = prior.noise + (noise_std / scales.scale) ** 2
        self.shift, self.scale = scales.offset, scales.scale
        self.targets = self.standardised(values)
        self.correlation = prior.correlation(rows, scales.variance, scales.mean)
        self.whiten = self._whitening(self.correlation.between(inputs, inputs))
        rest = self.targets - self.correlation.mean(inputs)
        self.white = np.matmul(self.whiten, rest[:, :, None])
        self.unit = np.tile(prior.climbing_unit, (rows, 1))
        self.lengthscale = np.exp(np.log(self.unit).mean(axis=1))

    @override
    def standardised(self, values: Floats) -> Floats:
        return self.prior.scale.warp(super().standardised(values))

    @override
    def in_units(self, standardised: Floats) -> Floats:
        return super().in_units(self.prior.scale.warp.inverse(standardised))

    def _whitening(self, covariance: Floats) -> Floats:
        """Inverse Cholesky factors of covariances of the observations and their noise."""
        noisy, diagonal = covariance.copy(), np.arange(covariance.shape[1])
        noisy[:, diagonal, diagonal] += self.noise[:, None]
        return np.asarray(np.linalg.inv(np.linalg.cholesky(noisy)), np.float64)

    def most_promising(self) -> Designs:
        """Designs that are worth looking at in each campaign, (R, P, *shape).

        Those of the prior and, where a finite space is not looked at as a whole, as many of all
        its designs that the loadings say most of, given what was observed.
        """
        rows, promising = len(self.shift), self.prior.promising
        static = np.broadcast_to(promising, (rows, *promising.shape))
        every = self.prior.everything
        if every is None or not len(promising):
            return static
        designs, basis = every  # (M, *shape), (M, 2 + r)
        width, inputs = basis.shape[1], self._lifted(self.features)
        weights = np.matmul(self.whiten.swapaxes(1, 2), self.white)  # (R, n, 1)
        found = np.matmul(inputs[:, 2 : width + 1], weights)[..., 0]  # (R, r + 1)
        count = min(len(promising), len(designs))
        chosen = np.empty((rows, count), np.intp)
        moved = np.exp(self.correlation.curvature * np.minimum(basis[:, 0], 0.0))  # (M,)
        by_offset = self.correlation.offset_mean + self.correlation.offset_variance * found[:, -1]
        several = max(1, _HELD // len(designs))
        for first in range(0, rows, several):
            part = slice(first, first + several)
            mean = np.matmul(found[part, None, :-1], basis[:, 2:].T)[:, 0]  # (P, M)
            mean += basis[:, 0]
            mean += by_offset[part, None] * moved
            chosen[part] = np.argpartition(-mean, count - 1, axis=1)[:, :count]
        return np.concatenate([static, designs[np.sort(chosen, axis=1)]], axis=1)

    def at_listed(self, listed: ListedDesigns) -> CandidateMarginals:
        """Mean and variance at designs that all campaigns look at."""
        lifted = self.prior.lifted(listed.features)  # (K, M)
        return self._at_lifted(np.broadcast_to(lifted, (len(self.shift), *lifted.shape)))
