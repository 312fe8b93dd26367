"""Beliefs about candidates in single precision, for controls: half the memory, half the time.

As `CandidateMarginals`, with all rows of the whitened covariances in one array, so that one product
takes what is known off a new row. Rounding differs, by a few thousandths of the prior's standard
deviation at most; policies take the others.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.marginals import CandidateMarginals
from ombo_gym.surrogates.posterior import Posterior

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

_CACHE = 2**16  # entries of an (R, n, S) array that stay in a processor's cache
_LEAST_NOISE = 1e-4  # variance of a measurement, relative to the prior's
_LEAST = np.float32(1e-6)  # likewise of what is believed


class SingleMarginals:
    """What is believed of S candidates of R campaigns, and once some of them are measured.

    Attributes:
        mean: (R, S).

    Args:
        correlation: In single precision.
        lifted: (R, K, S) the candidates, as the correlation takes them.
        mean: (R, S).
        variance: (R, S) relative to the prior variance.
        white: (R, n + most, S) rows L^-1 k(X, candidates), of which n are known.
        filled: n.
        noise, outputscale: (R,).
    """

    def __init__(
        self,
        correlation: Correlation,
        lifted: Singles,
        mean: Singles,
        variance: Singles,
        white: Singles,
        filled: int,
        noise: Floats,
        outputscale: Floats,
    ) -> None:
        self._correlation, self._lifted = correlation, lifted
        self.mean, self._variance, self._root = mean, variance, np.sqrt(variance)
        self._white, self._filled = white, filled
        # Below this, rounding would grow from one candidate to the next near it.
        self._noise = np.maximum(noise, _LEAST_NOISE).astype(np.float32)  # (R,)
        self._scale = np.sqrt(outputscale).astype(np.float32)[:, None]

    @classmethod
    def of(
        cls,
        posterior: Posterior,
        features: Floats | Singles,
        most: int,
        varying: NDArray[np.intp] | None = None,
    ) -> SingleMarginals:
        """What a posterior says of S candidates.

        Args:
            posterior: Of R campaigns.
            features: (R, S, k) of the candidates.
            most: How many candidates it is conditioned on at most.
            varying: (k,) which of the posterior's features these are; no others differ between
                designs. None: all.
        """
        if type(posterior) is not Posterior:  # one with another prior mean or variance
            return cls.rounded(posterior.at(features.astype(np.float64)), most)
        correlation, known, lifted = _lifted(posterior, features, varying)
        rows, n, size = *posterior.targets.shape, features.shape[1]
        white = np.empty((rows, n + most, size), np.float32)
        mean, variance = _believed(posterior, correlation, known, lifted, white)
        return cls(
            correlation, lifted, mean, variance, white, n, posterior.noise, posterior.outputscale
        )

    @classmethod
    def rounded(cls, marginals: CandidateMarginals, most: int) -> SingleMarginals:
        """The same as marginals in double precision."""
        rows, n, size = marginals.white.shape
        white = np.empty((rows, n + most, size), np.float32)
        white[:, :n] = marginals.white
        return cls(
            _single(marginals._correlation),
            marginals._scaled.astype(np.float32),
            marginals.mean.astype(np.float32),
            marginals._variance.astype(np.float32),
            white,
            n,
            marginals._noise,
            marginals._outputscale,
        )

    @property
    def sd(self) -> Singles:
        """Posterior standard deviations, (R, S)."""
        sd: Singles = self._root * self._scale
        return sd

    def copy(self) -> SingleMarginals:
        """Marginals that can be fantasized on while these are not."""
        copied = copy.copy(self)
        copied._variance, copied._root = self._variance.copy(), self._root.copy()
        return copied

    def fantasize(self, picks: NDArray[np.intp]) -> None:
        """Conditions on a noisy measurement of one candidate a campaign, (R,), at its mean."""
        row, filled = np.arange(len(picks)), self._filled
        picked = self._lifted[row, :, picks][:, :, None]  # (R, K, 1)
        covariances = self._correlation.between(picked, self._lifted)[:, 0]  # type: ignore[arg-type]
        if filled:
            known = self._white[:, :filled]
            covariances -= np.matmul(known[row, :, picks][:, None], known)[:, 0]
        # No covariance exceeds its variances' product: without this, rounding would grow from one
        # candidate to the next near it.
        most = self._root * self._root[row, picks][:, None]
        np.minimum(covariances, most, out=covariances)
        np.maximum(covariances, np.negative(most, out=most), out=covariances)
        covariances /= np.sqrt(self._variance[row, picks] + self._noise)[:, None]
        self._white[:, filled] = covariances
        self._filled += 1
        covariances *= covariances
        self._variance -= covariances
        np.maximum(self._variance, _LEAST, out=self._variance)
        np.sqrt(self._variance, out=self._root)


def single_beliefs(posterior: Posterior, features: Floats) -> tuple[Singles, Singles]:
    """Means and standard deviations as `SingleMarginals` has them, (R, S) each, and no more.

    Args:
        posterior: Of R campaigns.
        features: (R, S, k) of the candidates.
    """
    if type(posterior) is not Posterior:
        marginals = SingleMarginals.of(posterior, features, 0)
        return marginals.mean, marginals.sd
    mean, variance = _believed(posterior, *_lifted(posterior, features, None), None)
    return mean, np.sqrt(variance) * np.sqrt(posterior.outputscale).astype(np.float32)[:, None]


def _lifted(
    posterior: Posterior, features: Floats | Singles, varying: NDArray[np.intp] | None
) -> tuple[Correlation, Singles, Singles]:
    """The correlation in single precision, and observations and candidates as it takes them."""
    correlation, inputs = _single(posterior.correlation), posterior.features
    if varying is not None:
        inputs = inputs[..., varying]
        if correlation.unit.shape[1] > 1:
            correlation = replace(correlation, unit=correlation.unit[:, varying])
    known, lifted = (
        np.asarray(correlation.lifted(correlation.scaled(each)), np.float32)  # type: ignore[arg-type]
        for each in (inputs.astype(np.float32), features.astype(np.float32, copy=False))
    )
    return correlation, known, lifted


def _believed(
    posterior: Posterior,
    correlation: Correlation,
    known: Singles,
    lifted: Singles,
    white: Singles | None,
) -> tuple[Singles, Singles]:
    """Means and relative variances of candidates, (R, S) each.

    Args:
        posterior: Of R campaigns.
        correlation: In single precision.
        known: (R, K, n) the observations, lifted.
        lifted: (R, K, S) the candidates.
        white: (R, at least n, S), whose first n rows are written; None: they are not kept.
    """
    rows, n, size = *posterior.targets.shape, lifted.shape[2]
    variance = np.ones((rows, size), np.float32)
    mean = np.zeros((rows, size), np.float32)
    whiten = posterior.whiten.astype(np.float32)
    of_values = posterior.white.astype(np.float32).swapaxes(1, 2)  # (R, 1, n)
    several = max(1, _CACHE // max(1, n * size))
    for first in range(0, rows if n else 0, several):
        part = slice(first, first + several)
        squared = correlation.squared(known[part], lifted[part])  # type: ignore[arg-type]
        covariances = correlation.of(squared, part)
        each = np.matmul(whiten[part], covariances, out=None if white is None else white[part, :n])
        mean[part] = np.matmul(of_values[part], each)[:, 0]
        variance[part] -= np.einsum("rns,rns->rs", each, each)
    return mean, np.maximum(variance, _LEAST, out=variance)


def _single(correlation: Correlation) -> Correlation:
    """The same in single precision."""
    weights = correlation.weights
    return replace(
        correlation,
        unit=correlation.unit.astype(np.float32),
        weights=None if weights is None else weights.astype(np.float32),
    )
