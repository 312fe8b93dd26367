"""Heuristics that read the surrogate's posterior directly."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ombo_agents.heuristics.model_free import replenished
from ombo_agents.policy import DesignsPolicy, Observation
from ombo_gym.controls.outlook import Outlook, best_left, look, pick_batch
from ombo_gym.game import Game
from ombo_gym.quasirandom import shifted
from ombo_gym.randomness import GeneratorRows
from ombo_gym.surrogates.candidates import RADIUS, looks_at_everything
from ombo_gym.surrogates.gp import Beliefs

_JOINT = 256  # candidates that Thompson sampling draws from jointly
_ZOOMS, _AROUND, _STEPS = 8, 32, 8  # places, points around each, times that boxes are halved
_SQRT_2PI = np.sqrt(2 * np.pi)


class PosteriorPolicy(DesignsPolicy):
    """Looks at candidates through the environment's surrogate, and picks a batch."""

    horizon_aware = False

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self.surrogate = game.surrogate

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        rows, q = len(draws), self.batch_size
        batch = np.zeros((rows, q, *self.space.shape), self.space.dtype)
        outlooks = look(
            observation,
            self.space,
            self.surrogate,
            draws.take,
            extra=4 * q,
            repeats=self.repeats,
        )
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

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self.deterministic = looks_at_everything(self.space)

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        def improvement(slot: int, beliefs: Beliefs) -> NDArray[np.float64]:
            incumbent = np.maximum(outlook.best, beliefs.hallucinated)[:, None]
            gain, sd = beliefs.mean - incumbent, beliefs.sd
            z = gain / sd
            return gain * ndtr(z) + sd * np.exp(-0.5 * z**2) / _SQRT_2PI

        return pick_batch(outlook, improvement, self.batch_size, distinct=self.distinct)


class RefinedGreedy(PosteriorPolicy):
    """The largest posterior mean of the whole box, found by zooming in; boxes only.

    All q slots are that design: the one-round optimum of `last_mean`, of which `greedy`, with its
    256 candidates, falls a little short. Zooms in from the best candidates, in boxes that shrink.
    Where nothing is measured twice, one slot is that design and the others are uniform.
    """

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        batch = super().propose(observation, draws)
        return batch if self.repeats else replenished(self.space, observation, batch, draws)

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        space, rows = self.space, np.arange(len(outlook.candidates))
        dim = space.shape[0]
        top = np.argsort(-outlook.beliefs.mean, axis=1, kind="stable")[:, :_ZOOMS]
        centres = outlook.candidates[rows[:, None], top]  # (R, k, d)
        means = outlook.beliefs.mean[rows[:, None], top]  # (R, k)
        for step in range(_STEPS):
            around = 2 * shifted(draws, _ZOOMS * _AROUND, dim) - 1
            around = around.reshape(len(rows), _ZOOMS, _AROUND, dim) * RADIUS / 2**step
            points = np.clip(centres[:, :, None] + around, -1, 1).astype(np.float32)
            there = outlook.posterior.at(space.features(points.reshape(len(rows), -1, dim))).mean
            there = there.reshape(len(rows), _ZOOMS, _AROUND)
            best = there.argmax(axis=2)[..., None]
            found = np.take_along_axis(points, best[..., None], axis=2)[:, :, 0]
            value = np.take_along_axis(there, best, axis=2)[..., 0]
            centres = np.where((value > means)[..., None], found, centres)
            means = np.maximum(value, means)
        design = centres[rows, means.argmax(axis=1)]  # (R, d)
        return np.repeat(design[:, None], self.batch_size, axis=1)


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
