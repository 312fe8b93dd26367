"""Functions drawn from the joint posterior, one for each slot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.acquisition.base import Acquisition
from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.randomness import BatchedGenerator
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior
from ombo_gym.surrogates.posterior import Posterior

Floats = NDArray[np.float64]

_JOINT = 256  # candidates that are drawn from jointly
_JITTER = 1e-6  # of their covariance, relative to a unit prior variance


class SampledFunctions(Acquisition):
    """Each slot is scored by a function of its own.

    Args:
        samples: (R, q, M) values of the functions at the candidates.

    Reference:
        Kandasamy et al., Parallelised Bayesian optimisation via Thompson sampling, AISTATS 2018.
    """

    def __init__(self, samples: Floats) -> None:
        self._samples = samples
        self._slot = 0

    @override
    def candidate_scores(self) -> Floats:
        return self._samples[:, self._slot]

    @override
    def take(self, designs: Designs, picks: NDArray[np.intp] | None) -> None:
        self._slot += 1


def posterior_samples(
    group: CandidatePosterior, space: DesignSpace, count: int, rngs: BatchedGenerator
) -> tuple[Designs, Floats, NDArray[np.bool_] | None]:
    """Functions drawn from the joint posterior over the most hopeful candidates.

    Args:
        group: Of R campaigns.
        space: Design space.
        count: Functions a campaign.
        rngs: Randomness of the campaigns.

    Returns:
        The candidates (R, M, *shape), the functions' values there (R, count, M), and which of the
        candidates are measured, where that rules them out.
    """
    choices, measured = group.candidates, group.measured
    if choices.shape[1] > _JOINT:
        rows = np.arange(len(choices))[:, None]
        hopeful = group.most_hopeful(max(_JOINT, count))
        choices = choices[rows, hopeful]
        measured = None if measured is None else measured[rows, hopeful]
    samples = joint_samples(group.posterior, space.features(choices), count, rngs)
    return choices, samples, measured


def joint_samples(
    posterior: Posterior, features: Floats, count: int, rngs: BatchedGenerator
) -> Floats:
    """Functions drawn from the joint posterior, (R, count, M), at features (R, M, k)."""
    covariance = posterior.covariance(features)
    diagonal = np.arange(features.shape[1])
    covariance[:, diagonal, diagonal] += _JITTER
    normals = rngs.standard_normal((count, features.shape[1]))
    mean = posterior.at(features).mean
    lower = np.linalg.cholesky(covariance)
    samples: Floats = mean[:, None] + np.matmul(normals, lower.swapaxes(1, 2))
    return samples
