"""Batches that tell most about the designs which may be best."""

from __future__ import annotations

import numpy as np

from ombo_agents.planners.rollout.joint_posterior import JointPosterior
from ombo_agents.planners.rollout.simulated_campaigns import Indices

_SHARPNESS = 0.3  # of the largest standard deviation: differences in hope that count
_LEAST = 1e-9


def variance_reducing_batch(joint: JointPosterior, reach: float, q: int) -> Indices:
    """Designs that leave the least variance of those which may be best, slot by slot, (R, q).

    A design counts by exp(hope / s): its hope is its mean and so many standard deviations, s is 0.3
    of the largest standard deviation.

    Args:
        joint: Of R campaigns; what is blocked in it is taken only when nothing else is left.
        reach: Standard deviations. With 0 only designs of high mean count, with more whatever is
            unknown.
        q: How many.

    References:
        Cohn, Ghahramani and Jordan, Active learning with statistical models, JAIR 1996 (without
        weights). Picheny, Ginsbourger, Roustant, Haftka and Kim, Adaptive designs of experiments
        for accurate approximation of a target region, Journal of Mechanical Design 2010 (weights).
    """
    covariance = joint.covariance.astype(np.float32)  # (R, M, M) given the slots that are filled
    campaign, diagonal = np.arange(len(covariance)), np.arange(covariance.shape[1])
    noise = np.maximum(joint.noise, _LEAST).astype(np.float32)[:, None]  # (R, 1)
    variance = np.maximum(covariance[:, diagonal, diagonal], _LEAST)  # (R, M)
    sd = np.sqrt(variance)
    hope = joint.mean + reach * sd  # (R, M)
    scale = np.maximum(_SHARPNESS * sd.max(axis=1, keepdims=True), _LEAST)  # (R, 1)
    relevance = np.exp((hope - hope.max(axis=1, keepdims=True)) / scale).astype(np.float32)
    used, picks = joint.blocked.copy(), np.empty((len(campaign), q), np.intp)  # (R, M), (R, q)
    for slot in range(q):
        reduced = np.matmul(covariance**2, relevance[..., None])[..., 0]  # (R, M)
        reduction = reduced / (variance + noise)  # (R, M) of the weighted sum of variances
        used[used.all(axis=1)] = False
        pick = np.where(used, -np.inf, reduction).argmax(axis=1)  # (R,)
        picks[:, slot], used[campaign, pick] = pick, True
        if slot + 1 < q:
            deviation = np.sqrt(variance + noise)[campaign, pick]  # (R,) of the measurement
            mean_shift = covariance[campaign, pick] / deviation[:, None]  # (R, M)
            covariance -= mean_shift[:, :, None] * mean_shift[:, None]
            variance = np.maximum(covariance[:, diagonal, diagonal], _LEAST)
    return picks
