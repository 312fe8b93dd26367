"""Thompson sampling from the surrogate's posterior."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.posterior import PosteriorPolicy
from ombo_gym.controls.outlook import Outlook, best_left
from ombo_gym.design_spaces import DesignSpace, among
from ombo_gym.randomness import GeneratorRows, RowDraws
from ombo_gym.surrogates.gp import Posterior

Floats = NDArray[np.float64]
Spent = NDArray[np.bool_] | None

_JOINT = 256  # candidates that are drawn from jointly


class Thompson(PosteriorPolicy):
    """Each slot maximises a function of its own, drawn from the joint posterior.

    Where there are more than 256 candidates, over the 256 with the largest mean + 3 sd.

    Reference:
        Kandasamy et al., Parallelised Bayesian optimisation via Thompson sampling, AISTATS 2018.
    """

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        choices, samples, spent = posterior_samples(outlook, self.space, self.batch_size, draws)
        return best_of_each(choices, samples, spent, distinct=self.distinct)


def posterior_samples(
    outlook: Outlook, space: DesignSpace, count: int, draws: RowDraws
) -> tuple[NDArray[Any], Floats, Spent]:
    """Functions drawn from the joint posterior over the most hopeful candidates.

    Args:
        outlook: Of R campaigns.
        space: Design space.
        count: Functions a campaign.
        draws: Randomness of the campaigns.

    Returns:
        The candidates (R, M, *shape), the functions' values there (R, count, M), and which of the
        candidates are spent.
    """
    choices, mean, spent = outlook.candidates, outlook.beliefs.mean, outlook.spent
    rows = np.arange(len(choices))[:, None]
    if choices.shape[1] > _JOINT:
        hopes = mean + 3 * outlook.beliefs.sd
        hopes = hopes if spent is None else np.where(spent, -np.inf, hopes)
        hopeful = np.argsort(-hopes, axis=1, kind="stable")[:, : max(_JOINT, count)]
        choices, mean = choices[rows, hopeful], mean[rows, hopeful]
        spent = None if spent is None else spent[rows, hopeful]
    return choices, joint_samples(outlook.posterior, space.features(choices), count, draws), spent


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
    choices: NDArray[Any], samples: Floats, spent: Spent, *, distinct: bool
) -> NDArray[Any]:
    """The best candidate of each function.

    Args:
        choices: (R, M, *shape).
        samples: (R, q, M), a function for each slot.
        spent: (R, M) candidates to leave out, as long as there are others.
        distinct: Whether a batch holds a design once only.

    Returns:
        (R, q, *shape).
    """
    rows, q = len(choices), samples.shape[1]
    batch = np.empty((rows, q, *choices.shape[2:]), choices.dtype)
    taken = np.zeros(choices.shape[:2], bool)
    for slot in range(q):
        picks = best_left(samples[:, slot], taken, spent)
        batch[:, slot] = choices[np.arange(rows), picks]
        if distinct:
            taken |= among(choices, batch[:, slot, None])
    return batch
