"""Batches of the largest expected improvement of all their slots together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.acquisition.base import FantasySurface
from ombo_gym.acquisition.expected_improvement import LogImprovement
from ombo_gym.acquisition.greedy_batch import maximize_score
from ombo_gym.acquisition.local_climb import best_new, local_climb, measured_designs
from ombo_gym.acquisition.upper_confidence_bound import UpperConfidenceBound
from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior
from ombo_gym.surrogates.fantasies import FantasyPosterior

Floats = NDArray[np.float64]

_ROUGH, _FIRST = 32, 64  # draws while batches are filled, and in their first sweeps
_WEIGHTS = (1.0, 3.0)  # of upper confidence bounds that fill other first batches
_SWEEPS = 2  # over the slots of every first batch, and of the best one again
_STEPS = 3  # of a slot in a sweep


def maximize_q_expected_improvement(
    group: CandidatePosterior,
    space: DesignSpace,
    floor: Floats,
    normals: Floats,
    *,
    num_restarts: int,
    max_iterations: int,
) -> Designs:
    """Batches that maximise E[max(floor, f_1, ..., f_q)].

    They are filled slot by slot. Where designs can move, as in a box, each slot then climbs again,
    given all the others, one after the other and over again. So do batches that upper confidence
    bounds fill, and the best of them all goes on.

    Args:
        group: Of R campaigns.
        space: Design space.
        floor: (R,) values to improve on.
        normals: (S, q) that the values of slots are drawn with.
        num_restarts: Candidates that climb, where designs can move; 0: nothing does.
        max_iterations: Steps of a climb.

    Returns:
        (R, q, *shape).
    """
    q = normals.shape[1]
    score, rough = LogImprovement(floor, normals), LogImprovement(floor, normals[:_ROUGH])
    if space.free is None or q == 1 or num_restarts == 0 or max_iterations == 0:
        return maximize_score(
            group,
            space,
            score,
            num_restarts=num_restarts,
            max_iterations=max_iterations,
            rough=rough,
        )
    bounds = [UpperConfidenceBound(np.full(len(floor), weight)) for weight in _WEIGHTS]
    half_restarts, half_way = -(-num_restarts // 2), -(-max_iterations // 2)  # to climb again
    firsts = [
        maximize_score(group, space, rough, num_restarts=half_restarts, max_iterations=half_way),
        *(maximize_score(group, space, bound) for bound in bounds),
    ]
    fantasies = FantasyPosterior(group.posterior)
    measured = measured_designs(group, space)
    # Those of all campaigns, one kind of batch after the other: (kinds * R, q, *shape).
    kinds, every, floors = len(firsts), np.concatenate(firsts), np.tile(floor, len(firsts))
    copies = fantasies.copies(kinds)
    tiled = None if measured is None else np.tile(measured, (kinds, *[1] * (measured.ndim - 1)))
    _sweep(copies, space, every, floors, normals[:_FIRST], tiled)
    gains = _log_improvement(copies, space.features(every), floors, normals).reshape(kinds, -1)
    best: Designs = every.reshape(kinds, *firsts[0].shape)[
        gains.argmax(axis=0), np.arange(len(floor))
    ]
    _sweep(fantasies, space, best, floor, normals, measured)
    return best


def _sweep(
    fantasies: FantasyPosterior,
    space: DesignSpace,
    batch: Designs,
    floor: Floats,
    normals: Floats,
    measured: Designs | None,
) -> None:
    """Every slot climbs again, given all the others, (R, q, *shape) in place.

    Args:
        fantasies: Beliefs given what was observed.
        space: Design space.
        batch: From where they climb.
        floor: (R,).
        normals: (S, q).
        measured: (R, n, *shape) designs that no slot takes; None: all can be taken.
    """
    for slot in list(range(batch.shape[1])) * _SWEEPS:
        others = np.delete(batch, slot, axis=1)
        told, joint = fantasies.given(space.features(others))
        score = LogImprovement(floor, normals)
        for at in joint.slots():
            score.picked(at)
        surface, now = FantasySurface(told, score), batch[:, slot, None]
        higher = local_climb(surface, space.features(now), _STEPS, space.free)
        found = np.concatenate([space.from_features(higher), now], axis=1)
        avoided = others if measured is None else np.concatenate([measured, others], axis=1)
        batch[:, slot] = best_new(surface, space, found, avoided)


def _log_improvement(
    fantasies: FantasyPosterior, features: Floats, floor: Floats, normals: Floats
) -> Floats:
    """Logarithm of the expected improvement of batches by their features (R, q, k), (R,)."""
    _, joint = fantasies.given(features)
    score, total = LogImprovement(floor, normals), np.full(len(floor), -np.inf)
    for at in joint.slots():
        total = np.logaddexp(total, score.value(at)[:, 0])
        score.picked(at)
    return total
