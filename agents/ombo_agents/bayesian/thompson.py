"""Thompson sampling from the surrogate's posterior."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.posterior import PosteriorPolicy
from ombo_gym.controls.outlook import Outlook, best_left
from ombo_gym.randomness import GeneratorRows

_JOINT = 256  # candidates that are drawn from jointly


class Thompson(PosteriorPolicy):
    """Each slot maximises a function of its own, drawn from the joint posterior.

    Where there are more than 256 candidates, over the 256 with the largest mean + 3 sd.

    Reference:
        Kandasamy et al., Parallelised Bayesian optimisation via Thompson sampling, AISTATS 2018.
    """

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        q, choices, mean = self.batch_size, outlook.candidates, outlook.beliefs.mean
        rows, spent = np.arange(len(choices))[:, None], outlook.spent
        if choices.shape[1] > _JOINT:
            hopes = mean + 3 * outlook.beliefs.sd
            hopes = hopes if spent is None else np.where(spent, -np.inf, hopes)
            hopeful = np.argsort(-hopes, axis=1, kind="stable")[:, : max(_JOINT, q)]
            choices, mean = choices[rows, hopeful], mean[rows, hopeful]
            spent = None if spent is None else spent[rows, hopeful]
        covariance = outlook.posterior.covariance(self.space.features(choices))
        diagonal = np.arange(mean.shape[1])
        covariance[:, diagonal, diagonal] += 1e-6
        normals = draws.standard_normal((q, mean.shape[1]))
        samples = mean[:, None] + np.matmul(
            normals, np.linalg.cholesky(covariance).swapaxes(1, 2)
        )  # (R, q, M)
        batch = np.empty((len(choices), q, *self.space.shape), self.space.dtype)
        taken = np.zeros(mean.shape, bool)
        for slot in range(q):
            picks = best_left(samples[:, slot], taken, spent)
            batch[:, slot] = choices[rows[:, 0], picks]
            if self.distinct:
                same = choices == batch[:, slot, None]
                taken |= same.reshape(*taken.shape, -1).all(axis=-1)
        return batch
