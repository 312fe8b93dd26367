"""What is believed of single designs, and how it changes with designs of values not known yet."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.correlation import Correlation

Floats = NDArray[np.float64]


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
class JointNormal:
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


class Believed(Protocol):
    """What a score reads; `Marginals`, and the candidates' own, are."""

    @property
    def mean(self) -> Floats:
        """(R, P)."""

    @property
    def sd(self) -> Floats:
        """(R, P)."""

    @property
    def loadings(self) -> Floats:
        """(R, j, P)."""


class MarginalScore(Protocol):
    """What is climbed: elementwise in points."""

    def value(self, at: Believed) -> Floats:
        """(R, P)."""

    def slope(self, at: Marginals) -> Marginals:
        """Derivatives of the value by the mean, the sd and the loadings."""


@runtime_checkable
class DiminishingScore(MarginalScore, Protocol):
    """A score by which no design is worth more to a slot than it was to the slot before."""

    def of(self, rows: NDArray[np.intp]) -> Self:
        """The same for some of the campaigns, (S,)."""


class CandidateMarginals:
    """Mean and variance at M candidates of R campaigns, updated by fantasies ("hallucinations").

    A fantasy has the value of the posterior mean: means stay, variances shrink. It costs O(n M) a
    campaign: one further row of the whitened cross-covariance, no new factorisation.

    Attributes:
        mean: (R, M).
        white: (R, n, M) rows L^-1 k(X, candidates).

    Reference:
        Desautels, Krause and Burdick, Parallelizing exploration-exploitation tradeoffs in Gaussian
        process bandit optimization, 2014.
    """

    def __init__(
        self,
        correlation: Correlation,
        noise: Floats,
        outputscale: Floats,
        scaled: Floats,
        mean: Floats,
        variance: Floats,
        white: Floats,
    ) -> None:
        self._correlation, self._noise, self._outputscale = correlation, noise, outputscale
        self._scaled = scaled  # (R, K, M) the candidates in units of the lengthscale, lifted
        self.mean = mean
        self.white = white
        self._variance = variance  # (R, M) relative to the prior variance
        self._extra: list[Floats] = []  # further rows of `white`, (R, M) each

    @property
    def sd(self) -> Floats:
        """Posterior standard deviations, (R, M)."""
        return np.sqrt(self._variance * self._outputscale[:, None])

    def copy(self) -> CandidateMarginals:
        """Marginals that can be fantasized on without touching these."""
        copied = copy.copy(self)
        copied._variance, copied._extra = self._variance.copy(), list(self._extra)
        return copied

    def picked(self, picks: NDArray[np.intp]) -> Marginals:
        """What is believed of one candidate a campaign, (R,) -> (R, 1) each."""
        rows = np.arange(len(picks))
        sd = np.sqrt(self._variance[rows, picks] * self._outputscale)
        loadings = np.zeros((len(picks), len(self._extra), 1))
        for slot, row in enumerate(self._extra):
            loadings[:, slot, 0] = row[rows, picks]
        loadings *= np.sqrt(self._outputscale)[:, None, None]
        return Marginals(self.mean[rows, picks][:, None], sd[:, None], loadings)

    def fantasize(self, picks: NDArray[np.intp], *, noisy: bool = True) -> None:
        """Conditions on one candidate per campaign having been measured at its mean.

        Args:
            picks: (R,) indices of candidates.
            noisy: Whether what is measured has the noise of an observation, or is exact.
        """
        rows = np.arange(len(picks))
        whites = [self._white_at(picks), *(e[rows, picks][:, None] for e in self._extra)]
        variance = self._variance[rows, picks]
        pivot = np.sqrt(variance + self._noise if noisy else variance)
        self.condition(self._lifted_at(picks), np.concatenate(whites, axis=1), pivot)

    def condition(self, picked: Floats, white: Floats, pivot: Floats) -> None:
        """Conditions on one design per campaign, a candidate or not, of a value yet unknown.

        Args:
            picked: (R, K, 1) in units of the lengthscale, lifted.
            white: (R, n + j) its whitened covariances with the observations and the j before it.
            pivot: (R,) standard deviation, relative to the prior's, of what is measured there.
        """
        n = self.white.shape[1]
        row = self._prior_covariances(picked)
        row -= self._explained(white[:, :n])
        for at, earlier in enumerate(self._extra, start=n):
            row -= white[:, at, None] * earlier
        row /= pivot[:, None]
        self._extra.append(row)
        self._variance -= row**2
        np.maximum(self._variance, 1e-12, out=self._variance)

    def _lifted_at(self, picks: NDArray[np.intp]) -> Floats:
        """One candidate a campaign in units of the lengthscale, lifted, (R,) -> (R, K, 1)."""
        return self._scaled[np.arange(len(picks)), :, picks][:, :, None]

    def _white_at(self, picks: NDArray[np.intp]) -> Floats:
        """Whitened covariances of one candidate a campaign with observations, (R,) -> (R, n)."""
        return self.white[np.arange(len(picks)), :, picks]

    def _prior_covariances(self, picked: Floats) -> Floats:
        """Of lifted designs (R, K, 1) and candidates, relative to the prior's, (R, M)."""
        return self._correlation.between(picked, self._scaled)[:, 0]

    def _explained(self, white: Floats) -> Floats:
        """Part of a design's covariances that the observations explain, (R, n) -> (R, M)."""
        explained: Floats = np.matmul(white[:, None], self.white)[:, 0]
        return explained

    def some(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Marginals:
        """Beliefs of some campaigns (S,) about some of their candidates, (S, P)."""
        row = rows[:, None]
        outputscale = self._outputscale[rows]
        loadings = np.zeros((len(rows), len(self._extra), columns.shape[1]))
        for at, extra in enumerate(self._extra):
            loadings[:, at] = extra[row, columns]
        loadings *= np.sqrt(outputscale)[:, None, None]
        sd = np.sqrt(self._variance[row, columns] * outputscale[:, None])
        return Marginals(self.mean[row, columns], sd, loadings)

    @property
    def loadings(self) -> Floats:
        """(R, j, M): given the j designs conditioned on, f = mean + loadings . z, z normal."""
        rows, candidates = self.mean.shape
        stacked = np.zeros((rows, len(self._extra), candidates))
        for at, row in enumerate(self._extra):
            stacked[:, at] = row
        stacked *= np.sqrt(self._outputscale)[:, None, None]
        return stacked
