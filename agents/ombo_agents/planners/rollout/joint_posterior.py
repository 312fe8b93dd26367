"""What is believed of candidates together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace, repeated
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior

Floats = NDArray[np.float64]

MOST = 128  # candidates that are looked at jointly


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
    choices = group.candidates
    measured = group.measured
    if measured is None:
        measured = np.zeros(choices.shape[:2], bool)
    rows, room = np.arange(len(choices))[:, None], max(MOST // 2, MOST - further.shape[1])
    if choices.shape[1] > room:
        hopeful = group.most_hopeful(room)
        choices, measured = choices[rows, hopeful], measured[rows, hopeful]
    designs = np.concatenate([further, choices], axis=1)
    blocked = np.concatenate([np.zeros(further.shape[:2], bool), measured], axis=1)
    blocked |= repeated(designs)
    features, posterior = space.features(designs), group.posterior
    best = np.full(len(rows), -np.inf)
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
