"""The Bayes-optimal policy and its short-sighted relatives, exactly.

On `Ombo/Bandit-v0` and `Ombo/Landscapes-v0`, and wherever a spec has such a prior, the posterior is
known and small, so that the best batch in every state follows by backward induction:
`bayes_optimal`. `one_step` is the policy that is optimal when one round is left, applied every
round; `rolling_H` plans H rounds ahead, every round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.planners.belief_mdp import Batch, Floats, Integers, make_belief_mdp
from ombo_agents.planners.evaluation import exact_value
from ombo_agents.planners.induction import RULES, TIES, Layer, Solution, solve
from ombo_agents.planners.plates import Plates, by_plates, whole_campaign, why_not_alike
from ombo_agents.planners.reachable_states import MAX_STATES, Progress, TooManyStates, silent
from ombo_agents.policy import DesignsPolicy, check_spec
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

_KEPT_SOLUTIONS = 64


@dataclass(frozen=True)
class Situation:
    """R unfinished campaigns with the same plates to come and equally many measurements.

    Attributes:
        env_indices: (R,) which of the B campaigns they are.
        states: (R, state_width) as they are, not canonical.
        solution: Number of the solution that says what to do in them.
        layer_index: Which of its layers.
        layer: That layer.
        state_indices: (R,) where their canonical states are in the layer.
    """

    env_indices: NDArray[np.intp]
    states: Integers
    solution: int
    layer_index: int
    layer: Layer
    state_indices: Integers


def solve_campaign(
    spec: CampaignSpec,
    *,
    lookahead: int | None = None,
    max_states: int = MAX_STATES,
    progress: Progress = silent,
) -> Solution:
    """Plans campaigns from the empty dataset; no slot is wasted on purpose.

    Args:
        spec: As of `Ombo/Bandit-v0` or `Ombo/Landscapes-v0` (`env.unwrapped.campaign_spec`), with
            plates that are laid down, or one horizon and batch size, and no start.
        lookahead: Rounds planned ahead every round; None plans to the end.
        max_states: Before giving up.
        progress: Told of the states that are found, and then of those that are planned for.

    Raises:
        ValueError: Campaigns that cannot be planned for exactly.
        TooManyStates: Says how many would be needed and what is feasible.
    """
    check_spec(spec)
    belief_mdp = make_belief_mdp(spec)
    if (reason := why_not_alike(spec)) is not None:
        raise ValueError(f"exact planning needs {reason}")
    empty = np.zeros((1, belief_mdp.state_width), np.int64)
    plates = whole_campaign(spec)
    return solve(
        belief_mdp,
        empty,
        plates,
        spec.utility,
        lookahead=lookahead,
        max_states=max_states,
        progress=progress,
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
                whole(name, number, at_most=10**9)  # states are counted before they are held
        self.belief_mdp = make_belief_mdp(spec)
        self.lookahead, self.ties, self.max_states = lookahead, ties, max_states
        self.deterministic = ties != "uniform"
        # How a tie is broken can depend on the rounds left; the rest of a short plan does not.
        self._sees_the_end = lookahead is None or ties in ("worst", "best")
        self.horizon_aware = lookahead != 1 or self._sees_the_end
        self._solutions: dict[int, Solution] = {}  # by number, the latest has the largest
        if not spec.start_capacity:  # plan at once
            empty = np.zeros((1, self.belief_mdp.state_width), np.int64)
            self._find(empty, self._plates_to_solve(whole_campaign(spec)))

    def _plates_to_solve(self, plates: Plates) -> Plates:
        """The plates of a solution that says what to do with such plates to come."""
        return plates if self._sees_the_end else plates[: self.lookahead]

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        batch = np.zeros((len(rngs), q, 1), np.int64)
        for situation in self._situations(observation):
            env_indices = situation.env_indices
            if self.ties == "uniform":
                uniforms = rngs.take(env_indices).random((1 + q,))  # (R, 1 + q)
                edges = np.cumsum(self._weights(situation), axis=1)  # (R, A)
                option = (uniforms[:, :1] * edges[:, -1:] >= edges).sum(axis=1)  # (R,)
                slots = np.argsort(uniforms[:, 1:], axis=1)  # (R, q)
            else:
                option = self._option(situation)  # (R,)
                slots = np.broadcast_to(np.arange(q), (len(env_indices), q))
            batches = self._batches(situation, q)  # (R, A, q)
            chosen = batches[np.arange(len(env_indices)), option]  # (R, q)
            batch[env_indices, :, 0] = np.take_along_axis(chosen, slots, axis=1)
        return batch

    @override
    def distribution(
        self, observation: Observation
    ) -> tuple[NDArray[Any], NDArray[np.float64]] | None:
        if self.deterministic:
            return None
        columns: dict[Batch, int] = {}  # of all batches that are proposed with some probability
        entries: list[tuple[Integers, Integers, Floats]] = []  # campaigns, columns, probabilities
        for situation in self._situations(observation):
            weights = self._weights(situation)  # (R, A)
            weights /= weights.sum(axis=1, keepdims=True)
            campaign, option = np.nonzero(weights)
            # Slots behind a smaller plate are of no matter.
            batches = self._batches(situation, self.spec.batch_size)[campaign, option]
            column = [columns.setdefault(tuple(batch), len(columns)) for batch in batches.tolist()]
            env_indices = situation.env_indices[campaign]
            entries.append((env_indices, np.array(column), weights[campaign, option]))
        num_campaigns = len(observation["rounds_left"])
        probabilities = np.zeros((num_campaigns, max(1, len(columns))))  # (B, A)
        for env_indices, column_indices, probability in entries:
            np.add.at(probabilities, (env_indices, column_indices), probability)
        designs = np.array(list(columns) or [(0,) * self.spec.batch_size], np.int64)
        return self.space.actions(designs[..., None]), probabilities

    def _situations(self, observation: Observation) -> Iterator[Situation]:
        """The unfinished ones of B campaigns, and what was solved for them."""
        states = self.belief_mdp.states(self.belief_mdp.items(observation))  # (B, state_width)
        measured = observation["observed"].sum(axis=1, dtype=np.int64)  # (B,)
        for plates, same_plates in by_plates(observation):
            for count in np.unique(measured[same_plates]):
                env_indices = same_plates[measured[same_plates] == count]
                canonical = self.belief_mdp.canonical(states[env_indices])
                number, index, state_indices = self._find(canonical, self._plates_to_solve(plates))
                layer = self._solutions[number].layers[index]
                yield Situation(
                    env_indices, states[env_indices], number, index, layer, state_indices
                )

    def _find(self, states: Integers, plates: Plates) -> tuple[int, int, Integers]:
        """A solution that has all of these canonical states; solves from them where none does.

        Returns:
            Its number, the index of the layer, and where the R states are in it, (R,).
        """
        for number in sorted(self._solutions, reverse=True):
            solution = self._solutions[number]
            if (index := solution.layer_index(plates)) is not None:
                state_indices = solution.layers[index].find(states)
                if (state_indices >= 0).all():
                    return number, index, state_indices
        solution = solve(
            self.belief_mdp,
            states,
            plates,
            self.spec.utility,
            lookahead=self.lookahead,
            max_states=self.max_states,
        )
        number = 1 + max(self._solutions, default=-1)
        self._solutions[number] = solution
        if len(self._solutions) > _KEPT_SOLUTIONS:
            del self._solutions[min(self._solutions)]
        return number, 0, solution.layers[0].find(states)

    def _weights(self, situation: Situation) -> Floats:
        """Weights of the tied options under "uniform", (R, A)."""
        layer, state_indices = situation.layer, situation.state_indices
        posterior = self.belief_mdp.posterior(layer.states[state_indices])
        num_proposals = self.belief_mdp.num_proposals(posterior, layer.options)
        return layer.tied[state_indices] * num_proposals

    def _option(self, situation: Situation) -> NDArray[np.intp]:
        """Which option each campaign takes, (R,)."""
        layer, state_indices = situation.layer, situation.state_indices
        if self.ties != "first":
            chosen: NDArray[np.intp] = layer.chosen[state_indices, RULES.index(self.ties)]
            return chosen
        batches = self._batches(situation, len(layer.options[0]))  # (R, A, q)
        # To the known arms, which come last: from the other end.
        batches = -batches if self.belief_mdp.repeats is Repeats.ALLOWED else batches
        first = layer.tied[state_indices]  # (R, A)
        for slot in range(batches.shape[2]):
            designs = np.where(first, batches[..., slot], self.belief_mdp.num_designs)  # (R, A)
            first = first & (batches[..., slot] == designs.min(axis=1, keepdims=True))
        option: NDArray[np.intp] = first.argmax(axis=1)
        return option

    def _batches(self, situation: Situation, slots: int) -> Integers:
        """The options as sorted batches of the states' own designs, (R, A, slots)."""
        layer = situation.layer
        options = np.array(layer.options, np.int64).reshape(len(layer.options), -1)  # (A, q)
        order = self.belief_mdp.order(situation.states)  # (R, M)
        batches = np.sort(order[:, options], axis=-1)  # (R, A, q)
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
