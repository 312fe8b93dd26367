"""Stationary kernels on features, batched over campaigns."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROOT = math.sqrt(5.0)  # no NumPy scalar, by which arrays in single precision turn to double


def lifted(points: Floats) -> Floats:
    """Coordinates in rows, with 1 and the squared norm below them, (R, n, k) -> (R, k + 2, n)."""
    rows, n, k = points.shape
    coordinates = np.empty((rows, k + 2, n), points.dtype)
    coordinates[:, :k] = points.swapaxes(1, 2)
    coordinates[:, k] = 1.0
    np.einsum("rkn,rkn->rn", coordinates[:, :k], coordinates[:, :k], out=coordinates[:, k + 1])
    return coordinates


def squared_distances_of_lifted(a: Floats, b: Floats) -> Floats:
    """Squared Euclidean distances of `lifted` points, (R, k + 2, n) and (R, k + 2, m) -> (R, n, m).

    One product, |x - y|^2 = (-2 x, |x|^2, 1) . (y, 1, |y|^2): adding up three arrays (R, n, m)
    would cost as much as the kernel.
    """
    turned = np.concatenate([-2.0 * a[:, :-2], a[:, -1:], a[:, -2:-1]], axis=1)
    products: Floats = np.matmul(turned.swapaxes(1, 2), b)
    return np.maximum(products, 0.0, out=products)


def squared_distances(a: Floats, b: Floats) -> Floats:
    """Squared Euclidean distances, (R, n, k) and (R or 1, m, k) -> (R, n, m)."""
    return squared_distances_of_lifted(lifted(a), lifted(b))


def rbf(squared: Floats) -> Floats:
    """exp(-r^2 / 2) from r^2; on one-hot features, exp(-Hamming distance / (2 lengthscale^2))."""
    return np.exp(-0.5 * squared)


def matern52(squared: Floats) -> Floats:
    """(1 + s + s^2 / 3) exp(-s) with s = sqrt(5) r, from r^2."""
    minus_s = np.sqrt(squared)
    minus_s *= -_ROOT
    polynomial = squared * (5.0 / 3.0)
    polynomial -= minus_s
    polynomial += 1.0
    np.exp(minus_s, out=minus_s)
    minus_s *= polynomial
    return minus_s


def rbf_slope(squared: Floats) -> Floats:
    """Derivative of `rbf` by r^2."""
    return -0.5 * np.exp(-0.5 * squared)


def matern52_slope(squared: Floats) -> Floats:
    """Derivative of `matern52` by r^2, -5/6 (1 + s) exp(-s)."""
    s = np.sqrt(5.0 * squared)
    return -5.0 / 6.0 * (1.0 + s) * np.exp(-s)


def rbf_and_slope(squared: Floats) -> tuple[Floats, Floats]:
    """`rbf` and `rbf_slope` at once."""
    kernel = rbf(squared)
    return kernel, -0.5 * kernel


def matern52_and_slope(squared: Floats) -> tuple[Floats, Floats]:
    """`matern52` and `matern52_slope` at once: the exponential is most of the work of both."""
    s = np.sqrt(squared)
    s *= _ROOT
    decay = np.exp(-s)
    s += 1.0
    s *= decay
    decay *= squared
    decay *= 5.0 / 3.0
    decay += s
    s *= -5.0 / 6.0
    return decay, s


KERNELS: dict[str, Callable[[Floats], Floats]] = {"matern52": matern52, "rbf": rbf}
SLOPES: dict[str, Callable[[Floats], Floats]] = {"matern52": matern52_slope, "rbf": rbf_slope}
WITH_SLOPES: dict[str, Callable[[Floats], tuple[Floats, Floats]]] = {
    "matern52": matern52_and_slope,
    "rbf": rbf_and_slope,
}


def with_slope(name: str) -> Callable[[Floats], tuple[Floats, Floats]]:
    """A kernel and its slope at once, of one's own kernels too."""
    if name in WITH_SLOPES:
        return WITH_SLOPES[name]
    kernel, slope = KERNELS[name], SLOPES[name]
    return lambda squared: (kernel(squared), slope(squared))
