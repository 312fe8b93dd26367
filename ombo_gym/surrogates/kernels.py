"""Stationary kernels on features, batched over campaigns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def squared_distances(a: Floats, b: Floats) -> Floats:
    """Squared Euclidean distances, (R, n, k) and (R, m, k) -> (R, n, m)."""
    products = np.matmul(a, b.swapaxes(1, 2))
    products *= -2.0
    products += np.einsum("rik,rik->ri", a, a)[:, :, None]
    products += np.einsum("rjk,rjk->rj", b, b)[:, None, :]
    return np.maximum(products, 0.0, out=products)


def rbf(squared: Floats) -> Floats:
    """exp(-r^2 / 2) from r^2; on one-hot features, exp(-Hamming distance / (2 lengthscale^2))."""
    return np.exp(-0.5 * squared)


def matern52(squared: Floats) -> Floats:
    """(1 + s + s^2 / 3) exp(-s) with s = sqrt(5) r, from r^2."""
    s = np.sqrt(5.0 * squared)
    polynomial = s / 3.0
    polynomial += 1.0
    polynomial *= s
    polynomial += 1.0
    np.negative(s, out=s)
    np.exp(s, out=s)
    s *= polynomial
    return s


KERNELS: dict[str, Callable[[Floats], Floats]] = {"matern52": matern52, "rbf": rbf}
