"""Designs in place of those that are not worth measuring again: the one place where it is done."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace, repeated
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats

_CHUNK_ENTRIES = 2**22  # of tables over designs, that are held at once


def fresh(space: DesignSpace, rngs: GeneratorBatch, count: int) -> Designs:
    """Uniform designs, without replacement where there are enough, (R, count, *shape)."""
    if space.size is not None and count > space.size:
        return space.sample(rngs, count)
    return space.sample_distinct(rngs, count)


def first_usable(found: Designs, usable: NDArray[np.bool_], uniform: Designs) -> Designs:
    """The first usable designs and, for want of more, uniform ones, (R, q, *shape).

    Args:
        found: (R, m, *shape), the best first.
        usable: (R, m) of them.
        uniform: (R, q, *shape).
    """
    choices = np.concatenate([found, uniform], axis=1)  # (R, m + q, *shape)
    unusable = np.concatenate([~usable, np.zeros(uniform.shape[:2], bool)], axis=1)
    usable_first = np.argsort(unusable, axis=1, kind="stable")
    return choices[np.arange(len(choices))[:, None], usable_first[:, : uniform.shape[1]]]


def without_repeats(
    spec: CampaignSpec, observation: Observation, batch: Designs, rngs: GeneratorBatch
) -> Designs:
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
    measured = observation["designs"]  # (B, capacity, *shape)
    excluded = observation["observed"].astype(bool)  # (B, capacity)
    repeats = repeated(batch)  # (B, q)
    if spec.repeats is Repeats.NEVER_AGAIN:
        repeats |= space.among(batch, measured, excluded)
    else:
        excluded = np.zeros_like(excluded)
    env_indices = np.flatnonzero(repeats.any(axis=1))  # of campaigns with something to replace
    if not len(env_indices):
        return batch
    capacity, q = measured.shape[1], batch.shape[1]
    # A listed space is marked as a whole; else new designs are compared with all there are.
    entries = space.size if space.listable and space.size else (capacity + q) ** 2 * space.shape[0]
    chunk_campaigns = max(1, _CHUNK_ENTRIES // entries)
    draw = _unmeasured if space.listable else _probably_unmeasured
    filled = batch.copy()
    for first in range(0, len(env_indices), chunk_campaigns):
        chunk = env_indices[first : first + chunk_campaigns]  # (R,)
        spares, are_new = draw(
            space, measured[chunk], excluded[chunk], batch[chunk], rngs.take(chunk)
        )
        filled[chunk] = replaced(batch[chunk], repeats[chunk], spares, are_new)
    return filled


def replaced(
    batch: Designs,
    unwanted: NDArray[np.bool_],
    spares: Designs,
    usable: NDArray[np.bool_],
) -> Designs:
    """Batches whose first unwanted slots hold the first usable spare designs, in this order.

    Args:
        batch: (R, q, *shape).
        unwanted: (R, q) slots to be filled otherwise, while there are spares.
        spares: (R, m, *shape).
        usable: (R, m) of them.

    Returns:
        (R, q, *shape).
    """
    count = np.minimum(unwanted.sum(axis=1), usable.sum(axis=1))[:, None]  # (R, 1) replacements
    slots = unwanted & (np.cumsum(unwanted, axis=1) <= count)  # (R, q), `count` of them a row
    sources = usable & (np.cumsum(usable, axis=1) <= count)  # (R, m), as many of them a row
    filled = batch.copy()
    filled[slots] = spares[sources]  # both run through rows and, in each, from left to right
    return filled


def _unmeasured(
    space: DesignSpace,
    measured: Designs,
    excluded: NDArray[np.bool_],
    batch: Designs,
    rngs: GeneratorBatch,
) -> tuple[Designs, NDArray[np.bool_]]:
    """Uniform designs of a listed space that are new while there are new ones.

    Args:
        space: Of `size` designs.
        measured: (R, n, *shape).
        excluded: (R, n) measured designs that are not new.
        batch: (R, q, *shape), whose designs are not new either.
        rngs: Random numbers of the R campaigns.

    Returns:
        (R, m, *shape) designs, m the smaller of q and `size`, and (R, m) whether they are new.
    """
    assert space.size is not None
    known = space.marked(measured, excluded) | space.marked(batch)  # (R, size)
    lots = np.where(known, np.inf, rngs.random((space.size,)))  # (R, size), the lowest are drawn
    count = min(batch.shape[1], space.size)
    lowest = np.argpartition(lots, count - 1, axis=1)[:, :count]  # (R, m) codes, in any order
    rising = np.argsort(np.take_along_axis(lots, lowest, axis=1), axis=1, kind="stable")
    codes = np.take_along_axis(lowest, rising, axis=1)  # the first few of them are uniform too
    return space.decode(codes), ~np.take_along_axis(known, codes, axis=1)


def _probably_unmeasured(
    space: DesignSpace,
    measured: Designs,
    excluded: NDArray[np.bool_],
    batch: Designs,
    rngs: GeneratorBatch,
) -> tuple[Designs, NDArray[np.bool_]]:
    """So many uniform designs that q are new, in a space without a list; see `_unmeasured`."""
    drawn = fresh(space, rngs, measured.shape[1] + batch.shape[1])  # (R, n + q, *shape)
    return drawn, ~(space.among(drawn, measured, excluded) | space.among(drawn, batch))
