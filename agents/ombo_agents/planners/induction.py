"""Backward induction: the best batch in every state that can be reached, and its value.

Reference:
    Puterman, Markov Decision Processes, 1994, section 4.5; DeGroot, Optimal Statistical Decisions,
    1970, chapter 12, for beliefs as states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_agents.planners.belief_mdp import (
    Batch,
    BeliefMDP,
    Floats,
    Integers,
    Posterior,
    take_posterior,
)
from ombo_agents.planners.plates import Plates
from ombo_agents.planners.reachable_states import (
    MAX_STATES,
    Progress,
    ReachableStates,
    hash_states,
    silent,
    state_chunks,
)
from ombo_gym.utilities import Utility

TIES = ("first", "uniform", "worst", "best")
RULES = ("worst", "uniform", "best")  # tie rules whose values come with a plan, in this order

_WORST, _UNIFORM, _BEST = range(len(RULES))
_TIED = 1e-10  # differences of less than this part of how far values are apart are ties,
_ROUNDING = 1e-12  # and less than this part of the value


@dataclass(frozen=True)
class Layer:
    """The states with the same number of rounds left, and what to do in them.

    Attributes:
        states: (S, state_width) canonical, in the order of `keys`.
        keys: (S,) ascending hashes of the states.
        options: A batches.
        tied: (S, A) which of them are optimal by the plan.
        chosen: (S, 3) numbers of the batches that rules worst, (uniform: none) and best choose.
        planned: (S, C) values of the plan, one column for each lookahead that later rounds need.
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
        index = np.minimum(np.searchsorted(self.keys, hash_states(states)), len(self.keys) - 1)
        return np.where((self.states[index] == states).all(axis=1), index, -1)


