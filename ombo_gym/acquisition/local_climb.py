"""Designs climb an acquisition function from where they stand, where designs can move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.acquisition.base import Acquisition, Surface
from ombo_gym.design_spaces import Designs, DesignSpace, among
from ombo_gym.quasi_newton import quasi_newton
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior

Floats = NDArray[np.float64]

_LENGTHS = (4.0, 1.0, 0.25, 1 / 16, 1 / 256, 1 / 4096)  # of steps that are tried
_APART = 0.5  # lengthscales between the designs that begin to climb
_SHORT = 2  # steps after which the best climbers go on, one of
_SHARE = 3
_POLISH = 6  # steps by the score itself, after those by a rougher one


@dataclass(frozen=True)
class LocalClimb:
    """Some of the best candidates climb a little way, and the best third of these to the top.

    Attributes:
        space: Design space.
        features: (R, M, k) of the candidates, where climbs begin.
        unit: (R, 1 or k) lengthscales, half of which candidates that begin are apart.
        num_restarts: How many begin.
        max_iterations: Steps of a climb, at most.
        measured: (R, n, *shape) designs that are not taken again; None: all can be.
    """

    space: DesignSpace
    features: NDArray[np.float32]
    unit: Floats
    num_restarts: int
    max_iterations: int
    measured: Designs | None

    def best(
        self, acquisition: Acquisition, scores: Floats, pick: Designs, before: Designs | None
    ) -> Designs:
        """The best design that was found for a slot, (R, *shape).

        Args:
            acquisition: What is climbed.
            scores: (R, M) of the candidates.
            pick: (R, *shape) the best candidate, which is always possible.
            before: (R, j, *shape) the batch's designs so far; None: they can be taken again.
        """
        rows, free = np.arange(len(pick))[:, None], self.space.free
        exact, rough = acquisition.surface, acquisition.rough_surface
        climbed = exact if rough is None else rough
        begin = spread_out(self.features, scores, self.num_restarts, self.unit)
        optimized = local_climb(climbed, begin, _SHORT, free)  # (R, P, k)
        best = np.argsort(-climbed.value(optimized), axis=1, kind="stable")
        optimized = optimized[rows, best[:, : -(-self.num_restarts // _SHARE)]]
        optimized = local_climb(climbed, optimized, self.max_iterations, free)
        if rough is not None:
            top = exact.value(optimized).argmax(axis=1)[:, None]  # (R, 1)
            polished = local_climb(exact, optimized[rows, top], _POLISH, free)
            optimized = np.concatenate([polished, optimized], axis=1)
        found = np.concatenate([self.space.from_features(optimized), pick[:, None]], axis=1)
        return best_new(exact, self.space, found, self.avoided(before))

    def avoided(self, before: Designs | None) -> Designs | None:
        """What a slot does not take again, (R, m, *shape): measured designs, and those before."""
        if before is None or self.measured is None:
            return before
        return np.concatenate([self.measured, before], axis=1)


def make_climb(
    group: CandidatePosterior, space: DesignSpace, num_restarts: int, max_iterations: int
) -> LocalClimb | None:
    """How the candidates of R campaigns climb; None where nothing can move, or is not to."""
    if space.free is None or num_restarts == 0 or max_iterations == 0:
        return None
    return LocalClimb(
        space,
        space.features(group.candidates).astype(np.float32),
        group.posterior.unit,
        num_restarts,
        max_iterations,
        measured_designs(group, space),
    )


def measured_designs(group: CandidatePosterior, space: DesignSpace) -> Designs | None:
    """(R, n, *shape), where measuring them again never pays; else None."""
    return None if group.measured is None else space.from_features(group.posterior.features)


def local_climb(
    surface: Surface,
    features: NDArray[np.floating],
    max_iterations: int,
    free: NDArray[np.bool_] | None,
) -> Floats:
    """Designs climb a surface from where they stand, (R, P, k) -> (R, P, k).

    Args:
        surface: Of features.
        features: Where to begin; those that may change from -1 to 1.
        max_iterations: At most so many.
        free: (k,) features that may change; None: all.
    """
    if free is None or free.all():
        return quasi_newton(
            surface.value, features, max_iterations, slope_of=surface.slope, lengths=_LENGTHS
        )

    def whole(moved: Floats) -> Floats:
        """With the features that stay, of each design or of several tries of each."""
        found = np.repeat(features, moved.shape[1] // features.shape[1], axis=1).astype(np.float64)
        found[..., free] = moved
        return found

    optimized = quasi_newton(
        lambda x: surface.value(whole(x)),
        features[..., free],
        max_iterations,
        slope_of=lambda x: surface.slope(whole(x))[..., free],
        lengths=_LENGTHS,
    )
    return whole(optimized)


def spread_out(
    features: NDArray[np.float32], scores: Floats, count: int, unit: NDArray[np.floating]
) -> Floats:
    """The best-scored candidates that keep apart, so that not all climb the same hill.

    Args:
        features: (R, M, k) of the candidates.
        scores: (R, M).
        count: How many.
        unit: (R, 1 or k) lengthscales, half of which they are apart where there are such ones.

    Returns:
        (R, count, k) features.
    """
    rows, left = np.arange(len(features)), scores.copy()
    apart = np.full(len(features), _APART)
    scaled = features
    if unit.shape[1] == 1:
        apart = _APART * unit[:, 0]
    else:
        scaled = (features / unit[:, None]).astype(np.float32)
    chosen = np.empty((len(features), count, features.shape[2]))
    for number in range(count):
        pick = left.argmax(axis=1)
        chosen[:, number] = features[rows, pick]
        distances = ((scaled - scaled[rows, pick][:, None]) ** 2).sum(axis=2)
        left = np.where(distances < apart[:, None] ** 2, -np.inf, left)
    return chosen


def best_new(
    surface: Surface, space: DesignSpace, designs: Designs, avoided: Designs | None
) -> Designs:
    """The best of some designs (R, P, *shape), the last of which is always possible, (R, *shape).

    Args:
        surface: What they are compared by.
        space: Design space.
        designs: Best-scored first among equals.
        avoided: (R, m, *shape) what is not taken; None: nothing.
    """
    scores = surface.value(space.features(designs))
    if avoided is not None:
        again = among(designs, avoided)
        again[:, -1] = False
        scores = np.where(again, -np.inf, scores)
    best: Designs = designs[np.arange(len(designs)), scores.argmax(axis=1)]
    return best
