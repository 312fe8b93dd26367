"""Batches of the largest expected improvement of all their slots together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.batches import best_new, fill, not_again
from ombo_agents.bayesian.log_improvement import LogImprovement
from ombo_agents.bayesian.upper_confidence_bound import UpperConfidenceBound
from ombo_gym.controls.outlook import Outlook
from ombo_gym.design_spaces import BoxDesigns, DesignSpace
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
    distinct: bool,
    starts: int,
    moves: int,
) -> NDArray[Any]:
    """Batches that maximise E[max(floor, f_1, ..., f_q)].

    They are filled slot by slot. In a box each slot then climbs again, given all the others, one
    after the other and over again. So do batches that upper confidence bounds fill, and the best of
    them all goes on.

    Args:
        outlook: Of R campaigns.
        space: Design space.
        floor: (R,) values to improve on.
        normals: (S, q) that the values of slots are drawn with.
        distinct: See `fill`, like what follows.
        starts: Candidates that climb, in a box; 0: nothing does.
        moves: Steps of a climb.

    Returns:
        (R, q, *shape).
    """
    q = normals.shape[1]
    score, rough = LogImprovement(floor, normals), LogImprovement(floor, normals[:_FILL])
    if not isinstance(space, BoxDesigns) or q == 1 or starts == 0 or moves == 0:
        climbs: dict[str, Any] = {"starts": starts, "moves": moves, "rough": rough}
        return fill(outlook, space, score, q, distinct=distinct, **climbs)
    climbs = {"starts": -(-starts // 2), "moves": -(-moves // 2)}  # half as far, to climb again
    batches = [fill(outlook, space, rough, q, distinct=distinct, **climbs)]
    for weight in _WEIGHTS:
        bound = UpperConfidenceBound(np.full(len(floor), weight))
        batches.append(fill(outlook, space, bound, q, distinct=distinct, starts=0, moves=0))
    count, rows = len(batches), np.arange(len(floor))
    pending, measured = Pending(outlook.posterior), not_again(outlook, batches[0][:, :0])
    # Those of all campaigns, one kind of batch after the other: (count * R, q, d).
    every, floors, many = np.concatenate(batches), np.tile(floor, count), pending.copies(count)
    _sweep(many, every, floors, normals[:_FIRST], np.tile(measured, (count, 1, 1)))
    worth = _log_improvement(many, every, floors, normals).reshape(count, -1)
    best: Batches = every.reshape(count, *batches[0].shape)[worth.argmax(axis=0), rows]
    _sweep(pending, best, floor, normals, measured)
    return best


def _sweep(
    pending: Pending, batch: Batches, floor: Floats, normals: Floats, measured: Batches
) -> None:
    """Every slot climbs again, given all the others, (R, q, d) in place.

    Args:
        pending: Beliefs given what was observed.
        batch: From where they climb.
        floor: (R,).
        normals: (S, q).
        measured: (R, n, d) designs that no slot takes.
    """
    for slot in list(range(batch.shape[1])) * _SWEEPS:
        others = np.delete(batch, slot, axis=1)
        told, joint = pending.given(others.astype(np.float64))
        score = LogImprovement(floor, normals)
        for at in joint.slots():
            score.picked(at)
        now = batch[:, slot, None]
        higher = climb(told, score, now, _STEPS).astype(np.float32)
        tops, avoided = np.concatenate([higher, now], axis=1), [measured, others]
        batch[:, slot] = best_new(told, score, tops, np.concatenate(avoided, axis=1))


def _log_improvement(pending: Pending, batch: Batches, floor: Floats, normals: Floats) -> Floats:
    """Logarithm of the expected improvement of batches (R, q, d), (R,)."""
    joint: Joint = pending.given(batch.astype(np.float64))[1]
    score, total = LogImprovement(floor, normals), np.full(len(floor), -np.inf)
    for at in joint.slots():
        total = np.logaddexp(total, score.value(at)[:, 0])
        score.picked(at)
    return total
