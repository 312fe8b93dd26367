"""Backward induction: the best batch in every state that can be reached, and what it is worth.

Reference:
    Puterman, Markov Decision Processes, 1994, section 4.5; DeGroot, Optimal Statistical Decisions,
    1970, chapter 12, for beliefs as states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.planners.beliefs import Batch, Beliefs, Floats, Integers

MAX_STATES = 2_000_000
BRANCHES_PER_STATE = 100  # pairs of a batch and a scenario that MAX_STATES stands for, per state
TIES = ("first", "uniform", "worst", "best")
RULES = ("worst", "uniform", "best")  # tie rules whose values come with a plan, in this order

_TOLERANCE = 1e-10  # batches whose values differ by less, relative to 1 or the value, are tied
_CHUNK = 2**20  # entries of an array over states, batches or scenarios, for bounded memory


class TooManyStates(ValueError):
    """A plan beyond reach; says what it would need and what is feasible."""


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
class Plan:
    """What to do from some states on, layer by layer.

    Attributes:
        layers: The first with `len(layers)` rounds left, the last with one.
    """

    layers: list[Layer]

    @property
    def states(self) -> int:
        """The number of states in which something is to be decided."""
        return sum(len(layer.states) for layer in self.layers)

    def layer(self, rounds_left: int) -> Layer | None:
        """The layer with so many rounds left; None where the plan is shorter."""
        return self.layers[-rounds_left] if 1 <= rounds_left <= len(self.layers) else None

    def value(self, ties: str = "best") -> float:
        """What the first root is worth under a tie rule of "worst", "uniform" and "best"."""
        return float(self.layers[0].played[0, RULES.index(ties)])


def solve(
    beliefs: Beliefs,
    roots: Integers,
    rounds: int,
    q: int,
    utility: str,
    *,
    lookahead: int | None = None,
    max_states: int = MAX_STATES,
) -> Plan:
    """Plans from canonical states with equally many measurements.

    Args:
        beliefs: Of the problem.
        roots: (R, width) canonical states.
        rounds: Left to play.
        q: Batch size.
        utility: What is maximised.
        lookahead: Rounds that are planned ahead every round, as if the campaign were over then;
            None plans to the end.
        max_states: Before giving up.

    Raises:
        TooManyStates: Says how many would be needed and what is feasible.
    """
    terminal = utility == "recommendation"
    reached = _Reached(beliefs, q, rounds, max_states, terminal=terminal)
    layers = [distinct_rows(roots)[:2]]
    reached.check()
    for _ in range(rounds - 1 + terminal):
        layers.append(reached.next(layers))
    after: _After | None = None
    if terminal:
        states, keys = layers.pop()
        after = _After(keys, _worth(beliefs, states))
    plan: list[Layer] = []
    for left, (states, keys) in enumerate(reversed(layers), start=1):
        layer = _decide(beliefs, states, keys, left, q, utility, lookahead, after)
        columns = [_worth(beliefs, states)] if terminal else []
        after = _After(keys, np.concatenate([*columns, layer.planned, layer.played], axis=1))
        plan.insert(0, layer)
    return Plan(plan)


def _worth(beliefs: Beliefs, states: Integers) -> Floats:
    """What states are worth under `recommendation` when the campaign is over, (S, 1)."""
    return beliefs.means(beliefs.weigh(states)).max(axis=1, keepdims=True)


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
    if not (rows[first][inverse] == rows).all():  # a chance of 2^-64 for every pair
        raise RuntimeError("two states have the same 64-bit hash; please report this campaign")
    return rows[first], keys, inverse


class _Reached:
    """Finds the states that can be reached, round by round, as long as they are not too many."""

    def __init__(
        self, beliefs: Beliefs, q: int, rounds: int, max_states: int, *, terminal: bool
    ) -> None:
        self._beliefs, self._q, self._rounds, self._max = beliefs, q, rounds, max_states
        self._terminal = int(terminal)  # whether the states after the last round count as well
        self._most = BRANCHES_PER_STATE * max_states

    def check(self) -> None:
        """Gives up where it can be told beforehand that there are too many states or branches.

        Raises:
            TooManyStates: There are.
        """
        branches, sizes = self._needs()
        many = sum(sizes) > self._max or branches * sum(sizes[:-1]) > self._most
        if branches > self._most or (many and self._beliefs.exact_sizes):
            self._give_up()

    def _needs(self) -> tuple[int, list[int]]:
        """Branches of a state, and states by round."""
        sizes = self._beliefs.layer_sizes(self._q, self._rounds + self._terminal)
        return self._beliefs.branches(self._q), sizes

    def _give_up(self) -> None:
        branches, sizes = self._needs()
        feasible = [
            n
            for n in range(1, self._rounds)
            for layers in (n + self._terminal,)
            if sum(sizes[:layers]) <= self._max
            and branches * max(1, sum(sizes[: layers - 1])) <= self._most
        ]
        smaller = (
            f"feasible with q = {self._q}: N <= {max(feasible)}"
            if feasible
            else f"no N > 1 is feasible with q = {self._q}, a smaller q may be"
        )
        raise TooManyStates(
            f"exact planning of N = {self._rounds} rounds of q = {self._q} needs "
            f"{'' if self._beliefs.exact_sizes else 'up to '}{sum(sizes):,} states with "
            f"{branches:,} branches each (batches x outcomes), but at most {self._max:,} states "
            f"(max_states) and {self._most:,} branches in all were allowed; {smaller}, or raise "
            "max_states"
        )

    def next(
        self, layers: Sequence[tuple[Integers, NDArray[np.uint64]]]
    ) -> tuple[Integers, NDArray[np.uint64]]:
        """The states one round after the last layer's."""
        beliefs, states = self._beliefs, layers[-1][0]
        so_far = sum(len(layer[0]) for layer in layers)
        found: list[Integers] = []
        pending = 0
        for batch in beliefs.options(states, self._q):
            scenarios = beliefs.scenarios(batch)
            legal = states[beliefs.legal(states, batch)]
            for part in _parts(legal, len(scenarios.deltas)):
                possible = scenarios.probabilities(beliefs.weigh(part)) > 0  # (S, E)
                which, scenario = np.nonzero(possible)
                after = beliefs.canonical(part[which] + scenarios.deltas[scenario])
                found.append(distinct_rows(after)[0])
                pending += len(found[-1])
                if pending > max(_CHUNK, self._max):
                    found = [distinct_rows(np.concatenate(found))[0]]
                    pending = len(found[0])
                    if so_far + pending > self._max:
                        self._give_up()
        states, keys, _ = distinct_rows(np.concatenate(found))
        if so_far + len(states) > self._max:
            self._give_up()
        return states, keys


