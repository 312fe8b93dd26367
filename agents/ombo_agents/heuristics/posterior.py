"""Heuristics that read the surrogate's posterior directly."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ombo_agents.policy import DesignsPolicy, Observation
from ombo_gym.controls.outlook import Outlook, look, pick_batch
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows
from ombo_gym.surrogates.gp import Beliefs

_JOINT = 256  # candidates that Thompson sampling draws from jointly
_SQRT_2PI = np.sqrt(2 * np.pi)


class PosteriorPolicy(DesignsPolicy):
    """Looks at candidates through the environment's surrogate, and picks a batch."""

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self.surrogate = game.surrogate
        self.distinct = self.space.size is not None

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        rows, q = len(draws), self.batch_size
        batch = np.zeros((rows, q, *self.space.shape), self.space.dtype)
        outlooks = look(observation, self.space, self.surrogate, draws.take, extra=4 * q)
        for outlook in outlooks:
            batch[outlook.rows] = self.pick(outlook, draws.take(outlook.rows))
        return batch

    @abstractmethod
    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:
        """The batches of R campaigns, (R, q, *shape)."""


class ExpectedImprovement(PosteriorPolicy):
    """The largest expected improvement, slot by slot, each pick hallucinated at its mean.

    Reference:
        Jones, Schonlau and Welch, 1998; Ginsbourger, Le Riche and Carraro, 2010, section 4.2.
    """

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        def improvement(slot: int, beliefs: Beliefs) -> NDArray[np.float64]:
            incumbent = np.maximum(outlook.best, beliefs.hallucinated)[:, None]
            gain, sd = beliefs.mean - incumbent, beliefs.sd
            z = gain / sd
            return gain * ndtr(z) + sd * np.exp(-0.5 * z**2) / _SQRT_2PI

        return pick_batch(outlook, improvement, self.batch_size, distinct=self.distinct)


class Thompson(PosteriorPolicy):
    """Each slot maximises a function of its own, drawn from the joint posterior.

    Where there are more than 256 candidates, over the 256 with the largest mean + 3 sd.

    Reference:
        Kandasamy et al., Parallelised Bayesian optimisation via Thompson sampling, AISTATS 2018.
    """

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        q, choices, mean = self.batch_size, outlook.candidates, outlook.beliefs.mean
        rows = np.arange(len(choices))[:, None]
        if choices.shape[1] > _JOINT:
            hopeful = np.argsort(-(mean + 3 * outlook.beliefs.sd), axis=1, kind="stable")
            hopeful = hopeful[:, : max(_JOINT, q)]
            choices, mean = choices[rows, hopeful], mean[rows, hopeful]
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
            picks = np.where(taken, -np.inf, samples[:, slot]).argmax(axis=1)
            batch[:, slot] = choices[rows[:, 0], picks]
            if self.distinct:
                same = choices == batch[:, slot, None]
                taken |= same.reshape(*taken.shape, -1).all(axis=-1)
        return batch
