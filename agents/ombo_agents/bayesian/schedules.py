"""Heuristics that act through the exploration control: a fixed weight, or a weight per round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.bayesian.climbing_schedule import ClimbingSchedule
from ombo_agents.bayesian.posterior_policy import draws_no_candidates
from ombo_agents.bayesian.weights import checked_weight, checked_weights, scheduled_weights
from ombo_agents.policy import ControlPolicy, Details, Policy
from ombo_agents.settings import truth
from ombo_gym.controls.exploration import ExplorationControl, actions_of, weights_of
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec


class ExplorationPolicy(ControlPolicy):
    """Anything that sets exploration weights."""

    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec, "exploration")
        self.deterministic = spec.design_space.looks_at_everything  # so candidates are not drawn

    @override
    def details(self, actions: NDArray[Any]) -> Details:
        return {"exploration_weights": weights_of(actions)}


class Schedule(ExplorationPolicy):
    """One exploration weight per number of rounds left, for all slots of a batch.

    Proposing designs, it looks at all of a pool of up to 100,000; through an environment's control
    at what that shows.

    Args:
        spec: Of the campaigns it is built for.
        weights: From the first round of the schedule to the last: the last entry is used when one
            round is left, the one before when two are; with more rounds left than entries, the
            first one.

    Raises:
        ValueError: No weights, or one outside [0, 10].
    """

    def __init__(self, spec: CampaignSpec, weights: Sequence[float]) -> None:
        super().__init__(spec)
        self.control = ExplorationControl(spec, everything=True)
        self.deterministic = draws_no_candidates(spec.design_space)
        self.weights = checked_weights(weights)
        self.horizon_aware = len(set(self.weights)) > 1

    @override
    def _through_control(
        self, observation: Observation, rngs: GeneratorBatch
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Without the control's summary, which plays no part."""
        view = self.control.view(observation, rngs.take)
        actions = self._chosen(observation, len(rngs))
        return self.control.designs(view, actions), actions

    @override
    def choose(self, seen: Observation) -> NDArray[np.float32]:
        each = scheduled_weights(self.weights, seen["rounds_left"], seen.get("plates"))
        return np.repeat(actions_of(each)[:, None], 2, axis=1)


def ucb(spec: CampaignSpec, *, weight: float, climb: bool) -> Policy:
    """Upper confidence bound with a constant weight, hallucinated variances inside a batch.

    Args:
        spec: Of the campaigns it is built for.
        weight: Of the posterior standard deviation.
        climb: See `schedule`.

    Raises:
        ValueError: A weight outside [0, 10], or `climb` neither true nor false.

    Reference:
        Desautels, Krause and Burdick, JMLR 15, 2014 (GP-BUCB).
    """
    return schedule(spec, (checked_weight(weight),), climb=climb)


def greedy(spec: CampaignSpec) -> Schedule:
    """The largest posterior mean: weight 0, every round.

    In a box all q slots are the same design, the best of the control's candidates for the one-round
    optimum of `last_mean` (`greedy_refined` searches the whole box for it); on finite spaces, and
    where measuring a design again is worth nothing, they are the q candidates of largest mean.
    """
    return Schedule(spec, (0.0,))


def explore_then_exploit(spec: CampaignSpec, *, weights: Sequence[float], climb: bool) -> Policy:
    """Weights that fall to zero in the last round: a schedule that knows N and nothing of the data.

    Args:
        spec: Of the campaigns it is built for.
        weights: By rounds left, the last round's last.
        climb: See `schedule`.
    """
    return schedule(spec, weights, climb=climb)


def schedule(spec: CampaignSpec, weights: Sequence[float], *, climb: bool) -> Policy:
    """A schedule of exploration weights, at full strength or as the exploration control plays it.

    Args:
        spec: Of the campaigns it is built for.
        weights: By rounds left, the last round's last.
        climb: Whether designs that can move, as in a box, climb from the best candidates to the top
            of the upper confidence bound: in six dimensions 256 candidates are few, in two they are
            nearly enough, and five times cheaper. Through the control, and on other spaces, they do
            not.

    Raises:
        ValueError: Weights that are none, or `climb` neither true nor false.
    """
    can_climb = spec.design_space.free is not None and spec.control == "designs"
    if truth("climb", climb) and can_climb:
        return ClimbingSchedule(spec, weights)
    return Schedule(spec, weights)
