"""What is known of a campaign, as rows of whole numbers: the states of exact planning.

A state is a sum over the dataset's rows: every measurement, an *item* (design, outcome), adds its
own row of numbers. Everything is computed for S states at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product
from math import comb, factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.game import Game
from ombo_gym.problems.bandit import Bandit
from ombo_gym.problems.landscapes import Landscapes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Batch = tuple[int, ...]  # designs


@dataclass(frozen=True)
class Scenarios:
    """What a batch may show.

    Attributes:
        items: (E, len(batch)) measurements, in the order of the batch.
        deltas: (E, width) what they add to a state.
        probabilities: From S posteriors to (S, E).
    """

    items: Integers
    deltas: Integers
    probabilities: Callable[[Any], Floats]


class Beliefs(ABC):
    """States of a problem whose posterior is known exactly.

    Attributes:
        size: M, the number of designs.
        width: Numbers in a state.
        exact_sizes: Whether `layer_sizes` and `branches` are what is needed, not bounds from above.
        repeats: Whether a design can be measured again.
        utilities: That can be planned for.
        scale: How far true values are apart: differences of less than a tiny part of it are ties.
        item_values: (items,) float32: what a measurement reads; item i is of design
            i // (items // M).
        item_deltas: (items, width): what it adds to a state.
    """

    size: int
    width: int
    exact_sizes: bool
    repeats: bool
    utilities: tuple[str, ...]
    scale: float
    item_values: NDArray[np.float32]
    item_deltas: Integers

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_scenarios": {}}  # functions, which cannot be pickled

    @abstractmethod
    def items(self, observation: dict[str, NDArray[Any]]) -> Integers:
        """The measurements of B datasets, (B, capacity); -1 where there is none.

        Raises:
            ValueError: A dataset that the problem cannot show.
        """

    def _check_designs(self, designs: Integers, observed: NDArray[np.bool_]) -> None:
        odd = observed & ((designs[..., 0] < 0) | (designs[..., 0] >= self.size))
        if odd.any():
            raise ValueError(
                f"designs: expected 0 to {self.size - 1}, got {designs[odd][0, 0]} in a dataset"
            )

    def states(self, items: Integers) -> Integers:
        """Sums of what items add, (S, n) -> (S, width); -1 adds nothing."""
        states = np.zeros((len(items), self.width), np.int64)
        for column in items.T:
            states += np.where((column >= 0)[:, None], self.item_deltas[column], 0)
        return states

    def design_of(self, items: Integers) -> Integers:
        """The designs that items measure, elementwise; -1 stays."""
        return items // (len(self.item_values) // self.size)

    def canonical(self, states: Integers) -> Integers:
        """States with exchangeable designs in descending order, (..., width)."""
        return states

    def order(self, states: Integers) -> Integers:
        """Where designs went, (..., M): design j of the canonical state is `order[..., j]`."""
        return np.broadcast_to(np.arange(self.size), (*states.shape[:-1], self.size))

    @abstractmethod
    def options(self, states: Integers, q: int) -> list[Batch]:
        """All batches, in lexicographic order; of fewer designs than q where fewer are left."""

    def legal(self, states: Integers, batch: Batch) -> NDArray[np.bool_]:
        """In which of S states the batch can be measured, (S,)."""
        return np.ones(len(states), bool)

    @abstractmethod
    def weigh(self, states: Integers) -> Any:
        """The posteriors of S states; arrays with a leading S, for the methods below."""

    @abstractmethod
    def scenarios(self, batch: Batch, detail: str = "beliefs") -> Scenarios:
        """What a batch may show.

        Args:
            batch: Designs.
            detail: "beliefs": what leads to the same belief may be one scenario; "sets": what leads
                to the same measurements, whatever their order; "sequences": every order is another.
        """

    @abstractmethod
    def gain(
        self, posterior: Any, states: Integers, batch: Batch, q: int, utility: str, *, last: bool
    ) -> Floats:
        """Expected gain of utility from a round, (S,); the slots that miss from q are wasted."""

    @abstractmethod
    def means(self, posterior: Any) -> Floats:
        """Posterior means of the designs, (S, M)."""

    def proposals(self, posterior: Any, options: Sequence[Batch]) -> Floats:
        """What the tie rule "uniform" is uniform over: how many proposals each option is, (S, A).

        A batch can be proposed in several orders, and each is a proposal of its own; but proposals
        that differ only by exchanging arms of which the same is believed are one.
        """
        return np.array([[_orders(batch) for batch in options]])

    @abstractmethod
    def layer_sizes(self, q: int, rounds: int) -> list[int]:
        """States after 0 .. rounds - 1 rounds from an empty dataset; at most, where not known."""

    @abstractmethod
    def option_count(self, q: int, measured: int = 0) -> int:
        """Batches in a state with so many measurements."""

    @abstractmethod
    def branches(self, q: int, measured: int = 0) -> int:
        """Pairs of a batch and a scenario in such a state; at most, where not known."""


def make_beliefs(game: Game) -> Beliefs:
    """The states of a game's problem.

    Raises:
        ValueError: A problem, noise or utility that cannot be planned for exactly.
    """
    problem, settings = game.problem, game.campaigns.settings
    if game.campaigns.noise_std > 0:
        raise ValueError(
            "noise_std: exact planning needs measurements with finitely many outcomes, so 0; got "
            f"{game.campaigns.noise_std:g}"
        )
    beliefs: Beliefs
    if isinstance(problem, Bandit):
        beliefs = BanditBeliefs(problem)
    elif isinstance(problem, Landscapes):
        # b0 of utility `best`: the start's best value, or without a start the reference.
        starts = game.campaigns.capacity > game.horizons[1] * game.batch_size
        beliefs = LandscapeBeliefs(problem, -np.inf if starts else problem.reference)
    else:
        raise ValueError(
            "exact planning needs a problem whose posterior is known exactly, Bandit or "
            f"Landscapes, got {type(problem).__name__}"
        )
    if settings.utility not in beliefs.utilities:
        raise ValueError(
            f"utility: exact planning on {type(problem).__name__} knows "
            f"{', '.join(beliefs.utilities)}, got {settings.utility!r}"
        )
    return beliefs


def can_plan(game: Game) -> bool:
    """Whether a game's problem, noise and utility can be planned for exactly."""
    try:
        make_beliefs(game)
    except ValueError:
        return False
    return True


