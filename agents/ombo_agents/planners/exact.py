"""The Bayes-optimal policy and its short-sighted relatives, exactly.

On `Ombo/Bandit-v0` and `Ombo/Landscapes-v0` the posterior is known and small, so that the best
batch in every state follows by backward induction: `bayes_optimal`. `one_step` is the policy that
is optimal when one round is left, applied every round; `rolling_H` plans H rounds ahead, every
round.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.planners.beliefs import Batch, Floats, Integers, make_beliefs
from ombo_agents.planners.evaluation import exact_value
from ombo_agents.planners.induction import RULES, TIES, Layer, Plan, solve
from ombo_agents.planners.reach import MAX_STATES, TooManyStates
from ombo_agents.policy import DesignsPolicy, Observation
from ombo_agents.settings import whole
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows

__all__ = [
    "MAX_STATES",
    "TIES",
    "ExactPolicy",
    "Plan",
    "TooManyStates",
    "bayes_optimal",
    "exact_value",
    "one_step",
    "rolling",
    "solve_game",
]

_PLANS_KEPT = 64


def solve_game(game: Game, *, lookahead: int | None = None, max_states: int = MAX_STATES) -> Plan:
    """Plans a game's campaigns from the empty dataset; no slot is wasted on purpose.

    Args:
        game: Of `Ombo/Bandit-v0` or `Ombo/Landscapes-v0` (`env.unwrapped.game`), with a fixed
            horizon and no start.
        lookahead: Rounds planned ahead every round; None plans to the end.
        max_states: Before giving up.

    Raises:
        ValueError: A game that cannot be planned for exactly.
        TooManyStates: Says how many would be needed and what is feasible.
    """
    beliefs = make_beliefs(game)
    low, high = game.horizons
    if low != high or game.campaigns.capacity > high * game.batch_size:
        raise ValueError(
            'exact planning needs one horizon and start={"kind": "none"}, got horizon '
            f"{[low, high]} and {game.campaigns.capacity - high * game.batch_size} starting rows"
        )
    empty = np.zeros((1, beliefs.width), np.int64)
    utility = game.campaigns.settings.utility
    return solve(
        beliefs, empty, high, game.batch_size, utility, lookahead=lookahead, max_states=max_states
    )


class ExactPolicy(DesignsPolicy):
    """Plans by backward induction from the dataset at hand, and keeps its plans.

    Args:
        game: The campaigns it is built for, of `Ombo/Bandit-v0` or `Ombo/Landscapes-v0`.
        lookahead: Rounds planned ahead every round; None plans to the end.
        ties: Between batches that the plan finds equally good: "first" in lexicographic order, of
            designs on landscapes, and on bandits of how often each arm is pulled (so that fewest
            pulls of the first arm come first, and known arms are preferred); "uniform" over
            proposals (ordered batches; those that differ only by exchanging arms of which the same
            is believed count as one); "worst" and "best": which is worth least or most if the
            policy then goes on to the end.
        max_states: Before giving up.

    Raises:
        ValueError: A game that cannot be planned for exactly, or an unknown tie rule.
        TooManyStates: Says how many would be needed and what is feasible.
    """

    exchangeable = True
    wasteful = True  # only where designs run out; its batches are not to be touched

    def __init__(
        self,
        game: Game,
        *,
        lookahead: int | None = None,
        ties: str = "first",
        max_states: int = MAX_STATES,
    ) -> None:
        super().__init__(game)
        if ties not in TIES:
            raise ValueError(f"ties: expected one of {list(TIES)}, got {ties!r}")
        for name, number in (("lookahead", lookahead), ("max_states", max_states)):
            if number is not None:
                whole(name, number)
        self.beliefs = make_beliefs(game)
        self.lookahead, self.ties, self.max_states = lookahead, ties, max_states
        self.deterministic = ties != "uniform"
        # How a tie is broken can depend on the rounds left; the rest of a short plan does not.
        self._sees_the_end = lookahead is None or ties in ("worst", "best")
        self.horizon_aware = lookahead != 1 or self._sees_the_end
        self._utility = game.campaigns.settings.utility
        self._plans: list[Plan] = []
        empty = np.zeros((1, self.beliefs.width), np.int64)
        if game.campaigns.capacity == game.horizons[1] * game.batch_size:  # no start: plan at once
            self._find(empty, self._rounds(game.horizons[1]))

    def _rounds(self, rounds_left: int) -> int:
        """How many rounds a plan must have, to say what to do with so many left."""
        return rounds_left if self._sees_the_end else min(rounds_left, self.lookahead or 1)

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        batch = np.zeros((len(draws), self.batch_size, 1), np.int64)
        for rows, states, layer, found in self._situations(observation):
            if self.ties == "uniform":
                weights = self._weights(layer, found)
                lots = draws.take(rows).random((1 + self.batch_size,))
                edges = np.cumsum(weights, axis=1)
                option = (lots[:, :1] * edges[:, -1:] >= edges).sum(axis=1)
                order = np.argsort(lots[:, 1:], axis=1)
            else:
                option = self._option(layer, found, states)
                order = np.broadcast_to(np.arange(self.batch_size), (len(rows), self.batch_size))
            chosen = self._batches(layer, states)[np.arange(len(rows)), option]  # (R, q)
            batch[rows, :, 0] = np.take_along_axis(chosen, order, axis=1)
        return batch

    def distribution(  # noqa: D102
        self, observation: Observation
    ) -> tuple[NDArray[Any], NDArray[np.float64]] | None:
        if self.deterministic:
            return None
        actions: dict[Batch, int] = {}
        entries: list[tuple[Integers, Integers, Floats]] = []
        for rows, states, layer, found in self._situations(observation):
            weights = self._weights(layer, found)
            weights /= weights.sum(axis=1, keepdims=True)
            row, option = np.nonzero(weights)
            batches = self._batches(layer, states)[row, option]
            at = [actions.setdefault(tuple(batch), len(actions)) for batch in batches.tolist()]
            entries.append((rows[row], np.array(at), weights[row, option]))
        probabilities = np.zeros((len(observation["rounds_left"]), max(1, len(actions))))
        for rows_, at_, weight in entries:
            np.add.at(probabilities, (rows_, at_), weight)
        listed = np.array(list(actions) or [(0,) * self.batch_size], np.int64)
        return self.space.actions(listed[..., None]), probabilities

    def _situations(
        self, observation: Observation
    ) -> list[tuple[NDArray[np.intp], Integers, Layer, Integers]]:
        """Rows of unfinished campaigns, their states as they are, the layer and where in it."""
        left = observation["rounds_left"][:, 0].astype(np.int64)
        states = self.beliefs.states(self.beliefs.items(observation))
        measured = observation["observed"].sum(axis=1, dtype=np.int64)
        situations = []
        for n in np.unique(left[left > 0]):
            for count in np.unique(measured[left == n]):
                rows = np.flatnonzero((left == n) & (measured == count))
                layer, found = self._find(
                    self.beliefs.canonical(states[rows]), self._rounds(int(n))
                )
                situations.append((rows, states[rows], layer, found))
        return situations

    def _find(self, states: Integers, rounds: int) -> tuple[Layer, Integers]:
        """A layer with all of these canonical states; plans from them where there is none."""
        for plan in self._plans:
            layer = plan.layer(rounds)
            if layer is not None and layer.states.shape[1] == states.shape[1]:
                found = layer.find(states)
                if (found >= 0).all():
                    return layer, found
        plan = solve(
            self.beliefs,
            states,
            rounds,
            self.batch_size,
            self._utility,
            lookahead=self.lookahead,
            max_states=self.max_states,
        )
        self._plans = [plan, *self._plans][:_PLANS_KEPT]
        return plan.layers[0], plan.layers[0].find(states)

    def _weights(self, layer: Layer, found: Integers) -> Floats:
        """Weights of the tied options under "uniform", (R, A)."""
        posterior = self.beliefs.weigh(layer.states[found])
        return layer.tied[found] * self.beliefs.proposals(posterior, layer.options)

    def _option(self, layer: Layer, found: Integers, states: Integers) -> Integers:
        """Which option each row takes, (R,)."""
        if self.ties != "first":
            return layer.chosen[found, RULES.index(self.ties)]
        batches = self._batches(layer, states)  # (R, A, q)
        first = layer.tied[found]
        # To the known arms, which come last: from the other end.
        batches = -batches if self.beliefs.repeats else batches
        for slot in range(batches.shape[2]):
            smallest = np.where(first, batches[..., slot], self.beliefs.size).min(axis=1)
            first = first & (batches[..., slot] == smallest[:, None])
        return first.argmax(axis=1)

    def _batches(self, layer: Layer, states: Integers) -> Integers:
        """The options as sorted batches of the states' own designs, (R, A, q)."""
        options = np.array(layer.options, np.int64).reshape(len(layer.options), -1)
        order = self.beliefs.order(states)  # (R, M)
        batches = np.sort(order[:, options], axis=-1)
        # Where fewer than q designs are left, the rest of the slots are wasted on design 0.
        missing = self.batch_size - batches.shape[-1]
        return np.pad(batches, ((0, 0), (0, 0), (0, missing)))


def bayes_optimal(game: Game, *, ties: str = "first", max_states: int = MAX_STATES) -> ExactPolicy:
    """The policy that maximises expected utility over the rounds that are left.

    Among policies that waste no slot on purpose: where nothing is measured twice, q different
    designs that are not measured are proposed, as long as there are so many, even where values are
    negative and a wasted slot, worth 0, would be better under `total` or `last_*`.
    """
    return ExactPolicy(game, ties=ties, max_states=max_states)


def one_step(game: Game, *, ties: str = "first", max_states: int = MAX_STATES) -> ExactPolicy:
    """The policy that is optimal when one round is left, applied every round."""
    return ExactPolicy(game, lookahead=1, ties=ties, max_states=max_states)


def rolling(
    game: Game, *, lookahead: int = 2, ties: str = "first", max_states: int = MAX_STATES
) -> ExactPolicy:
    """The policy that plans a few rounds ahead, every round; `rolling_2` in the registry."""
    return ExactPolicy(game, lookahead=lookahead, ties=ties, max_states=max_states)
