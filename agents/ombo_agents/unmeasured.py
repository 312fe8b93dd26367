"""Designs in place of those that are not worth measuring again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import DesignSpace, repeated
from ombo_gym.randomness import GeneratorRows

_ENTRIES = 2**22  # of a table of all designs, that is held at once


def fresh(space: DesignSpace, draws: GeneratorRows, count: int) -> NDArray[Any]:
    """Uniform designs, without replacement where there are enough."""
    if space.size is not None and count > space.size:
        return space.sample(draws, count)
    return space.sample_distinct(draws, count)


def replenished(
    space: DesignSpace,
    observation: dict[str, NDArray[Any]],
    batch: NDArray[Any],
    draws: GeneratorRows,
    *,
    repeats: bool = False,
) -> NDArray[Any]:
    """Puts uniform new designs in place of slots that name measured designs or earlier slots.

    Args:
        space: Design space.
        observation: Of B campaigns.
        batch: (B, q, *shape).
        draws: Their random numbers.
        repeats: Whether measured designs are as good as others: earlier slots alone count then.

    Returns:
        (B, q, *shape); what was good stays in its slot, and so does what repeats where designs run
        out.
    """
    measured, observed = observation["designs"], observation["observed"].astype(bool)
    bad = repeated(batch)  # (B, q)
    if repeats:
        observed = np.zeros_like(observed)
    else:
        bad |= space.among(batch, measured, observed)
    rows = np.flatnonzero(bad.any(axis=1))
    filled = batch.copy()
    capacity, q = measured.shape[1], batch.shape[1]
    # A listed space is marked as a whole; else new designs are compared with all there are.
    entries = space.size if space.listable and space.size else (capacity + q) ** 2 * space.shape[0]
    together = max(1, _ENTRIES // entries)
    for at in range(0, len(rows), together):
        some = rows[at : at + together]
        spare = _unmeasured if space.listable else _probably_unmeasured
        more, useless = spare(space, measured[some], observed[some], batch[some], draws.take(some))
        first = np.argsort(useless, axis=1, kind="stable")
        row, slot = np.nonzero(bad[some])
        place = (np.cumsum(bad[some], axis=1) - 1)[row, slot]  # 0, 1, ... in each row
        there = place < (~useless).sum(axis=1)[row]
        row, slot, place = row[there], slot[there], place[there]
        filled[some[row], slot] = more[row, first[row, place]]
    return filled


def _unmeasured(
    space: DesignSpace,
    measured: NDArray[Any],
    observed: NDArray[np.bool_],
    batch: NDArray[Any],
    draws: GeneratorRows,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Up to q uniform designs that are neither measured nor in the batch, and which are not new."""
    assert space.size is not None
    marks = space.marked(measured, observed) | space.marked(batch)  # (R, size)
    lots = np.where(marks, np.inf, draws.random((space.size,)))
    count = min(batch.shape[1], space.size)
    codes = np.argpartition(lots, count - 1, axis=1)[:, :count]
    order = np.argsort(np.take_along_axis(lots, codes, axis=1), axis=1, kind="stable")
    codes = np.take_along_axis(codes, order, axis=1)  # the first few of them are uniform too
    return space.decode(codes), np.take_along_axis(marks, codes, axis=1)


def _probably_unmeasured(
    space: DesignSpace,
    measured: NDArray[Any],
    observed: NDArray[np.bool_],
    batch: NDArray[Any],
    draws: GeneratorRows,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """So many uniform designs that q are new, in a space without a list, and which are not."""
    more = fresh(space, draws, measured.shape[1] + batch.shape[1])
    return more, space.among(more, measured, observed) | space.among(more, batch)