_ONE_SUCCESS = 10**6 + 3  # an arm's number is this * successes + failures; odd, for good hashes


class BanditBeliefs(Beliefs):
    """Successes and failures of each unknown arm, as one number an arm, (S, K).

    Unknown arms with the same prior are exchangeable. Known arms have no state.

    Args:
        problem: With K unknown and L known arms.
    """

    utilities = ("total", "recommendation", "last_mean")
    exact_sizes = repeats = True
    scale = 1.0

    def __init__(self, problem: Bandit) -> None:
        self._problem = problem
        self.known = problem.known  # (L,)
        self.width = len(problem.priors)  # K
        self.size = self.width + len(problem.known)
        self.item_values = np.tile(np.array([0, 1], np.float32), self.size)
        self.item_deltas = np.zeros((2 * self.size, self.width), np.int64)
        arms = np.arange(self.width)
        self.item_deltas[2 * arms, arms] = 1
        self.item_deltas[2 * arms + 1, arms] = _ONE_SUCCESS
        _, kinds = np.unique(problem.priors, axis=0, return_inverse=True)
        groups = [np.flatnonzero(kinds.ravel() == kind) for kind in range(self.width)]
        self._groups = [group for group in groups if len(group)]
        self._scenarios: dict[tuple[Batch, str], Scenarios] = {}

    def items(self, observation: dict[str, NDArray[Any]]) -> Integers:  # noqa: D102
        designs, values = observation["designs"], observation["values"]
        observed = observation["observed"].astype(bool)
        self._check_designs(designs, observed)
        self._problem.counts(designs, values, observed)  # refuses other values
        items = np.where(observed, 2 * designs[..., 0] + (values == 1), -1)
        chances = np.stack([1 - self._problem.known, self._problem.known], axis=1).ravel()
        never = 2 * self.width + np.flatnonzero(chances == 0)
        if np.isin(items, never).any():
            raise ValueError(
                "values: expected what the arms can show, got a success of an arm that never has "
                "one, or a failure of one that always succeeds"
            )
        return items

    def canonical(self, states: Integers) -> Integers:  # noqa: D102
        ordered = states.copy()
        for group in self._groups:
            if len(group) == 2:  # ten times faster than sorting
                one, other = states[..., group[0]], states[..., group[1]]
                ordered[..., group[0]] = np.maximum(one, other)
                ordered[..., group[1]] = np.minimum(one, other)
            elif len(group) > 2:
                ordered[..., group] = -np.sort(-states[..., group], axis=-1)
        return ordered

    def order(self, states: Integers) -> Integers:  # noqa: D102
        order = np.broadcast_to(np.arange(self.size), (*states.shape[:-1], self.size)).copy()
        for group in self._groups:
            if len(group) > 1:
                order[..., group] = group[np.argsort(-states[..., group], axis=-1, kind="stable")]
        return order

    def options(self, states: Integers, q: int) -> list[Batch]:  # noqa: D102
        return list(combinations_with_replacement(range(self.size), q))

    def weigh(self, states: Integers) -> tuple[Floats, Floats]:
        """Beta parameters a and b of the unknown arms, (S, K) each."""
        successes, failures = np.divmod(states, _ONE_SUCCESS)
        return self._problem.priors[:, 0] + successes, self._problem.priors[:, 1] + failures

    def scenarios(self, batch: Batch, detail: str = "beliefs") -> Scenarios:  # noqa: D102
        key = batch, detail
        if key not in self._scenarios:
            self._scenarios[key] = self._list_scenarios(batch, detail)
        return self._scenarios[key]

    def _list_scenarios(self, batch: Batch, detail: str) -> Scenarios:
        pulls = np.bincount(batch, minlength=self.size)
        told = self.width if detail == "beliefs" else self.size  # arms whose outcomes matter
        if detail == "sequences":
            coins = np.array(list(product((0, 1), repeat=len(batch))), np.int64)
            coins = coins.reshape(-1, len(batch))
        else:
            blocks = [
                [(0,) * (n - k) + (1,) * k for k in range(n + 1 if arm < told else 1)]
                for arm, n in enumerate(pulls)
            ]
            coins = np.array([sum(block, ()) for block in product(*blocks)], np.int64)
            batch = tuple(sorted(batch))
        items = 2 * np.array(batch, np.int64) + coins  # (E, q)
        successes = np.stack(
            [coins[:, np.array(batch, int) == arm].sum(axis=1) for arm in range(self.size)], axis=1
        )  # (E, M)
        share = np.ones(len(coins))  # of a sequence among those with the same successes
        if detail == "sequences":
            share = 1.0 / _products_of_binomials(pulls, successes)

        def probabilities(posterior: tuple[Floats, Floats]) -> Floats:
            a, b = posterior
            chances = np.broadcast_to(share, (len(a), len(share))).copy()
            for arm in np.flatnonzero(pulls[:told]):
                n = int(pulls[arm])
                if arm < self.width:
                    pmf = beta_binomial(n, a[:, arm], b[:, arm])
                else:
                    p = float(self.known[arm - self.width])
                    pmf = np.array([[comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]])
                chances *= pmf[:, successes[:, arm]]
            return chances

        deltas = self.item_deltas[items].sum(axis=1)
        return Scenarios(items, deltas, probabilities)

    def gain(  # noqa: D102
        self,
        posterior: tuple[Floats, Floats],
        states: Integers,
        batch: Batch,
        q: int,
        utility: str,
        *,
        last: bool,
    ) -> Floats:
        if utility == "recommendation" or (utility == "last_mean" and not last):
            return np.zeros(len(states))
        total: Floats = self.means(posterior)[:, list(batch)].sum(axis=1)
        return total / q if utility == "last_mean" else total

    def means(self, posterior: tuple[Floats, Floats]) -> Floats:  # noqa: D102
        a, b = posterior
        known = np.broadcast_to(self.known, (len(a), self.size - self.width))
        return np.concatenate([a / (a + b), known], axis=1)

    def proposals(  # noqa: D102
        self, posterior: tuple[Floats, Floats], options: Sequence[Batch]
    ) -> Floats:
        a, b = posterior
        known = np.broadcast_to(self.known, (len(a), self.size - self.width))
        sure = np.broadcast_to(np.inf, known.shape)
        first, second = np.concatenate([a, known], axis=1), np.concatenate([b, sure], axis=1)
        alike = (first[:, :, None] == first[:, None]) & (second[:, :, None] == second[:, None])
        counts = np.array([np.bincount(batch, minlength=self.size) for batch in options])
        used = (counts > 0).astype(np.int64)  # (A, M)
        # The first arm of a kind in a batch stands for any of them, the next for those left, ...
        earlier = np.einsum("sij,aj->sai", np.tril(alike, -1).astype(np.int64), used)  # (S, A, M)
        left = alike.sum(axis=2)[:, None] - earlier
        orders = np.array([_orders(batch) for batch in options])
        return orders / np.where(used == 1, left, 1).prod(axis=2)

    def layer_sizes(self, q: int, rounds: int) -> list[int]:  # noqa: D102
        pulls = q * (rounds - 1)
        ways = [1] + pulls * [0]  # multisets of the arms' (successes, failures), by pulls in all
        for group in self._groups:
            ways = _convolve(ways, _multisets(len(group), pulls))
        if self.size > self.width:  # pulls of known arms leave no trace
            return [sum(ways[: q * t + 1]) for t in range(rounds)]
        return [ways[q * t] for t in range(rounds)]

    def option_count(self, q: int, measured: int = 0) -> int:  # noqa: D102
        return comb(q + self.size - 1, q)

    def branches(self, q: int, measured: int = 0) -> int:  # noqa: D102
        kinds = self.width + self.size  # a pull is of an unknown arm, either way, or a known one
        return comb(q + kinds - 1, q)


