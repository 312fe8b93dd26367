"""Rollout of the one-step policy where the posterior is known exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.planners.belief_mdp import Batch, Floats, Integers
from ombo_agents.planners.dynamic_programming import ExactPolicy
from ombo_agents.planners.induction import RULES, Layer
from ombo_agents.planners.plates import Plates
from ombo_agents.planners.reachable_states import MAX_STATES, parts
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
        self._decided: dict[int, tuple[Layer, NDArray[np.intp]]] = {}
        super().__init__(spec, lookahead=1, ties="best", max_states=max_states)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_decided": {}}  # by identity, which does not travel

    def _option(self, layer: Layer, found: Integers, states: Integers) -> Integers:
        """Which option each row takes, (R,)."""
        if id(layer) not in self._decided:
            plan = next(plan for plan in self._plans if any(each is layer for each in plan.layers))
            at = next(at for at, each in enumerate(plan.layers) if each is layer)
            after = plan.layers[at + 1] if at + 1 < len(plan.layers) else None
            known = {id(each) for plan in self._plans for each in plan.layers}
            self._decided = {key: kept for key, kept in self._decided.items() if key in known}
            self._decided[id(layer)] = layer, self._decide(layer, plan.plates[at:], after)
        return self._decided[id(layer)][1][found]

    def _decide(self, layer: Layer, plates: Plates, after: Layer | None) -> NDArray[np.intp]:
        """The best option in every state of a layer, (S,)."""
        if after is None:  # the last round: `one_step` is optimal
            return layer.chosen[:, _BASE]
        most = max(len(self.belief_mdp.scenarios(batch).deltas) for batch in layer.options)
        decided = []
        for states in parts(layer.states, max(8 * len(layer.options), 8 * most)):
            posterior = self.belief_mdp.weigh(states)
            values = np.full((len(states), len(layer.options)), -np.inf)
            for option, batch in enumerate(layer.options):
                legal = np.flatnonzero(self.belief_mdp.legal(states, batch))
                its = tuple(each[legal] for each in posterior)
                values[legal, option] = self._worth(its, states[legal], batch, plates, after)
            tolerance = _TIED * (self.belief_mdp.scale + np.abs(values.max(axis=1, keepdims=True)))
            best = values >= values.max(axis=1, keepdims=True) - tolerance
            decided.append(best.argmax(axis=1))
        return np.concatenate(decided)

    def _worth(
        self, posterior: Any, states: Integers, batch: Batch, plates: Plates, after: Layer
    ) -> Floats:
        """Expected utility of a batch in S states, with `one_step` from then on, (S,)."""
        belief_mdp = self.belief_mdp
        gain = belief_mdp.gain(posterior, batch, plates[0], self.spec.utility, len(plates))
        scenarios = belief_mdp.scenarios(batch)
        chances = scenarios.probabilities(posterior)  # (S, E)
        then = belief_mdp.canonical(states[:, None] + scenarios.deltas)
        at = after.find(then.reshape(-1, then.shape[-1])).reshape(chances.shape)
        # What cannot happen was not enumerated.
        values = np.where(chances > 0, after.played[np.maximum(at, 0), _BASE], 0.0)
        worth: Floats = gain + (chances * values).sum(axis=1)
        return worth
