"""Expected improvement, penalised around the slots before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, log_ndtr
from typing_extensions import override

from ombo_gym.acquisition.base import Acquisition, FantasySurface, Surface
from ombo_gym.acquisition.expected_improvement import LogImprovement, standard_normals
from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior
from ombo_gym.surrogates.fantasies import FantasyPosterior
from ombo_gym.surrogates.kernels import lifted, squared_distances_of_lifted
from ombo_gym.surrogates.marginals import Believed, Marginals

Floats = NDArray[np.float64]

_PIECE = 256  # candidates whose slopes are looked at together
_LEAST = 1e-3  # slope, in standardised units, where the mean is flat


class PenalizedImprovement(Acquisition):
    """log expected improvement, plus the log probabilities that picks do not rule a design out.

    A pick rules out a ball around it: no design closer than (largest value - its value) / slope can
    be the best one. The slope is the steepest of the posterior mean over candidates, the largest
    value the best observed one. Distance is that of features.

    Args:
        group: Of R campaigns.
        space: Design space.

    Reference:
        Gonzalez, Dai, Hennig and Lawrence, Batch Bayesian optimization via local penalization,
        AISTATS 2016, equations 8 and 10.
    """

    def __init__(self, group: CandidatePosterior, space: DesignSpace) -> None:
        self._space = space
        self._best = group.best
        self._fantasies = FantasyPosterior(group.posterior)
        improvement = LogImprovement(group.best, standard_normals(1, 1))
        self._improvement = FantasySurface(self._fantasies, improvement)
        self._listed = group.listed
        if group.listed is None:
            self._features = space.features(group.candidates)  # (R, M, k)
            self._scores = self._improvement.value(self._features)  # (R, M)
        else:  # the same for all campaigns
            self._features = group.listed.features[None]  # (1, M, k)
            self._scores = improvement.value(group.marginals)
        self._steepest = steepest(self._fantasies, self._features)  # (R,)
        self._picks: list[tuple[Floats, Marginals]] = []  # features (R, k), and beliefs (R, 1)

    @override
    def candidate_scores(self) -> Floats:
        return self._scores

    @override
    def take(self, designs: Designs, picks: NDArray[np.intp] | None) -> None:
        picked = self._space.features(designs)
        self._picks.append((picked, self._fantasies.at(picked[:, None])))
        self._scores = self._scores + log_ndtr(self._beyond(self._features, *self._picks[-1]))

    @property
    @override
    def surface(self) -> Surface:
        return self

    def value(self, features: Floats) -> Floats:
        """(R, P, k) -> (R, P)."""
        value = self._improvement.value(features)
        for pick in self._picks:
            value = value + log_ndtr(self._beyond(features, *pick))
        return value

    def slope(self, features: Floats) -> Floats:
        """(R, P, k) -> (R, P, k)."""
        slope = self._improvement.slope(features)
        for picked, at in self._picks:
            z = self._beyond(features, picked, at)
            ratio = np.sqrt(2 / np.pi) / erfcx(-np.clip(z, None, 35.0) / np.sqrt(2))  # phi / Phi
            apart = features - picked[:, None]  # (R, P, k)
            distance = np.sqrt((apart**2).sum(axis=2))
            outward = ratio * self._steepest[:, None] / at.sd / np.maximum(distance, 1e-12)
            slope = slope + outward[..., None] * apart
        return slope

    def _beyond(self, features: Floats, picked: Floats, at: Marginals) -> Floats:
        """Standard deviations by which designs are beyond a pick's ball, (R, P)."""
        if features is self._features and self._listed is not None:
            squared = squared_distances_of_lifted(lifted(picked[:, None]), self._listed.lifted)
            distance = np.sqrt(squared[:, 0])
        else:
            distance = np.sqrt(((features - picked[:, None]) ** 2).sum(axis=2))
        z: Floats = (self._steepest[:, None] * distance - (self._best[:, None] - at.mean)) / at.sd
        return z


class _Mean:
    """The posterior mean as a score."""

    def value(self, at: Believed) -> Floats:
        return at.mean

    def slope(self, at: Marginals) -> Marginals:
        nothing = np.zeros_like(at.mean)
        return Marginals(np.ones_like(at.mean), nothing, np.zeros_like(at.loadings))


def steepest(fantasies: FantasyPosterior, features: Floats) -> Floats:
    """The largest slope of the posterior mean at features (R, M, k) or, of all, (1, M, k), (R,)."""
    if len(features) > 1 or features.shape[1] <= _PIECE:
        slopes = fantasies.slope(features, _Mean())
        largest: Floats = np.sqrt((slopes**2).sum(axis=2)).max(axis=1)
    else:
        pieces = range(0, features.shape[1], _PIECE)
        each = [
            np.sqrt((fantasies.mean_slope(features[:, begin : begin + _PIECE]) ** 2).sum(axis=2))
            for begin in pieces
        ]
        largest = np.max([lengths.max(axis=1) for lengths in each], axis=0)
    return np.maximum(largest, _LEAST)
