"""What is believed of candidates together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.controls.outlook import Outlook
from ombo_gym.design_spaces import Designs, DesignSpace, repeated

Floats = NDArray[np.float64]

MOST = 128  # candidates that are looked at jointly


@dataclass(frozen=True)
class Field:
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


def make_field(outlook: Outlook, space: DesignSpace, further: Designs) -> Field:
    """Joint beliefs about some designs, and about candidates, 128 in all where there are more.

    Args:
        outlook: Of R campaigns; its candidates of largest mean + 3 sd are taken.
        space: Design space.
        further: (R, m, *shape), which come first.
    """
    choices = outlook.candidates
    measured = outlook.measured
    if measured is None:
        measured = np.zeros(choices.shape[:2], bool)
    rows, room = np.arange(len(choices))[:, None], max(MOST // 2, MOST - further.shape[1])
    if choices.shape[1] > room:
        hopes = np.where(measured, -np.inf, outlook.beliefs.mean + 3 * outlook.beliefs.sd)
        hopeful = np.argsort(-hopes, axis=1, kind="stable")[:, :room]
        choices, measured = choices[rows, hopeful], measured[rows, hopeful]
    designs = np.concatenate([further, choices], axis=1)
    blocked = np.concatenate([np.zeros(further.shape[:2], bool), measured], axis=1)
    blocked |= repeated(designs)
    features, posterior = space.features(designs), outlook.posterior
    best = np.full(len(rows), -np.inf)
    if outlook.observed:
        best = posterior.at(posterior.features).mean.max(axis=1)
    return Field(
        designs,
        posterior.at(features).mean,
        posterior.covariance(features),
        posterior.noise * posterior.outputscale,
        best,
        blocked,
    )
