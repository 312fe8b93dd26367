"""What a finished campaign is worth, computed from true values only.

Each utility is one function of a `Progress`: the worth of R campaigns as they stand. The reward of
a round is the worth after it minus the worth before it, so that the undiscounted return is the
utility of the finished campaign.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Progress:
    """R campaigns after a round."""

    base: Floats  # (R,) b0: the start's best true value, or the problem's reference
    best: Floats  # (R,) the larger of b0 and the best true value proposed so far
    total: Floats  # (R,) sum of the true values of all proposals so far
    batch: Floats  # (R, q) true values of the round's proposals; 0 where a slot was wasted
    last: NDArray[np.bool_]  # (R,) the round was the campaign's last
    best_mean: Floats | None = None  # (R,) largest posterior mean; only for utilities that ask


def _best(progress: Progress) -> Floats:
    return progress.best - progress.base


def _total(progress: Progress) -> Floats:
    return progress.total


def _last_max(progress: Progress) -> Floats:
    return np.where(progress.last, progress.batch.max(axis=-1), 0.0)


def _last_median(progress: Progress) -> Floats:
    return np.where(progress.last, np.median(progress.batch, axis=-1), 0.0)


def _last_mean(progress: Progress) -> Floats:
    return np.where(progress.last, progress.batch.mean(axis=-1), 0.0)


def _recommendation(progress: Progress) -> Floats:
    assert progress.best_mean is not None
    return progress.best_mean


# Functions of the module, so that environments can be pickled.
UTILITIES: dict[str, Callable[[Progress], Floats]] = {
    "best": _best,
    "last_max": _last_max,
    "last_median": _last_median,
    "last_mean": _last_mean,
    "total": _total,
    "recommendation": _recommendation,
}
NEEDS_POSTERIOR = ("recommendation",)  # utilities of problems with an exact posterior only


def utility_named(name: str) -> Callable[[Progress], Floats]:
    """The utility of that name.

    Raises:
        ValueError: An unknown name; the message lists the known ones.
    """
    if not isinstance(name, str) or name not in UTILITIES:
        raise ValueError(f"utility: expected one of {sorted(UTILITIES)}, got {name!r}")
    return UTILITIES[name]
