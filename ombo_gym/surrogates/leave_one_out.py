"""How well a Gaussian process predicts each observation from the others, without refitting.

Reference:
    Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, equations 5.10 to 5.12.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FEWEST = 3  # observations
_SAME = 1e-12  # spread, of standardised values or of predictions, that is none


@dataclass(frozen=True)
class LeftOut:
    """How good predictions of what was left out are.

    Attributes:
        correlation: (R,) of observations and predictions; NaN: not known.
        log_score: (R,) mean log density of the observations; NaN: not known.
        surprises: (R, n) how many standard deviations each observation is above its prediction;
            NaN: not known.
    """

    correlation: Floats
    log_score: Floats
    surprises: Floats


def leave_one_out(whiten: Floats, white: Floats, targets: Floats, outputscale: Floats) -> LeftOut:
    """Leaves out one observation after the other, with the kernel parameters as they are.

    Args:
        whiten: (R, n, n) inverse of the Cholesky factor of the observations' covariance, relative
            to the prior variance.
        white: (R, n, 1) the same times the targets.
        targets: (R, n) standardised observations.
        outputscale: (R,) prior variance.
    """
    rows, n = targets.shape
    unknown = np.full(rows, np.nan)
    if n < _FEWEST:
        return LeftOut(unknown, unknown.copy(), np.full((rows, n), np.nan))
    precision = np.ascontiguousarray((whiten**2).sum(axis=1))  # (R, n), the diagonal of K^-1
    weights = np.matmul(whiten.swapaxes(1, 2), white)[..., 0]  # (R, n), K^-1 y
    errors = weights / precision  # of the predictions
    variances = outputscale[:, None] / precision
    log_density = -0.5 * (np.log(2 * np.pi * variances) + errors**2 / variances)
    varies = targets.std(axis=1) > _SAME
    log_score = np.where(varies, log_density.mean(axis=1), np.nan)
    predicted = targets - errors
    first, second = (each - each.mean(axis=1, keepdims=True) for each in (targets, predicted))
    lengths = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))  # (R,)
    known = varies & (second.std(axis=1) > _SAME)
    products = (first * second).sum(axis=1)
    correlation = np.where(known, products / np.where(known, lengths, 1.0), np.nan)
    return LeftOut(np.clip(correlation, -1.0, 1.0), log_score, errors / np.sqrt(variances))
