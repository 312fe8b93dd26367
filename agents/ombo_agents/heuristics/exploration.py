"""Heuristics that act through the exploration control: a fixed weight, or a weight per round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.policy import ControlPolicy, Details, Observation
from ombo_gym.controls.exploration import LARGEST_WEIGHT, actions_of, weights_of
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
        weights = tuple(weights)
        if not weights or not all(0 <= weight <= LARGEST_WEIGHT for weight in weights):
            raise ValueError(
                f"weights: expected at least one, each from 0 to {LARGEST_WEIGHT}, got {weights!r}"
            )
        self.weights = tuple(float(weight) for weight in weights)
        self.horizon_aware = len(set(self.weights)) > 1

    def choose(self, seen: Observation) -> NDArray[np.float32]:  # noqa: D102
        left = seen["rounds_left"][:, 0].astype(np.intp)
        by_left = actions_of(np.array(self.weights[::-1]))  # entry 0: one round left
        each = by_left[np.clip(left - 1, 0, len(by_left) - 1)]  # (B,)
        return np.repeat(each[:, None], 2, axis=1)


def ucb(game: Game, *, weight: float) -> Schedule:
    """Upper confidence bound with a constant weight, hallucinated variances inside a batch.

    Args:
        game: The campaigns it is built for.
        weight: Of the posterior standard deviation.

    Reference:
        Desautels, Krause and Burdick, JMLR 15, 2014 (GP-BUCB).
    """
    return Schedule(game, (weight,))


def greedy(game: Game) -> Schedule:
    """The largest posterior mean: weight 0, every round.

    In a box all q slots are the same design, the best of the control's candidates for the one-round
    optimum of `last_mean` (`greedy_refined` searches the whole box for it); on finite spaces they
    are the q designs of largest mean.
    """
    return Schedule(game, (0.0,))


def explore_then_exploit(game: Game, *, weights: Sequence[float]) -> Schedule:
    """Weights that fall to zero in the last round: a schedule that knows N and nothing of the data.

    Args:
        game: The campaigns it is built for.
        weights: By rounds left, the last round's last.
    """
    return Schedule(game, weights)
