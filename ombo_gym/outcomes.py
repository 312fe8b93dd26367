"""What a round, or a reset, brings to some of B campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs

# Which of B campaigns; a slice avoids copies where all are meant.
EnvIndices = slice | NDArray[np.intp]
# Name -> values (R, ...), and which of the R campaigns have it, (R,).
Infos = dict[str, tuple[NDArray[Any], NDArray[np.bool_]]]

ALL = slice(None)


@dataclass(frozen=True)
class MeasuredBatches:
    """Batches of R campaigns with plates of one size, and what they show."""

    env_indices: EnvIndices
    designs: Designs  # (R, q, *shape)
    true_values: NDArray[np.float64]  # (R, q); 0 where wasted
    measurements: NDArray[np.float64]  # (R, q)
    feasible: NDArray[np.bool_] | None  # (R, q); None: all
    wasted: NDArray[np.bool_] | None  # (R, q); None: none

    def infos(self, batch_size: int) -> Infos:
        """What the infos of the R campaigns say of the batches.

        Args:
            batch_size: The largest q; true values are padded to it with NaN.
        """
        num_campaigns, q = self.true_values.shape
        true_values = self.true_values
        if q < batch_size:
            true_values = np.full((num_campaigns, batch_size), np.nan)
            true_values[:, :q] = self.true_values
        infeasible = wasted = np.zeros(num_campaigns, np.int64)  # (R,) how many slots
        if self.feasible is not None:
            infeasible = (~self.feasible).sum(axis=1)
        if self.wasted is not None:
            wasted = self.wasted.sum(axis=1)
        everywhere = np.ones(num_campaigns, bool)
        return {
            "true_values": (true_values, everywhere),
            "infeasible": (infeasible, everywhere),
            "wasted": (wasted, everywhere),
        }


@dataclass(frozen=True)
class Outcome:
    """What a round brought to R campaigns."""

    rewards: NDArray[np.float64]  # (R,)
    finished: NDArray[np.bool_]  # (R,)
    infos: Infos


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

    infos: Infos = {}
    for name in dict.fromkeys(name for outcome in outcomes for name in outcome.infos):
        known, _ = next(outcome.infos[name] for outcome in outcomes if name in outcome.infos)
        parts = [
            outcome.infos.get(name, _missing(len(outcome.rewards), known)) for outcome in outcomes
        ]
        infos[name] = scattered([part[0] for part in parts]), scattered([part[1] for part in parts])
    return Outcome(
        scattered([outcome.rewards for outcome in outcomes]),
        scattered([outcome.finished for outcome in outcomes]),
        infos,
    )


def _missing(num_campaigns: int, known: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """An info that none of some campaigns has, of the shape that it has in others."""
    values = np.zeros((num_campaigns, *known.shape[1:]), known.dtype)
    return values, np.zeros(num_campaigns, bool)
