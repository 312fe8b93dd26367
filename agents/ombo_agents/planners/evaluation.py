"""What a policy is worth exactly: forward induction over everything it may be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ombo_agents.planners.belief_mdp import BeliefMDP, Floats, Integers, make_belief_mdp
from ombo_agents.planners.plates import Plates, in_words, whole_campaign, why_not_alike
from ombo_agents.planners.reachable_states import MAX_STATES, TooManyStates, distinct_rows
from ombo_gym.actions import ActionCheck
from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec, Repeats, campaign_spec

_TOGETHER = 4096  # datasets that a policy is shown at a time


@dataclass(frozen=True)
class PolicyValue:
    """What a policy is worth.

    Attributes:
        value: Expected utility.
        exact: False for a policy that draws lots and does not tell how (`Policy.distribution`). It
            was asked repeatedly in every situation, then, and `value` is an unbiased estimate.
        datasets: Situations that the policy was asked in.
    """

    value: float
    exact: bool
    datasets: int


def exact_value(
    env: Any, policy: Any, *, samples: int = 64, seed: int = 0, max_states: int = MAX_STATES
) -> float:
    """The expected utility of a policy over the prior, without playing a single campaign.

    Args:
        env: An environment or a spec, as of `Ombo/Bandit-v0` or `Ombo/Landscapes-v0`, with plates
            that are laid down, or one horizon and batch size, and no start.
        policy: Any policy of the protocol, `act(observation, rng)`. One that draws lots should have
            `distribution`.
        samples: Otherwise it is asked so often in each situation, and the value is an unbiased
            estimate; policies that say `deterministic = True` are asked once.
        seed: Of those draws.
        max_states: Datasets to look at before giving up.

    Returns:
        The value; see `evaluate_policy` for what it rests on.

    Raises:
        ValueError: Campaigns that cannot be evaluated exactly.
        TooManyStates: Too many datasets.
    """
    return evaluate_policy(env, policy, samples=samples, seed=seed, max_states=max_states).value


def evaluate_policy(
    env: Any, policy: Any, *, samples: int = 64, seed: int = 0, max_states: int = MAX_STATES
) -> PolicyValue:
    """As `exact_value`, saying also whether the value is exact and how much was looked at."""
    spec = env if isinstance(env, CampaignSpec) else campaign_spec(env)
    belief_mdp = make_belief_mdp(spec)  # refuses what has no exact posterior
    if samples < 1:
        raise ValueError(f"samples: expected at least 1, got {samples}")
    if spec.control != "designs":
        raise ValueError(f'exact_value needs control="designs", got {spec.control!r}')
    if (reason := why_not_alike(spec)) is not None:
        raise ValueError(f'exact_value needs control="designs", {reason}')
    walk = _ForwardInduction(
        spec, belief_mdp, policy, samples, np.random.default_rng(seed), max_states
    )
    value = walk.value()
    return PolicyValue(value, walk.exact, walk.datasets)


class _ForwardInduction:
    """Datasets with their probabilities, round by round."""

    def __init__(
        self,
        spec: CampaignSpec,
        belief_mdp: BeliefMDP,
        policy: Any,
        samples: int,
        rng: np.random.Generator,
        max_states: int,
    ) -> None:
        self._spec, self._beliefs, self._plates = spec, belief_mdp, whole_campaign(spec)
        self._policy, self._samples, self._rng = policy, samples, rng
        self._name = type(policy).__name__
        self._exchangeable = bool(getattr(policy, "exchangeable", False))
        self._detail = "sets" if self._exchangeable else "sequences"
        self._max = max_states
        self.exact = True
        self.datasets = 0

    def value(self) -> float:
        """Sums expected gains over rounds."""
        belief_mdp, utility, rounds = self._beliefs, self._spec.utility, len(self._plates)
        items, chances = np.zeros((1, 0), np.int64), np.ones(1)
        gained = 0.0
        for played in range(rounds):
            plates = self._plates[played:]
            self.datasets += len(items)
            ends = len(plates) == 1 and not utility.needs_posterior  # what is shown: no matter
            shown: list[tuple[Integers, Floats]] = []
            for some, batch, weights in self._proposals(items, chances, plates):
                posterior = belief_mdp.weigh(belief_mdp.states(some))
                gain = belief_mdp.gain(posterior, batch, plates[0], utility, len(plates))
                gained += float(weights @ gain)
                if not ends:
                    scenarios = belief_mdp.scenarios(batch, self._detail)
                    self._check(shown, len(some) * len(scenarios.items), played + 1)
                    joint = weights[:, None] * scenarios.probabilities(posterior)  # (S, E)
                    which, scenario = np.nonzero(joint)
                    grown = np.concatenate([some[which], scenarios.items[scenario]], axis=1)
                    shown.append(self._merged(grown, joint[which, scenario]))
            if not ends:
                items, chances = self._joined(shown)
        if utility.needs_posterior:
            worth = belief_mdp.means(belief_mdp.weigh(belief_mdp.states(items))).max(axis=1)
            gained += float(chances @ worth)
        return gained * utility.share_of_gain(rounds)

    def _check(self, shown: list[tuple[Integers, Floats]], more: int, played: int) -> None:
        if sum(len(items) for items, _ in shown) + more <= self._max:
            return
        merged = sum(len(items) for items, _ in shown)
        order = (
            ""
            if self._exchangeable
            else "; a policy that does not look at the order of the dataset's rows should say so "
            "(exchangeable = True): then far fewer are looked at"
        )
        raise TooManyStates(
            f"exact evaluation of {in_words(self._plates)} needs more than {merged + more:,} "
            f"datasets after round {played}, but at most max_states={self._max:,} were allowed; "
            f"N <= {played} is feasible{order}"
        )

    def _proposals(
        self, items: Integers, chances: Floats, plates: Plates
    ) -> Iterator[tuple[Integers, tuple[int, ...], Floats]]:
        """Datasets with a batch that is measured there, and how likely both are together."""
        for at in range(0, len(items), _TOGETHER):
            part = items[at : at + _TOGETHER]
            row, batches, weights = self._ask(part, plates)
            weights = weights * chances[at + row]
            effective = self._effective(part[row], batches)
            distinct, kind = np.unique(effective, axis=0, return_inverse=True)
            for number, batch in enumerate(distinct.tolist()):
                these = np.flatnonzero(kind.ravel() == number)
                yield part[row[these]], tuple(d for d in batch if d >= 0), weights[these]

    def _effective(self, items: Integers, batches: Integers) -> Integers:
        """What is measured of batches (T, q): -1, in front, for slots that are wasted."""
        if self._beliefs.repeats is Repeats.NEVER_AGAIN:
            measured = self._beliefs.design_of(items)
            wasted = (batches[:, :, None] == measured[:, None]).any(axis=2)
            earlier = np.tril(np.ones((batches.shape[1],) * 2, bool), -1)
            wasted |= ((batches[:, :, None] == batches[:, None]) & earlier).any(axis=2)
            batches = np.where(wasted, -1, batches)
        return np.sort(batches, axis=1) if self._exchangeable else batches

    def _ask(self, items: Integers, plates: Plates) -> tuple[Integers, Integers, Floats]:
        """Rows, batches (T, q) and probabilities of what the policy proposes in some datasets."""
        observation = self._observation(items, plates)
        rows = np.arange(len(items))
        tell = getattr(self._policy, "distribution", None)
        told = None if tell is None else tell(observation)
        if told is not None:
            actions, probabilities = told
            batches = self._batches(actions, len(actions), plates[0])
            shape = (len(items), len(actions))
            if probabilities.shape != shape or not (
                (probabilities >= 0).all() and np.allclose(probabilities.sum(axis=1), 1)
            ):
                raise ValueError(
                    f"{self._name}.distribution: expected probabilities of shape {shape}, in rows "
                    "that sum to 1"
                )
            row, action = np.nonzero(probabilities)
            return row, batches[action], probabilities[row, action]
        if getattr(self._policy, "deterministic", False):
            actions = self._policy.act(observation, [self._rng] * len(rows))  # not drawn from
            return rows, self._batches(actions, len(rows), plates[0]), np.ones(len(rows))
        self.exact = False
        again = np.repeat(rows, self._samples)
        repeated = {name: array[again] for name, array in observation.items()}
        actions = self._policy.act(repeated, self._rng)
        batches = self._batches(actions, len(again), plates[0])
        if self._exchangeable:
            batches = np.sort(batches, axis=1)
        drawn, count = np.unique(
            np.concatenate([again[:, None], batches], axis=1), axis=0, return_counts=True
        )
        return drawn[:, 0], drawn[:, 1:], count / self._samples

    def _batches(self, actions: Any, rows: int, q: int) -> Integers:
        """Batches of designs from a policy's actions, (rows, q).

        Raises:
            ValueError: Actions that the environment would refuse.
        """
        try:
            checked = ActionCheck(self._spec.action_space, rows)(actions)
        except ValueError as error:
            raise ValueError(f"{self._name}: {error}") from None
        return self._spec.design_space.designs(checked)[:, :q, 0]

    def _observation(self, items: Integers, plates: Plates) -> Observation:
        """What an agent sees of datasets: the environment's fields with a leading S."""
        rows, spec = len(items), self._spec
        # In a dataset, rows in use come first; wasted slots left none.
        items = np.take_along_axis(items, np.argsort(items < 0, axis=1, kind="stable"), axis=1)
        padded = np.full((rows, spec.capacity), -1)
        padded[:, : items.shape[1]] = items
        observed = padded >= 0
        designs = np.where(observed, self._beliefs.design_of(padded), 0)
        to_come = np.zeros((rows, spec.horizon), np.float32)
        to_come[:, : len(plates)] = plates
        return {
            "designs": designs[..., None].astype(spec.observation_space["designs"].dtype),
            "measurements": np.where(observed, self._beliefs.item_values[padded], 0.0),
            "observed": observed.astype(np.int8),
            "from_start": np.zeros_like(observed, np.int8),
            "rounds_left": np.full((rows, 1), len(plates), np.float32),
            "plates": to_come,
        }

    def _merged(self, items: Integers, chances: Floats) -> tuple[Integers, Floats]:
        """Datasets each once: as sets, where the policy does not look at their order."""
        if self._exchangeable:
            items = np.sort(items, axis=1)
        distinct, _, kind = distinct_rows(items)
        merged = np.zeros(len(distinct))
        np.add.at(merged, kind, chances)
        return distinct, merged

    def _joined(self, shown: list[tuple[Integers, Floats]]) -> tuple[Integers, Floats]:
        width = max(items.shape[1] for items, _ in shown)
        padded = [
            np.pad(items, ((0, 0), (0, width - items.shape[1])), constant_values=-1)
            for items, _ in shown
        ]
        return self._merged(np.concatenate(padded), np.concatenate([c for _, c in shown]))
