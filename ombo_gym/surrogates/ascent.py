"""Scores of designs in a box, climbed by their slopes, for R campaigns at once.

Everything is in the posterior's (standardised) units.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ombo_gym.quasi_newton import quasi_newton
from ombo_gym.surrogates.gp import Beliefs, Posterior
from ombo_gym.surrogates.kernels import (
    KERNELS,
    SLOPES,
    lifted,
    squared_distances,
    squared_distances_of_lifted,
)

Floats = NDArray[np.float64]

_APART = 1e-9  # variance, relative to the prior's, that keeps exact values from coinciding

_LENGTHS = (4.0, 1.0, 0.25, 1 / 16, 1 / 256, 1 / 4096)  # of steps that are tried


@dataclass(frozen=True)
class Marginals:
    """Beliefs at P points given j designs of values yet unknown; or a score's slopes by them.

    Attributes:
        mean: (R, P).
        sd: (R, P) given those values.
        loadings: (R, j, P): f = mean + loadings . z + sd * e, z standard normal for the j designs.
    """

    mean: Floats
    sd: Floats
    loadings: Floats


@dataclass(frozen=True)
class Joint:
    """What is believed of j designs together: f = mean + lower z, z standard normal.

    Attributes:
        mean: (R, j).
        lower: (R, j, j), lower triangles.
    """

    mean: Floats
    lower: Floats

    def slots(self) -> Iterator[Marginals]:
        """Each design given those before it, (R, 1)."""
        for slot in range(self.mean.shape[1]):
            row = self.lower[:, slot]
            yield Marginals(self.mean[:, slot, None], row[:, slot, None], row[:, :slot, None])


class Score(Protocol):
    """What is climbed: elementwise in points."""

    def value(self, at: Marginals) -> Floats:
        """(R, P)."""

    def slope(self, at: Marginals) -> Marginals:
        """Derivatives of the value by the mean, the sd and the loadings."""


class Pending:
    """A posterior of R campaigns that further designs are measured under, of values yet unknown.

    Args:
        posterior: Of what was observed.

    Reference:
        Rasmussen and Williams, 2006, appendix A.3 (partitioned inverses).
    """

    def __init__(self, posterior: Posterior) -> None:
        self._kernel, self._slope = KERNELS[posterior.kernel], SLOPES[posterior.kernel]
        self._unit = posterior.lengthscale[:, None, None]
        self._inputs = posterior.features / self._unit  # (R, m, k)
        self._whiten = posterior.whiten  # (R, m, m), the inverse of a lower triangle
        self._weights = np.matmul(posterior.white[..., 0][:, None], posterior.whiten)  # (R, 1, m)
        self._scale = np.sqrt(posterior.outputscale)[:, None]
        self._noise = posterior.noise
        self._observed = posterior.features.shape[1]

    def add(self, features: Floats, beliefs: Beliefs, *, noisy: bool) -> None:
        """Measures a design a campaign.

        Args:
            features: (R, k).
            beliefs: About candidates, which are told.
            noisy: Whether what is measured has the noise of an observation, or is exact.
        """
        white = self._white(features[:, None])[1][..., 0]  # (R, m)
        rest = 1.0 - np.einsum("rm,rm->r", white, white)
        pivot = np.sqrt(np.maximum(rest + self._noise if noisy else rest, 1e-12))
        scaled = features[:, None] / self._unit
        beliefs.condition(lifted(scaled), white, pivot)
        rows, m = white.shape
        whiten = np.zeros((rows, m + 1, m + 1))
        whiten[:, :m, :m] = self._whiten
        whiten[:, m, :m] = -np.matmul(white[:, None], self._whiten)[:, 0] / pivot[:, None]
        whiten[:, m, m] = 1.0 / pivot
        self._whiten = whiten
        self._inputs = np.concatenate([self._inputs, scaled], axis=1)
        self._weights = np.concatenate([self._weights, np.zeros((rows, 1, 1))], axis=2)

    def given(self, features: Floats) -> tuple[Pending, Joint]:
        """What is believed once j designs a campaign are measured exactly, and of these, (R, j, k).

        As `add`, all at once, and leaves these beliefs as they are.
        """
        squared, white = self._white(features)
        at = self._marginals(squared, white)
        scaled = features / self._unit
        variance = self._kernel(squared_distances(scaled, scaled))
        variance -= np.matmul(white.swapaxes(1, 2), white)
        rows, m, j = white.shape
        variance[:, np.arange(j), np.arange(j)] = (at.sd / self._scale) ** 2 + _APART
        lower = np.asarray(np.linalg.cholesky(variance), np.float64)
        inverse = np.linalg.inv(lower)
        told = copy.copy(self)
        told._whiten = np.zeros((rows, m + j, m + j))
        told._whiten[:, :m, :m] = self._whiten
        told._whiten[:, m:, :m] = -np.matmul(np.matmul(inverse, white.swapaxes(1, 2)), self._whiten)
        told._whiten[:, m:, m:] = inverse
        told._inputs = np.concatenate([self._inputs, scaled], axis=1)
        told._weights = np.concatenate([self._weights, np.zeros((rows, 1, j))], axis=2)
        return told, Joint(at.mean, lower * self._scale[..., None])

    def copies(self, count: int) -> Pending:
        """Of `count` times as many campaigns, all R one time after the other."""
        tiled = copy.copy(self)
        for name in ("_unit", "_inputs", "_whiten", "_weights", "_scale", "_noise"):
            array = getattr(self, name)
            setattr(tiled, name, np.tile(array, (count, *[1] * (array.ndim - 1))))
        return tiled

    def _white(self, features: Floats) -> tuple[Floats, Floats]:
        """Squared scaled distances to the inputs and whitened covariances, (R, m, P) each."""
        squared = squared_distances_of_lifted(lifted(self._inputs), lifted(features / self._unit))
        return squared, np.matmul(self._whiten, self._kernel(squared))

    def at(self, features: Floats) -> Marginals:
        """Beliefs at P points, (R, P, k)."""
        return self._marginals(*self._white(features))

    def _marginals(self, squared: Floats, white: Floats) -> Marginals:
        mean = np.matmul(self._weights, self._kernel(squared))[:, 0]
        variance = np.maximum(1.0 - np.einsum("rmp,rmp->rp", white, white), 1e-12)
        loadings = white[:, self._observed :] * self._scale[..., None]
        return Marginals(mean, np.sqrt(variance) * self._scale, loadings)

    def slope(self, features: Floats, score: Score) -> Floats:
        """Gradient of a score by the features of P points, (R, P, k)."""
        squared, white = self._white(features)
        marginals = self._marginals(squared, white)
        by = score.slope(marginals)
        by_white = white * (-by.sd * self._scale**2 / marginals.sd)[:, None]
        by_white[:, self._observed :] += by.loadings * self._scale[..., None]
        by_kernel = np.matmul(self._whiten.swapaxes(1, 2), by_white)  # (R, m, P)
        by_kernel += self._weights.swapaxes(1, 2) * by.mean[:, None]
        by_squared = by_kernel * self._slope(squared)
        total = by_squared.sum(axis=1)[..., None]  # (R, P, 1)
        pulled = np.matmul(by_squared.swapaxes(1, 2), self._inputs)  # (R, P, k)
        gradient: Floats = 2.0 * (features / self._unit * total - pulled) / self._unit
        return gradient


def climb(
    pending: Pending,
    score: Score,
    features: NDArray[np.floating],
    moves: int,
    free: NDArray[np.bool_] | None,
) -> Floats:
    """Designs climb a score from where they stand, (R, P, k) -> (R, P, k).

    Args:
        pending: Beliefs.
        score: Of them.
        features: Where to begin; those that may change from -1 to 1.
        moves: At most so many.
        free: (k,) features that may change; None: all.
    """
    if free is None or free.all():
        return quasi_newton(
            lambda x: score.value(pending.at(x)),
            features,
            moves,
            slope_of=lambda x: pending.slope(x, score),
            lengths=_LENGTHS,
        )

    def whole(moved: Floats) -> Floats:
        """With the features that stay, of each design or of several tries of each."""
        found = np.repeat(features, moved.shape[1] // features.shape[1], axis=1).astype(np.float64)
        found[..., free] = moved
        return found

    tops = quasi_newton(
        lambda x: score.value(pending.at(whole(x))),
        features[..., free],
        moves,
        slope_of=lambda x: pending.slope(whole(x), score)[..., free],
        lengths=_LENGTHS,
    )
    return whole(tops)
