"""Schedules of exploration weights whose designs climb to the top of a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.batches import fill
from ombo_agents.bayesian.posterior import PosteriorPolicy
from ombo_agents.heuristics.weights import checked_weights, scheduled_weights
from ombo_agents.policy import Details
from ombo_gym.controls.outlook import Outlook
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorRows
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.ascent import Marginals

Floats = NDArray[np.float64]

_STARTS, _MOVES = 12, 12  # candidates that climb, and steps at most


class UpperConfidenceBound:
    """mean + weight * sd, the sd given noisy measurements of the slots before.

    Args:
        weights: (R,) of the sd.
    """

    noisy = True

    def __init__(self, weights: Floats) -> None:
        self._weights = weights[:, None]

    def value(self, at: Marginals) -> Floats:
        """(R, P)."""
        return at.mean + self._weights * at.sd

    def slope(self, at: Marginals) -> Marginals:
        """By mean, sd and loadings."""
        by_sd = np.broadcast_to(self._weights, at.mean.shape)
        return Marginals(np.ones_like(at.mean), by_sd, np.zeros_like(at.loadings))

    def picked(self, at: Marginals) -> None:
        """Values of picks do not matter."""


class ClimbingSchedule(PosteriorPolicy):
    """One exploration weight per number of rounds left, for all slots; where designs can climb.

    As the exploration control does, but its best candidates climb the upper confidence bound from
    where they stand: in six dimensions 256 candidates are few.

    Args:
        spec: Of the campaigns it is built for.
        weights: From the first round of the schedule to the last, see `Schedule`.
    """

    def __init__(self, spec: CampaignSpec, weights: Sequence[float]) -> None:
        super().__init__(spec)
        self.weights = checked_weights(weights)
        self.horizon_aware = len(set(self.weights)) > 1

    def propose_and_explain(  # noqa: D102
        self, observation: Observation, draws: GeneratorRows, q: int
    ) -> tuple[NDArray[Any], Details]:
        weights = scheduled_weights(self.weights, observation["rounds_left"], observation["plates"])
        details = {"exploration_weights": np.repeat(weights[:, None], 2, axis=1)}
        return self.propose(observation, draws, q), details

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        return fill(
            outlook,
            self.space,
            UpperConfidenceBound(
                scheduled_weights(self.weights, outlook.rounds_left[:, None], outlook.plates)
            ),
            outlook.batch_size,
            starts=_STARTS,
            moves=_MOVES,
        )