@dataclass(frozen=True)
class Solution:
    """What to do from given states on, layer by layer.

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

    def layer_index(self, plates: Plates) -> int | None:
        """Which layer has such batches to come; None where the plan has none."""
        index = len(self.plates) - len(plates)
        return index if plates and index >= 0 and self.plates[index:] == plates else None

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
    progress: Progress = silent,
) -> Solution:
    """Plans from canonical states with equally many measurements.

    Args:
        belief_mdp: Of the campaigns.
        roots: (R, state_width) canonical states.
        plates: Sizes of the batches to come.
        utility: What is maximised.
        lookahead: Rounds that are planned ahead every round, as if the campaign were over then;
            None plans to the end.
        max_states: Before giving up.
        progress: Told of the states that are found, and then of those that are planned for.

    Raises:
        TooManyStates: Says how many would be needed and what is feasible.
    """
    terminal = utility.needs_posterior
    found = ReachableStates(belief_mdp, plates, max_states, terminal=terminal)
    reachable = found.layers(roots, progress)
    planned = progress("planning", sum(len(states) for states, _ in reachable[: len(plates)]))
    backward = _BackwardInduction(belief_mdp, plates, utility, lookahead, planned)
    successors: _StateValues | None = None
    if terminal:
        states, keys = reachable.pop()
        nothing = np.zeros((len(states), 0))  # no round is left to plan or play
        successors = _StateValues(keys, backward.terminal_values(states), nothing, nothing)
    layers: list[Layer] = []  # of the last round first
    for rounds_left, (states, keys) in enumerate(reversed(reachable), start=1):
        layer = backward.layer(states, keys, rounds_left, successors)
        terminal_values = backward.terminal_values(states)
        successors = _StateValues(keys, terminal_values, layer.planned, layer.played)
        layers.append(layer)
    return Solution(plates, layers[::-1], utility)


@dataclass(frozen=True)
class _Continuation:
    """Expected values of what comes after a batch, in S states.

    Attributes:
        terminal: (S, 1) if the campaign is over then: what is not paid before.
        planned, played: (S, C) and (S, 3) as in `Layer`; no columns where the campaign is over.
    """

    terminal: Floats
    planned: Floats
    played: Floats


@dataclass(frozen=True)
class _StateValues:
    """Values of the T states one round later.

    Attributes:
        keys: (T,) ascending hashes of the states.
        terminal: (T, 1) their values if the campaign is over then.
        planned, played: (T, C) and (T, 3) as in `Layer`.
    """

    keys: NDArray[np.uint64]
    terminal: Floats
    planned: Floats
    played: Floats

    def expect(
        self, belief_mdp: BeliefMDP, posterior: Posterior, states: Integers, batch: Batch
    ) -> _Continuation:
        """Expected values after a batch in S states."""
        scenarios = belief_mdp.scenarios(batch)
        chances = scenarios.probabilities(posterior)  # (S, E)
        after = belief_mdp.canonical(states[:, None] + scenarios.deltas)  # (S, E, state_width)
        index = np.searchsorted(self.keys, hash_states(after))  # (S, E)
        index = np.where(chances > 0, index, 0)  # what cannot happen was not enumerated

        def mean(values: Floats) -> Floats:
            """Of values (T, C) over scenarios, (S, C)."""
            expected: Floats = np.einsum("se,sec->sc", chances, values[index])
            return expected

        return _Continuation(mean(self.terminal), mean(self.planned), mean(self.played))

    @property
    def num_columns(self) -> int:
        """Numbers for a state."""
        num_columns: int = 1 + self.planned.shape[1] + self.played.shape[1]
        return num_columns


@dataclass(frozen=True)
class _BackwardInduction:
    """One step of it, for campaigns with such plates; `planned` is told of states that are done."""

    belief_mdp: BeliefMDP
    plates: Plates
    utility: Utility
    lookahead: int | None
    planned: Callable[[int], object]

    def terminal_values(self, states: Integers) -> Floats:
        """Values of S states if the campaign is over, (S, 1); 0 where all is paid before."""
        if not self.utility.needs_posterior:
            return np.zeros((len(states), 1))
        means = self.belief_mdp.posterior_means(self.belief_mdp.posterior(states))  # (S, M)
        best: Floats = means.max(axis=1, keepdims=True)
        return best

    def layer(
        self,
        states: Integers,
        keys: NDArray[np.uint64],
        rounds_left: int,
        successors: _StateValues | None,
    ) -> Layer:
        """Decides in the states with so many rounds left.

        Args:
            states: (S, state_width) canonical, in the order of `keys`.
            keys: (S,) hashes of the states.
            rounds_left: This round included.
            successors: The states one round later; None where they are worth nothing.
        """
        options = self.belief_mdp.options(states, self.plates[-rounds_left])
        entries = 8 * len(options)
        if successors is not None:
            most = max(len(self.belief_mdp.scenarios(batch).deltas) for batch in options)
            entries = max(entries, most * successors.num_columns)
        return _joined(
            [
                self._decide(states[chunk], keys[chunk], options, rounds_left, successors)
                for chunk in state_chunks(states, entries)
            ]
        )

    def _decide(
        self,
        states: Integers,
        keys: NDArray[np.uint64],
        options: list[Batch],
        rounds_left: int,
        successors: _StateValues | None,
    ) -> Layer:
        """As `layer`, of a chunk of the states."""
        posterior = self.belief_mdp.posterior(states)
        shape = len(states), len(options)
        planned = np.full((len(self._lookaheads(rounds_left)), *shape), -np.inf)  # (C, S, A)
        played = np.full((len(RULES), *shape), -np.inf)  # (3, S, A)
        for option, batch in enumerate(options):
            legal = np.flatnonzero(self.belief_mdp.legal(states, batch))  # (L,)
            if len(legal):
                planned[:, legal, option], played[:, legal, option] = self._values_of_batch(
                    states[legal], take_posterior(posterior, legal), batch, rounds_left, successors
                )
        tied = self._largest(planned[-1])  # (S, A)
        weights = tied * self.belief_mdp.num_proposals(posterior, options)  # (S, A)
        chosen, played_values = self._break_ties(played, tied, weights)
        self.planned(len(states))
        return Layer(states, keys, options, tied, chosen, planned.max(axis=2).T, played_values)

    def _lookaheads(self, rounds_left: int) -> list[int]:
        """Rounds that are planned ahead, by the columns of `Layer.planned`; the last is played."""
        if self.lookahead is None:
            return [rounds_left]
        return list(range(1, min(self.lookahead, rounds_left) + 1))

    def _values_of_batch(
        self,
        states: Integers,
        posterior: Posterior,
        batch: Batch,
        rounds_left: int,
        successors: _StateValues | None,
    ) -> tuple[list[Floats], list[Floats]]:
        """Values of a batch in S states: by each lookahead, (C, S), and by tie rules, (3, S)."""
        belief_mdp, q = self.belief_mdp, self.plates[-rounds_left]
        lookaheads = self._lookaheads(rounds_left)
        gain = {
            rounds: belief_mdp.expected_gain(posterior, batch, q, self.utility, rounds)  # (S,)
            for rounds in {rounds_left, *lookaheads}
        }
        if successors is None:
            return [gain[rounds] for rounds in lookaheads], [gain[rounds_left] for _ in RULES]
        after = successors.expect(belief_mdp, posterior, states, batch)
        planned = []
        for rounds in lookaheads:
            if rounds == 1:
                planned.append(gain[1] + after.terminal[:, 0])
            else:
                column = self._lookaheads(rounds_left - 1).index(rounds - 1)
                planned.append(gain[rounds] + after.planned[:, column])
        if rounds_left == 1:
            played = [gain[1] + after.terminal[:, 0] for _ in RULES]
        else:
            played = [gain[rounds_left] + after.played[:, rule] for rule in range(len(RULES))]
        return planned, played

    def _break_ties(
        self, played: Floats, tied: NDArray[np.bool_], weights: Floats
    ) -> tuple[Integers, Floats]:
        """What tie rules choose and what they are then worth, (S, 3) both.

        Args:
            played: (3, S, A) values of going on after each batch, by rule.
            tied: (S, A) which batches are optimal by the plan.
            weights: (S, A) of the batches under "uniform".
        """
        worst = np.where(tied, played[_WORST], np.inf)  # (S, A)
        uniform = np.where(tied, played[_UNIFORM], 0.0)  # (S, A)
        best = np.where(tied, played[_BEST], -np.inf)  # (S, A)
        # The first of those that are equal but for rounding, which depends on the states that are
        # planned together.
        candidates = self._smallest(worst), tied, self._largest(best)
        chosen = np.stack([option.argmax(axis=1) for option in candidates], axis=1)
        mean = (uniform * weights).sum(axis=1) / weights.sum(axis=1)  # (S,)
        return chosen, np.stack([worst.min(axis=1), mean, best.max(axis=1)], axis=1)

    def _largest(self, values: Floats) -> NDArray[np.bool_]:
        """Which of (S, A) values are the largest of their state, but for rounding."""
        largest = values.max(axis=1, keepdims=True)
        is_largest: NDArray[np.bool_] = values >= largest - self._tolerance(largest)
        return is_largest

    def _smallest(self, values: Floats) -> NDArray[np.bool_]:
        """Which of (S, A) values are the smallest of their state, but for rounding."""
        smallest = values.min(axis=1, keepdims=True)
        is_smallest: NDArray[np.bool_] = values <= smallest + self._tolerance(smallest)
        return is_smallest

    def _tolerance(self, values: Floats) -> Floats:
        """Differences that are no more than ties, elementwise."""
        return _TIED * self.belief_mdp.value_scale + _ROUNDING * np.abs(values)


def _joined(layers: Sequence[Layer]) -> Layer:
    """Layers of chunks of the same states, as one."""
    return Layer(
        states=np.concatenate([layer.states for layer in layers]),
        keys=np.concatenate([layer.keys for layer in layers]),
        options=layers[0].options,
        tied=np.concatenate([layer.tied for layer in layers]),
        chosen=np.concatenate([layer.chosen for layer in layers]),
        planned=np.concatenate([layer.planned for layer in layers]),
        played=np.concatenate([layer.played for layer in layers]),
    )