@dataclass(frozen=True)
class _After:
    """The states one round later, and their values, of which expectations are taken.

    Columns of values: under `recommendation` what the state is worth if the campaign is over, then
    the layer's planned and played ones.
    """

    keys: NDArray[np.uint64]
    values: Any  # (S, C)


def _parts(states: Integers, each: int) -> list[Integers]:
    """Slices of states so that arrays of `each` entries a state stay small."""
    step = max(1, _CHUNK // max(1, each * states.shape[1]))
    return [states[at : at + step] for at in range(0, len(states), step)]


def _expect(beliefs: Beliefs, posterior: Any, states: Integers, batch: Batch, after: _After) -> Any:
    """Expected values after a batch, (S, C)."""
    scenarios = beliefs.scenarios(batch)
    chances = scenarios.probabilities(posterior)  # (S, E)
    then = beliefs.canonical(states[:, None] + scenarios.deltas)
    at = np.searchsorted(after.keys, hashes(then))
    at = np.where(chances > 0, at, 0)  # what cannot happen was not enumerated
    return np.einsum("se,sec->sc", chances, after.values[at])


def _decide(
    beliefs: Beliefs,
    states: Integers,
    keys: NDArray[np.uint64],
    left: int,
    q: int,
    utility: str,
    lookahead: int | None,
    after: _After | None,
) -> Layer:
    """Values all batches in the states with so many rounds left."""
    options = beliefs.options(states, q)
    most = max(len(beliefs.scenarios(batch).deltas) for batch in options)
    each = max(8 * len(options), most * (1 if after is None else after.values.shape[1]))
    parts = [
        _decide_part(beliefs, part, options, left, q, utility, lookahead, after)
        for part in _parts(states, each)
    ]
    tied, chosen, planned, played = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Layer(states, keys, options, tied, chosen, planned, played)


def _decide_part(
    beliefs: Beliefs,
    states: Integers,
    options: list[Batch],
    left: int,
    q: int,
    utility: str,
    lookahead: int | None,
    after: _After | None,
) -> tuple[NDArray[np.bool_], Integers, Floats, Floats]:
    """Tied (S, A), chosen (S, 3), planned (S, C) and played (S, 3) of some states of a layer."""
    terminal = utility == "recommendation"
    depth = left if lookahead is None else min(lookahead, left)
    steps = [depth] if lookahead is None else list(range(1, depth + 1))
    posterior = beliefs.weigh(states)
    plans = np.full((len(steps), len(states), len(options)), -np.inf)
    plays = np.full((3, len(states), len(options)), -np.inf)
    for option, batch in enumerate(options):
        legal = np.flatnonzero(beliefs.legal(states, batch))
        if not len(legal):
            continue
        some, its = states[legal], _take(posterior, legal)
        gains = {
            last: beliefs.gain(its, some, batch, q, utility, last=last) for last in (True, False)
        }
        then = None if after is None else _expect(beliefs, its, some, batch, after)
        for row, step in enumerate(steps):
            value = gains[step == 1]
            if step > 1 or terminal:
                assert then is not None
                # Columns: the terminal value, if there is one; the plan's; what is played.
                column = 0 if step == 1 else terminal + (0 if lookahead is None else step - 2)
                value = value + then[:, column]
            plans[row, legal, option] = value
        for rule in range(3):
            value = gains[left == 1]
            if left > 1 or terminal:
                assert then is not None
                value = value + then[:, 0 if left == 1 else rule - 3]
            plays[rule, legal, option] = value
    planned = plans.max(axis=2).T  # (S, C)
    tied = _among_largest(plans[-1])
    weights = tied * beliefs.proposals(posterior, options)
    uniform = (np.where(tied, plays[1], 0.0) * weights).sum(axis=1) / weights.sum(axis=1)
    worst, favoured = np.where(tied, plays[0], np.inf), np.where(tied, plays[2], -np.inf)
    # The first of what is equal but for rounding, which depends on the states planned together.
    candidates = _among_largest(-worst), tied, _among_largest(favoured)
    chosen = np.stack([each.argmax(axis=1) for each in candidates], axis=1)
    played = np.stack([worst.min(axis=1), uniform, favoured.max(axis=1)], axis=1)
    return tied, chosen, planned, played


def _among_largest(values: Floats) -> NDArray[np.bool_]:
    """Which of (S, A) values are their row's largest, but for rounding."""
    largest = values.max(axis=1, keepdims=True)
    return values >= largest - _TOLERANCE * np.maximum(1.0, np.abs(largest))


def _take(posterior: Any, rows: NDArray[np.intp]) -> Any:
    return (
        tuple(each[rows] for each in posterior) if isinstance(posterior, tuple) else posterior[rows]
    )
