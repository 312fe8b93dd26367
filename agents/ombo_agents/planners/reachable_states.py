"""Which states can be reached, as long as they are not too many to plan for."""

from __future__ import annotations

from functools import cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from ombo_agents.planners.belief_mdp import BeliefMDP, Integers
from ombo_agents.planners.plates import Plates, in_words

MAX_STATES = 2_000_000
BRANCHES_PER_STATE = 50  # pairs of a batch and a scenario that are looked at, per state allowed

_COUNTED = 400  # measurements up to which all states are counted beforehand
CHUNK = 2**20  # entries of an array over states, batches or scenarios, for bounded memory


class TooManyStates(ValueError):
    """A plan beyond reach; says what it would need and what is feasible."""


class Reach:
    """Finds the states that can be reached from some, round by round.

    Args:
        belief_mdp: Of the problem.
        plates: Sizes of the batches to come.
        max_states: Before giving up; 50 times as many pairs of a batch and a scenario are looked
            at.
        terminal: Whether the states after the last round are wanted as well.
    """

    def __init__(
        self, belief_mdp: BeliefMDP, plates: Plates, max_states: int, *, terminal: bool
    ) -> None:
        self._beliefs, self._plates, self._rounds = belief_mdp, plates, len(plates)
        self._counts = list(accumulate(plates, initial=0))  # measurements before each round
        self._max, self._most = max_states, BRANCHES_PER_STATE * max_states
        self._terminal = int(terminal)

    def layers(self, roots: Integers) -> list[tuple[Integers, NDArray[np.uint64]]]:
        """States and their hashes (see `distinct_rows`), by rounds played.

        Args:
            roots: (R, width) canonical states with equally many measurements.

        Raises:
            TooManyStates: Before they are looked at, where that can be told.
        """
        self._check_beforehand()
        layers = [distinct_rows(roots)[:2]]
        sizes = [len(layers[0][0])]
        expanded = self._rounds - 1 + self._terminal
        for played in range(expanded):
            self._check(sizes, played + 1)
            layers.append(self._next(layers[-1][0], self._plates[played], sum(sizes)))
            sizes.append(len(layers[-1][0]))
        self._check(sizes, expanded)
        return layers

    def _check_beforehand(self) -> None:
        """Gives up at once where the numbers are known, or the first state is too much."""
        # Counting takes time itself: long campaigns are counted until it is enough.
        rounds = self._rounds if self._counts[-1] <= _COUNTED else 1
        while True:
            sizes = self._beliefs.layer_sizes(self._counts[: rounds + self._terminal])
            if self._beliefs.exact_sizes or self._rounds == 1:
                more = "" if rounds == self._rounds else "more than "
                self._check(sizes, rounds - 1 + self._terminal, f"{more}{sum(sizes):,}")
            if rounds == self._rounds:
                return
            rounds = min(2 * rounds, self._rounds)

    def _check(self, sizes: list[int], expanded: int, needed: str | None = None) -> None:
        """Gives up where there are too many states, or too much to do in them."""
        if sum(sizes) <= self._max and self._branches(sizes, expanded) <= self._most:
            return
        if needed is None:
            bound = self._beliefs.layer_sizes(self._counts[: self._rounds + self._terminal])
            needed = f"up to {sum(bound):,}"
        feasible = [
            n
            for n in range(1, len(sizes))
            if sum(sizes[: n + self._terminal]) <= self._max
            and self._branches(sizes[: n + self._terminal], n - 1 + self._terminal) <= self._most
        ]
        smaller = (
            f"with such batches, feasible is N <= {max(feasible)}"
            if feasible
            else "with such batches no N is feasible, with smaller ones one may be"
        )
        raise TooManyStates(
            f"exact planning of {in_words(self._plates)} needs {needed} states with "
            f"{self._beliefs.branches(self._plates[0]):,} branches (batches x outcomes) in the "
            f"first, but at most {self._max:,} states (max_states) and {self._most:,} branches in "
            f"all were allowed; {smaller}, or raise max_states"
        )

    def _branches(self, sizes: list[int], expanded: int) -> int:
        """Branches of the states of the first layers, and batches of the others."""
        belief_mdp, total = self._beliefs, 0
        for played, size in enumerate(sizes):
            count = belief_mdp.branches if played < expanded else belief_mdp.option_count
            q = self._plates[min(played, self._rounds - 1)]
            total += size * count(q, self._counts[played])
        return total

    def _next(self, states: Integers, q: int, so_far: int) -> tuple[Integers, NDArray[np.uint64]]:
        """The states one round of q designs after a layer's."""
        belief_mdp = self._beliefs
        found: list[Integers] = []
        pending = 0
        options = belief_mdp.options(states, q)
        most = max(len(belief_mdp.scenarios(batch).deltas) for batch in options)
        for part in parts(states, most):
            posterior = belief_mdp.weigh(part)
            for batch in options:
                legal = np.flatnonzero(belief_mdp.legal(part, batch))
                scenarios = belief_mdp.scenarios(batch)
                its = tuple(each[legal] for each in posterior)
                which, scenario = np.nonzero(scenarios.probabilities(its) > 0)  # (S, E)
                after = belief_mdp.canonical(part[legal[which]] + scenarios.deltas[scenario])
                found.append(distinct_rows(after)[0])
                pending += len(found[-1])
                if pending > max(CHUNK, self._max):
                    found = [distinct_rows(np.concatenate(found))[0]]
                    pending = len(found[0])
                    if so_far + pending > self._max:
                        return distinct_rows(found[0])[:2]  # too many already: the caller gives up
        reached, keys, _ = distinct_rows(np.concatenate(found))
        return reached, keys


def parts(states: Integers, each: int) -> list[Integers]:
    """Slices of states so that arrays of `each` entries a state stay small."""
    step = max(1, CHUNK // max(1, each * states.shape[1]))
    return [states[at : at + step] for at in range(0, len(states), step)]


def hashes(states: Integers) -> NDArray[np.uint64]:
    """A 64-bit hash of each state, (..., width) -> (...,)."""
    multipliers = _multipliers(states.shape[-1])
    return (states.astype(np.uint64) * multipliers).sum(axis=-1, dtype=np.uint64)


@cache
def _multipliers(width: int) -> NDArray[np.uint64]:
    rng = np.random.Generator(np.random.Philox(width))
    return rng.integers(0, 2**64, width, dtype=np.uint64) | np.uint64(1)


def distinct_rows(rows: Integers) -> tuple[Integers, NDArray[np.uint64], Integers]:
    """Rows of numbers each once, in the order of their hashes.

    Args:
        rows: (n, width).

    Returns:
        The rows, (m, width); their hashes, (m,) ascending; which of them each row is, (n,).
    """
    keys, first, inverse = np.unique(hashes(rows), return_index=True, return_inverse=True)
    inverse = inverse.ravel()
    if not (rows[first][inverse] == rows).all():  # as unlikely as 64-bit hashes make it
        raise RuntimeError("two states have the same 64-bit hash; please report this campaign")
    return rows[first], keys, inverse
