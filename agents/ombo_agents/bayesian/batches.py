"""Batches filled slot by slot with the best-scored design; in boxes, designs climb the score."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ombo_gym.controls.outlook import Outlook, best_left
from ombo_gym.design_spaces import DesignSpace, among
from ombo_gym.surrogates.ascent import Marginals, Pending, Score, climb

APART = 0.5  # lengthscales between the designs that begin to climb
_SHORT = 2  # steps after which the best climbers go on, one of
_SHARE = 3
_POLISH = 6  # steps by the score itself, after those by a rougher one


class SlotScore(Score, Protocol):
    """A score for one slot after the other."""

    noisy: bool  # whether beliefs are conditioned on noisy measurements of the picks, or exact ones

    def picked(self, at: Marginals) -> None:
        """Is told what was believed of the design that a slot has taken, (R, 1) each."""


def fill(
    outlook: Outlook,
    space: DesignSpace,
    score: SlotScore,
    batch_size: int,
    *,
    starts: int,
    moves: int,
    rough: SlotScore | None = None,
) -> NDArray[Any]:
    """Fills the batches of R campaigns.

    Args:
        outlook: Their candidates and beliefs.
        space: Design space.
        score: Of designs, slot by slot.
        batch_size: q.
        starts: Best candidates that climb, where designs can move, a third of them all the way; 0:
            none.
        moves: Steps of a climb, at most.
        rough: A cheaper score in boxes, for all but the last choice and the last steps.

    Returns:
        (R, q, *shape).
    """
    beliefs, choices = outlook.beliefs.copy(), outlook.candidates
    pending = Pending(outlook.posterior)
    climbs = space.free is not None and starts > 0 and moves > 0
    first = rough if climbs and rough is not None else score
    rows = np.arange(len(choices))
    chosen = np.zeros(choices.shape[:2], bool)
    batch = np.empty((len(choices), batch_size, *space.shape), space.dtype)
    sight = space.features(choices).astype(np.float32) if climbs else choices  # (R, M, k)
    for slot in range(batch_size):
        believed = Marginals(beliefs.mean, beliefs.sd, beliefs.loadings)
        scores = first.value(believed)
        picks = best_left(scores, chosen, outlook.measured)
        batch[:, slot] = choices[rows, picks]
        if climbs:
            apart = APART * outlook.posterior.lengthscale
            begin = hopeful(sight, scores, starts, apart)
            tops = climb(pending, first, begin, _SHORT, space.free)
            best = np.argsort(-first.value(pending.at(tops)), axis=1, kind="stable")
            tops = tops[rows[:, None], best[:, : -(-starts // _SHARE)]]
            tops = climb(pending, first, tops, moves, space.free)
            if first is not score:
                at = score.value(pending.at(tops)).argmax(axis=1)
                polished = climb(pending, score, tops[rows, at][:, None], _POLISH, space.free)
                tops = np.concatenate([polished, tops], axis=1)
            known = np.concatenate([space.from_features(tops), batch[:, slot, None]], axis=1)
            avoided = not_again(outlook, space, batch[:, :slot]) if outlook.distinct else None
            batch[:, slot] = best_new(pending, score, space, known, avoided)
        if slot + 1 == batch_size:
            break
        features = space.features(batch[:, slot])
        for each in {id(first): first, id(score): score}.values():
            each.picked(pending.at(features[:, None]))
        pending.add(features, beliefs, noisy=score.noisy)
        if outlook.distinct:
            chosen |= among(choices, batch[:, slot, None])
    return batch


def hopeful(
    features: NDArray[np.float32], scores: NDArray[np.float64], count: int, apart: NDArray[Any]
) -> NDArray[np.float64]:
    """The best-scored candidates that keep apart, so that not all climb the same hill.

    Args:
        features: (R, M, k) of the candidates.
        scores: (R, M).
        count: How many.
        apart: (R,) distance between them, as long as there are such candidates.

    Returns:
        (R, count, k) features.
    """
    rows, left = np.arange(len(features)), scores.copy()
    chosen = np.empty((len(features), count, features.shape[2]))
    for number in range(count):
        pick = features[rows, left.argmax(axis=1)]
        chosen[:, number] = pick
        distances = ((features - pick[:, None]) ** 2).sum(axis=2)
        left = np.where(distances < apart[:, None] ** 2, -np.inf, left)
    return chosen


def not_again(
    outlook: Outlook, space: DesignSpace, batch: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What a slot does not take again: of the batch and, where it never pays, what was measured."""
    if outlook.measured is None:
        return batch
    return np.concatenate([space.from_features(outlook.posterior.features), batch], axis=1)


def best_new(
    pending: Pending,
    score: SlotScore,
    space: DesignSpace,
    tops: NDArray[np.float32],
    avoided: NDArray[np.float32] | None,
) -> NDArray[np.float32]:
    """The best-scored of some designs (R, P, d), the last of which is always possible, (R, d)."""
    scores = score.value(pending.at(space.features(tops)))
    if avoided is not None:
        again = among(tops, avoided)
        again[:, -1] = False
        scores = np.where(again, -np.inf, scores)
    best: NDArray[np.float32] = tops[np.arange(len(tops)), scores.argmax(axis=1)]
    return best
