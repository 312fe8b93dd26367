"""Exact Gaussian-process posteriors for R campaigns at once, and hallucinations for batches.

All arithmetic is float64. Campaigns of one call have the same number of observations, so nothing is
padded and a row's numbers do not depend on its neighbours.

Reference:
    Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, algorithm 2.1 and
    equation 5.8.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import DesignSpace
from ombo_gym.priors import GaussianProcess
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.kernels import (
    KERNELS,
    lifted,
    squared_distances,
    squared_distances_of_lifted,
)

Floats = NDArray[np.float64]

JITTER = 1e-6  # added to the noise variance, relative to a unit prior variance
_LENGTHSCALES = (
    0.15,
    0.3,
    0.6,
    1.2,
    2.4,
)  # grid of `kernel="fit"`, in units of `typical_distance`
_NOISES = (1e-4, 1e-2, 1e-1)  # grid of `kernel="fit"`, relative to the prior variance
_TIE = 1e-10  # log likelihoods an observation that count as equal: the first on the grid is chosen


@dataclass(frozen=True)
class Surrogate:
    """What is known of the objective before any value is seen.

    Attributes:
        kernel: Name of the kernel.
        lengthscales: Grid of lengthscales, of which the likeliest is chosen; one value: given.
        noise_variances: Likewise for the noise, relative to the prior variance.
        standardise: Whether values are brought to zero mean and unit variance, and the prior
            variance is chosen.
        max_data: Most observations to condition on: the best half and the most recent half.
        start_percentile: Of all values, that the start's are at or below; None: of no matter.
        log_prior: Logarithm of each lengthscale's prior probability, but for a constant; none: all
            are as probable.
    """

    kernel: str
    lengthscales: tuple[float, ...]
    noise_variances: tuple[float, ...]
    standardise: bool
    max_data: int = 512
    start_percentile: float | None = None
    log_prior: tuple[float, ...] = ()


def make_surrogate(spec: CampaignSpec) -> Surrogate:
    """Builds a surrogate from a spec's recipe.

    `kernel` is "prior" (the process that the objective is drawn from), "fit" (chosen by marginal
    likelihood over a grid; the noise too), or a kernel's name together with `lengthscale`;
    `max_data` is the most observations to condition on; `truncation` says whether "fit" makes up
    for a start below a percentile, see `ombo_gym.surrogates.truncation`.

    Args:
        spec: Whose recipe, design space, prior and noise are meant.

    Raises:
        ValueError: An unknown setting, or a prior that the spec lacks.
    """
    config = spec.surrogate
    known = {"kernel", "lengthscale", "max_data", "truncation"}
    if not isinstance(config, Mapping) or set(config) - known:
        raise ValueError(f"surrogate: expected settings among {sorted(known)}, got {config!r}")
    name, max_data = config.get("kernel", "fit"), config.get("max_data", 512)
    lengthscale, truncation = config.get("lengthscale"), config.get("truncation", True)
    names = ["prior", "fit", *sorted(KERNELS)]
    if not isinstance(name, str) or name not in names:
        raise ValueError(f"surrogate: expected a kernel among {names}, got {name!r}")
    if isinstance(max_data, bool) or not isinstance(max_data, int | np.integer) or max_data < 2:
        raise ValueError(f"surrogate: expected max_data of at least 2, got {max_data!r}")
    if not isinstance(truncation, bool | np.bool_):
        raise ValueError(f"surrogate: expected truncation true or false, got {truncation!r}")
    if name in KERNELS and lengthscale is None:
        raise ValueError(f"surrogate: {name!r} needs a 'lengthscale', got {dict(config)!r}")
    if name not in KERNELS and lengthscale is not None:
        raise ValueError(
            f"surrogate: 'lengthscale' goes with the kernels {sorted(KERNELS)} and with no other, "
            f"got {dict(config)!r}"
        )
    if name == "fit":
        space = spec.design_space
        scales = tuple(space.typical_distance * scale for scale in _LENGTHSCALES)
        below = spec.start_origin.percentile if truncation else None
        return Surrogate(
            space.kernel, scales, _NOISES, True, int(max_data), below, _log_prior(space)
        )
    if name == "prior":
        if not isinstance(spec.prior, GaussianProcess):
            raise ValueError(
                'surrogate: {"kernel": "prior"} needs a problem that is drawn from a known '
                'process; use {"kernel": "fit"}'
            )
        name, lengthscale = spec.prior.kernel, spec.prior.lengthscale
    if (
        isinstance(lengthscale, bool)
        or not isinstance(lengthscale, int | float | np.integer | np.floating)
        or not 0 < lengthscale < np.inf
    ):
        raise ValueError(f"surrogate: expected a positive lengthscale, got {lengthscale!r}")
    noise = (spec.noise_std or 0.0) ** 2 + JITTER
    return Surrogate(name, (float(lengthscale),), (noise,), False, int(max_data))


def _log_prior(space: DesignSpace) -> tuple[float, ...]:
    """Of the lengthscales on the grid, where the space has a prior of them."""
    if space.lengthscale_prior is None:
        return ()
    median, spread = space.lengthscale_prior
    return tuple(-0.5 * (math.log(scale / median) / spread) ** 2 for scale in _LENGTHSCALES)


class Posterior:
    """Beliefs of R campaigns about their objectives after n observations each.

    Attributes:
        lengthscale, noise, outputscale: (R,) the kernel parameters in use.
        shift, scale: (R,) values are `shift + scale * standardised`; beliefs are in standardised
            units.
        targets: (R, n) standardised observations.
        kernel: Its name.
        features: (R, n, k) of the observed designs.
        whiten: (R, n, n) inverse of the Cholesky factor L of the observations' covariance.
        white: (R, n, 1) L^-1 targets.

    Args:
        surrogate: What was known before.
        features: (R, n, k) of the observed designs.
        values: (R, n) observed.
        shift: (R,) mean of the values to standardise with; None: the mean of `values`.
        scale: (R,) likewise the standard deviation.
    """

    def __init__(
        self,
        surrogate: Surrogate,
        features: Floats,
        values: Floats,
        *,
        shift: Floats | None = None,
        scale: Floats | None = None,
    ) -> None:
        rows, n = values.shape
        self.kernel = surrogate.kernel
        self._kernel = KERNELS[surrogate.kernel]
        self.features = features
        self.shift, self.scale = np.zeros(rows), np.ones(rows)
        if surrogate.standardise and n:
            self.shift = values.mean(axis=1) if shift is None else shift
            spread = values.std(axis=1) if scale is None else scale
            self.scale = np.where(spread > 1e-12 * np.abs(values).max(axis=1), spread, 1.0)
        self.targets = (values - self.shift[:, None]) / self.scale[:, None]
        squared = squared_distances(features, features)  # (R, n, n)
        self._choose(surrogate, squared)
        lower = np.linalg.cholesky(self._noisy(squared, self.lengthscale, self.noise))
        self.whiten = np.linalg.inv(lower)  # (R, n, n), L^-1
        self.white = np.matmul(self.whiten, self.targets[:, :, None])  # (R, n, 1), L^-1 y

    def _noisy(self, squared: Floats, lengthscale: Floats, noise: Floats) -> Floats:
        """Kernel matrices of the observations and their noise, relative to the prior variance."""
        matrix = self._kernel(squared / lengthscale[:, None, None] ** 2)
        n = matrix.shape[1]
        matrix[:, np.arange(n), np.arange(n)] = 1.0 + noise[:, None]
        return matrix

    def _choose(self, surrogate: Surrogate, squared: Floats) -> None:
        """The likeliest kernel parameters on the grid, a posteriori; variance in closed form."""
        rows, n = self.targets.shape
        middle = len(surrogate.lengthscales) // 2
        self.lengthscale = np.full(rows, surrogate.lengthscales[middle])
        self.noise = np.full(rows, surrogate.noise_variances[0])
        self.outputscale = np.ones(rows)
        if not surrogate.standardise or n < 2:
            return
        best = np.full(rows, -np.inf)
        for at, lengthscale in enumerate(surrogate.lengthscales):
            for noise in surrogate.noise_variances:
                each, level = np.full(rows, lengthscale), np.full(rows, noise)
                lower, white = factorise(self._noisy(squared, each, level), self.targets)
                outputscale = np.maximum((white**2).sum(axis=1) / n, 1e-6)
                # In the order of a single row: sums along another stride round differently.
                diagonal = np.ascontiguousarray(np.diagonal(lower, axis1=1, axis2=2))
                likelihood = -0.5 * n * np.log(outputscale) - np.log(diagonal).sum(axis=1)
                if surrogate.log_prior:
                    likelihood += surrogate.log_prior[at]
                better = likelihood > best + _TIE * n
                best = np.where(better, likelihood, best)
                self.lengthscale = np.where(better, each, self.lengthscale)
                self.noise = np.where(better, level, self.noise)
                self.outputscale = np.where(better, outputscale, self.outputscale)

    def at(self, features: Floats) -> Beliefs:
        """Mean and variance at M candidates, (R, M, k)."""
        candidates = self._scaled(features)
        squared = squared_distances_of_lifted(self._scaled(self.features), candidates)
        white = np.matmul(self.whiten, self._kernel(squared))  # (R, n, M)
        mean = np.matmul(white.swapaxes(1, 2), self.white)[..., 0]
        variance = 1.0 - np.einsum("rnm,rnm->rm", white, white)
        return Beliefs(self, candidates, mean, np.maximum(variance, 1e-12), white)

    def _scaled(self, features: Floats) -> Floats:
        """Points (R, m, k) in units of the lengthscale, lifted."""
        return lifted(features / self.lengthscale[:, None, None])

    def covariance(self, features: Floats) -> Floats:
        """Posterior covariance of M candidates, (R, M, M), in standardised units."""
        beliefs = self.at(features)
        candidates = self._scaled(features)
        squared = squared_distances_of_lifted(candidates, candidates)
        covariance = self._kernel(squared)
        covariance -= np.matmul(beliefs.white.swapaxes(1, 2), beliefs.white)
        covariance *= self.outputscale[:, None, None]
        return covariance


def factorise(matrix: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Cholesky factor L and L^-1 y in one go: the factor of [[K, y], [y', c]] holds both.

    Args:
        matrix: K, (R, n, n), positive definite.
        targets: y, (R, n).

    Returns:
        (R, n, n) and (R, n).
    """
    rows, n = targets.shape
    bordered = np.empty((rows, n + 1, n + 1))
    bordered[:, :n, :n] = matrix
    bordered[:, n, :n] = targets  # the upper triangle is not read
    bordered[:, n, n] = 1e300  # so large that the last pivot is positive, whatever y' K^-1 y is
    lower = np.linalg.cholesky(bordered)
    return lower[:, :n, :n], lower[:, n, :n]


