"""The best of many candidates for slot after slot, without scoring all of them each time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.surrogates.candidate_posterior import CandidatePosterior
from ombo_gym.surrogates.marginals import CandidateMarginals, DiminishingScore

Floats = NDArray[np.float64]

_FIRST, _WIDER = 256, 4  # candidates that are scored first, and times as many each time after
_PIECE, _CAMPAIGNS = 1024, 8  # candidates, and campaigns, that are scored at once


class BestFirst:
    """Scores of a batch whose slots are worth less and less, where candidates are listed.

    What a candidate was worth to a slot is the most that it can be worth to later ones. So those
    that were worth most are scored first, and the others only where the best of these is below
    what others may be worth.

    Args:
        group: Of R campaigns, whose candidates are listed.
        marginals: Of the candidates, given the batch so far.
        score: Of marginals, which never rises from slot to slot.

    Reference:
        Minoux, Accelerated greedy algorithms for maximizing submodular set functions, 1978.
    """

    def __init__(
        self, group: CandidatePosterior, marginals: CandidateMarginals, score: DiminishingScore
    ) -> None:
        self._marginals, self._score = marginals, score
        self._allowed: NDArray[np.bool_] = np.ones_like(marginals.mean, bool)  # (R, M)
        if group.measured is not None:
            some_left = ~group.measured.all(axis=1, keepdims=True)
            self._allowed &= ~(group.measured & some_left)
        self._distinct = group.distinct
        self._most: Floats | None = None  # (R, M) what candidates can be worth, at most

    def scores(self) -> Floats:
        """Of the next slot, (R, M); -inf for candidates that cannot be the best."""
        size = self._allowed.shape[1]
        unsure = np.arange(len(self._allowed))  # (U,) campaigns
        scores = np.full(self._allowed.shape, -np.inf)
        width = size if self._most is None else _FIRST
        while unsure.size:
            if self._most is None or width >= size:
                scores[unsure] = self._value(unsure, np.broadcast_to(np.arange(size), (1, size)))
                break
            most, row = self._most[unsure], unsure[:, None]
            columns = np.argpartition(-most, width, axis=1)[:, :width]  # (U, width)
            scores[row, columns] = self._value(unsure, columns)
            found, allowed = scores[unsure], self._allowed[unsure]  # (U, M)
            best = np.where(allowed, found, -np.inf).max(axis=1)
            others = np.where(allowed & np.isneginf(found), most, -np.inf).max(axis=1)
            unsure = unsure[others >= best]
            width *= _WIDER
        before = scores if self._most is None else self._most
        self._most = np.where(np.isneginf(scores), before, scores)
        return scores

    def take(self, picks: NDArray[np.intp]) -> None:
        """Is told which candidates a slot has taken, (R,)."""
        if self._distinct:
            self._allowed[np.arange(len(picks)), picks] = False

    def _value(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Floats:
        """Scores of some campaigns' (S,) candidates (S or 1, P), a piece at a time, (S, P)."""
        columns = np.broadcast_to(columns, (len(rows), columns.shape[1]))
        scores = np.empty(columns.shape)
        for first in range(0, len(rows), _CAMPAIGNS):
            part = slice(first, first + _CAMPAIGNS)
            score = self._score.of(rows[part])
            for begin in range(0, columns.shape[1], _PIECE):
                piece = slice(begin, begin + _PIECE)
                at = self._marginals.some(rows[part], columns[part, piece])
                scores[part, piece] = score.value(at)
        return scores
