"""Batches that tell most about the designs which may be best."""

from __future__ import annotations

import numpy as np

from ombo_agents.planners.rollout.joint_posterior import JointPosterior
from ombo_agents.planners.rollout.simulated_campaigns import Picks

_SHARPNESS = 0.3  # of the largest standard deviation: differences in hope that count
_LEAST = 1e-9


def informative(field: JointPosterior, reach: float, q: int) -> Picks:
    """Designs that leave the least variance of those which may be best, slot by slot, (R, q).

    A design counts by exp(hope / s): its hope is its mean and so many standard deviations, s is 0.3
    of the largest standard deviation of the field.

    Args:
        field: Of R campaigns; what is blocked in it is taken only when nothing else is left.
        reach: Standard deviations. With 0 only designs of high mean count, with more whatever is
            unknown.
        q: How many.

    References:
        Cohn, Ghahramani and Jordan, Active learning with statistical models, JAIR 1996 (without
        weights). Picheny, Ginsbourger, Roustant, Haftka and Kim, Adaptive designs of experiments
        for accurate approximation of a target region, Journal of Mechanical Design 2010 (weights).
    """
    covariance = field.covariance.astype(np.float32)
    rows, diagonal = np.arange(len(covariance)), np.arange(covariance.shape[1])
    noise = np.maximum(field.noise, _LEAST).astype(np.float32)[:, None]
    variance = np.maximum(covariance[:, diagonal, diagonal], _LEAST)
    sd = np.sqrt(variance)
    hope = field.mean + reach * sd
    scale = np.maximum(_SHARPNESS * sd.max(axis=1, keepdims=True), _LEAST)
    counts = np.exp((hope - hope.max(axis=1, keepdims=True)) / scale).astype(np.float32)
    used, picks = field.blocked.copy(), np.empty((len(rows), q), np.intp)
    for slot in range(q):
        gains = np.matmul(covariance**2, counts[..., None])[..., 0] / (variance + noise)
        if (full := used.all(axis=1)).any():
            used[full] = False
        pick = np.where(used, -np.inf, gains).argmax(axis=1)
        picks[:, slot], used[rows, pick] = pick, True
        if slot + 1 < q:
            cross = covariance[rows, pick] / np.sqrt(variance + noise)[rows, pick][:, None]
            covariance -= cross[:, :, None] * cross[:, None]
            variance = np.maximum(covariance[:, diagonal, diagonal], _LEAST)
    return picks
