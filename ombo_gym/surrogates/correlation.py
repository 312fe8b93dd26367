"""How alike the values of two designs are: a kernel of features, or of numbers and categories.

Where numbers and categories stand side by side, what the numbers do may depend on the category (a
product of kernels) or not (a sum), and a weighted sum of all three lets the data say which.

Reference:
    Ru, Alvi, Nguyen, Osborne and Roberts, Bayesian optimisation over multiple continuous and
    categorical inputs, ICML 2020, equation 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.kernels import KERNELS, SLOPES, lifted, squared_distances_of_lifted

Floats = NDArray[np.float64]
Columns = slice | NDArray[np.intp]  # of features


@dataclass(frozen=True)
class Correlation:
    """The correlation function of R campaigns.

    Attributes:
        kernel: Name of a stationary kernel.
        unit: (R, 1 or k) the lengthscale of each feature.
        categories: (k,) which features are categories', where others are numbers'; None: there is
            one kernel of all features.
        weights: (R, 3) of the numbers' kernel, of the categories' and of the product of both, 1 in
            all; None where there is one kernel.
    """

    kernel: str
    unit: Floats
    categories: NDArray[np.bool_] | None = None
    weights: Floats | None = None

    @property
    def parts(self) -> tuple[Columns, ...]:
        """Which features each squared distance is of: numbers and categories, or all."""
        return parts_of(self.categories)

    def split(self, features: Floats, axis: int = -1) -> list[Floats]:
        """Features of each part, along an axis of k of them."""
        return split(features, self.categories, axis)

    def tiled(self, count: int) -> Correlation:
        """Of `count` times as many campaigns, all R one time after the other."""
        weights = None if self.weights is None else np.tile(self.weights, (count, 1))
        return replace(self, unit=np.tile(self.unit, (count, 1)), weights=weights)

    def some(self, rows: NDArray[np.intp]) -> Correlation:
        """Of some of the campaigns."""
        weights = None if self.weights is None else self.weights[rows]
        return replace(self, unit=self.unit[rows], weights=weights)

    def scaled(self, features: Floats) -> Floats:
        """Features in units of the lengthscales, (R or 1, m, k) -> (R, m, k)."""
        scaled: Floats = features / self.unit[:, None]
        return scaled

    def lifted(self, scaled: Floats) -> Floats:
        """Scaled features as `squared` takes them, (R, m, k) -> (R, K, m); K of no matter."""
        if self.weights is None:
            return lifted(scaled)
        return np.concatenate([lifted(each) for each in self.split(scaled)], axis=1)

    def squared(self, a: Floats, b: Floats) -> tuple[Floats, ...]:
        """Squared distances of lifted designs (R, K, n) and (R, K, m), (R, n, m) for each part."""
        if self.categories is None:
            return (squared_distances_of_lifted(a, b),)
        edge = np.count_nonzero(~self.categories) + 2
        return (
            squared_distances_of_lifted(a[:, :edge], b[:, :edge]),
            squared_distances_of_lifted(a[:, edge:], b[:, edge:]),
        )

    def between(self, a: Floats, b: Floats) -> Floats:
        """Correlations of lifted designs, (R, K, n) and (R, K, m) -> (R, n, m)."""
        return self.of(self.squared(a, b))

    def of(self, squared: Sequence[Floats], rows: slice = slice(None)) -> Floats:
        """Correlations at squared distances.

        Args:
            squared: (S, n, m) for each part.
            rows: Which S of the campaigns these are.
        """
        kernels = [KERNELS[self.kernel](each) for each in squared]
        if self.weights is None:
            return kernels[0]
        return sum_and_product(kernels[0], kernels[1], self.weights[rows])

    def mean(self, lifted: Floats) -> Floats | None:
        """Of lifted designs (R, K, m) beforehand, (R, m); None: 0 everywhere."""
        return None

    def variance(self, lifted: Floats) -> Floats | float:
        """Likewise the variance, relative to the prior variance: 1 everywhere."""
        return 1.0

    def gradient(
        self,
        features: Floats,
        inputs: Floats,
        squared: Sequence[Floats],
        by_kernel: Floats,
        by_mean: Floats | None = None,
        by_variance: Floats | None = None,
    ) -> Floats:
        """Gradient by features of P designs of what depends on their covariances with m inputs.

        Args:
            features: (R or 1, P, k) of the designs.
            inputs: (R, m, K) scaled.
            squared: (R, m, P) for each part, as `squared` says.
            by_kernel: (R, m, P) its derivatives by the covariances.
            by_mean: (R, P) likewise by the mean beforehand; None: 0.
            by_variance: (R, P) likewise by the variance beforehand; None: 0.

        Returns:
            (R, P, k).
        """
        gradient = self.scaled(features)  # (R, P, k)
        slopes = self.slopes(squared)  # (R, m, P) each
        split = self.split(inputs)  # (R, m, k) each
        for columns, own, by_squared in zip(self.parts, split, slopes, strict=True):
            by_squared *= by_kernel
            gradient[..., columns] *= by_squared.sum(axis=1)[..., None]
            gradient[..., columns] -= np.matmul(by_squared.swapaxes(1, 2), own)
        gradient *= 2.0
        gradient /= self.unit[:, None]
        return gradient

    def slopes(self, squared: Sequence[Floats]) -> list[Floats]:
        """Derivatives of the correlations by each part's squared distances, (R, n, m) each."""
        slopes = [SLOPES[self.kernel](each) for each in squared]
        if self.weights is None:
            return slopes
        kernels = [KERNELS[self.kernel](each) for each in squared]
        return chained(slopes, kernels, self.weights)


def parts_of(categories: NDArray[np.bool_] | None) -> tuple[Columns, ...]:
    """Which features each squared distance is of, see `Correlation`."""
    if categories is None:
        return (slice(None),)
    return np.flatnonzero(~categories), np.flatnonzero(categories)


def split(features: Floats, categories: NDArray[np.bool_] | None, axis: int = -1) -> list[Floats]:
    """Features of each part, along an axis of k of them, each in the usual order of memory."""
    if categories is None:
        return [features]
    return [np.compress(which, features, axis) for which in (~categories, categories)]


def sum_and_product(numbers: Floats, categories: Floats, weights: Floats) -> Floats:
    """Weighted sum of two kernels and their product, (S, n, m) each and (S, 3) -> (S, n, m)."""
    of_numbers, of_categories, of_product = _each(weights)
    combined = numbers * of_product
    combined += of_categories
    combined *= categories
    combined += numbers * of_numbers
    return combined


def chained(slopes: Sequence[Floats], kernels: Sequence[Floats], weights: Floats) -> list[Floats]:
    """Derivatives of `sum_and_product` by what both kernels are functions of.

    Args:
        slopes: (S, n, m) derivative of each kernel.
        kernels: (S, n, m) each.
        weights: (S, 3).
    """
    of_numbers, of_categories, of_product = _each(weights)
    return [
        slopes[0] * (of_numbers + of_product * kernels[1]),
        slopes[1] * (of_categories + of_product * kernels[0]),
    ]


def _each(weights: Floats) -> tuple[Floats, Floats, Floats]:
    first, second, third = (weights[:, i, None, None] for i in range(3))
    return first, second, third
