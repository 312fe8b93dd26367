"""Thompson sampling from the surrogate's posterior."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.posterior import PosteriorPolicy
from ombo_gym.controls.outlook import Outlook, best_left
from ombo_gym.design_spaces import DesignSpace, among
from ombo_gym.randomness import GeneratorRows, RowDraws
from ombo_gym.spec import Repeats
from ombo_gym.surrogates.gp import Posterior

Floats = NDArray[np.float64]
Measured = NDArray[np.bool_] | None

_JOINT = 256  # candidates that are drawn from jointly


class Thompson(PosteriorPolicy):
    """Each slot maximises a function of its own, drawn from the joint posterior.

    Where there are more than 256 candidates, over the 256 with the largest mean + 3 sd.

    Reference:
        Kandasamy et al., Parallelised Bayesian optimisation via Thompson sampling, AISTATS 2018.
    """

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        choices, samples, measured = posterior_samples(
            outlook, self.space, outlook.batch_size, draws
        )
        return best_of_each(choices, samples, measured, outlook.repeats)


def posterior_samples(
    outlook: Outlook, space: DesignSpace, count: int, draws: RowDraws
) -> tuple[NDArray[Any], Floats, Measured]:
    """Functions drawn from the joint posterior over the most hopeful candidates.

    Args:
        outlook: Of R campaigns.
        space: Design space.
        count: Functions a campaign.
        draws: Randomness of the campaigns.

    Returns:
        The candidates (R, M, *shape), the functions' values there (R, count, M), and which of the
        candidates are measured, where that rules them out.
    """
    choices, mean, measured = outlook.candidates, outlook.beliefs.mean, outlook.measured
    rows = np.arange(len(choices))[:, None]
    if choices.shape[1] > _JOINT:
        hopes = mean + 3 * outlook.beliefs.sd
        hopes = hopes if measured is None else np.where(measured, -np.inf, hopes)
        hopeful = np.argsort(-hopes, axis=1, kind="stable")[:, : max(_JOINT, count)]
        choices, mean = choices[rows, hopeful], mean[rows, hopeful]
        measured = None if measured is None else measured[rows, hopeful]
    samples = joint_samples(outlook.posterior, space.features(choices), count, draws)
    return choices, samples, measured


def joint_samples(posterior: Posterior, features: Floats, count: int, draws: RowDraws) -> Floats:
    """Functions drawn from the joint posterior, (R, count, M), at features (R, M, k)."""
    covariance = posterior.covariance(features)
    diagonal = np.arange(features.shape[1])
    covariance[:, diagonal, diagonal] += 1e-6
    normals = draws.standard_normal((count, features.shape[1]))
    mean = posterior.at(features).mean
    samples: Floats = mean[:, None] + np.matmul(
        normals, np.linalg.cholesky(covariance).swapaxes(1, 2)
    )
    return samples


def best_of_each(
    choices: NDArray[Any], samples: Floats, measured: Measured, repeats: Repeats
) -> NDArray[Any]:
    """The best candidate of each function.

    Args:
        choices: (R, M, *shape).
        samples: (R, q, M), a function for each slot.
        measured: (R, M) candidates to leave out, as long as there are others.
        repeats: Unless they are allowed, a batch holds a design once.

    Returns:
        (R, q, *shape).
    """
    rows, q = len(choices), samples.shape[1]
    batch = np.empty((rows, q, *choices.shape[2:]), choices.dtype)
    chosen = np.zeros(choices.shape[:2], bool)
    for slot in range(q):
        picks = best_left(samples[:, slot], chosen, measured)
        batch[:, slot] = choices[np.arange(rows), picks]
        if repeats is not Repeats.ALLOWED:
            chosen |= among(choices, batch[:, slot, None])
    return batch
