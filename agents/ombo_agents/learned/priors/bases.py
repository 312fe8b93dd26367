"""Empirical Bayes: what training instances have in common, as mean, spread and loadings.

Each instance is brought to mean 0 and variance 1. What it is at any design is its table, or what a
Gaussian process makes of its measurements; the mean over instances and their (shrunk) covariance
about it are the prior of a further one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ombo_agents.learned.priors.families import Family
from ombo_gym.design_spaces import Designs
from ombo_gym.surrogates.anisotropic_fit import fit_anisotropic
from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.learned_scale import ScalePrior, Warp, standardising

Floats = NDArray[np.float64]

_FITTED = (12, 96)  # instances, and designs of each, that lengthscales are fitted to
_ANCHORS = 512
_JITTER = 1e-8
_PIECE = 4_096  # designs that are looked at together
_LEAST_NOISE = 1e-3  # of interpolations: what is rougher than the kernel is no part of them
MOST_LOADINGS = 32
_SHARE = 1e-4  # of the largest loading's variance, below which a loading is none
_LEAST_SPREAD = 0.1  # standard deviation of the logarithm of scales
_COUNTS_AS = 1.0  # instances that spreads beforehand stand for


@dataclass(frozen=True)
class Standardised:
    """Values of I instances with mean 0 and variance 1 each.

    Attributes:
        values: (I, E), NaN where there are none.
        offsets, scales: (I,) values were `offset + scale * unwarped`.
        curvature: Of the warp.
    """

    values: Floats
    offsets: Floats
    scales: Floats
    curvature: float

    def some(self, instances: NDArray[np.intp]) -> Standardised:
        """The same of some instances."""
        return Standardised(
            self.values[instances], self.offsets[instances], self.scales[instances], self.curvature
        )

    def of(self, values: Floats) -> Floats:
        """Values (I, D) of the same instances, standardised and warped as these."""
        return Warp(self.curvature)((values - self.offsets[:, None]) / self.scales[:, None])

    def scale_prior(self) -> ScalePrior:
        """What scale and offset of a further instance are like."""
        log_scales, count = np.log(self.scales), len(self.scales)
        center = log_scales.mean()
        apart = log_scales - center
        wide = apart @ apart
        # A few instances with large spreads beforehand: lines and spreads are shrunk a little.
        slope = float(apart @ self.offsets / (wide + _COUNTS_AS * max(wide / count, 1e-12)))
        rest = self.offsets - self.offsets.mean() - slope * apart
        typical = float(np.exp(center))
        spread = np.sqrt((wide + _COUNTS_AS * 0.25) / count)
        offset_sd = np.sqrt((rest @ rest + _COUNTS_AS * typical**2) / count)
        return ScalePrior(
            log_scale=float(center),
            log_scale_sd=float(max(spread, _LEAST_SPREAD)),
            offset=float(self.offsets.mean()),
            offset_slope=slope,
            offset_sd=float(offset_sd),
            curvature=self.curvature,
        )


def standardised(values: Floats, curvature: float, rows: NDArray[np.intp]) -> Standardised:
    """Brings each instance to mean 0 and variance 1, whatever it was measured at.

    Args:
        values: (I, E), NaN where there are none.
        curvature: Of the warp, see `ombo_gym.surrogates.learned_scale`.
        rows: Designs that mean and variance are taken over.
    """
    offsets, scales = standardising(values[:, rows], Warp(curvature))
    found = Standardised(values, offsets, scales, curvature)
    return replace(found, values=found.of(values))


def fitted_kernel(
    family: Family, values: Floats, rng: np.random.Generator
) -> tuple[Correlation, float]:
    """A kernel that suits the instances on the whole, of one campaign, and its noise.

    Args:
        family: Whose designs, and space.
        values: (I, E) standardised.
        rng: Chooses some instances, and designs.
    """
    space, (most, count) = family.space, _FITTED
    instances = rng.permutation(len(values))[:most]
    known = ~np.isnan(values[:, family.train])  # (I, D)
    count = min(count, int(known[instances].sum(axis=1).min()))
    rows = np.stack(
        [family.train[rng.permutation(np.flatnonzero(known[i]))[:count]] for i in instances]
    )  # (I', count)
    targets = values[instances[:, None], rows]
    targets = targets - targets.mean(axis=1, keepdims=True)
    targets /= np.maximum(targets.std(axis=1, keepdims=True), 1e-9)
    found = fit_anisotropic(
        space.features(family.designs[rows]),
        targets,
        space.feature_groups,
        space.typical_distance,
        "matern52",
        categories=space.category_features,
    )
    correlation = found.correlation
    weights = correlation.weights
    return (
        Correlation(
            correlation.kernel,
            np.exp(np.median(np.log(correlation.unit), axis=0))[None],
            correlation.categories,
            None if weights is None else weights.mean(axis=0)[None],
        ),
        float(np.exp(np.median(np.log(found.noise)))),
    )


class Functions(Protocol):
    """What I training instances are, as functions that add up.

    Attributes:
        numbers: (I, A) of each instance: values at designs, or coefficients of a basis.
        rows: (D,) designs of the family that `through` takes values at.
    """

    numbers: Floats
    rows: NDArray[np.intp]

    def at(self, numbers: Floats, rows: NDArray[np.intp]) -> Floats:
        """Functions (F, A) at designs of the family, (F, m)."""

    def through(self, values: Floats) -> Floats:
        """The function that has such values at `rows`, (D,) -> (A,)."""


class Tables:
    """Instances as what was measured of them, all designs of the space.

    Args:
        values: (I, E) standardised.
    """

    def __init__(self, values: Floats) -> None:
        self.numbers, self.rows = values, np.arange(values.shape[1])

    def at(self, numbers: Floats, rows: NDArray[np.intp]) -> Floats:
        """Functions (F, E) at designs of the family, (F, m)."""
        return numbers[:, rows]

    def through(self, values: Floats) -> Floats:
        """The values, (E,)."""
        return values


class Interpolated:
    """Instances as what a Gaussian process makes of what was measured.

    Anchors are some of the designs; the coefficients are those of the posterior mean where
    covariances pass through the anchors (subset of regressors).

    Args:
        family: Whose designs.
        values: (I, E) standardised.
        kernel: Of one campaign.
        noise: Of the measurements, relative to the variance.
        rng: Chooses anchors.

    Reference:
        Quinonero-Candela and Rasmussen, A unifying view of sparse approximate Gaussian process
        regression, JMLR 2005, section 4.
    """

    def __init__(
        self,
        family: Family,
        values: Floats,
        kernel: Correlation,
        noise: float,
        rng: np.random.Generator,
    ) -> None:
        self.kernel, self._family = kernel, family
        self.rows = train = family.train
        chosen = np.sort(rng.permutation(train)[:_ANCHORS])
        features = family.space.features(family.designs[chosen])
        self.anchors = features[np.sort(np.unique(features, axis=0, return_index=True)[1])]
        own = self._correlations(self.anchors)  # (A, A)
        own[np.diag_indices(len(own))] += _JITTER
        self._root = np.sqrt(max(noise, _LEAST_NOISE)) * np.linalg.cholesky(own).T
        several = np.arange(len(train))
        if len(train) > 4 * _ANCHORS:
            several = rng.permutation(len(train))[: 4 * _ANCHORS]
        self._several = several
        self._covariances = self._at(train[several])  # (D', A)
        self.numbers = self._coefficients(values[:, train[several]], self._covariances)

    def _correlations(self, features: Floats) -> Floats:
        """With the anchors, (m, k) -> (m, A)."""
        kernel = self.kernel
        lifted = [kernel.lifted(kernel.scaled(each[None])) for each in (features, self.anchors)]
        found: Floats = kernel.between(*lifted)[0]
        return found

    def at_designs(self, numbers: Floats, designs: Designs) -> Floats:
        """Functions (F, A) at any designs (m, *shape), (F, m)."""
        features, pieces = self._family.space.features(designs), []
        for first in range(0, len(features), _PIECE):
            piece = self._correlations(features[first : first + _PIECE])
            pieces.append(numbers @ piece.T)
        return np.concatenate(pieces, axis=1)

    def _at(self, rows: NDArray[np.intp]) -> Floats:
        return self._correlations(self._family.space.features(self._family.designs[rows]))

    def _coefficients(self, values: Floats, covariances: Floats) -> Floats:
        """Least squares of values (I, D') on covariances (D', A), kept small by the kernel."""
        known = ~np.isnan(values)
        if known.all():
            return self._solve(covariances, values.T).T
        pooled = np.nansum(values, axis=0) / np.maximum(known.sum(axis=0), 1)  # (D',)
        some = known.any(axis=0)
        mean = self._solve(covariances[some], pooled[some][:, None])[:, 0]  # (A,)
        rest = values - covariances @ mean  # what an instance without data has none of
        each = [
            self._solve(covariances[on], row[on][:, None])[:, 0]
            for row, on in zip(rest, known, strict=True)
        ]
        return mean + np.array(each)

    def _solve(self, covariances: Floats, targets: Floats) -> Floats:
        stacked = np.concatenate([covariances, self._root])
        padded = np.concatenate([targets, np.zeros((len(self._root), targets.shape[1]))])
        q, r = np.linalg.qr(stacked)
        found: Floats = np.linalg.solve(r, q.T @ padded)
        return found

    def at(self, numbers: Floats, rows: NDArray[np.intp]) -> Floats:
        """Functions (F, A) at designs of the family, (F, m)."""
        found: Floats = numbers @ self._at(rows).T
        return found

    def through(self, values: Floats) -> Floats:
        """Least squares, (D,) -> (A,)."""
        found: Floats = self._coefficients(values[None, self._several], self._covariances)[0]
        return found


def mean_spread_loadings(
    functions: Functions,
    instances: NDArray[np.intp],
    rows: NDArray[np.intp],
    share: float,
    even: float,
    most: int = MOST_LOADINGS,
) -> Floats:
    """Mean, spread and loadings of some instances, as functions, (2 + r, A).

    Args:
        functions: Of all instances.
        instances: Which of them.
        rows: Designs at which loadings are told apart.
        share: Of the covariance over the instances, what a further one's is.
        even: Of the variance over the instances, what is shared by all designs.
        most: Loadings that are kept, those of the largest variance.
    """
    numbers = functions.numbers[instances]
    mean = numbers.mean(axis=0)
    deviations = numbers - mean  # (I, A)
    at_rows = functions.at(deviations, rows)  # (I, m)
    variances, combinations = np.linalg.eigh(at_rows @ at_rows.T)
    order = np.argsort(-variances, kind="stable")[: min(most, len(instances) - 1)]
    order = order[variances[order] > _SHARE * max(variances.max(), 1e-300)]
    loadings = combinations[:, order].T @ deviations  # (r, A)
    loadings *= np.sqrt(share / (len(instances) - 1))
    apart = functions.at(deviations, functions.rows)  # (I, D)
    variance = (apart**2).sum(axis=0) / (len(instances) - 1)
    typical = variance.mean()
    spread = np.sqrt(even + (1 - even) * variance / typical)
    return np.concatenate([mean[None], functions.through(spread)[None], loadings])
