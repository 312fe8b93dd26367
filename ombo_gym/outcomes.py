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
    # Where the campaigns stand among all that play; None: there are no others.
    positions: NDArray[np.intp] | None = None  # (R,)

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
