"""Which rows of a dataset came from which round, told from how many there are.

Methods that adapt from round to round (step sizes, populations, evolution paths) keep nothing
between calls: they go through the rounds that were played again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec

_CHUNK_ENTRIES = 2**22  # numbers that are held at once, about


@dataclass(frozen=True)
class RoundHistory:
    """R campaigns with equally many rows, start and rounds.

    Attributes:
        env_indices: (R,) which of the B campaigns.
        num_observed: n, rows of their datasets.
        num_start: Rows that are the start's.
        edges: Where rounds begin in the dataset, and n behind them: `edges[0]` rows are the start's
            (or came before the first whole round), round i has the rows from `edges[i]` on.
    """

    env_indices: NDArray[np.intp]
    num_observed: int
    num_start: int
    edges: tuple[int, ...]


# Batches of R campaigns, (R, q, *shape), by their designs (R, n, *shape), measurements (R, n),
# random numbers, q and rounds.
ProposeByRounds = Callable[
    [Designs, NDArray[np.float64], GeneratorBatch, int, RoundHistory], Designs
]


def round_edges(spec: CampaignSpec, num_observed: int, num_start: int, q: int) -> tuple[int, ...]:
    """Where whole rounds begin among the last rows of a dataset, see `RoundHistory`.

    Told from the number of rows, not from the rounds that are left, so that it does not depend on
    the horizon. Where slots were wasted, the rows of a round that is not whole count as start.

    Args:
        spec: Of the campaigns: of plates that are laid down it knows the sizes.
        num_observed: n, rows of the dataset.
        num_start: Of which so many are the start's.
        q: Size of every batch, where plates are not laid down.
    """
    num_proposed = num_observed - num_start
    if spec.plates is None:
        sizes = [q] * (num_proposed // q)
    else:
        whole = np.cumsum(spec.plates) <= num_proposed
        sizes = [size for size, played in zip(spec.plates, whole, strict=True) if played]
    edges = num_observed - sum(sizes) + np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    return tuple(edges.tolist())


def by_count(
    observation: Observation, *, entries_per_row: int, entries_per_campaign: int = 0
) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Campaigns with the same number of rows, a few at a time, for bounded memory.

    Args:
        observation: Of B campaigns.
        entries_per_row: Numbers that are held for each row of a dataset, about.
        entries_per_campaign: Numbers that are held for each campaign besides, about.

    Yields:
        (R,) which of the B campaigns, and n, rows of their datasets.
    """
    counts = observation["observed"].sum(axis=1, dtype=np.int64)  # (B,)
    for num_observed in np.unique(counts).tolist():
        entries = entries_per_row * max(num_observed, 1) + entries_per_campaign
        for chunk in _chunks(np.flatnonzero(counts == num_observed), entries):
            yield chunk, num_observed


def by_history(
    spec: CampaignSpec,
    observation: Observation,
    q: int,
    *,
    entries_per_row: int,
    entries_per_campaign: int = 0,
) -> Iterator[RoundHistory]:
    """Campaigns with the same number of rows and of the start's, a few at a time.

    Args:
        spec: Of the campaigns.
        observation: Of B campaigns whose next batches have q designs.
        q: So many.
        entries_per_row: Numbers that are held for each row of a dataset, about.
        entries_per_campaign: Numbers that are held for each campaign besides, about.
    """
    counts = observation["observed"].sum(axis=1, dtype=np.int64)  # (B,)
    starts = observation["from_start"].sum(axis=1, dtype=np.int64)  # (B,)
    pairs = np.unique(np.stack([counts, starts], axis=1), axis=0)  # (groups, 2)
    for num_observed, num_start in pairs.tolist():
        group = np.flatnonzero((counts == num_observed) & (starts == num_start))
        edges = round_edges(spec, num_observed, num_start, q)
        entries = entries_per_row * max(num_observed, 1) + entries_per_campaign
        for chunk in _chunks(group, entries):
            yield RoundHistory(chunk, num_observed, num_start, edges)


def batches_by_history(
    propose: ProposeByRounds,
    spec: CampaignSpec,
    observation: Observation,
    rngs: GeneratorBatch,
    q: int,
    *,
    entries_per_row: int,
    entries_per_campaign: int = 0,
) -> Designs:
    """Batches of B campaigns by a method that goes through their rounds, (B, q, *shape).

    Args:
        propose: What the method does for campaigns with the same history.
        spec: Of the campaigns.
        observation: Of them; their next batches have q designs.
        rngs: Their random numbers.
        q: So many.
        entries_per_row: See `by_history`.
        entries_per_campaign: See `by_history`.
    """
    space = spec.design_space
    batch = np.zeros((len(rngs), q, *space.shape), space.dtype)
    for history in by_history(
        spec,
        observation,
        q,
        entries_per_row=entries_per_row,
        entries_per_campaign=entries_per_campaign,
    ):
        env_indices, n = history.env_indices, history.num_observed
        designs = observation["designs"][env_indices, :n]
        values = observation["measurements"][env_indices, :n]
        batch[env_indices] = propose(designs, values, rngs.take(env_indices), q, history)
    return batch


def _chunks(env_indices: NDArray[np.intp], entries: int) -> Iterator[NDArray[np.intp]]:
    """A few campaigns at a time, of so many numbers each."""
    chunk_campaigns = max(1, _CHUNK_ENTRIES // entries)
    for first in range(0, len(env_indices), chunk_campaigns):
        yield env_indices[first : first + chunk_campaigns]
