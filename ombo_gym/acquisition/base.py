"""What scores designs, for one slot of a batch after the other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.acquisition.best_first import BestFirst
from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior
from ombo_gym.surrogates.fantasies import FantasyPosterior
from ombo_gym.surrogates.marginals import (
    CandidateMarginals,
    DiminishingScore,
    Marginals,
    MarginalScore,
)

Floats = NDArray[np.float64]


class Surface(Protocol):
    """What designs climb, by their features."""

    def value(self, features: Floats) -> Floats:
        """(R, P, k) -> (R, P)."""

    def slope(self, features: Floats) -> Floats:
        """Of the value by the features, (R, P, k) -> (R, P, k)."""


class Acquisition(ABC):
    """Scores the designs of R campaigns for a slot, given those that the batch holds already."""

    @abstractmethod
    def candidate_scores(self) -> Floats:
        """Of the M candidates, for the next slot, (R, M)."""

    @abstractmethod
    def take(self, designs: Designs, picks: NDArray[np.intp] | None) -> None:
        """Is told what the slot has taken.

        Args:
            designs: (R, *shape).
            picks: (R,) which candidates these are; None: they need not be any.
        """

    @property
    def surface(self) -> Surface:
        """The same score of any design, where designs climb."""
        raise NotImplementedError(f"{type(self).__name__} scores candidates only")

    @property
    def rough_surface(self) -> Surface | None:
        """A cheaper one, for all but the last steps and the last choice; None: there is none."""
        return None


class SlotScore(MarginalScore, Protocol):
    """A score of marginals for one slot after the other."""

    noisy: bool  # whether beliefs are conditioned on noisy measurements of the picks, or exact ones

    def picked(self, at: Marginals) -> None:
        """Is told what was believed of the design that a slot has taken, (R, 1) each."""


class FantasySurface:
    """A score of what is believed of designs under a posterior with fantasies.

    Args:
        fantasies: Of R campaigns.
        score: Of marginals.
    """

    def __init__(self, fantasies: FantasyPosterior, score: MarginalScore) -> None:
        self._fantasies = fantasies
        self._score = score

    def value(self, features: Floats) -> Floats:
        """(R, P, k) -> (R, P)."""
        return self._score.value(self._fantasies.at(features))

    def slope(self, features: Floats) -> Floats:
        """(R, P, k) -> (R, P, k)."""
        return self._fantasies.slope(features, self._score)


class FantasyAcquisition(Acquisition):
    """A score of marginals; each slot is conditioned on the batch's designs before it.

    Args:
        group: Of R campaigns.
        space: Design space.
        score: Of marginals.
        rough: A cheaper one, which designs climb; None: `score` itself.
    """

    def __init__(
        self,
        group: CandidatePosterior,
        space: DesignSpace,
        score: SlotScore,
        *,
        rough: SlotScore | None = None,
    ) -> None:
        self._space = space
        self._posterior = group.posterior
        self._marginals: CandidateMarginals = group.marginals.copy()
        self._score = score
        self._rough = rough
        self._best_first: BestFirst | None = None
        if group.listed is not None and isinstance(score, DiminishingScore):
            self._best_first = BestFirst(group, self._marginals, score)

    @cached_property
    def _fantasies(self) -> FantasyPosterior:
        """Only needed where designs climb."""
        return FantasyPosterior(self._posterior)

    @override
    def candidate_scores(self) -> Floats:
        if self._best_first is not None:
            return self._best_first.scores()
        return (self._rough or self._score).value(self._marginals)

    @override
    def take(self, designs: Designs, picks: NDArray[np.intp] | None) -> None:
        if picks is not None:
            at = self._marginals.picked(picks)
            if self._best_first is not None:
                self._best_first.take(picks)
            self._marginals.fantasize(picks, noisy=self._score.noisy)
        else:
            features = self._space.features(designs)  # (R, k)
            at = self._fantasies.at(features[:, None])
            self._fantasies.add(features, self._marginals, noisy=self._score.noisy)
        self._score.picked(at)
        if self._rough is not None:
            self._rough.picked(at)

    @property
    @override
    def surface(self) -> Surface:
        return FantasySurface(self._fantasies, self._score)

    @property
    @override
    def rough_surface(self) -> Surface | None:
        return None if self._rough is None else FantasySurface(self._fantasies, self._rough)
