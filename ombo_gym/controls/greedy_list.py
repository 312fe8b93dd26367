"""Which M of a shortlist are listed: unlike each other first, then whatever promises most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.controls.shortlist import LAST, Shortlist, Singles, again
from ombo_gym.surrogates.single_marginals import SingleMarginals

WEIGHTS = (0.0, 0.5, 1.0, 2.0)  # exploration weights that the first entries are chosen by in turn
ONE_BY_ONE = 16  # entries that are chosen one by one, each given those before
_FURTHER = (0.0, 2.0)  # weights of the entries behind them, each half of these


def choose(
    short: Shortlist, marginals: SingleMarginals, size: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The list, of a shortlist of S: (R, m) which of them, m = min(S, M), and whether it is one.

    Args:
        short: Of R campaigns.
        marginals: What is believed of the shortlist; has room for `ONE_BY_ONE` further ones.
        size: M.
    """
    rows, count = short.exists.shape
    size, row = min(size, count), np.arange(rows)
    one_by_one = min(size, ONE_BY_ONE)
    given = marginals.copy()
    left = np.where(short.measured, LAST, np.float32(0.0))  # (R, S), added to scores
    left[~short.exists] = -np.inf
    picks = np.empty((rows, size), np.intp)
    for slot in range(one_by_one):
        scores = given.sd
        scores *= np.float32(WEIGHTS[slot % len(WEIGHTS)])
        scores += given.mean
        scores += left
        best = picks[:, slot] = scores.argmax(axis=1)
        left[row, best] = -np.inf
        if slot + 1 < size:
            given.fantasize(best)
    if one_by_one < size:
        picks[:, one_by_one:] = _further(given, left, size - one_by_one)
    # Empty entries, and before these measured ones, stand behind all others.
    is_there = short.exists[row[:, None], picks]
    if not short.exists.all():
        is_there &= ~again(picks.astype(np.uint64))  # rows of too few designs are filled up
    elif not short.measured.any():
        return picks, is_there
    last = np.where(is_there, short.measured[row[:, None], picks], 2)
    order = np.argsort(last, axis=1, kind="stable")
    return np.take_along_axis(picks, order, 1), np.take_along_axis(is_there, order, 1)


def _further(given: SingleMarginals, left: Singles, count: int) -> NDArray[np.intp]:
    """The best of those that are left, by each weight about as many, (R, count).

    Args:
        given: What is believed, given the entries before.
        left: (R, S) to be added to scores; is told what is taken.
        count: How many.
    """
    row, sd = np.arange(len(left))[:, None], given.sd
    parts, first = [], (count + 1) // 2
    for weight, wanted in zip(_FURTHER, (first, count - first), strict=True):
        if not wanted:
            continue
        worth = np.float32(weight) * sd + given.mean + left
        last = worth.shape[1] - wanted
        best = np.argpartition(worth, last, axis=1)[:, last:]
        order = np.argsort(-worth[row, best], axis=1, kind="stable")
        parts.append(best[row, order])
        left[row, best] = -np.inf
    return np.concatenate(parts, axis=1)
