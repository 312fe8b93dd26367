"""Cholesky factors of the covariances of many campaigns."""

from __future__ import annotations

import numpy as np

from ombo_gym.surrogates.kernels import Floats


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
