"""Fantasies in single precision, where designs are listed and not proposed.

As `CandidateMarginals.fantasize`, with all rows of the whitened covariances in one array, so that
one product takes what is known off a new row. Rounding differs; who proposes takes the others.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.marginals import CandidateMarginals

Singles = NDArray[np.float32]

_LEAST_NOISE = 1e-4  # variance of a measurement, relative to the prior's


class SingleFantasies:
    """What is believed of S candidates of R campaigns, given some of them.

    Attributes:
        mean: (R, S).

    Args:
        marginals: What is believed before.
        most: How many candidates it is conditioned on at most.
    """

    def __init__(self, marginals: CandidateMarginals, most: int) -> None:
        rows, n, size = marginals.white.shape
        weights = marginals._correlation.weights
        self._correlation = replace(
            marginals._correlation,
            weights=None if weights is None else np.asarray(weights, np.float32),
        )
        self._scaled = marginals._scaled.astype(np.float32)  # (R, K, S)
        self._variance = marginals._variance.astype(np.float32)  # (R, S)
        # Below this, rounding would grow from one candidate to the next near it.
        self._noise = np.maximum(marginals._noise, _LEAST_NOISE).astype(np.float32)  # (R,)
        self._outputscale = marginals._outputscale.astype(np.float32)[:, None]
        self.mean: Singles = marginals.mean.astype(np.float32)
        self._white = np.empty((rows, n + most, size), np.float32)
        self._white[:, :n] = marginals.white
        self._filled = n

    @property
    def sd(self) -> Singles:
        """Posterior standard deviations, (R, S)."""
        sd: Singles = np.sqrt(self._variance * self._outputscale)
        return sd

    def fantasize(self, picks: NDArray[np.intp]) -> None:
        """Conditions on a noisy measurement of one candidate a campaign, (R,), at its mean."""
        row, filled = np.arange(len(picks)), self._filled
        picked = self._scaled[row, :, picks][:, :, None]  # (R, K, 1)
        covariances = self._correlation.between(picked, self._scaled)[:, 0]  # type: ignore[arg-type]
        if filled:
            known = self._white[:, :filled]
            covariances -= np.matmul(known[row, :, picks][:, None], known)[:, 0]
        # No covariance exceeds its variances' product: without this, rounding would grow from one
        # candidate to the next near it.
        most = np.sqrt(self._variance * self._variance[row, picks][:, None])
        np.clip(covariances, -most, most, out=covariances)
        covariances /= np.sqrt(self._variance[row, picks] + self._noise)[:, None]
        self._white[:, filled] = covariances
        self._filled += 1
        covariances *= covariances
        self._variance -= covariances
        np.maximum(self._variance, np.float32(1e-6), out=self._variance)
