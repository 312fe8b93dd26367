"""Designs in place of those that are not worth measuring again: the one place where it is done."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import DesignSpace, repeated
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats

_CHUNK_ENTRIES = 2**22  # of a table of all designs, that is held at once


def fresh(space: DesignSpace, rngs: GeneratorBatch, count: int) -> NDArray[Any]:
    """Uniform designs, without replacement where there are enough."""
    if space.size is not None and count > space.size:
        return space.sample(rngs, count)
    return space.sample_distinct(rngs, count)


def without_repeats(
    spec: CampaignSpec, observation: Observation, batch: NDArray[Any], rngs: GeneratorBatch
) -> NDArray[Any]:
    """Puts uniform new designs in place of slots that are better used otherwise.

    That is, of slots that name measured designs or earlier slots, where nothing is worth measuring
    again; and of slots that name earlier ones, where a batch is to hold a design once and nothing
    is learnt by measuring it twice.

    Args:
        spec: Of the campaigns.
        observation: Of B campaigns.
        batch: (B, q, *shape).
        rngs: Their random numbers.

    Returns:
        (B, q, *shape); what was good stays in its slot, and so does what repeats where designs run
        out.
    """
    if not spec.replaces_repeats:
        return batch
    space = spec.design_space
    measured, observed = observation["designs"], observation["observed"].astype(bool)
    bad = repeated(batch)  # (B, q)
    if spec.repeats is Repeats.NEVER_AGAIN:
        bad |= space.among(batch, measured, observed)
    else:
        observed = np.zeros_like(observed)
    rows = np.flatnonzero(bad.any(axis=1))
    if not len(rows):
        return batch
    filled = batch.copy()
    capacity, q = measured.shape[1], batch.shape[1]
    # A listed space is marked as a whole; else new designs are compared with all there are.
    entries = space.size if space.listable and space.size else (capacity + q) ** 2 * space.shape[0]
    chunk = max(1, _CHUNK_ENTRIES // entries)
    for first in range(0, len(rows), chunk):
        some = rows[first : first + chunk]
        spare = _unmeasured if space.listable else _probably_unmeasured
        more, useless = spare(space, measured[some], observed[some], batch[some], rngs.take(some))
        order = np.argsort(useless, axis=1, kind="stable")
        row, slot = np.nonzero(bad[some])
        place = (np.cumsum(bad[some], axis=1) - 1)[row, slot]  # 0, 1, ... in each row
        enough = place < (~useless).sum(axis=1)[row]
        row, slot, place = row[enough], slot[enough], place[enough]
        filled[some[row], slot] = more[row, order[row, place]]
    return filled


def _unmeasured(
    space: DesignSpace,
    measured: NDArray[Any],
    observed: NDArray[np.bool_],
    batch: NDArray[Any],
    rngs: GeneratorBatch,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Up to q uniform designs that are neither measured nor in the batch, and which are not new."""
    assert space.size is not None
    marks = space.marked(measured, observed) | space.marked(batch)  # (R, size)
    lots = np.where(marks, np.inf, rngs.random((space.size,)))
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
    rngs: GeneratorBatch,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """So many uniform designs that q are new, in a space without a list, and which are not."""
    more = fresh(space, rngs, measured.shape[1] + batch.shape[1])
    return more, space.among(more, measured, observed) | space.among(more, batch)
