"""Batches of the largest expected improvement of all their slots together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.batches import best_new, fill, not_again
from ombo_agents.bayesian.log_improvement import LogImprovement
from ombo_agents.bayesian.upper_confidence_bound import UpperConfidenceBound
from ombo_gym.controls.outlook import Outlook
from ombo_gym.design_spaces import DesignSpace
from ombo_gym.surrogates.ascent import Joint, Pending, climb

Floats = NDArray[np.float64]
Batches = NDArray[np.float32]

_FILL, _FIRST = 32, 64  # draws while batches are filled, and in their first sweeps
_WEIGHTS = (1.0, 3.0)  # of upper confidence bounds that fill other first batches
_SWEEPS = 2  # over the slots of every first batch, and of the best one again
_STEPS = 3  # of a slot in a sweep


def best_together(
    outlook: Outlook,
    space: DesignSpace,
    floor: Floats,
    normals: Floats,
    *,
    starts: int,
    moves: int,
) -> NDArray[Any]:
    """Batches that maximise E[max(floor, f_1, ..., f_q)].

    They are filled slot by slot. Where designs can move, as in a box, each slot then climbs again,
    given all the others, one after the other and over again. So do batches that upper confidence
    bounds fill, and the best of them all goes on.

    Args:
        outlook: Of R campaigns.
        space: Design space.
        floor: (R,) values to improve on.
        normals: (S, q) that the values of slots are drawn with.
        starts: Candidates that climb, where designs can move; 0: nothing does.
        moves: Steps of a climb.

    Returns:
        (R, q, *shape).
    """
    q = normals.shape[1]
    score, rough = LogImprovement(floor, normals), LogImprovement(floor, normals[:_FILL])
    if space.free is None or q == 1 or starts == 0 or moves == 0:
        climbs: dict[str, Any] = {"starts": starts, "moves": moves, "rough": rough}
        return fill(outlook, space, score, q, **climbs)
    climbs = {"starts": -(-starts // 2), "moves": -(-moves // 2)}  # half as far, to climb again
    batches = [fill(outlook, space, rough, q, **climbs)]
    for weight in _WEIGHTS:
        bound = UpperConfidenceBound(np.full(len(floor), weight))
        batches.append(fill(outlook, space, bound, q, starts=0, moves=0))
    count, rows = len(batches), np.arange(len(floor))
    pending, measured = Pending(outlook.posterior), not_again(outlook, space, batches[0][:, :0])
    # Those of all campaigns, one kind of batch after the other: (count * R, q, d).
    every, floors, many = np.concatenate(batches), np.tile(floor, count), pending.copies(count)
    tiled = np.tile(measured, (count, 1, 1))
    _sweep(many, space, every, floors, normals[:_FIRST], tiled)
    worth = _log_improvement(many, space.features(every), floors, normals).reshape(count, -1)
    best: Batches = every.reshape(count, *batches[0].shape)[worth.argmax(axis=0), rows]
    _sweep(pending, space, best, floor, normals, measured)
    return best


def _sweep(
    pending: Pending,
    space: DesignSpace,
    batch: Batches,
    floor: Floats,
    normals: Floats,
    measured: Batches,
) -> None:
    """Every slot climbs again, given all the others, (R, q, d) in place.

    Args:
        pending: Beliefs given what was observed.
        space: Design space.
        batch: From where they climb.
        floor: (R,).
        normals: (S, q).
        measured: (R, n, d) designs that no slot takes.
    """
    for slot in list(range(batch.shape[1])) * _SWEEPS:
        others = np.delete(batch, slot, axis=1)
        told, joint = pending.given(space.features(others))
        score = LogImprovement(floor, normals)
        for at in joint.slots():
            score.picked(at)
        now = batch[:, slot, None]
        higher = climb(told, score, space.features(now), _STEPS, space.free)
        tops = np.concatenate([space.from_features(higher), now], axis=1)
        avoided = np.concatenate([measured, others], axis=1)
        batch[:, slot] = best_new(told, score, space, tops, avoided)


def _log_improvement(pending: Pending, batch: Floats, floor: Floats, normals: Floats) -> Floats:
    """Logarithm of the expected improvement of batches by their features (R, q, k), (R,)."""
    joint: Joint = pending.given(batch)[1]
    score, total = LogImprovement(floor, normals), np.full(len(floor), -np.inf)
    for at in joint.slots():
        total = np.logaddexp(total, score.value(at)[:, 0])
        score.picked(at)
    return total
