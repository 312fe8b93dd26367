"""Rollout of the one-step policy where the posterior is known exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.planners.belief_mdp import (
    Batch,
    Floats,
    Integers,
    Posterior,
    take_posterior,
)
from ombo_agents.planners.dynamic_programming import ExactPolicy, Situation
from ombo_agents.planners.induction import RULES, Layer, Solution
from ombo_agents.planners.plates import Plates
from ombo_agents.planners.reachable_states import MAX_STATES, state_chunks
from ombo_gym.spec import CampaignSpec

_BASE = RULES.index("best")
_TIED = 1e-10  # differences of less than this part of how far values are apart are ties


class ExactRollout(ExactPolicy):
    """Takes the batch after which `one_step` does best, in expectation over all that may be shown.

    What `one_step` (ties broken in its favour) is worth after a batch is the mean over every
    outcome instead of over draws. By the policy improvement theorem this is worth at least as much
    as `one_step`, whatever its tie rule; with two rounds left it is optimal. Ties go to the batch
    that comes first.

    Args:
        spec: Of the campaigns it is built for, as of `Ombo/Bandit-v0` or `Ombo/Landscapes-v0`.
        max_states: Before giving up.

    Raises:
        ValueError: Campaigns that cannot be planned for exactly.
        TooManyStates: Says how many would be needed and what is feasible.

    Reference:
        Bertsekas, Tsitsiklis and Wu, Rollout algorithms for combinatorial optimization, 1997.
    """

    def __init__(self, spec: CampaignSpec, *, max_states: int = MAX_STATES) -> None:
        super().__init__(spec, lookahead=1, ties="best", max_states=max_states)
        # (S,) options by the number of the solution and the index of the layer.
        self._improved: dict[tuple[int, int], NDArray[np.intp]] = {}

    @override
    def _option(self, situation: Situation) -> NDArray[np.intp]:
        key = situation.solution, situation.layer_index
        if key not in self._improved:
            options = self._improved_options(self._solutions[situation.solution], key[1])
            kept = {old: self._improved[old] for old in self._improved if old[0] in self._solutions}
            self._improved = {**kept, key: options}
        return self._improved[key][situation.state_indices]

    def _improved_options(self, solution: Solution, layer_index: int) -> NDArray[np.intp]:
        """The best option in every state of a layer, with `one_step` from the next on, (S,)."""
        layer, plates = solution.layers[layer_index], solution.plates[layer_index:]
        if len(plates) == 1:  # `one_step` is optimal
            return layer.chosen[:, _BASE]
        belief_mdp, next_layer = self.belief_mdp, solution.layers[layer_index + 1]
        most = max(len(belief_mdp.scenarios(batch).deltas) for batch in layer.options)
        improved: list[NDArray[np.intp]] = []
        for chunk in state_chunks(layer.states, max(8 * len(layer.options), 8 * most)):
            states = layer.states[chunk]
            posterior = belief_mdp.posterior(states)
            values = np.full((len(states), len(layer.options)), -np.inf)  # (S, A)
            for option, batch in enumerate(layer.options):
                legal = np.flatnonzero(belief_mdp.legal(states, batch))  # (L,)
                values[legal, option] = self._value_of_batch(
                    states[legal], take_posterior(posterior, legal), batch, plates, next_layer
                )
            largest = values.max(axis=1, keepdims=True)  # (S, 1)
            tolerance = _TIED * (belief_mdp.value_scale + np.abs(largest))
            improved.append((values >= largest - tolerance).argmax(axis=1))
        return np.concatenate(improved)

    def _value_of_batch(
        self,
        states: Integers,
        posterior: Posterior,
        batch: Batch,
        plates: Plates,
        next_layer: Layer,
    ) -> Floats:
        """Expected utility of a batch in S states, with `one_step` from then on, (S,)."""
        belief_mdp = self.belief_mdp
        gain = belief_mdp.expected_gain(posterior, batch, plates[0], self.spec.utility, len(plates))
        scenarios = belief_mdp.scenarios(batch)
        chances = scenarios.probabilities(posterior)  # (S, E)
        after = belief_mdp.canonical(states[:, None] + scenarios.deltas)  # (S, E, state_width)
        index = next_layer.find(after.reshape(-1, after.shape[-1])).reshape(chances.shape)
        # What cannot happen was not enumerated.
        values = np.where(chances > 0, next_layer.played[np.maximum(index, 0), _BASE], 0.0)
        expected: Floats = gain + (chances * values).sum(axis=1)
        return expected
