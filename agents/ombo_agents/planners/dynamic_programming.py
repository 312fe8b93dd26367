"""The Bayes-optimal policy and its short-sighted relatives, exactly.

On `Ombo/Bandit-v0` and `Ombo/Landscapes-v0`, and wherever a spec has such a prior, the posterior is
known and small, so that the best batch in every state follows by backward induction:
`bayes_optimal`. `one_step` is the policy that is optimal when one round is left, applied every
round; `rolling_H` plans H rounds ahead, every round.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.planners.belief_mdp import Batch, Floats, Integers, make_belief_mdp
from ombo_agents.planners.evaluation import exact_value
from ombo_agents.planners.induction import RULES, TIES, Layer, Solution, solve
from ombo_agents.planners.plates import Plates, by_plates, whole_campaign, why_not_alike
from ombo_agents.planners.reachable_states import MAX_STATES, TooManyStates
from ombo_agents.policy import DesignsPolicy
from ombo_agents.settings import whole
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats

__all__ = [
    "MAX_STATES",
    "TIES",
    "ExactPolicy",
    "Solution",
    "TooManyStates",
    "bayes_optimal",
    "exact_value",
    "one_step",
    "rolling",
    "solve_campaign",
]

_PLANS_KEPT = 64


def solve_campaign(
    spec: CampaignSpec, *, lookahead: int | None = None, max_states: int = MAX_STATES
) -> Solution:
    """Plans campaigns from the empty dataset; no slot is wasted on purpose.

    Args:
        spec: As of `Ombo/Bandit-v0` or `Ombo/Landscapes-v0` (`env.unwrapped.campaign_spec`), with
            plates that are laid down, or one horizon and batch size, and no start.
        lookahead: Rounds planned ahead every round; None plans to the end.
        max_states: Before giving up.

    Raises:
        ValueError: Campaigns that cannot be planned for exactly.
        TooManyStates: Says how many would be needed and what is feasible.
    """
    belief_mdp = make_belief_mdp(spec)
    if (reason := why_not_alike(spec)) is not None:
        raise ValueError(f"exact planning needs {reason}")
    empty = np.zeros((1, belief_mdp.width), np.int64)
    plates = whole_campaign(spec)
    return solve(
        belief_mdp, empty, plates, spec.utility, lookahead=lookahead, max_states=max_states
    )


class ExactPolicy(DesignsPolicy):
    """Plans by backward induction from the dataset at hand, and keeps its plans.

    Args:
        spec: Of the campaigns it is built for, as of `Ombo/Bandit-v0` or `Ombo/Landscapes-v0`.
        lookahead: Rounds planned ahead every round; None plans to the end.
        ties: Between batches that the plan finds equally good: "first" in lexicographic order, of
            designs on landscapes, and on bandits of how often each arm is pulled (so that fewest
            pulls of the first arm come first, and known arms are preferred); "uniform" over
            proposals (ordered batches; those that differ only by exchanging arms of which the same
            is believed count as one); "worst" and "best": which is worth least or most if the
            policy then goes on to the end.
        max_states: Before giving up.

    Raises:
        ValueError: Campaigns that cannot be planned for exactly, or an unknown tie rule.
        TooManyStates: Says how many would be needed and what is feasible.
    """

    exchangeable = True
    keeps_repeats = True  # which there are only where designs run out

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        lookahead: int | None = None,
        ties: str = "first",
        max_states: int = MAX_STATES,
    ) -> None:
        super().__init__(spec)
        if ties not in TIES:
            raise ValueError(f"ties: expected one of {list(TIES)}, got {ties!r}")
        for name, number in (("lookahead", lookahead), ("max_states", max_states)):
            if number is not None:
                whole(name, number)
        self.belief_mdp = make_belief_mdp(spec)
        self.lookahead, self.ties, self.max_states = lookahead, ties, max_states
        self.deterministic = ties != "uniform"
        # How a tie is broken can depend on the rounds left; the rest of a short plan does not.
        self._sees_the_end = lookahead is None or ties in ("worst", "best")
        self.horizon_aware = lookahead != 1 or self._sees_the_end
        self._plans: list[Solution] = []
        if not spec.start_capacity:  # plan at once
            empty = np.zeros((1, self.belief_mdp.width), np.int64)
            self._find(empty, self._planned(whole_campaign(spec)))

    def _planned(self, plates: Plates) -> Plates:
        """What a plan must have before it, to say what to do with such plates to come."""
        return plates if self._sees_the_end else plates[: self.lookahead]

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        batch = np.zeros((len(rngs), q, 1), np.int64)
        for rows, states, layer, found in self._situations(observation):
            if self.ties == "uniform":
                weights = self._weights(layer, found)
                lots = rngs.take(rows).random((1 + q,))
                edges = np.cumsum(weights, axis=1)
                option = (lots[:, :1] * edges[:, -1:] >= edges).sum(axis=1)
                order = np.argsort(lots[:, 1:], axis=1)
            else:
                option = self._option(layer, found, states)
                order = np.broadcast_to(np.arange(q), (len(rows), q))
            chosen = self._batches(layer, states, q)[np.arange(len(rows)), option]  # (R, q)
            batch[rows, :, 0] = np.take_along_axis(chosen, order, axis=1)
        return batch

    @override
    def distribution(
        self, observation: Observation
    ) -> tuple[NDArray[Any], NDArray[np.float64]] | None:
        if self.deterministic:
            return None
        actions: dict[Batch, int] = {}
        entries: list[tuple[Integers, Integers, Floats]] = []
        for rows, states, layer, found in self._situations(observation):
            weights = self._weights(layer, found)
            weights /= weights.sum(axis=1, keepdims=True)
            row, option = np.nonzero(weights)
            # Slots behind a smaller plate are of no matter.
            batches = self._batches(layer, states, self.spec.batch_size)[row, option]
            at = [actions.setdefault(tuple(batch), len(actions)) for batch in batches.tolist()]
            entries.append((rows[row], np.array(at), weights[row, option]))
        probabilities = np.zeros((len(observation["rounds_left"]), max(1, len(actions))))
        for rows_, at_, weight in entries:
            np.add.at(probabilities, (rows_, at_), weight)
        listed = np.array(list(actions) or [(0,) * self.spec.batch_size], np.int64)
        return self.space.actions(listed[..., None]), probabilities

    def _situations(
        self, observation: Observation
    ) -> list[tuple[NDArray[np.intp], Integers, Layer, Integers]]:
        """Rows of unfinished campaigns, their states as they are, the layer and where in it."""
        states = self.belief_mdp.states(self.belief_mdp.items(observation))
        measured = observation["observed"].sum(axis=1, dtype=np.int64)
        situations = []
        for plates, group in by_plates(observation):
            for count in np.unique(measured[group]):
                rows = group[measured[group] == count]
                canonical = self.belief_mdp.canonical(states[rows])
                layer, found = self._find(canonical, self._planned(plates))
                situations.append((rows, states[rows], layer, found))
        return situations

    def _find(self, states: Integers, plates: Plates) -> tuple[Layer, Integers]:
        """A layer with all of these canonical states; plans from them where there is none."""
        for plan in self._plans:
            layer = plan.layer(plates)
            if layer is not None and layer.states.shape[1] == states.shape[1]:
                found = layer.find(states)
                if (found >= 0).all():
                    return layer, found
        plan = solve(
            self.belief_mdp,
            states,
            plates,
            self.spec.utility,
            lookahead=self.lookahead,
            max_states=self.max_states,
        )
        self._plans = [plan, *self._plans][:_PLANS_KEPT]
        return plan.layers[0], plan.layers[0].find(states)

    def _weights(self, layer: Layer, found: Integers) -> Floats:
        """Weights of the tied options under "uniform", (R, A)."""
        posterior = self.belief_mdp.weigh(layer.states[found])
        return layer.tied[found] * self.belief_mdp.proposals(posterior, layer.options)

    def _option(self, layer: Layer, found: Integers, states: Integers) -> Integers:
        """Which option each row takes, (R,)."""
        if self.ties != "first":
            return layer.chosen[found, RULES.index(self.ties)]
        batches = self._batches(layer, states, len(layer.options[0]))  # (R, A, q)
        first = layer.tied[found]
        # To the known arms, which come last: from the other end.
        batches = -batches if self.belief_mdp.repeats is Repeats.ALLOWED else batches
        for slot in range(batches.shape[2]):
            smallest = np.where(first, batches[..., slot], self.belief_mdp.size).min(axis=1)
            first = first & (batches[..., slot] == smallest[:, None])
        return first.argmax(axis=1)

    def _batches(self, layer: Layer, states: Integers, slots: int) -> Integers:
        """The options as sorted batches of the states' own designs, (R, A, slots)."""
        options = np.array(layer.options, np.int64).reshape(len(layer.options), -1)
        order = self.belief_mdp.order(states)  # (R, M)
        batches = np.sort(order[:, options], axis=-1)
        # Where fewer than q designs are left, the rest of the slots are wasted on design 0.
        missing = slots - batches.shape[-1]
        return np.pad(batches, ((0, 0), (0, 0), (0, missing)))


def bayes_optimal(
    spec: CampaignSpec, *, ties: str = "first", max_states: int = MAX_STATES
) -> ExactPolicy:
    """The policy that maximises expected utility over the rounds that are left.

    Among policies that waste no slot on purpose: where nothing is measured twice, q different
    designs that are not measured are proposed, as long as there are so many, even where values are
    negative and a wasted slot, worth 0, would be better under `total` or `last_*`.
    """
    return ExactPolicy(spec, ties=ties, max_states=max_states)


def one_step(
    spec: CampaignSpec, *, ties: str = "first", max_states: int = MAX_STATES
) -> ExactPolicy:
    """The policy that is optimal when one round is left, applied every round."""
    return ExactPolicy(spec, lookahead=1, ties=ties, max_states=max_states)


def rolling(
    spec: CampaignSpec, *, lookahead: int = 2, ties: str = "first", max_states: int = MAX_STATES
) -> ExactPolicy:
    """The policy that plans a few rounds ahead, every round; `rolling_2` in the registry."""
    return ExactPolicy(spec, lookahead=lookahead, ties=ties, max_states=max_states)
