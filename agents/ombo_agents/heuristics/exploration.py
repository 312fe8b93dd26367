"""Heuristics that act through the exploration control: a fixed weight, or a weight per round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.upper_confidence_bound import ClimbingSchedule
from ombo_agents.heuristics.weights import checked_weights, weights_by_rounds_left
from ombo_agents.policy import ControlPolicy, Details, Observation, Policy
from ombo_agents.settings import truth
from ombo_gym.controls.exploration import actions_of, weights_of
from ombo_gym.design_spaces import BoxDesigns
from ombo_gym.game import Game
from ombo_gym.surrogates.candidates import looks_at_everything


class ExplorationPolicy(ControlPolicy):
    """Anything that sets exploration weights."""

    def __init__(self, game: Game) -> None:
        super().__init__(game, "exploration")
        self.deterministic = looks_at_everything(game.design_space)  # so candidates are not drawn

    def details(self, actions: NDArray[Any]) -> Details:  # noqa: D102
        return {"exploration_weights": weights_of(actions)}


class Schedule(ExplorationPolicy):
    """One exploration weight per number of rounds left, for all slots of a batch.

    Args:
        game: The campaigns it is built for.
        weights: From the first round of the schedule to the last: the last entry is used when one
            round is left, the one before when two are; with more rounds left than entries, the
            first one.

    Raises:
        ValueError: No weights, or one outside [0, 10].
    """

    def __init__(self, game: Game, weights: Sequence[float]) -> None:
        super().__init__(game)
        self.weights = checked_weights(weights)
        self.horizon_aware = len(set(self.weights)) > 1

    def choose(self, seen: Observation) -> NDArray[np.float32]:  # noqa: D102
        each = weights_by_rounds_left(self.weights, seen["rounds_left"][:, 0])
        return np.repeat(actions_of(each)[:, None], 2, axis=1)


def ucb(game: Game, *, weight: float, climb: bool) -> Policy:
    """Upper confidence bound with a constant weight, hallucinated variances inside a batch.

    Args:
        game: The campaigns it is built for.
        weight: Of the posterior standard deviation.
        climb: See `schedule`.

    Reference:
        Desautels, Krause and Burdick, JMLR 15, 2014 (GP-BUCB).
    """
    return schedule(game, (weight,), climb=climb)


def greedy(game: Game) -> Schedule:
    """The largest posterior mean: weight 0, every round.

    In a box all q slots are the same design, the best of the control's candidates for the one-round
    optimum of `last_mean` (`greedy_refined` searches the whole box for it); on finite spaces, and
    where measuring a design again is worth nothing, they are the q candidates of largest mean.
    """
    return Schedule(game, (0.0,))


def explore_then_exploit(game: Game, *, weights: Sequence[float], climb: bool) -> Policy:
    """Weights that fall to zero in the last round: a schedule that knows N and nothing of the data.

    Args:
        game: The campaigns it is built for.
        weights: By rounds left, the last round's last.
        climb: See `schedule`.
    """
    return schedule(game, weights, climb=climb)


def schedule(game: Game, weights: Sequence[float], *, climb: bool) -> Policy:
    """A schedule of exploration weights, at full strength or as the exploration control plays it.

    Args:
        game: The campaigns it is built for.
        weights: By rounds left, the last round's last.
        climb: Whether designs of a box climb from the best candidates to the top of the upper
            confidence bound: in six dimensions 256 candidates are few, in two they are nearly
            enough, and five times cheaper. Through the control, and on other spaces, they do not.

    Raises:
        ValueError: Weights that are none, or `climb` neither true nor false.
    """
    in_a_box = isinstance(game.design_space, BoxDesigns)
    if truth("climb", climb) and in_a_box and game.control_name == "designs":
        return ClimbingSchedule(game, weights)
    return Schedule(game, weights)
