"""Expected improvement, penalised around the slots before."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from ombo_agents.bayesian.batches import APART, hopeful
from ombo_agents.bayesian.log_improvement import LogImprovement, standard_normals
from ombo_agents.bayesian.posterior import PosteriorPolicy
from ombo_agents.settings import whole
from ombo_gym.controls.outlook import Outlook, best_left
from ombo_gym.design_spaces import among
from ombo_gym.quasi_newton import quasi_newton
from ombo_gym.randomness import GeneratorRows
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.ascent import Marginals, Pending

Floats = NDArray[np.float64]

_LEAST = 1e-3  # slope, in standardised units, where the mean is flat


class LocalPenalization(PosteriorPolicy):
    """Expected improvement times the probability that the slots before do not rule a design out.

    A pick rules out a ball around it: no design closer than (largest value - its value) / slope can
    be the best one. The slope is the steepest of the posterior mean over candidates, the largest
    value the best observed one. Distance is that of features. Where designs can move, as in a box,
    the best candidates climb the logarithm of the product.

    Args:
        spec: Of the campaigns it is built for.
        starts: Candidates that climb, where designs can move; 0: none.
        moves: Steps of a climb, at most.

    Reference:
        Gonzalez, Dai, Hennig and Lawrence, Batch Bayesian optimization via local penalization,
        AISTATS 2016, equations 8 and 10.
    """

    def __init__(self, spec: CampaignSpec, *, starts: int, moves: int) -> None:
        super().__init__(spec)
        self.deterministic = self.space.looks_at_everything
        self._starts = whole("starts", starts, at_least=0)
        self._moves = whole("moves", moves, at_least=0)

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        space, choices, q = self.space, outlook.candidates, outlook.batch_size
        pending, features = Pending(outlook.posterior), space.features(choices)
        penalised = Penalised(outlook.best, pending, steepest(pending, features))
        rows = np.arange(len(choices))
        chosen = np.zeros(choices.shape[:2], bool)
        batch = np.empty((len(choices), q, *space.shape), space.dtype)
        scores = penalised.improvement(features)
        for slot in range(q):
            batch[:, slot] = choices[rows, best_left(scores, chosen, outlook.measured)]
            if space.free is not None and self._starts and self._moves:
                apart = APART * outlook.posterior.lengthscale
                starts = hopeful(features.astype(np.float32), scores, self._starts, apart)
                tops = _climb(penalised, starts, self._moves, space.free)
                at = penalised.value(tops)
                higher = at.max(axis=1) > scores.max(axis=1)
                top = space.from_features(tops[rows, at.argmax(axis=1)])
                batch[:, slot] = np.where(higher[:, None], top, batch[:, slot])
            picked = space.features(batch[:, slot])
            scores = scores + penalised.add(picked, features)
            if outlook.distinct:
                chosen |= among(choices, batch[:, slot, None])
        return batch


def _climb(penalised: Penalised, begin: Floats, moves: int, free: NDArray[np.bool_]) -> Floats:
    """Designs climb from where they stand, by their features (R, P, k); only free ones change."""

    def whole(x: Floats) -> Floats:
        """Several tries of each design, one after the other, with the features that stay."""
        features = np.repeat(begin, x.shape[1] // begin.shape[1], axis=1)
        features[..., free] = x
        return features

    moving = np.ascontiguousarray(begin[..., free])
    return whole(quasi_newton(lambda x: penalised.value(whole(x)), moving, moves))


class _Mean:
    """The posterior mean as a score."""

    def value(self, at: Marginals) -> Floats:
        return at.mean

    def slope(self, at: Marginals) -> Marginals:
        nothing = np.zeros_like(at.mean)
        return Marginals(np.ones_like(at.mean), nothing, np.zeros_like(at.loadings))


def steepest(pending: Pending, features: Floats) -> Floats:
    """The largest slope of the posterior mean at some features (R, M, k), (R,)."""
    slopes = pending.slope(features, _Mean())
    return np.maximum(np.sqrt((slopes**2).sum(axis=2)).max(axis=1), _LEAST)


class Penalised:
    """log expected improvement, plus the log probabilities that picks do not rule a design out.

    Args:
        best: (R,) largest value.
        pending: Beliefs.
        steepest: (R,) slopes.
    """

    def __init__(self, best: Floats, pending: Pending, steepest: Floats) -> None:
        self._best, self._pending, self._steepest = best, pending, steepest
        self._score = LogImprovement(best, standard_normals(1, 1))
        self._picks: list[tuple[Floats, Floats, Floats]] = []  # features, means, sds

    def improvement(self, features: Floats) -> Floats:
        """(R, M, k) -> (R, M)."""
        return self._score.value(self._pending.at(features))

    def add(self, picked: Floats, features: Floats) -> Floats:
        """Adds a pick, (R, k), and says by how much scores at features (R, M, k) fall, (R, M)."""
        at = self._pending.at(picked[:, None])
        self._picks.append((picked, at.mean[:, 0], at.sd[:, 0]))
        return self._penalty(features, *self._picks[-1])

    def _penalty(self, features: Floats, picked: Floats, mean: Floats, sd: Floats) -> Floats:
        distance = np.sqrt(((features - picked[:, None]) ** 2).sum(axis=2))
        reach = self._steepest[:, None] * distance - (self._best - mean)[:, None]
        return log_ndtr(reach / sd[:, None])

    def value(self, features: Floats) -> Floats:
        """(R, P, d) -> (R, P)."""
        value = self.improvement(features)
        for pick in self._picks:
            value = value + self._penalty(features, *pick)
        return value
