"""What is known of Bernoulli arms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement, product
from math import comb

import numpy as np
from typing_extensions import override

from ombo_agents.planners.belief_mdp.base import (
    Batch,
    BeliefMDP,
    Floats,
    Integers,
    Posterior,
    Scenarios,
)
from ombo_agents.planners.belief_mdp.counting import (
    beta_binomial,
    convolved,
    multisets,
    orders,
    products_of_binomials,
)
from ombo_gym.observations import Observation
from ombo_gym.priors import BernoulliArms
from ombo_gym.spec import Repeats
from ombo_gym.utilities import Utility

_ONE_SUCCESS = 10**6 + 3  # an arm's number is this * successes + failures; odd, for good hashes


class BanditBeliefMDP(BeliefMDP):
    """Successes and failures of each unknown arm, as one number an arm, (S, K).

    Unknown arms with the same prior are exchangeable. Known arms have no state.

    Args:
        prior: Of K unknown and L known arms.
    """

    counts_are_exact = True
    repeats = Repeats.ALLOWED
    value_scale = 1.0

    def __init__(self, prior: BernoulliArms) -> None:
        self._prior = prior
        self.known = prior.known  # (L,)
        self.state_width = len(prior.beta)  # K
        self.num_designs = self.state_width + len(prior.known)
        self.item_values = np.tile(np.array([0.0, 1.0]), self.num_designs)
        self.item_deltas = np.zeros((2 * self.num_designs, self.state_width), np.int64)
        arms = np.arange(self.state_width)
        self.item_deltas[2 * arms, arms] = 1
        self.item_deltas[2 * arms + 1, arms] = _ONE_SUCCESS
        _, kinds = np.unique(prior.beta, axis=0, return_inverse=True)
        groups = [np.flatnonzero(kinds.ravel() == kind) for kind in range(self.state_width)]
        self._groups = [group for group in groups if len(group)]
        self._scenarios: dict[tuple[Batch, str], Scenarios] = {}

    @override
    def items(self, observation: Observation) -> Integers:
        designs, values, observed = self._checked_dataset(observation)
        self._prior.counts(designs, values, observed)  # refuses other values
        items = np.where(observed, 2 * designs[..., 0] + (values == 1), -1)
        chances = np.stack([1 - self.known, self.known], axis=1).ravel()
        never = 2 * self.state_width + np.flatnonzero(chances == 0)
        if np.isin(items, never).any():
            raise ValueError(
                "measurements: expected what the arms can show, got a success of an arm that never "
                "has one, or a failure of one that always succeeds"
            )
        return items

    @override
    def canonical(self, states: Integers) -> Integers:
        ordered = states.copy()
        for group in self._groups:
            if len(group) == 2:  # ten times faster than sorting
                first, second = states[..., group[0]], states[..., group[1]]
                ordered[..., group[0]] = np.maximum(first, second)
                ordered[..., group[1]] = np.minimum(first, second)
            elif len(group) > 2:
                ordered[..., group] = -np.sort(-states[..., group], axis=-1)
        return ordered

    @override
    def order(self, states: Integers) -> Integers:
        order = np.broadcast_to(
            np.arange(self.num_designs), (*states.shape[:-1], self.num_designs)
        ).copy()
        for group in self._groups:
            if len(group) > 1:
                order[..., group] = group[np.argsort(-states[..., group], axis=-1, kind="stable")]
        return order

    @override
    def options(self, states: Integers, q: int) -> list[Batch]:
        return list(combinations_with_replacement(range(self.num_designs), q))

    @override
    def posterior(self, states: Integers) -> Posterior:
        """Beta parameters a and b of the unknown arms, (S, K) each."""
        successes, failures = np.divmod(states, _ONE_SUCCESS)
        return self._prior.beta[:, 0] + successes, self._prior.beta[:, 1] + failures

    @override
    def scenarios(self, batch: Batch, detail: str = "beliefs") -> Scenarios:
        key = batch, detail
        if key not in self._scenarios:
            self._scenarios[key] = self._list_scenarios(batch, detail)
        return self._scenarios[key]

    def _list_scenarios(self, batch: Batch, detail: str) -> Scenarios:
        pulls = np.bincount(batch, minlength=self.num_designs)
        # Arms whose outcomes matter: nothing is learnt from known ones, which come last.
        num_shown = self.state_width if detail == "beliefs" else self.num_designs
        if detail == "sequences":
            coins = np.array(list(product((0, 1), repeat=len(batch))), np.int64)
            coins = coins.reshape(-1, len(batch))
        else:
            blocks = [
                [(0,) * (n - k) + (1,) * k for k in range(n + 1 if arm < num_shown else 1)]
                for arm, n in enumerate(pulls)
            ]
            coins = np.array([sum(block, ()) for block in product(*blocks)], np.int64)
            batch = tuple(sorted(batch))
        items = 2 * np.array(batch, np.int64) + coins  # (E, q)
        successes = np.stack(
            [coins[:, np.array(batch, int) == arm].sum(axis=1) for arm in range(self.num_designs)],
            axis=1,
        )  # (E, M)
        # The part of a sequence among those with the same successes.
        share = np.ones(len(coins))  # (E,)
        if detail == "sequences":
            share = 1.0 / products_of_binomials(pulls, successes)

        def probabilities(posterior: Posterior) -> Floats:
            a, b = posterior
            chances = np.broadcast_to(share, (len(a), len(share))).copy()  # (S, E)
            for arm in np.flatnonzero(pulls[:num_shown]):
                n = int(pulls[arm])
                if arm < self.state_width:
                    pmf = beta_binomial(n, a[:, arm], b[:, arm])  # (S, n + 1)
                else:
                    p = float(self.known[arm - self.state_width])
                    pmf = np.array([[comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]])
                chances *= pmf[:, successes[:, arm]]
            return chances

        deltas = self.item_deltas[items].sum(axis=1)
        return Scenarios(items, deltas, probabilities)

    @override
    def expected_gain(
        self,
        posterior: Posterior,
        batch: Batch,
        q: int,
        utility: Utility,
        rounds_left: int,
    ) -> Floats:
        return utility.gain(
            self.posterior_means(posterior)[:, list(batch)], np.zeros(()), rounds_left
        )

    @override
    def posterior_means(self, posterior: Posterior) -> Floats:
        a, b = posterior
        known = np.broadcast_to(self.known, (len(a), self.num_designs - self.state_width))
        return np.concatenate([a / (a + b), known], axis=1)

    @override
    def num_proposals(self, posterior: Posterior, options: Sequence[Batch]) -> Floats:
        a, b = posterior
        known = np.broadcast_to(self.known, (len(a), self.num_designs - self.state_width))
        certain = np.broadcast_to(np.inf, known.shape)
        first = np.concatenate([a, known], axis=1)  # (S, M) a, or the known probability
        second = np.concatenate([b, certain], axis=1)  # (S, M) b, or infinity
        same_first = first[:, :, None] == first[:, None]  # (S, M, M)
        alike = same_first & (second[:, :, None] == second[:, None])  # (S, M, M)
        counts = np.array(
            [np.bincount(batch, minlength=self.num_designs) for batch in options]
        )  # (A, M)
        used = (counts > 0).astype(np.int64)  # (A, M)
        # The first arm of a kind in a batch stands for any of them, the next for those left, ...
        earlier = np.einsum("sij,aj->sai", np.tril(alike, -1).astype(np.int64), used)  # (S, A, M)
        left = alike.sum(axis=2)[:, None] - earlier  # (S, A, M)
        num_orders = np.array([orders(batch) for batch in options])  # (A,)
        num_proposals: Floats = num_orders / np.where(used == 1, left, 1).prod(axis=2)
        return num_proposals

    @override
    def layer_sizes(self, counts: Sequence[int]) -> list[int]:
        pulls = max(counts)
        ways = [1] + pulls * [0]  # multisets of the arms' (successes, failures), by pulls in all
        for group in self._groups:
            ways = convolved(ways, multisets(len(group), pulls))
        if self.num_designs > self.state_width:  # pulls of known arms leave no trace
            return [sum(ways[: count + 1]) for count in counts]
        return [ways[count] for count in counts]

    @override
    def num_options(self, q: int, measured: int = 0) -> int:
        return comb(q + self.num_designs - 1, q)

    @override
    def num_branches(self, q: int, measured: int = 0) -> int:
        kinds = (
            self.state_width + self.num_designs
        )  # a pull is of an unknown arm, either way, or a known one
        return comb(q + kinds - 1, q)
