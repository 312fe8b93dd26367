"""How flat data are: which share of them has one and the same value.

Where most designs have one value, as with a score that is 0 wherever anything fails, a stationary
process is wrong in a way that ordinary noise is not: the flat part alone makes it certain that
nothing ever happens. So no more of the commonest value's observations count than of all others
together, and flat data never speak for an objective without noise, see `LogPosterior`.

Reference:
    Grünwald and van Ommen, Inconsistency of Bayesian inference for misspecified linear models, and
    a proposal for repairing it, Bayesian Analysis 12, 2017 (likelihoods raised to a power).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EQUAL = 1e-9  # standardised values that differ by less are one: they were rounded
_MOST_TIED = 0.05  # least noise variance of flat data, relative to the prior variance


def commonest_share(features: Floats, targets: Floats) -> Floats:
    """Share of the other designs that have the value of a design, at most, (R,).

    0 where no two designs have the same value, 1 where all have; repeats of a design, which have
    its value, say nothing of others and do not count.

    Args:
        features: (R, n, k).
        targets: (R, n) standardised observations.
    """
    directions = np.cos(np.arange(1.0, 1.0 + features.shape[2]))  # (k,) by which designs differ
    codes = np.ascontiguousarray(features * directions).sum(axis=2)  # (R, n)
    others = codes[:, :, None] != codes[:, None]  # (R, n, n)
    equal = np.abs(targets[:, :, None] - targets[:, None]) < _EQUAL
    equal &= others
    shares = equal.sum(axis=2) / np.maximum(others.sum(axis=2), 1)  # (R, n)
    largest: Floats = shares.max(axis=1, initial=0.0)
    return largest


def likelihood_power(commonest: Floats) -> Floats:
    """What the likelihood is raised to, (R,): 1 where at most half of the values are the same.

    Args:
        commonest: (R,) see `commonest_share`.
    """
    power: Floats = np.minimum(1.0, 2.0 * (1.0 - commonest))
    return power


def least_noise(commonest: Floats) -> Floats:
    """Noise variance, relative to the prior variance, that is there in any case, (R,).

    Args:
        commonest: (R,) see `commonest_share`.
    """
    noise: Floats = _MOST_TIED * commonest**2
    return noise
