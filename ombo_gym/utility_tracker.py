"""The utilities of B campaigns while they are played: what `Utility.value` is computed from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ombo_gym.outcomes import EnvIndices
from ombo_gym.utilities import Progress, Utility

Floats = NDArray[np.float64]


class UtilityTracker:
    """Keeps what utilities need to know of the rounds played.

    Args:
        utility: Of the campaigns.
        num_campaigns: B.

    Attributes:
        utilities: (B,) utility so far.
        stopping_values: (B,) what each campaign would be worth if it ended now, 0 before its first
            round; None until `watch_stopping` asks for it.
    """

    def __init__(self, utility: Utility, num_campaigns: int) -> None:
        self._utility = utility
        self._base = np.zeros(num_campaigns)  # (B,) b0
        self._incumbent = np.zeros(num_campaigns)  # (B,) max(b0, best true value proposed)
        self._total = np.zeros(num_campaigns)  # (B,) sum of the true values proposed
        self._area = np.zeros(num_campaigns)  # (B,) sum over rounds of the incumbent minus b0
        self.utilities = np.zeros(num_campaigns)  # (B,)
        self.stopping_values: Floats | None = None

    def watch_stopping(self) -> None:
        """Works out `stopping_values` from now on."""
        if self.stopping_values is None:
            self.stopping_values = np.zeros_like(self.utilities)  # (B,)

    def begin(self, env_indices: EnvIndices, base: Floats) -> None:
        """Begins R campaigns.

        Args:
            env_indices: R of the B campaigns.
            base: (R,) b0 of each.
        """
        self._base[env_indices] = self._incumbent[env_indices] = base
        self._total[env_indices] = 0.0
        self._area[env_indices] = 0.0
        self.utilities[env_indices] = 0.0
        if self.stopping_values is not None:
            self.stopping_values[env_indices] = 0.0

    def update(
        self,
        env_indices: EnvIndices,
        batch: Floats,
        best: Floats,
        *,
        rounds: NDArray[np.int64],
        horizon: NDArray[np.int64],
        best_mean: Floats | None,
    ) -> tuple[Floats, Floats]:
        """Utilities of R campaigns after a round.

        Args:
            env_indices: R of the B campaigns.
            batch: (R, q) true values of the round's proposals; 0 where a slot was wasted.
            best: (R,) the best of those that were not wasted.
            rounds: (R,) rounds played.
            horizon: (R,) rounds in all.
            best_mean: (R,) largest posterior mean of a design; None but for utilities that ask.

        Returns:
            The utilities, (R,), and what the round added to them, (R,).
        """
        best_before = self._incumbent[env_indices].copy()
        utility_before = self.utilities[env_indices].copy()
        self._incumbent[env_indices] = np.maximum(best_before, best)
        self._total[env_indices] += batch.sum(axis=1)
        self._area[env_indices] += self._incumbent[env_indices] - self._base[env_indices]
        progress = Progress(
            base=self._base[env_indices],
            best=self._incumbent[env_indices],
            total=self._total[env_indices],
            area=self._area[env_indices],
            batch=batch,
            rounds=rounds,
            horizon=horizon,
            utility_before=utility_before,
            best_before=best_before,
            best_mean=best_mean,
        )
        utilities = self._utility.value(progress)
        if np.shape(utilities) != utility_before.shape:
            raise ValueError(
                f"{type(self._utility).__name__}: expected `gain`, or `value`, of shape "
                f"{utility_before.shape}, one a campaign, for a batch {batch.shape}; got "
                f"{np.shape(utilities)}"
            )
        if not np.isfinite(utilities).all():
            raise ValueError(
                f"{type(self._utility).__name__}: expected finite numbers as `value`, got "
                f"{utilities[~np.isfinite(utilities)][0]} after a batch {batch.shape}"
            )
        self.utilities[env_indices] = utilities
        if self.stopping_values is not None:
            if_over = self._utility.value(replace(progress, horizon=rounds))
            self.stopping_values[env_indices] = if_over
        return utilities, utilities - utility_before
