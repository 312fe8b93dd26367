"""What is known of finitely many landscapes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.planners.belief_mdp.base import (
    Batch,
    BeliefMDP,
    Floats,
    Integers,
    Posterior,
    Scenarios,
)
from ombo_gym.observations import Observation
from ombo_gym.priors import FiniteLandscapes
from ombo_gym.spec import Repeats
from ombo_gym.utilities import Aim, Utility


class LandscapeBeliefMDP(BeliefMDP):
    """The outcome of each measured design, (S, M): 0 where not measured, else 1 + its number.

    Without noise that is the set of landscapes that are consistent, and what has been measured.

    Args:
        prior: Of H landscapes over M designs.
        floor: What improvements count from, where nothing is measured.
    """

    counts_are_exact = False
    repeats = Repeats.NEVER_AGAIN

    def __init__(self, prior: FiniteLandscapes, floor: float = 0.0) -> None:
        self._prior = prior
        self._floor = floor
        self.matrix = prior.matrix  # (H, M)
        self.value_scale = float(np.ptp(prior.matrix))
        self._noiseless = not prior.noisy  # a landscape shows one outcome a design, then
        self.num_designs = self.state_width = prior.matrix.shape[1]
        outcomes = prior.outcomes.shape[1]  # O
        self.item_values = _outcome_values(prior).ravel()
        designs, codes = np.divmod(np.arange(self.num_designs * outcomes), outcomes)
        self.item_deltas = np.zeros((len(designs), self.state_width), np.int64)
        self.item_deltas[np.arange(len(designs)), designs] = 1 + codes
        self._scenarios: dict[Batch, Scenarios] = {}
        if self._noiseless:
            shown = prior.likelihood.argmax(axis=1)  # (M, H) number of the outcome
            self._item_shown = (shown + outcomes * designs[::outcomes, None]).T  # (H, M)

    @override
    def items(self, observation: Observation) -> Integers:
        designs, values, observed = self._checked_dataset(observation)
        names_design = designs == np.arange(self.num_designs)  # (B, capacity, M)
        counts = (names_design & observed[..., None]).sum(axis=1)  # (B, M)
        if (counts > 1).any():
            raise ValueError("designs: expected each to be measured once, got one that was twice")
        codes = self._prior.outcome_codes(designs, values, observed)
        return np.where(observed, designs[..., 0] * self._prior.outcomes.shape[1] + codes, -1)

    @override
    def options(self, states: Integers, q: int) -> list[Batch]:
        measured = np.unique((states > 0).sum(axis=1))
        if len(measured) > 1:
            raise ValueError("states: expected equally many measured designs in all of them")
        return list(
            combinations(range(self.num_designs), min(q, self.num_designs - int(measured[0])))
        )

    @override
    def legal(self, states: Integers, batch: Batch) -> NDArray[np.bool_]:
        unmeasured: NDArray[np.bool_] = (states[:, list(batch)] == 0).all(axis=1)
        return unmeasured

    @override
    def posterior(self, states: Integers) -> Posterior:
        """Probabilities of the landscapes, and the best measured value in each; (S, H) both."""
        designs = np.broadcast_to(np.arange(self.num_designs), states.shape)
        measured = states > 0  # (S, M)
        best = np.full((len(states), len(self.matrix)), self._floor)
        for design, values in enumerate(self.matrix.T):
            best = np.where(measured[:, design, None], np.maximum(best, values), best)
        return self._prior.posterior_of_codes(designs, states - 1, measured), best

    @override
    def scenarios(self, batch: Batch, detail: str = "beliefs") -> Scenarios:
        if batch not in self._scenarios:
            self._scenarios[batch] = self._list_scenarios(batch)
        return self._scenarios[batch]

    def _list_scenarios(self, batch: Batch) -> Scenarios:
        if self._noiseless and batch:
            return self._list_readings(batch)
        hypotheses, outcomes = self._prior.likelihood.shape[2], self._prior.outcomes.shape[1]
        items = np.zeros((1, 0), np.int64)
        likelihood = np.ones((1, hypotheses))  # (E, H)
        for design in batch:
            joint = likelihood[:, None] * self._prior.likelihood[design]  # (E, O, H)
            earlier, code = np.nonzero((joint > 0).any(axis=-1))
            items = np.column_stack([items[earlier], design * outcomes + code])
            likelihood = joint[earlier, code]
        transposed = np.ascontiguousarray(likelihood.T)
        return Scenarios(
            items, self.item_deltas[items].sum(axis=1), lambda posterior: posterior[0] @ transposed
        )

    def _list_readings(self, batch: Batch) -> Scenarios:
        """Without noise: every landscape has one reading, and shares it with others."""
        readings = self._item_shown[:, list(batch)]  # (H, len(batch))
        items, kind = np.unique(readings, axis=0, return_inverse=True)
        order = np.argsort(kind.ravel(), kind="stable")  # landscapes with the same one together
        starts = np.searchsorted(kind.ravel()[order], np.arange(len(items)))

        def probabilities(posterior: Posterior) -> Floats:
            chances: Floats = np.add.reduceat(posterior[0][:, order], starts, axis=1)
            return chances

        return Scenarios(items, self.item_deltas[items].sum(axis=1), probabilities)

    @override
    def expected_gain(
        self,
        posterior: Posterior,
        batch: Batch,
        q: int,
        utility: Utility,
        rounds_left: int,
    ) -> Floats:
        probabilities, best_before = posterior  # (S, H) both
        values = self.matrix[:, list(batch)]  # (H, len(batch))
        if utility.aim is not Aim.IMPROVEMENT:  # a wasted slot, worth 0, improves nothing
            wasted = np.zeros((len(values), q - len(batch)))
            values = np.concatenate([values, wasted], axis=1)
        gains = utility.gain(values, best_before, rounds_left)  # (H,) or, by what was best, (S, H)
        if gains.ndim == 1:
            return probabilities @ gains
        expected: Floats = (gains * probabilities).sum(axis=1)
        return expected

    @override
    def posterior_means(self, posterior: Posterior) -> Floats:
        return posterior[0] @ self.matrix

    @override
    def layer_sizes(self, counts: Sequence[int]) -> list[int]:
        measured = [min(count, self.num_designs) for count in counts]
        return [comb(self.num_designs, count) * self._most_readings(count) for count in measured]

    @override
    def num_options(self, q: int, measured: int = 0) -> int:
        left = max(0, self.num_designs - measured)
        return comb(left, min(q, left))

    @override
    def num_branches(self, q: int, measured: int = 0) -> int:
        left = max(0, self.num_designs - measured)
        return self.num_options(q, measured) * self._most_readings(min(q, left))

    def _most_readings(self, num_designs: int) -> int:
        """How many different outcomes so many designs can show together, at most."""
        most: int = self._prior.outcomes.shape[1] ** num_designs
        return min(len(self.matrix), most) if self._noiseless else most


def _outcome_values(prior: FiniteLandscapes) -> Floats:
    """What a design can show as it is measured, (M, O); padded by infinity.

    As `FiniteLandscapes.outcomes`, which are told apart in single precision.
    """
    outcome_values = prior.outcomes.astype(np.float64)  # (M, O)
    for design, outcomes in enumerate(prior.outcomes):
        values = (prior.matrix[:, design, None] + prior.noise_values).ravel()
        outcome_values[design, np.searchsorted(outcomes, values.astype(np.float32))] = values
    return outcome_values
