"""The joint posterior of candidates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace, repeated
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior

Floats = NDArray[np.float64]

MAX_CANDIDATES = 128  # that are looked at jointly


@dataclass(frozen=True)
class JointPosterior:
    """Joint beliefs of R campaigns about M designs each, in the surrogate's units.

    Attributes:
        designs: (R, M, *shape).
        mean: (R, M).
        covariance: (R, M, M).
        noise: (R,) variance of a measurement.
        best: (R,) best posterior mean of a measured design, -inf where there is none.
        blocked: (R, M) what can no longer be measured, and copies of designs that come earlier.
    """

    designs: Designs
    mean: Floats
    covariance: Floats
    noise: Floats
    best: Floats
    blocked: NDArray[np.bool_]


def joint_posterior(
    group: CandidatePosterior, space: DesignSpace, further: Designs
) -> JointPosterior:
    """Joint beliefs about some designs, and about candidates, 128 in all where there are more.

    Args:
        group: Of R campaigns; its candidates of largest mean + 3 sd are taken.
        space: Design space.
        further: (R, m, *shape), which come first.
    """
    candidates = group.candidates  # (R, C, *shape)
    measured = group.measured  # (R, C)
    if measured is None:
        measured = np.zeros(candidates.shape[:2], bool)
    room = max(MAX_CANDIDATES // 2, MAX_CANDIDATES - further.shape[1])
    if candidates.shape[1] > room:
        campaign = np.arange(len(candidates))[:, None]  # (R, 1)
        hopeful = group.most_hopeful(room)  # (R, room)
        candidates, measured = candidates[campaign, hopeful], measured[campaign, hopeful]
    designs = np.concatenate([further, candidates], axis=1)  # (R, M, *shape)
    blocked = np.concatenate([np.zeros(further.shape[:2], bool), measured], axis=1)  # (R, M)
    blocked |= repeated(designs)
    features, posterior = space.features(designs), group.posterior
    best = np.full(len(designs), -np.inf)  # (R,)
    if group.num_observed:
        best = posterior.at(posterior.features).mean.max(axis=1)
    return JointPosterior(
        designs,
        posterior.at(features).mean,
        posterior.covariance(features),
        posterior.noise * posterior.outputscale,
        best,
        blocked,
    )
