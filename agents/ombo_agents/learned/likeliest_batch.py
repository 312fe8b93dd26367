"""The batch that a network which chooses slot by slot is likeliest to propose, in any order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BEAM_WIDTH = 32  # batches that are kept after each slot; all of them where there are no more
MOST_MERGED = 8 * BEAM_WIDTH  # of the likeliest ways to go on from these
TIE_TOLERANCE = 1e-9  # scores this close are equal: sums round differently with the batch size


def likeliest_batch(
    scores: Floats, crowding: Floats, available: NDArray[np.bool_], *, once: bool
) -> NDArray[np.int64]:
    """Searches what a batch holds, whatever slot it is in.

    The likeliest choice of each slot in turn can be a batch that is hardly ever drawn: one that
    gives an option to one slot or other of five does so in each with a chance of a fifth, and never
    when each slot takes what is likeliest. So the chances of all orders of a batch are added up,
    slot after slot, over the batches that were likeliest so far.

    Args:
        scores: (q, O) of each option in each slot.
        crowding: (O,) added to an option's score for each earlier slot that chose it.
        available: (O,) which options may be chosen; where none is left, all may be.
        once: Whether a batch may hold an option once only, as long as others are left.

    Returns:
        (q,) options, in rising order; of equally likely batches the first in that order.
    """
    batches = np.empty((1, 0), np.int64)  # (W, slots so far) options in rising order
    log_chances = np.zeros(1)  # (W,)
    for slot_scores in scores:
        counts = (batches[..., None] == np.arange(len(crowding))).sum(axis=1)  # (W, O)
        free = available & (counts == 0) if once else np.broadcast_to(available, counts.shape)
        free = np.where(free.any(axis=1, keepdims=True), free, True)
        logits = np.where(free, slot_scores + counts * crowding, -np.inf)  # (W, O)
        longer = log_chances[:, None] + logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        parent, option = np.nonzero(_among_likeliest(longer) & free)
        batches, log_chances = _merged(batches[parent], option, longer[parent, option])
    found: NDArray[np.int64] = batches[0]
    return found


def _among_likeliest(log_chances: Floats) -> NDArray[np.bool_]:
    """Which of a table's entries are looked at further, of the same shape."""
    if log_chances.size <= MOST_MERGED:
        return np.ones(log_chances.shape, np.bool_)
    order = np.argsort(-without_rounding(log_chances.ravel()), kind="stable")
    among = np.zeros(log_chances.size, np.bool_)
    among[order[:MOST_MERGED]] = True
    return among.reshape(log_chances.shape)


def _merged(
    batches: NDArray[np.int64], options: NDArray[np.intp], log_chances: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Adds an option to each batch, and up the chances of equal ones; the likeliest come first."""
    longer = np.sort(np.column_stack([batches, options]), axis=1)
    distinct, which = np.unique(longer, axis=0, return_inverse=True)
    total = np.full(len(distinct), -np.inf)
    np.logaddexp.at(total, which.ravel(), log_chances)
    kept = np.argsort(-without_rounding(total), kind="stable")[:BEAM_WIDTH]
    return distinct[kept], total[kept]


def without_rounding(scores: Floats) -> Floats:
    """Scores in which those that differ by rounding alone are equal, (..., n) -> (..., n)."""
    order = np.argsort(-scores, axis=-1)
    falling = np.take_along_axis(scores, order, axis=-1)
    begins_tie = np.ones(scores.shape, bool)  # whether the score before is clearly larger
    begins_tie[..., 1:] = falling[..., :-1] - falling[..., 1:] > TIE_TOLERANCE
    ranks = np.where(begins_tie, np.arange(scores.shape[-1]), 0)
    largest_of_tie = np.maximum.accumulate(ranks, axis=-1)  # (..., n) ranks
    tied = np.empty_like(scores)
    np.put_along_axis(tied, order, np.take_along_axis(falling, largest_of_tie, axis=-1), axis=-1)
    return tied
