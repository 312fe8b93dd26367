"""What is known of finitely many landscapes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.planners.belief_mdp.base import Batch, BeliefMDP, Floats, Integers, Scenarios
from ombo_gym.observations import Observation
from ombo_gym.priors import FiniteLandscapes
from ombo_gym.spec import Repeats
from ombo_gym.utilities import Aim, Utility


class LandscapeBeliefs(BeliefMDP):
    """The outcome of each measured design, (S, M): 0 where not measured, else 1 + its number.

    Without noise that is the set of landscapes that are consistent, and what has been measured.

    Args:
        prior: Of H landscapes over M designs.
        floor: What improvements count from, where nothing is measured.
    """

    exact_sizes = False
    repeats = Repeats.NEVER_AGAIN

    def __init__(self, prior: FiniteLandscapes, floor: float = 0.0) -> None:
        self._prior = prior
        self._floor = floor
        self.matrix = prior.matrix  # (H, M)
        self.scale = float(np.ptp(prior.matrix))
        self._exact = not prior.noisy  # a landscape shows one thing only, then
        self.size = self.width = prior.matrix.shape[1]
        outcomes = prior.outcomes.shape[1]
        self.item_values = _shown(prior).ravel()
        designs, codes = np.divmod(np.arange(self.size * outcomes), outcomes)
        self.item_deltas = np.zeros((len(designs), self.width), np.int64)
        self.item_deltas[np.arange(len(designs)), designs] = 1 + codes
        self._scenarios: dict[Batch, Scenarios] = {}
        if self._exact:  # (H, M) the item that each landscape shows at each design
            self._items = (prior.likelihood.argmax(axis=1) + outcomes * designs[::outcomes, None]).T

    @override
    def items(self, observation: Observation) -> Integers:
        designs, values, observed = self._dataset(observation)
        times = (designs == np.arange(self.size)) & observed[..., None]  # (B, capacity, M)
        if (times.sum(axis=1) > 1).any():
            raise ValueError("designs: expected each to be measured once, got one that was twice")
        codes = self._prior.outcome_codes(designs, values, observed)
        return np.where(observed, designs[..., 0] * self._prior.outcomes.shape[1] + codes, -1)

    @override
    def options(self, states: Integers, q: int) -> list[Batch]:
        measured = np.unique((states > 0).sum(axis=1))
        if len(measured) > 1:
            raise ValueError("states: expected equally many measured designs in all of them")
        return list(combinations(range(self.size), min(q, self.size - int(measured[0]))))

    @override
    def legal(self, states: Integers, batch: Batch) -> NDArray[np.bool_]:
        return (states[:, list(batch)] == 0).all(axis=1)

    def weigh(self, states: Integers) -> tuple[Floats, Floats]:
        """Probabilities of the landscapes, and the best measured value in each; (S, H) both."""
        designs = np.broadcast_to(np.arange(self.size), states.shape)
        seen = states > 0
        best = np.full((len(states), len(self.matrix)), self._floor)
        for design, values in enumerate(self.matrix.T):
            best = np.where(seen[:, design, None], np.maximum(best, values), best)
        return self._prior.posterior_of_codes(designs, states - 1, seen), best

    @override
    def scenarios(self, batch: Batch, detail: str = "beliefs") -> Scenarios:
        if batch not in self._scenarios:
            self._scenarios[batch] = self._list_scenarios(batch)
        return self._scenarios[batch]

    def _list_scenarios(self, batch: Batch) -> Scenarios:
        if self._exact and batch:
            return self._list_readings(batch)
        hypotheses, outcomes = self._prior.likelihood.shape[2], self._prior.outcomes.shape[1]
        items = np.zeros((1, 0), np.int64)
        likelihood = np.ones((1, hypotheses))  # (E, H)
        for design in batch:
            joint = likelihood[:, None] * self._prior.likelihood[design]  # (E, O, H)
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

    @override
    def gain(
        self,
        posterior: tuple[Floats, Floats],
        batch: Batch,
        q: int,
        utility: Utility,
        rounds_left: int,
    ) -> Floats:
        weights, before = posterior
        values = self.matrix[:, list(batch)]  # (H, len(batch))
        if utility.aim is not Aim.IMPROVEMENT:  # which a wasted slot is none
            wasted = np.zeros((len(values), q - len(batch)))
            values = np.concatenate([values, wasted], axis=1)
        gains = utility.gain(values, before, rounds_left)  # (H,) or, by what was best, (S, H)
        if gains.ndim == 1:
            return weights @ gains
        expected: Floats = (gains * weights).sum(axis=1)
        return expected

    @override
    def means(self, posterior: tuple[Floats, Floats]) -> Floats:
        return posterior[0] @ self.matrix

    @override
    def layer_sizes(self, counts: Sequence[int]) -> list[int]:
        measured = [min(count, self.size) for count in counts]
        return [comb(self.size, count) * self._shown(count) for count in measured]

    @override
    def option_count(self, q: int, measured: int = 0) -> int:
        left = max(0, self.size - measured)
        return comb(left, min(q, left))

    @override
    def branches(self, q: int, measured: int = 0) -> int:
        left = max(0, self.size - measured)
        return self.option_count(q, measured) * self._shown(min(q, left))

    def _shown(self, designs: int) -> int:
        """What so many designs can show together, at most."""
        together: int = self._prior.outcomes.shape[1] ** designs
        return min(len(self.matrix), together) if self._exact else together


def _shown(prior: FiniteLandscapes) -> Floats:
    """What a design can show as it is measured, (M, O); padded by infinity.

    As `FiniteLandscapes.outcomes`, which are told apart in single precision.
    """
    shown = prior.outcomes.astype(np.float64)
    for design, outcomes in enumerate(prior.outcomes):
        values = (prior.matrix[:, design, None] + prior.noise_values).ravel()
        shown[design, np.searchsorted(outcomes, values.astype(np.float32))] = values
    return shown
