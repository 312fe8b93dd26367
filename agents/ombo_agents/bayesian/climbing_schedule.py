"""Schedules of exploration weights whose designs climb to the top of a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.bayesian.posterior_policy import PosteriorPolicy
from ombo_agents.bayesian.weights import checked_weights, scheduled_weights
from ombo_agents.policy import Details
from ombo_gym.acquisition.greedy_batch import maximize_score
from ombo_gym.acquisition.upper_confidence_bound import UpperConfidenceBound
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior

NUM_RESTARTS, MAX_ITERATIONS = 12, 12  # candidates that climb, and steps at most


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

    @override
    def propose_and_explain(
        self, observation: Observation, rngs: GeneratorBatch, q: int
    ) -> tuple[NDArray[Any], Details]:
        weights = scheduled_weights(self.weights, observation["rounds_left"], observation["plates"])
        details = {"exploration_weights": np.repeat(weights[:, None], 2, axis=1)}
        return self.propose(observation, rngs, q), details

    @override
    def pick(self, group: CandidatePosterior, rngs: GeneratorBatch) -> NDArray[Any]:
        weights = scheduled_weights(self.weights, group.rounds_left[:, None], group.plates)
        return maximize_score(
            group,
            self.space,
            UpperConfidenceBound(weights),
            num_restarts=NUM_RESTARTS,
            max_iterations=MAX_ITERATIONS,
        )