def _orders(batch: Batch) -> float:
    """In how many orders a batch can be proposed."""
    orders = factorial(len(batch))
    for count in Counter(batch).values():
        orders //= factorial(count)
    return float(orders)


def beta_binomial(n: int, a: Floats, b: Floats) -> Floats:
    """Probabilities of 0 .. n successes in n pulls of S arms, (S, n + 1), by ratios of terms."""
    # As mantissas and exponents: the first term may be smaller than any float, others not.
    terms, exponents = np.ones((len(a), n + 1)), np.zeros((len(a), n + 1), np.int64)
    for k in range(n):
        term = terms[:, k] * ((n - k) / (k + 1)) * (a + k) / (b + (n - k - 1))
        terms[:, k + 1], steps = np.frexp(term)
        exponents[:, k + 1] = exponents[:, k] + steps
    pmf: Floats = np.ldexp(terms, exponents - exponents.max(axis=1, keepdims=True))
    return pmf / pmf.sum(axis=1, keepdims=True)


def _products_of_binomials(pulls: NDArray[np.intp], successes: Integers) -> Floats:
    """Sequences with the same successes of each arm, (E,)."""
    tables = [np.array([comb(int(n), k) for k in range(n + 1)], np.float64) for n in pulls]
    return np.prod([t[successes[:, arm]] for arm, t in enumerate(tables)], axis=0)


