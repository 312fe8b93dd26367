"""Which states can be reached, as long as they are not too many to plan for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from ombo_agents.planners.belief_mdp import (
    Batch,
    BeliefMDP,
    Integers,
    Posterior,
    take_posterior,
)
from ombo_agents.planners.plates import Plates, describe_plates

MAX_STATES = 2_000_000
BRANCHES_PER_STATE = 50  # pairs of a batch and a scenario that are looked at, per state allowed

CHUNK_ENTRIES = 2**20  # of an array over states, batches or scenarios, for bounded memory
_MAX_COUNTED = 400  # measurements up to which all states are counted beforehand

# Told what is being done from now on, and to how many states (None: not known yet); what it returns
# is then told of each further number that is done.
Progress = Callable[[str, int | None], Callable[[int], object]]


class TooManyStates(ValueError):
    """A plan beyond reach; says what it would need and what is feasible."""


def silent(words: str, total: int | None) -> Callable[[int], object]:
    """The `Progress` that shows nothing."""
    return lambda count: None


class ReachableStates:
    """Enumerates the states that can be reached from given ones, round by round.

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
        self._belief_mdp, self._plates, self._rounds = belief_mdp, plates, len(plates)
        self._measured_before = list(accumulate(plates, initial=0))  # (N + 1,), by rounds played
        self._max_states, self._max_branches = max_states, BRANCHES_PER_STATE * max_states
        self._terminal_layers = int(terminal)

    def layers(
        self, roots: Integers, progress: Progress = silent
    ) -> list[tuple[Integers, NDArray[np.uint64]]]:
        """States and their hashes (see `distinct_rows`), by rounds played.

        Args:
            roots: (R, state_width) canonical states with equally many measurements.
            progress: Told of the states that are found.

        Raises:
            TooManyStates: Before they are looked at, where that can be told.
        """
        self._check_beforehand()
        found = progress("finding states", None)
        layers = [distinct_rows(roots)[:2]]
        sizes = [len(layers[0][0])]
        expanded = self._rounds - 1 + self._terminal_layers
        for played in range(expanded):
            self._check(sizes, played + 1)
            layers.append(self._next(layers[-1][0], self._plates[played], sum(sizes)))
            sizes.append(len(layers[-1][0]))
            found(sizes[-1])
        self._check(sizes, expanded)
        return layers

    def _layer_sizes(self, rounds: int) -> list[int]:
        """States in the layers of so many rounds; at most, where not known."""
        return self._belief_mdp.layer_sizes(self._measured_before[: rounds + self._terminal_layers])

    def _check_beforehand(self) -> None:
        """Gives up at once where the numbers are known, or the first state is too much."""
        # Counting takes time itself: long campaigns are counted until it is enough.
        rounds = self._rounds if self._measured_before[-1] <= _MAX_COUNTED else 1
        while True:
            sizes = self._layer_sizes(rounds)
            if self._belief_mdp.counts_are_exact or self._rounds == 1:
                more = "" if rounds == self._rounds else "more than "
                self._check(sizes, rounds - 1 + self._terminal_layers, f"{more}{sum(sizes):,}")
            if rounds == self._rounds:
                return
            rounds = min(2 * rounds, self._rounds)

    def _check(self, sizes: list[int], expanded: int, needed: str | None = None) -> None:
        """Gives up where there are too many states, or too much to do in them.

        Args:
            sizes: States of the first layers.
            expanded: How many of these layers have all their branches looked at.
            needed: How many states it takes, where that is known.
        """
        if self._allowed(sizes, expanded):
            return
        if needed is None:
            needed = f"up to {sum(self._layer_sizes(self._rounds)):,}"
        extra = self._terminal_layers
        feasible = [
            n for n in range(1, len(sizes)) if self._allowed(sizes[: n + extra], n - 1 + extra)
        ]
        smaller = (
            f"with such batches, feasible is N <= {max(feasible)}"
            if feasible
            else "with such batches no N is feasible, with smaller ones one may be"
        )
        branches = self._belief_mdp.num_branches(self._plates[0])
        raise TooManyStates(
            f"exact planning of {describe_plates(self._plates)} needs {needed} states with "
            f"{branches:,} branches (batches x outcomes) in the first, but at most "
            f"{self._max_states:,} states (max_states) and {self._max_branches:,} branches in all "
            f"were allowed; {smaller}, or raise max_states"
        )

    def _allowed(self, sizes: list[int], expanded: int) -> bool:
        """Whether states and branches are few enough."""
        few_states = sum(sizes) <= self._max_states
        return few_states and self._count_branches(sizes, expanded) <= self._max_branches

    def _count_branches(self, sizes: list[int], expanded: int) -> int:
        """Branches of the states of the first layers, and batches of the others."""
        total = 0
        for played, size in enumerate(sizes):
            q = self._plates[min(played, self._rounds - 1)]
            measured = self._measured_before[played]
            if played < expanded:
                total += size * self._belief_mdp.num_branches(q, measured)
            else:
                total += size * self._belief_mdp.num_options(q, measured)
        return total

    def _next(
        self, states: Integers, q: int, num_before: int
    ) -> tuple[Integers, NDArray[np.uint64]]:
        """The states one round of q designs after those of a layer, and their hashes.

        Args:
            states: (S, state_width).
            q: Batch size.
            num_before: States of this layer and all layers before it.
        """
        options = self._belief_mdp.options(states, q)
        most = max(len(self._belief_mdp.scenarios(batch).deltas) for batch in options)
        found: list[Integers] = []
        num_found = 0  # with those that were found several times
        for chunk in state_chunks(states, most):
            posterior = self._belief_mdp.posterior(states[chunk])
            for batch in options:
                found.append(self._after(states[chunk], posterior, batch))
                num_found += len(found[-1])
                if num_found > max(CHUNK_ENTRIES, self._max_states):
                    found = [distinct_rows(np.concatenate(found))[0]]
                    num_found = len(found[0])
                    if num_before + num_found > self._max_states:  # the caller gives up
                        return distinct_rows(found[0])[:2]
        return distinct_rows(np.concatenate(found))[:2]

    def _after(self, states: Integers, posterior: Posterior, batch: Batch) -> Integers:
        """What a batch can lead to from S states, each state once, (n, state_width)."""
        legal = np.flatnonzero(self._belief_mdp.legal(states, batch))  # (L,)
        scenarios = self._belief_mdp.scenarios(batch)
        chances = scenarios.probabilities(take_posterior(posterior, legal))  # (L, E)
        state, scenario = np.nonzero(chances > 0)
        after = states[legal[state]] + scenarios.deltas[scenario]
        return distinct_rows(self._belief_mdp.canonical(after))[0]


def state_chunks(states: Integers, entries: int) -> Iterator[slice]:
    """Slices of S states for which arrays of so many `entries` a state stay small."""
    size = max(1, CHUNK_ENTRIES // max(1, entries * states.shape[1]))
    for first in range(0, len(states), size):
        yield slice(first, first + size)


def hash_states(states: Integers) -> NDArray[np.uint64]:
    """A 64-bit hash of each state, (..., state_width) -> (...,)."""
    multipliers = _multipliers(states.shape[-1])
    keys: NDArray[np.uint64] = (states.astype(np.uint64) * multipliers).sum(
        axis=-1, dtype=np.uint64
    )
    return keys


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
    keys, first, inverse = np.unique(hash_states(rows), return_index=True, return_inverse=True)
    inverse = inverse.ravel()
    if not (rows[first][inverse] == rows).all():  # as unlikely as 64-bit hashes make it
        raise RuntimeError("two states have the same 64-bit hash; please report this campaign")
    return rows[first], keys, inverse
