"""What comes of several groups of campaigns, put together in the order of all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.outcomes import Infos, MeasuredBatches, Outcome


def groups_alike(
    labels: NDArray[Any],
) -> Iterator[tuple[Any, NDArray[np.intp]]]:
    """Each of the labels (R,) that occur, smallest first, and where it does."""
    for label in np.unique(labels):
        yield label, np.flatnonzero(labels == label)


def merge_rounds(measured: list[MeasuredBatches], outcomes: list[Outcome]) -> Outcome:
    """What batches of several sizes brought to the campaigns that measured them, as one."""
    if len(outcomes) == 1:
        return outcomes[0]  # all there are, in their order
    positions = [
        np.arange(len(each.true_values)) if each.positions is None else each.positions
        for each in measured
    ]
    return merge_outcomes(outcomes, positions)


def merge_outcomes(outcomes: list[Outcome], positions: list[NDArray[np.intp]]) -> Outcome:
    """Outcomes of groups of campaigns as one.

    Args:
        outcomes: One a group.
        positions: Where the campaigns of each group stand among all R of them.
    """
    num_campaigns = sum(len(outcome.rewards) for outcome in outcomes)

    def scattered(parts: list[NDArray[Any]]) -> NDArray[Any]:
        merged = np.zeros((num_campaigns, *parts[0].shape[1:]), parts[0].dtype)
        for position, part in zip(positions, parts, strict=True):
            merged[position] = part
        return merged

    return Outcome(
        scattered([outcome.rewards for outcome in outcomes]),
        scattered([outcome.finished for outcome in outcomes]),
        merge_infos([outcome.infos for outcome in outcomes], positions),
    )


def merge_infos(groups: list[Infos], positions: list[NDArray[np.intp]]) -> Infos:
    """Infos of groups of campaigns as one.

    Args:
        groups: Of each group.
        positions: Where the campaigns of each group stand among all R of them.
    """
    num_campaigns = sum(map(len, positions))
    merged: Infos = {}
    for name in dict.fromkeys(name for infos in groups for name in infos):
        known, _ = next(infos[name] for infos in groups if name in infos)
        values, present = _missing(num_campaigns, known)
        for infos, position in zip(groups, positions, strict=True):
            if name in infos:
                values[position], present[position] = infos[name]
        merged[name] = values, present
    return merged


def _missing(num_campaigns: int, known: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """An info that none of some campaigns has, of the shape that it has in others."""
    values = np.zeros((num_campaigns, *known.shape[1:]), known.dtype)
    return values, np.zeros(num_campaigns, bool)
