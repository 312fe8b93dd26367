"""Rollout on the surrogate's posterior, or on the exact one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from ombo_agents.bayesian.posterior_policy import draws_no_candidates
from ombo_agents.bayesian.weights import checked_weights
from ombo_agents.planners.belief_mdp import why_not_planned
from ombo_agents.planners.exact_rollout import ExactRollout
from ombo_agents.planners.plates import Plates
from ombo_agents.planners.reachable_states import TooManyStates
from ombo_agents.planners.rollout.expected_utilities import SimulationSettings, expected_utilities
from ombo_agents.planners.rollout.joint_posterior import joint_posterior
from ombo_agents.planners.rollout.variance_reduction import variance_reducing_batch
from ombo_agents.planners.surrogate_planner import SurrogatePlanner
from ombo_agents.policy import Policy
from ombo_agents.settings import even, whole
from ombo_gym.design_spaces import Designs
from ombo_gym.problems.core.checks import is_number
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior

_MAX_STATES = 200_000  # up to which the exact posterior is planned on


class Rollout(SurrogatePlanner):
    """Simulates what is left of the campaign after each of some batches, and takes the best.

    The batches are those of upper confidence bounds with several weights over all candidates, and
    those that tell most about the designs which may be best, see `variance_reducing_batch`. These,
    and what follows in simulation, are chosen among these batches' designs and the candidates of
    largest mean + 3 sd of the whole space, 128 together. What follows in simulation, on plates of
    the sizes to come, is a base schedule: upper confidence bounds with one weight in rounds that
    are not the last, and the one-round optimum in the last (where the largest value counts, as
    under `best` and `last_max`, upper confidence bounds again). Measurements are drawn from the
    posterior by quasi-random numbers, the same for all batches; the last batch's values are
    integrated. All campaigns, batches and futures are computed together.

    Args:
        spec: Of the campaigns it is built for.
        num_samples: Futures that are simulated for each batch; even.
        weights: Exploration weights that batches are made with.
        reaches: Standard deviations by which a design may be better than is expected, in the
            weights of batches that tell most.
        explore: Of simulated rounds that are not the last.
        finish: Of the last simulated round, where the largest value counts.
        lookahead: Rounds that are simulated at most, this one included.
        num_restarts: Candidates that climb, where designs can move; 0: none.
        max_iterations: Steps of a climb, at most.

    Raises:
        ValueError: A setting out of range.

    References:
        Bertsekas, Tsitsiklis and Wu, Rollout algorithms for combinatorial optimization, 1997. Lam,
        Willcox and Wolpert, Bayesian optimization with a finite budget: an approximate dynamic
        programming approach, NeurIPS 2016.
    """

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        num_samples: int,
        weights: Sequence[float],
        reaches: Sequence[float],
        explore: float,
        finish: float,
        lookahead: int,
        num_restarts: int,
        max_iterations: int,
    ) -> None:
        super().__init__(spec, num_restarts=num_restarts, max_iterations=max_iterations)
        for name, number in (("explore", explore), ("finish", finish)):
            if not is_number(number) or not 0 <= number < np.inf:
                raise ValueError(f"{name}: expected a number of at least 0, got {number!r}")
        self.deterministic = draws_no_candidates(self.space)
        self._weights = checked_weights(weights)
        self._reaches = checked_weights(reaches, "reaches")
        self._lookahead = whole("lookahead", lookahead, at_least=2)
        self._settings = SimulationSettings(
            spec.utility,
            spec.repeats,
            even("num_samples", num_samples),
            float(explore),
            float(finish),
        )

    @override
    def plan(self, group: CandidatePosterior, plates: Plates, rngs: GeneratorBatch) -> Designs:
        num_campaigns, q = len(group.env_indices), plates[0]
        optimistic = [
            self.batch_by_upper_confidence_bound(group, np.full(num_campaigns, weight))
            for weight in self._weights
        ]  # (R, q, *shape) each
        joint = joint_posterior(group, self.space, np.concatenate(optimistic, axis=1))
        numbers = np.arange(len(optimistic) * q).reshape(-1, q)  # the designs that come first
        batches = np.concatenate(
            [
                np.broadcast_to(numbers, (num_campaigns, *numbers.shape)),
                *(variance_reducing_batch(joint, reach, q)[:, None] for reach in self._reaches),
            ],
            axis=1,
        )  # (R, K, q)
        utilities = expected_utilities(joint, batches, plates, self._lookahead, self._settings)
        campaign = np.arange(num_campaigns)
        best = batches[campaign, utilities.argmax(axis=1)]  # (R, q)
        chosen: Designs = joint.designs[campaign[:, None], best]
        return chosen


def rollout(spec: CampaignSpec, **settings: object) -> Policy:
    """Rollout on the exact posterior where it is known and small, else on the surrogate's."""
    on_surrogate = Rollout(spec, **settings)  # type: ignore[arg-type]
    if why_not_planned(spec) is None:
        try:
            return ExactRollout(spec, max_states=_MAX_STATES)
        except TooManyStates:
            pass
    return on_surrogate
