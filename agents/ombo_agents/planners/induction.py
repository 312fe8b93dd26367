"""Backward induction: the best batch in every state that can be reached, and what it is worth.

Reference:
    Puterman, Markov Decision Processes, 1994, section 4.5; DeGroot, Optimal Statistical Decisions,
    1970, chapter 12, for beliefs as states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.planners.belief_mdp import Batch, BeliefMDP, Floats, Integers
from ombo_agents.planners.plates import Plates
from ombo_agents.planners.reachable_states import MAX_STATES, Reach, hashes, parts
from ombo_gym.utilities import Utility

TIES = ("first", "uniform", "worst", "best")
RULES = ("worst", "uniform", "best")  # tie rules whose values come with a plan, in this order

_TIED = 1e-10  # differences of less than this part of how far values are apart are ties,
_ROUNDING = 1e-12  # and less than this part of the value


@dataclass(frozen=True)
class Layer:
    """The states with the same number of rounds left, and what to do in them.

    Attributes:
        states: (S, width) canonical, in the order of `keys`.
        keys: (S,) ascending hashes of the states.
        options: A batches.
        tied: (S, A) which of them are optimal by the plan.
        chosen: (S, 3) numbers of the batches that rules worst, (uniform: none) and best choose.
        planned: (S, C) values of the plan: with 1 .. C rounds of lookahead, or the optimum only.
        played: (S, 3) values of playing the plan to the end under worst, uniform and best ties.

    Values are sums of what rounds gain, see `Utility.gain`.
    """

    states: Integers
    keys: NDArray[np.uint64]
    options: list[Batch]
    tied: NDArray[np.bool_]
    chosen: Integers
    planned: Floats
    played: Floats

    def find(self, states: Integers) -> Integers:
        """Where canonical states are, (R,); -1 where they are not in the layer."""
        at = np.minimum(np.searchsorted(self.keys, hashes(states)), len(self.keys) - 1)
        return np.where((self.states[at] == states).all(axis=1), at, -1)


@dataclass(frozen=True)
class Solution:
    """What to do from some states on, layer by layer.

    Attributes:
        plates: Sizes of the batches to come.
        layers: One before each of them.
        utility: What is maximised.
    """

    plates: Plates
    layers: list[Layer]
    utility: Utility

    @property
    def states(self) -> int:
        """The number of states in which something is to be decided."""
        return sum(len(layer.states) for layer in self.layers)

    def layer(self, plates: Plates) -> Layer | None:
        """The layer with such batches to come; None where the plan has none."""
        rounds = len(plates)
        return self.layers[-rounds] if rounds and self.plates[-rounds:] == plates else None

    def value(self, ties: str = "best") -> float:
        """Expected utility of campaigns that begin at the first root.

        Args:
            ties: Between batches that are equally good: "worst", "uniform" or "best".
        """
        gained = float(self.layers[0].played[0, RULES.index(ties)])
        return gained * self.utility.share_of_gain(len(self.plates))


def solve(
    belief_mdp: BeliefMDP,
    roots: Integers,
    plates: Plates,
    utility: Utility,
    *,
    lookahead: int | None = None,
    max_states: int = MAX_STATES,
) -> Solution:
    """Plans from canonical states with equally many measurements.

    Args:
        belief_mdp: Of the campaigns.
        roots: (R, width) canonical states.
        plates: Sizes of the batches to come.
        utility: What is maximised.
        lookahead: Rounds that are planned ahead every round, as if the campaign were over then;
            None plans to the end.
        max_states: Before giving up.

    Raises:
        TooManyStates: Says how many would be needed and what is feasible.
    """
    terminal = utility.needs_posterior
    layers = Reach(belief_mdp, plates, max_states, terminal=terminal).layers(roots)
    task = _Decisions(belief_mdp, plates, utility, lookahead)
    after: _After | None = None
    if terminal:
        states, keys = layers.pop()
        nothing = np.zeros((len(states), 0))
        after = _After(keys, _Values(task.worth(states), nothing, nothing))
    plan: list[Layer] = []
    for left, (states, keys) in enumerate(reversed(layers), start=1):
        layer = task.decide(states, keys, left, after)
        after = _After(keys, _Values(task.worth(states), layer.planned, layer.played))
        plan.insert(0, layer)
    return Solution(plates, plan, utility)


@dataclass(frozen=True)
class _Values:
    """Values of S states, or expectations of them after a batch.

    Attributes:
        worth: (S, 1) what they are worth if the campaign is over, where that is not paid before.
        planned, played: As in `Layer`; of no columns once the campaign is over.
    """

    worth: Floats
    planned: Floats
    played: Floats


@dataclass(frozen=True)
class _After:
    """The states one round later, by their hashes."""

    keys: NDArray[np.uint64]
    values: _Values

    def expect(
        self, belief_mdp: BeliefMDP, posterior: Any, states: Integers, batch: Batch
    ) -> _Values:
        """Expected values after a batch in S states."""
        scenarios = belief_mdp.scenarios(batch)
        chances = scenarios.probabilities(posterior)  # (S, E)
        then = belief_mdp.canonical(states[:, None] + scenarios.deltas)
        at = np.searchsorted(self.keys, hashes(then))
        at = np.where(chances > 0, at, 0)  # what cannot happen was not enumerated
        return _Values(
            *(
                np.einsum("se,sec->sc", chances, values[at])
                for values in (self.values.worth, self.values.planned, self.values.played)
            )
        )

    @property
    def columns(self) -> int:
        """Numbers for a state."""
        return 1 + self.values.planned.shape[1] + self.values.played.shape[1]


@dataclass(frozen=True)
class _Decisions:
    """What is planned for."""

    belief_mdp: BeliefMDP
    plates: Plates
    utility: Utility
    lookahead: int | None

    def worth(self, states: Integers) -> Floats:
        """What states are worth if the campaign is over, (S, 1); other utilities are paid."""
        if not self.utility.needs_posterior:
            return np.zeros((len(states), 1))
        return self.belief_mdp.means(self.belief_mdp.weigh(states)).max(axis=1, keepdims=True)

    def decide(
        self, states: Integers, keys: NDArray[np.uint64], left: int, after: _After | None
    ) -> Layer:
        """Values all batches in the states with so many rounds left."""
        options = self.belief_mdp.options(states, self.plates[-left])
        each = 8 * len(options)
        if after is not None:
            most = max(len(self.belief_mdp.scenarios(batch).deltas) for batch in options)
            each = max(each, most * after.columns)
        decided = [self._decide(part, options, left, after) for part in parts(states, each)]
        columns = (np.concatenate(column) for column in zip(*decided, strict=True))
        return Layer(states, keys, options, *columns)

    def _decide(
        self, states: Integers, options: list[Batch], left: int, after: _After | None
    ) -> tuple[NDArray[np.bool_], Integers, Floats, Floats]:
        """Tied (S, A), chosen (S, 3), planned (S, C) and played (S, 3) of some of the states."""
        belief_mdp, q = self.belief_mdp, self.plates[-left]
        depth = left if self.lookahead is None else min(self.lookahead, left)
        steps = [depth] if self.lookahead is None else list(range(1, depth + 1))
        posterior = belief_mdp.weigh(states)
        plans = np.full((len(steps), len(states), len(options)), -np.inf)
        plays = np.full((len(RULES), len(states), len(options)), -np.inf)
        for option, batch in enumerate(options):
            legal = np.flatnonzero(belief_mdp.legal(states, batch))
            if not len(legal):
                continue
            some, its = states[legal], tuple(each[legal] for each in posterior)
            then = None if after is None else after.expect(belief_mdp, its, some, batch)
            gains = {
                rounds: belief_mdp.gain(its, batch, q, self.utility, rounds)
                for rounds in {left, *steps}
            }
            for row, step in enumerate(steps):
                column = 0 if self.lookahead is None else step - 2
                later = _later(then, "planned", column, over=step == 1)
                plans[row, legal, option] = gains[step] + later
            for rule in range(len(RULES)):
                later = _later(then, "played", rule, over=left == 1)
                plays[rule, legal, option] = gains[left] + later
        planned = plans.max(axis=2).T  # (S, C)
        tied = self._largest(plans[-1])
        weights = tied * belief_mdp.proposals(posterior, options)
        uniform = (np.where(tied, plays[1], 0.0) * weights).sum(axis=1) / weights.sum(axis=1)
        worst, favoured = np.where(tied, plays[0], np.inf), np.where(tied, plays[2], -np.inf)
        # The first of what is equal but for rounding, which depends on who is planned together.
        candidates = self._largest(-worst), tied, self._largest(favoured)
        chosen = np.stack([each.argmax(axis=1) for each in candidates], axis=1)
        played = np.stack([worst.min(axis=1), uniform, favoured.max(axis=1)], axis=1)
        return tied, chosen, planned, played

    def _largest(self, values: Floats) -> NDArray[np.bool_]:
        """Which of (S, A) values are their row's largest, but for rounding."""
        largest = values.max(axis=1, keepdims=True)
        tolerance = _TIED * self.belief_mdp.scale + _ROUNDING * np.abs(largest)
        return values >= largest - tolerance


def _later(then: _Values | None, which: str, column: int, *, over: bool) -> Floats | float:
    """Expected values of what comes after the round; what is worth something if it is `over`."""
    if then is None:
        return 0.0
    values: Floats = then.worth[:, 0] if over else getattr(then, which)[:, column]
    return values
