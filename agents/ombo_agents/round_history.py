"""Which rows of a dataset came from which round, told from how many there are.

Methods that adapt from round to round (step sizes, populations, evolution paths) keep nothing
between calls: they go through the rounds that were played again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec


@dataclass(frozen=True)
class History:
    """R campaigns with equally many rows, start and rounds.

    Attributes:
        rows: (R,) which campaigns.
        count: n, rows of their datasets.
        start_count: Rows that are the start's.
        edges: Where rounds begin in the dataset, and n behind them: `edges[0]` rows are the start's
            (or came before the first whole round), round i has the rows from `edges[i]` on.
    """

    rows: NDArray[np.intp]
    count: int
    start_count: int
    edges: tuple[int, ...]

    @property
    def start(self) -> int:
        """Rows before the first round."""
        return self.edges[0]

    @property
    def rounds(self) -> int:
        """Rounds that were played."""
        return len(self.edges) - 1


def round_edges(spec: CampaignSpec, count: int, start: int, q: int) -> tuple[int, ...]:
    """Where whole rounds begin among the last rows of a dataset, see `History`.

    Told from the number of rows, not from the rounds that are left, so that it does not depend on
    the horizon. Where slots were wasted, the rows of a round that is not whole count as start.

    Args:
        spec: Of the campaigns: of plates that are laid down it knows the sizes.
        count: n, rows of the dataset.
        start: Of which so many are the start's.
        q: Size of every batch, where plates are not laid down.
    """
    proposed = count - start
    if spec.plates is None:
        sizes = [q] * (proposed // q)
    else:
        whole = np.cumsum(spec.plates) <= proposed
        sizes = [size for size, played in zip(spec.plates, whole, strict=True) if played]
    edges = count - sum(sizes) + np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    return tuple(edges.tolist())


def by_count(
    observation: Observation, entries: int, *, fixed: int = 0, most: int = 2**22
) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Campaigns with the same number of rows, a few at a time, for bounded memory.

    Args:
        observation: Of B campaigns.
        entries: Numbers that are held for each row of a dataset, about.
        fixed: Numbers that are held for each campaign besides, about.
        most: Numbers that are held at once, about.

    Yields:
        (R,) which campaigns, and their n.
    """
    counts = observation["observed"].sum(axis=1, dtype=np.int64)
    for n in np.unique(counts):
        yield from _chunks(np.flatnonzero(counts == n), int(n), entries, fixed, most)


def by_history(
    spec: CampaignSpec, observation: Observation, q: int, entries: int, *, most: int = 2**22
) -> Iterator[History]:
    """Campaigns with the same number of rows and of the start's, a few at a time.

    Args:
        spec: Of the campaigns.
        observation: Of B campaigns whose next batches have q designs.
        q: So many.
        entries: Numbers that are held for each row of a dataset, about.
        most: Numbers that are held at once, about.
    """
    counts = observation["observed"].sum(axis=1, dtype=np.int64)
    starts = observation["from_start"].sum(axis=1, dtype=np.int64)
    for n, start in np.unique(np.stack([counts, starts], axis=1), axis=0).tolist():
        group = np.flatnonzero((counts == n) & (starts == start))
        edges = round_edges(spec, n, start, q)
        for rows, _ in _chunks(group, n, entries, 0, most):
            yield History(rows, n, start, edges)


def _chunks(
    group: NDArray[np.intp], n: int, entries: int, fixed: int, most: int
) -> Iterator[tuple[NDArray[np.intp], int]]:
    chunk = max(1, most // (entries * max(n, 1) + fixed))
    for first in range(0, len(group), chunk):
        yield group[first : first + chunk], n
