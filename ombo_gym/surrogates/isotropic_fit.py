"""One lengthscale and a noise from a small grid, the likeliest for each of many campaigns."""

from __future__ import annotations

import numpy as np

from ombo_gym.surrogates.cholesky import factorise
from ombo_gym.surrogates.kernels import KERNELS, Floats
from ombo_gym.surrogates.surrogate import Surrogate

_TIE = 1e-10  # log likelihoods an observation that count as equal: the first on the grid is chosen


def fit_isotropic(
    surrogate: Surrogate, squared: Floats, targets: Floats
) -> tuple[Floats, Floats, Floats]:
    """The likeliest kernel parameters on the grid, a posteriori; the prior variance in closed form.

    Args:
        surrogate: Has the grid.
        squared: (R, n, n) distances of the observed designs.
        targets: (R, n) standardised observations, n of at least 2.

    Returns:
        Lengthscales, noise variances relative to the prior's, and prior variances, (R,) each.
    """
    rows, n = targets.shape
    kernel, diagonal = KERNELS[surrogate.kernel], np.arange(n)
    lengthscales = np.full(rows, surrogate.lengthscales[len(surrogate.lengthscales) // 2])
    noises, outputscales = np.full(rows, surrogate.noise_variances[0]), np.ones(rows)
    best = np.full(rows, -np.inf)
    for at, lengthscale in enumerate(surrogate.lengthscales):
        matrix = kernel(squared / (lengthscale * lengthscale))
        for noise in surrogate.noise_variances:
            matrix[:, diagonal, diagonal] = 1.0 + noise
            lower, white = factorise(matrix, targets)
            outputscale = np.maximum((white**2).sum(axis=1) / n, 1e-6)
            # In the order of a single row: sums along another stride round differently.
            pivots = np.ascontiguousarray(np.diagonal(lower, axis1=1, axis2=2))
            likelihood = -0.5 * n * np.log(outputscale) - np.log(pivots).sum(axis=1)
            if surrogate.log_prior:
                likelihood += surrogate.log_prior[at]
            better = likelihood > best + _TIE * n
            best = np.where(better, likelihood, best)
            lengthscales = np.where(better, lengthscale, lengthscales)
            noises = np.where(better, noise, noises)
            outputscales = np.where(better, outputscale, outputscales)
    return lengthscales, noises, outputscales
