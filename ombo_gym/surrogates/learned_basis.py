"""Functions of a design that a family's objectives are made of: mean, spread and loadings.

The first column is the mean m, the second the spread w, which is not negative, the others are
loadings p_1 .. p_r: an objective of the family is m + sum_j z_j p_j + w g, z standard normal and g
a stationary Gaussian process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.correlation import Correlation

Floats = NDArray[np.float64]

LEAST_SPREAD = 0.05
_HELD = 2**21  # correlations with anchors that are held at once


class Basis(Protocol):
    """Mean, spread and loadings as functions of features.

    Attributes:
        width: 2 + r.
    """

    width: int

    def at(self, features: Floats) -> Floats:
        """(R, m, k) -> (R, m, 2 + r)."""

    def pulled_back(self, features: Floats, by_basis: Floats) -> Floats:
        """Gradient by features of what has the gradient `by_basis` by `at`, (R, m, k)."""


class NoBasis:
    """A mean of 0, a spread of 1 and no loadings: the family is in the residual."""

    width = 2

    def at(self, features: Floats) -> Floats:
        """(R, m, k) -> (R, m, 2)."""
        found = np.zeros((*features.shape[:2], 2))
        found[..., 1] = 1.0
        return found

    def pulled_back(self, features: Floats, by_basis: Floats) -> Floats:
        """Zeros, (R, m, k)."""
        return np.zeros_like(features)


class TableBasis:
    """Numbers that are looked up, of a finite space all of whose designs were measured.

    Designs are told apart by the bits of their features.

    Args:
        features: (D, k) of all designs.
        numbers: (D, 2 + r).
    """

    def __init__(self, features: Floats, numbers: Floats) -> None:
        keys = fingerprints(features)
        self._keys, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        self.width = numbers.shape[1]
        self._numbers = numbers[first]
        if len(first) < len(numbers):  # designs of the same features are alike to a surrogate
            sums = np.zeros_like(self._numbers)
            np.add.at(sums, inverse, numbers)
            self._numbers = sums / np.bincount(inverse)[:, None]

    def at(self, features: Floats) -> Floats:
        """(R, m, k) -> (R, m, 2 + r)."""
        keys = fingerprints(features)
        found = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        if not (self._keys[found] == keys).all():
            raise ValueError("features: expected those of designs of the prior's space, got others")
        return self._numbers[found]

    def pulled_back(self, features: Floats, by_basis: Floats) -> Floats:
        """Zeros, (R, m, k): nothing lies between listed designs."""
        return np.zeros((*by_basis.shape[:2], features.shape[-1]))


class InterpolatedBasis:
    """Sums of a kernel around anchors: what a Gaussian process makes of each training instance.

    Args:
        correlation: The kernel, of one campaign.
        anchors: (A, k) features.
        coefficients: (A, 2 + r).
    """

    def __init__(self, correlation: Correlation, anchors: Floats, coefficients: Floats) -> None:
        self._correlation, self._coefficients = correlation, coefficients
        self._anchors = correlation.scaled(anchors[None])  # (1, A, k)
        self._lifted = correlation.lifted(self._anchors)
        self.width = coefficients.shape[1]

    def at(self, features: Floats) -> Floats:
        """(R, m, k) -> (R, m, 2 + r)."""
        rows, m = features.shape[:2]
        found = np.empty((rows, m, self.width))
        # How many at once hangs on nothing but how many designs a campaign has: no campaign's
        # numbers depend on others.
        piece = max(1, _HELD // len(self._coefficients))
        several = max(1, piece // max(m, 1))
        for first in range(0, rows, several):
            part = slice(first, first + several)
            for begin in range(0, m, piece):
                some = slice(begin, begin + piece)
                points = self._correlation.lifted(self._correlation.scaled(features[part, some]))
                kernel = self._correlation.between(points, self._lifted)  # (P, m, A)
                found[part, some] = np.matmul(kernel, self._coefficients)
        np.maximum(found[..., 1], LEAST_SPREAD, out=found[..., 1])
        return found

    def pulled_back(self, features: Floats, by_basis: Floats) -> Floats:
        """Gradient by features of what has the gradient `by_basis` by `at`, (R, m, k)."""
        features = np.broadcast_to(features, (len(by_basis), *features.shape[1:]))
        points = self._correlation.lifted(self._correlation.scaled(features))
        squared = self._correlation.squared(self._lifted, points)  # (R, A, m) for each part
        moves = self.at(features)[..., 1] > LEAST_SPREAD
        by_basis = by_basis.copy()
        by_basis[..., 1] *= moves
        by_kernel = np.matmul(self._coefficients, by_basis.swapaxes(1, 2))  # (R, A, m)
        return self._correlation.gradient(features, self._anchors, squared, by_kernel)


class Embedding(Protocol):
    """What residual kernels see of features.

    Attributes:
        width: k'.
    """

    width: int

    def at(self, features: Floats) -> Floats:
        """(R, m, k) -> (R, m, k')."""

    def pulled_back(self, features: Floats, by_embedding: Floats) -> Floats:
        """Gradient by features of what has the gradient `by_embedding` by `at`, (R, m, k)."""


class Identity:
    """Features as they are, k of them."""

    def __init__(self, width: int) -> None:
        self.width = width

    def at(self, features: Floats) -> Floats:
        """The features."""
        return features

    def pulled_back(self, features: Floats, by_embedding: Floats) -> Floats:
        """The gradient."""
        return by_embedding


class Network:
    """Layers of tanh, the last one without: the features that a deep kernel sees.

    Args:
        weights: Of each layer, (width before, width).
        biases: Of each layer, (width,).
    """

    def __init__(self, weights: Sequence[Floats], biases: Sequence[Floats]) -> None:
        self._layers = list(zip(weights, biases, strict=True))
        self._last = len(self._layers) - 1
        self.width = len(biases[-1])

    def at(self, features: Floats) -> Floats:
        """(R, m, k) -> (R, m, k')."""
        return self._values(features)[-1]

    def _values(self, features: Floats) -> list[Floats]:
        """What goes into each layer, and what comes out of the last one."""
        values = [features]
        for number, (weight, bias) in enumerate(self._layers):
            value = np.matmul(values[-1], weight) + bias
            values.append(value if number == self._last else np.tanh(value))
        return values

    def pulled_back(self, features: Floats, by_embedding: Floats) -> Floats:
        """Gradient by features of what has the gradient `by_embedding` by `at`, (R, m, k)."""
        values, gradient = self._values(features), by_embedding
        for number in range(self._last, -1, -1):
            if number < self._last:
                gradient = gradient * (1 - values[number + 1] ** 2)
            gradient = np.matmul(gradient, self._layers[number][0].T)
        return gradient


def fingerprints(features: Floats) -> NDArray[np.uint64]:
    """A number that tells features apart, by their bits, (..., k) -> (...,)."""
    bits = np.ascontiguousarray(features + 0.0).view(np.uint64)  # no -0.0
    factors = np.random.default_rng(0).integers(2**63, size=bits.shape[-1], dtype=np.uint64)
    mixed = (bits ^ (bits >> np.uint64(29))) * (factors * np.uint64(2) + np.uint64(1))
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0x9E3779B97F4A7C15)
    found: NDArray[np.uint64] = mixed.sum(axis=-1, dtype=np.uint64)
    return found
