"""Covariances of a family's objectives: loadings that instances share, an offset, a residual.

In standardised units, C(x, y) = sum_j p_j(x) p_j(y) + t o(x) o(y) + v w(x) w(y) k(x, y): the
loadings, what is not known of the offset, which moves values by o = h' of a warp h, and a
stationary kernel for what is an instance's own, which is larger where the family is spread more.
Neither is the variance the same everywhere, nor the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.surrogates.correlation import Correlation
from ombo_gym.surrogates.learned_basis import Basis, Embedding

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LearnedCorrelation(Correlation):
    """Covariance and mean of R campaigns; what `Correlation` says is the residual's.

    Attributes:
        basis: Mean, spread and loadings.
        embedding: What the residual kernel sees of features.
        residual_variance: v.
        offset_variance: (R,) t.
        offset_mean: (R,) the offset's mean, which moves values likewise.
        curvature: Of the warp.
    """

    basis: Basis
    embedding: Embedding
    residual_variance: float
    offset_variance: Floats
    offset_mean: Floats
    curvature: float = 0.0

    @cached_property
    def residual(self) -> Correlation:
        """The stationary kernel."""
        return Correlation(self.kernel, self.unit, self.categories, self.weights)

    @override
    def tiled(self, count: int) -> LearnedCorrelation:
        weights = None if self.weights is None else np.tile(self.weights, (count, 1))
        return replace(
            self,
            unit=np.tile(self.unit, (count, 1)),
            weights=weights,
            offset_variance=np.tile(self.offset_variance, count),
            offset_mean=np.tile(self.offset_mean, count),
        )

    @override
    def some(self, rows: NDArray[np.intp]) -> LearnedCorrelation:
        weights = None if self.weights is None else self.weights[rows]
        return replace(
            self,
            unit=self.unit[rows],
            weights=weights,
            offset_variance=self.offset_variance[rows],
            offset_mean=self.offset_mean[rows],
        )

    @override
    def scaled(self, features: Floats) -> Floats:
        """Basis, o, and embedded features in units of the lengthscales, (R, m, K)."""
        residual = self.embedding.at(features) / self.unit[:, None]  # (R, m, k')
        basis = self.basis.at(features)  # (R or 1, m, 2 + r)
        basis = np.broadcast_to(basis, (len(residual), *basis.shape[1:]))
        by_offset = np.exp(self.curvature * np.minimum(basis[..., :1], 0.0))
        return np.concatenate([basis, by_offset, residual], axis=2)

    @override
    def lifted(self, scaled: Floats) -> Floats:
        width = self.basis.width + 1
        residual = self.residual.lifted(scaled[..., width:])
        return np.concatenate([scaled[..., :width].swapaxes(1, 2), residual], axis=1)

    @override
    def squared(self, a: Floats, b: Floats) -> tuple[Floats, ...]:
        """Products of loadings, and of spreads, and squared distances, (R, n, m) each."""
        width = self.basis.width
        products = np.matmul(a[:, 2:width].swapaxes(1, 2), b[:, 2:width])
        by_offset = self.offset_variance[:, None] * a[:, width]
        products += by_offset[:, :, None] * b[:, width, None]
        spreads = a[:, 1][:, :, None] * b[:, 1][:, None]
        return products, spreads, *self.residual.squared(a[:, width + 1 :], b[:, width + 1 :])

    @override
    def of(self, squared: Sequence[Floats], rows: slice = slice(None)) -> Floats:
        covariance = self.residual.of(squared[2:], rows)
        covariance *= self.residual_variance
        covariance *= squared[1]
        covariance += squared[0]
        return covariance

    @override
    def mean(self, lifted: Floats) -> Floats:
        """Beforehand, (R, K, m) -> (R, m)."""
        mean: Floats = lifted[:, 0] + self.offset_mean[:, None] * lifted[:, self.basis.width]
        return mean

    @override
    def variance(self, lifted: Floats) -> Floats:
        """Beforehand, (R, K, m) -> (R, m)."""
        loadings = lifted[:, 2 : self.basis.width]
        variance: Floats = np.einsum("rjm,rjm->rm", loadings, loadings)
        variance += self.residual_variance * lifted[:, 1] ** 2
        variance += self.offset_variance[:, None] * lifted[:, self.basis.width] ** 2
        return variance

    @override
    def gradient(
        self,
        features: Floats,
        inputs: Floats,
        squared: Sequence[Floats],
        by_kernel: Floats,
        by_mean: Floats | None = None,
        by_variance: Floats | None = None,
    ) -> Floats:
        width = self.basis.width
        if by_mean is None:
            by_mean = np.zeros(by_kernel.shape[::2])
        if by_variance is None:
            by_variance = np.zeros(by_kernel.shape[::2])
        basis = self.basis.at(features)  # (R or 1, P, 2 + r)
        turned = by_kernel.swapaxes(1, 2)  # (R, P, m)
        by_residual = self.residual_variance * by_kernel  # (R, m, P)
        by_basis = 2.0 * by_variance[..., None] * basis  # (R, P, 2 + r)
        by_basis[..., 2:] += np.matmul(turned, inputs[..., 2:width])
        by_basis[..., 1] *= self.residual_variance
        by_basis[..., 1] += np.einsum(
            "rmp,rmp,rm->rp", by_residual, self.residual.of(squared[2:]), inputs[..., 1]
        )
        below = basis[..., 0] < 0
        by_offset = np.exp(self.curvature * np.minimum(basis[..., 0], 0.0))  # (R or 1, P)
        by_own = np.matmul(turned, inputs[..., width, None])[..., 0]
        by_own += 2.0 * by_variance * by_offset
        by_own *= self.offset_variance[:, None]
        by_own += by_mean * self.offset_mean[:, None]
        by_basis[..., 0] = by_mean + by_own * np.where(below, self.curvature * by_offset, 0.0)
        gradient = self.basis.pulled_back(features, by_basis)
        embedded, weights = self.embedding.at(features), by_residual * squared[1]
        own, squares = inputs[..., width + 1 :], squared[2:]
        by_embedding = self.residual.gradient(embedded, own, squares, weights)
        gradient += self.embedding.pulled_back(features, by_embedding)
        return gradient
