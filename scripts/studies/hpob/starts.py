"""The starts that published runs of HPO-B had, as far as they are known.

The runs of all methods share their starts, 5 configurations a task and seed, but only the best of
the 5 was published: the incumbent at trial 0. A start here is one configuration of that accuracy
and 4 others, drawn uniformly among those that are not better: what 5 random configurations are,
given the best of them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ombo_gym.problems.tuning.hpob import PACKED, evaluations
from scripts.studies.hpob.published import published

SEEDS = 5  # of published runs
SIZE = 5  # configurations of a start
_TOLERANCE = 1e-5  # of published accuracies, which single precision was normalised to


@cache
def accuracies(task: str) -> NDArray[np.float64]:
    """All accuracies of a task as shares of its range: 0 the lowest, 1 the highest, (n,)."""
    values = evaluations(task)[:, -1].astype(np.float64)  # (n,)
    shares: NDArray[np.float64] = (values - values.min()) / np.ptp(values)
    return shares


def level_of(incumbent: float, shares: NDArray[np.float64]) -> float:
    """The pool's accuracy that a published one is, but for the last digits."""
    return float(shares[np.abs(shares - incumbent).argmin()])


def starts(task: str, draw: int = 0) -> NDArray[np.int64]:
    """Configurations of the starts, (seeds, 5), by their number in the pool.

    Args:
        task: `SPACE_DATASET`, one that is packed.
        draw: Number of the draw: with the same incumbents, other configurations beside them.

    Raises:
        ValueError: A published incumbent is no accuracy of the pool, or 4 others are not left.
    """
    shares = accuracies(task)
    incumbents = published("Random", task)[:, 0]  # (seeds,)
    drawn = np.zeros((SEEDS, SIZE), np.int64)
    for seed, incumbent in enumerate(incumbents):
        rng = np.random.default_rng([PACKED.index(task), seed, draw])
        level = level_of(incumbent, shares)
        if abs(level - incumbent) > _TOLERANCE:
            raise ValueError(
                f"{task}: expected the published incumbent {incumbent:.6f} of seed {seed} among "
                f"the pool's accuracies, got {level:.6f} as the nearest; the tables do not fit"
            )
        best = rng.choice(np.flatnonzero(shares == level))
        others = np.flatnonzero(shares <= level)
        others = others[others != best]
        if len(others) < SIZE - 1:
            raise ValueError(
                f"{task}: expected at least {SIZE - 1} configurations that are not better than the "
                f"incumbent of seed {seed}, got {len(others)}"
            )
        start = np.append(rng.choice(others, SIZE - 1, replace=False), best)  # (5,)
        drawn[seed] = rng.permutation(start)
    return drawn