def _multisets(arms: int, pulls: int) -> list[int]:
    """Multisets of `arms` pairs (successes, failures), by their sum 0 .. pulls."""
    ways = [[0] * (pulls + 1) for _ in range(arms + 1)]
    ways[0][0] = 1
    for m in range(pulls + 1):  # m pulls of an arm can go m + 1 ways: take j arms with them
        before = [row.copy() for row in ways]
        for taken in range(1, arms + 1):
            if taken * m > pulls:
                break
            kinds = comb(m + taken, taken)
            for have in range(arms + 1 - taken):
                for spent in range(pulls + 1 - taken * m):
                    if before[have][spent]:
                        ways[have + taken][spent + taken * m] += kinds * before[have][spent]
    return ways[arms]


def _convolve(x: Sequence[int], y: Sequence[int]) -> list[int]:
    return [sum(x[i] * y[n - i] for i in range(n + 1)) for n in range(len(x))]


_WORTH: dict[str, Callable[[Floats], Floats]] = {  # of batches (H, q)
    "total": lambda paid: paid.sum(axis=1),
    "last_max": lambda paid: paid.max(axis=1),
    "last_median": lambda paid: np.median(paid, axis=1),
    "last_mean": lambda paid: paid.mean(axis=1),
}


class LandscapeBeliefs(Beliefs):
    """The outcome of each measured design, (S, M): 0 where not measured, else 1 + its number.

    Without noise that is the set of landscapes that are consistent, and what has been measured.

    Args:
        problem: With H landscapes over M designs.
        floor: What utility `best` counts from, where nothing is measured.
    """

    utilities = ("best", "total", "recommendation", "last_max", "last_median", "last_mean")
    exact_sizes = repeats = False

    def __init__(self, problem: Landscapes, floor: float = 0.0) -> None:
        self._problem = problem
        self._floor = floor
        self.matrix = problem.matrix  # (H, M)
        self.scale = float(np.ptp(problem.matrix))
        self._exact = len(problem.noise_values) == 1  # a landscape shows one thing only, then
        self.size = self.width = problem.matrix.shape[1]
        outcomes = problem.outcomes.shape[1]
        self.item_values = problem.outcomes.ravel()
        designs, codes = np.divmod(np.arange(self.size * outcomes), outcomes)
        self.item_deltas = np.zeros((len(designs), self.width), np.int64)
        self.item_deltas[np.arange(len(designs)), designs] = 1 + codes
        self._scenarios: dict[Batch, Scenarios] = {}
        if self._exact:  # (H, M) the item that each landscape shows at each design
            self._items = (
                problem.likelihood.argmax(axis=1) + outcomes * designs[::outcomes, None]
            ).T

    def items(self, observation: dict[str, NDArray[Any]]) -> Integers:  # noqa: D102
        designs, values = observation["designs"], observation["values"]
        observed = observation["observed"].astype(bool)
        self._check_designs(designs, observed)
        times = (designs == np.arange(self.size)) & observed[..., None]  # (B, capacity, M)
        if (times.sum(axis=1) > 1).any():
            raise ValueError("designs: expected each to be measured once, got one that was twice")
        codes = self._problem.outcome_codes(designs, values, observed)
        return np.where(observed, designs[..., 0] * self._problem.outcomes.shape[1] + codes, -1)

    def options(self, states: Integers, q: int) -> list[Batch]:  # noqa: D102
        measured = np.unique((states > 0).sum(axis=1))
        if len(measured) > 1:
            raise ValueError("states: expected equally many measured designs in all of them")
        return list(combinations(range(self.size), min(q, self.size - int(measured[0]))))

    def legal(self, states: Integers, batch: Batch) -> NDArray[np.bool_]:  # noqa: D102
        return (states[:, list(batch)] == 0).all(axis=1)

    def weigh(self, states: Integers) -> tuple[Floats, Floats]:
        """Probabilities of the landscapes, and the best measured value in each; (S, H) both."""
        designs = np.broadcast_to(np.arange(self.size), states.shape)
        seen = states > 0
        best = np.full((len(states), len(self.matrix)), self._floor)
        for design, values in enumerate(self.matrix.T):
            best = np.where(seen[:, design, None], np.maximum(best, values), best)
        return self._problem.posterior_of_codes(designs, states - 1, seen), best

    def scenarios(self, batch: Batch, detail: str = "beliefs") -> Scenarios:  # noqa: D102
        if batch not in self._scenarios:
            self._scenarios[batch] = self._list_scenarios(batch)
        return self._scenarios[batch]

    def _list_scenarios(self, batch: Batch) -> Scenarios:
        if self._exact and batch:
            return self._list_readings(batch)
        hypotheses, outcomes = self._problem.likelihood.shape[2], self._problem.outcomes.shape[1]
        items = np.zeros((1, 0), np.int64)
        likelihood = np.ones((1, hypotheses))  # (E, H)
        for design in batch:
            joint = likelihood[:, None] * self._problem.likelihood[design]  # (E, O, H)
            which, code = np.nonzero((joint > 0).any(axis=-1))
            items = np.column_stack([items[which], design * outcomes + code])
            likelihood = joint[which, code]
        transposed = np.ascontiguousarray(likelihood.T)
        return Scenarios(
            items, self.item_deltas[items].sum(axis=1), lambda posterior: posterior[0] @ transposed
        )

    def _list_readings(self, batch: Batch) -> Scenarios:
        """Without noise: every landscape has one reading, and shares it with others."""
        readings = self._items[:, list(batch)]  # (H, len(batch))
        items, kind = np.unique(readings, axis=0, return_inverse=True)
        order = np.argsort(kind.ravel(), kind="stable")  # landscapes with the same one together
        starts = np.searchsorted(kind.ravel()[order], np.arange(len(items)))

        def probabilities(posterior: tuple[Floats, Floats]) -> Floats:
            chances: Floats = np.add.reduceat(posterior[0][:, order], starts, axis=1)
            return chances

        return Scenarios(items, self.item_deltas[items].sum(axis=1), probabilities)

    def gain(  # noqa: D102
        self,
        posterior: tuple[Floats, Floats],
        states: Integers,
        batch: Batch,
        q: int,
        utility: str,
        *,
        last: bool,
    ) -> Floats:
        if utility == "recommendation" or (utility.startswith("last") and not last):
            return np.zeros(len(states))
        weights, before = posterior
        values = self.matrix[:, list(batch)]  # (H, len(batch))
        if utility == "best":
            after = np.maximum(before, values.max(axis=1, initial=-np.inf))
            gain: Floats = ((after - before) * weights).sum(axis=1)
            return gain
        wasted = np.zeros((len(values), q - len(batch)))
        paid = np.concatenate([values, wasted], axis=1)
        return weights @ _WORTH[utility](paid)

    def means(self, posterior: tuple[Floats, Floats]) -> Floats:  # noqa: D102
        return posterior[0] @ self.matrix

    def layer_sizes(self, q: int, rounds: int) -> list[int]:  # noqa: D102
        counts = [min(q * played, self.size) for played in range(rounds)]
        return [comb(self.size, measured) * self._shown(measured) for measured in counts]

    def option_count(self, q: int, measured: int = 0) -> int:  # noqa: D102
        left = max(0, self.size - measured)
        return comb(left, min(q, left))

    def branches(self, q: int, measured: int = 0) -> int:  # noqa: D102
        left = max(0, self.size - measured)
        return self.option_count(q, measured) * self._shown(min(q, left))

    def _shown(self, designs: int) -> int:
        """What so many designs can show together, at most."""
        together: int = self._problem.outcomes.shape[1] ** designs
        return min(len(self.matrix), together) if self._exact else together
