"""Posteriors given designs whose values are not known yet, and slopes of what is believed.

Of R campaigns at once. Everything is in the posterior's (standardised) units.
"""

from __future__ import annotations

import copy

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.learned_correlation import LearnedCorrelation
from ombo_gym.surrogates.marginals import CandidateMarginals, JointNormal, Marginals, MarginalScore
from ombo_gym.surrogates.posterior import Posterior

Floats = NDArray[np.float64]

_APART = 1e-9  # variance, relative to the prior's, that keeps exact values from coinciding


class FantasyPosterior:
    """A posterior of R campaigns that further designs are measured under, of values yet unknown.

    Args:
        posterior: Of what was observed.

    Reference:
        Rasmussen and Williams, 2006, appendix A.3 (partitioned inverses).
    """

    def __init__(self, posterior: Posterior) -> None:
        self._correlation = posterior.correlation
        self._inputs = self._correlation.scaled(posterior.features)  # (R, m, k)
        self._whiten = posterior.whiten  # (R, m, m), the inverse of a lower triangle
        self._weights = np.matmul(posterior.white[..., 0][:, None], posterior.whiten)  # (R, 1, m)
        self._scale = np.sqrt(posterior.outputscale)[:, None]
        self._noise = posterior.noise
        self._observed = posterior.features.shape[1]

    def add(self, features: Floats, marginals: CandidateMarginals, *, noisy: bool) -> None:
        """Measures a design a campaign.

        Args:
            features: (R, k).
            marginals: About candidates, which are told.
            noisy: Whether what is measured has the noise of an observation, or is exact.
        """
        correlation = self._correlation
        white = self._white(features[:, None])[2]  # (R, m, 1)
        scaled = correlation.scaled(features[:, None])
        lifted = correlation.lifted(scaled)
        rest = np.reshape(correlation.variance(lifted), -1)  # (R or 1,)
        rest = rest - np.einsum("rm,rm->r", white[..., 0], white[..., 0])
        pivot = np.sqrt(np.maximum(rest + self._noise if noisy else rest, 1e-12))
        marginals.condition(lifted, white[..., 0], pivot)
        below = -np.matmul(white.swapaxes(1, 2), self._whiten) / pivot[:, None, None]  # (R, 1, m)
        grown = self._grown(scaled, below, 1.0 / pivot[:, None, None])
        self._inputs, self._whiten, self._weights = grown._inputs, grown._whiten, grown._weights

    def given(self, features: Floats) -> tuple[FantasyPosterior, JointNormal]:
        """What is believed once j designs a campaign are measured exactly, and of these, (R, j, k).

        As `add`, all at once, and leaves these beliefs as they are.
        """
        lifted, squared, white = self._white(features)
        at = self._marginals(lifted, squared, white)
        scaled = self._correlation.scaled(features)
        variance = self._correlation.between(lifted, lifted)
        variance -= np.matmul(white.swapaxes(1, 2), white)
        diagonal = np.arange(features.shape[1])
        variance[:, diagonal, diagonal] = (at.sd / self._scale) ** 2 + _APART
        lower = np.asarray(np.linalg.cholesky(variance), np.float64)
        inverse = np.asarray(np.linalg.inv(lower), np.float64)
        below = -np.matmul(np.matmul(inverse, white.swapaxes(1, 2)), self._whiten)  # (R, j, m)
        told = self._grown(scaled, below, inverse)
        return told, JointNormal(at.mean, lower * self._scale[..., None])

    def _grown(self, scaled: Floats, below: Floats, inverse: Floats) -> FantasyPosterior:
        """With j further inputs, of values yet unknown: the inverse of a lower triangle by blocks.

        Args:
            scaled: (R, j, k) of the inputs, in units of the lengthscale.
            below: (R, j, m) rows of the inverse, up to the diagonal block.
            inverse: (R, j, j) that block: of the Cholesky factor of what is left of their own
                covariance.
        """
        rows, j, m = below.shape
        grown = copy.copy(self)
        grown._whiten = np.zeros((rows, m + j, m + j))
        grown._whiten[:, :m, :m] = self._whiten
        grown._whiten[:, m:, :m] = below
        grown._whiten[:, m:, m:] = inverse
        grown._inputs = np.concatenate([self._inputs, scaled], axis=1)
        grown._weights = np.concatenate([self._weights, np.zeros((rows, 1, j))], axis=2)
        return grown

    def copies(self, count: int) -> FantasyPosterior:
        """Of `count` times as many campaigns, all R one time after the other."""
        tiled = copy.copy(self)
        tiled._correlation = self._correlation.tiled(count)
        for name in ("_inputs", "_whiten", "_weights", "_scale", "_noise"):
            array = getattr(self, name)
            setattr(tiled, name, np.tile(array, (count, *[1] * (array.ndim - 1))))
        return tiled

    def _white(self, features: Floats) -> tuple[Floats, tuple[Floats, ...], Floats]:
        """Lifted points, and what they have to do with the inputs.

        (R, K, P), and (R, m, P) each: squared scaled distances, and whitened covariances.
        """
        correlation = self._correlation
        lifted = correlation.lifted(correlation.scaled(features))
        squared = correlation.squared(correlation.lifted(self._inputs), lifted)
        return lifted, squared, np.matmul(self._whiten, correlation.of(squared))

    def at(self, features: Floats) -> Marginals:
        """Beliefs at P points, (R, P, k)."""
        return self._marginals(*self._white(features))

    def _marginals(self, lifted: Floats, squared: tuple[Floats, ...], white: Floats) -> Marginals:
        mean = np.matmul(self._weights, self._correlation.of(squared))[:, 0]
        if (beforehand := self._correlation.mean(lifted)) is not None:
            mean += beforehand
        variance = self._correlation.variance(lifted) - np.einsum("rmp,rmp->rp", white, white)
        variance = np.maximum(variance, 1e-12)
        loadings = white[:, self._observed :] * self._scale[..., None]
        return Marginals(mean, np.sqrt(variance) * self._scale, loadings)

    def mean_slope(self, features: Floats) -> Floats:
        """Gradient of the mean by the features of P points, (R or 1, P, k) -> (R, P, k)."""
        correlation = self._correlation
        if isinstance(correlation, LearnedCorrelation):
            return self._learned_mean_slope(correlation, features)
        gradient = correlation.scaled(features)  # (R, P, k)
        lifted = correlation.lifted(gradient), correlation.lifted(self._inputs)
        slopes = correlation.slopes(correlation.squared(*lifted))  # (R, P, m) each
        split = correlation.split(self._inputs)  # (R, m, k) each
        for columns, inputs, by_squared in zip(correlation.parts, split, slopes, strict=True):
            by_squared *= self._weights
            gradient[..., columns] *= by_squared.sum(axis=2)[..., None]
            gradient[..., columns] -= np.matmul(by_squared, inputs)
        gradient *= 2.0 / correlation.unit[:, None]
        return gradient

    def _learned_mean_slope(self, correlation: LearnedCorrelation, features: Floats) -> Floats:
        """As `mean_slope`, where the mean beforehand has a slope of its own."""
        _, squared, _ = self._white(features)
        by_kernel = np.broadcast_to(self._weights.swapaxes(1, 2), squared[0].shape)
        by_mean = np.ones((len(by_kernel), features.shape[1]))
        return correlation.gradient(features, self._inputs, squared, by_kernel, by_mean)

    def slope(self, features: Floats, score: MarginalScore) -> Floats:
        """Gradient of a score by the features of P points, (R, P, k)."""
        lifted, squared, white = self._white(features)
        marginals = self._marginals(lifted, squared, white)
        by = score.slope(marginals)
        by_white = white * (-by.sd * self._scale**2 / marginals.sd)[:, None]
        by_white[:, self._observed :] += by.loadings * self._scale[..., None]
        by_kernel = np.matmul(self._whiten.swapaxes(1, 2), by_white)  # (R, m, P)
        by_kernel += self._weights.swapaxes(1, 2) * by.mean[:, None]
        by_variance = 0.5 * by.sd * self._scale**2 / marginals.sd  # (R, P)
        return self._correlation.gradient(
            features, self._inputs, squared, by_kernel, by.mean, by_variance
        )
