"""Which rows of a dataset came from which round, told from how many there are.

Methods that adapt from round to round (step sizes, populations, evolution paths) keep nothing
between calls: they go through the rounds that were played again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.policy import Observation
from ombo_gym.game import Game


def start_size(game: Game) -> int:
    """Rows of the largest start."""
    return game.campaigns.capacity - game.horizons[1] * game.batch_size


def rounds_played(count: int, start: int, batch_size: int) -> int:
    """Whole rounds among the last rows of a dataset.

    Told from the number of rows, not from the rounds that are left, so that it does not depend on
    the horizon. Where starts differ in size, the first rounds of a small one may count as start.

    Args:
        count: n, rows of the dataset.
        start: Rows of the largest start.
        batch_size: q.
    """
    return max(0, count - start) // batch_size


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
        group = np.flatnonzero(counts == n)
        together = max(1, most // (entries * max(int(n), 1) + fixed))
        for at in range(0, len(group), together):
            yield group[at : at + together], int(n)


def reflected(points: NDArray[np.float64]) -> NDArray[Any]:
    """Points brought back into [-1, 1] by mirrors at the sides, as float32.

    Unlike clipping, it does not heap points up at a corner.
    """
    folded = 1.0 - np.abs((points + 1.0) % 4.0 - 2.0)
    return np.clip(folded, -1.0, 1.0).astype(np.float32)
