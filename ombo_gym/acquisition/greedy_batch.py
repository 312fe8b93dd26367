"""Batches filled slot by slot with the best-scored design: the one place where it is done."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.acquisition.base import Acquisition, FantasyAcquisition, SlotScore
from ombo_gym.acquisition.local_climb import LocalClimb, make_climb
from ombo_gym.design_spaces import Designs, DesignSpace, among
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior


def greedy_batch(
    acquisition: Acquisition,
    candidates: Designs,
    batch_size: int,
    *,
    distinct: bool,
    measured: NDArray[np.bool_] | None = None,
    climb: LocalClimb | None = None,
    all_different: bool = False,
) -> Designs:
    """Fills the batches of R campaigns.

    Args:
        acquisition: Scores the candidates for one slot after the other.
        candidates: (R, M, *shape).
        batch_size: q.
        distinct: Whether a batch holds a design once, as long as there are others.
        measured: (R, M) candidates that are picked only when there are no others; None: none.
        climb: Where designs can move, from the candidates on; None: they do not.
        all_different: Whether no candidate comes twice, so that nothing is to be compared.

    Returns:
        (R, q, *shape).
    """
    rows = np.arange(len(candidates))
    chosen = np.zeros(candidates.shape[:2], bool)  # (R, M)
    batch = np.empty((len(rows), batch_size, *candidates.shape[2:]), candidates.dtype)
    for slot in range(batch_size):
        scores = acquisition.candidate_scores()
        picks = best_allowed(scores, chosen, measured)
        batch[:, slot] = candidates[rows, picks]
        if climb is not None:
            before = batch[:, :slot] if distinct else None
            batch[:, slot] = climb.best(acquisition, scores, batch[:, slot], before)
        if slot + 1 < batch_size:
            acquisition.take(batch[:, slot], None if climb is not None else picks)
            if distinct and all_different:
                chosen[rows, picks] = True
            elif distinct:
                chosen |= among(candidates, batch[:, slot, None])
    return batch


def maximize_score(
    group: CandidatePosterior,
    space: DesignSpace,
    score: SlotScore,
    *,
    num_restarts: int = 0,
    max_iterations: int = 0,
    rough: SlotScore | None = None,
) -> Designs:
    """Greedy batches by a score of marginals, (R, q, *shape).

    Args:
        group: Of R campaigns, whose next plate has q slots.
        space: Design space.
        score: Of designs, slot by slot.
        num_restarts: Candidates that climb, where designs can move, a third of them all the way;
            0: none.
        max_iterations: Steps of a climb, at most.
        rough: A cheaper score, which designs climb for all but the last choice and the last steps.
    """
    climb = make_climb(group, space, num_restarts, max_iterations)
    acquisition = FantasyAcquisition(group, space, score, rough=None if climb is None else rough)
    return greedy_batch(
        acquisition,
        group.candidates,
        group.batch_size,
        distinct=group.distinct,
        measured=group.measured,
        climb=climb,
        all_different=group.listed is not None,
    )


def best_allowed(
    scores: NDArray[np.float64], chosen: NDArray[np.bool_], measured: NDArray[np.bool_] | None
) -> NDArray[np.intp]:
    """The best-scored candidate that is neither chosen nor measured, or at least not chosen, (R,).

    Args:
        scores: (R, M).
        chosen: (R, M) those in the batch, where it is not to hold a design twice.
        measured: (R, M) those that are worth nothing any more; None: all are.
    """
    allowed = ~chosen
    if measured is not None:
        new = allowed & ~measured
        allowed = np.where(new.any(axis=1, keepdims=True), new, allowed)
    best: NDArray[np.intp] = np.where(allowed, scores, -np.inf).argmax(axis=1)
    return best