class Beliefs:
    """Mean and variance at M candidates of R campaigns, updated by hallucinated observations.

    A hallucinated observation has the value of the posterior mean: means stay, variances shrink. It
    costs O(n M) a campaign: one further row of the whitened cross-covariance, no new factorisation.

    Attributes:
        mean: (R, M).
        white: (R, n, M) rows L^-1 k(X, candidates).
        hallucinated: (R,) largest value hallucinated so far, -inf before.

    Reference:
        Desautels, Krause and Burdick, Parallelizing exploration-exploitation tradeoffs in Gaussian
        process bandit optimization, 2014.
    """

    def __init__(
        self, posterior: Posterior, scaled: Floats, mean: Floats, variance: Floats, white: Floats
    ) -> None:
        self._posterior = posterior
        self._scaled = scaled  # (R, k + 2, M) the candidates in units of the lengthscale, lifted
        self.mean = mean
        self.white = white
        self._variance = variance  # relative to the prior variance
        self.hallucinated = np.full(len(mean), -np.inf)
        self._extra: list[Floats] = []  # further rows of `white`, (R, M) each

    @property
    def sd(self) -> Floats:
        """Posterior standard deviations, (R, M)."""
        return np.sqrt(self._variance * self._posterior.outputscale[:, None])

    def copy(self) -> Beliefs:
        """Beliefs that can be hallucinated on without touching these."""
        copied = Beliefs(
            self._posterior, self._scaled, self.mean, self._variance.copy(), self.white
        )
        copied.hallucinated, copied._extra = self.hallucinated, list(self._extra)
        return copied

    def hallucinate(self, picks: NDArray[np.intp]) -> None:
        """Conditions on one candidate per campaign having been measured at its mean.

        Args:
            picks: (R,) indices of candidates.
        """
        rows = np.arange(len(picks))
        picked = self._scaled[rows, :, picks][:, :, None]  # (R, k + 2, 1)
        whites = [self.white[rows, :, picks], *(e[rows, picks][:, None] for e in self._extra)]
        pivot = np.sqrt(self._variance[rows, picks] + self._posterior.noise)
        self.condition(picked, np.concatenate(whites, axis=1), pivot)
        self.hallucinated = np.maximum(self.hallucinated, self.mean[rows, picks])

    def condition(self, picked: Floats, white: Floats, pivot: Floats) -> None:
        """Conditions on one design per campaign, a candidate or not, of a value yet unknown.

        Args:
            picked: (R, k + 2, 1) in units of the lengthscale, lifted.
            white: (R, n + j) its whitened covariances with the observations and the j before it.
            pivot: (R,) standard deviation, relative to the prior's, of what is measured there.
        """
        n = self.white.shape[1]
        row = self._posterior._kernel(squared_distances_of_lifted(picked, self._scaled)[:, 0])
        row -= np.matmul(white[:, None, :n], self.white)[:, 0]
        for at, earlier in enumerate(self._extra, start=n):
            row -= white[:, at, None] * earlier
        row /= pivot[:, None]
        self._extra.append(row)
        self._variance -= row**2
        np.maximum(self._variance, 1e-12, out=self._variance)

    @property
    def loadings(self) -> Floats:
        """(R, j, M): given the j designs conditioned on, f = mean + loadings . z, z normal."""
        rows, candidates = self.mean.shape
        stacked = np.zeros((rows, len(self._extra), candidates))
        for at, row in enumerate(self._extra):
            stacked[:, at] = row
        stacked *= np.sqrt(self._posterior.outputscale)[:, None, None]
        return stacked


def most_telling(values: Floats, max_data: int) -> NDArray[np.intp]:
    """Which observations to keep when there are too many: the best half and the latest half.

    Args:
        values: (R, n), in the order of measurement.
        max_data: How many to keep.

    Returns:
        (R, min(n, max_data)) column indices, ascending.
    """
    rows, n = values.shape
    if n <= max_data:
        return np.broadcast_to(np.arange(n), (rows, n))
    best = np.argsort(-values, axis=1, kind="stable")[:, : max_data // 2]
    priority = np.broadcast_to(np.arange(n), (rows, n)).copy()  # the later, the higher
    np.put_along_axis(priority, best, n, axis=1)
    kept = np.argsort(-priority, axis=1, kind="stable")[:, :max_data]
    return np.sort(kept, axis=1)
