"""What a policy is worth exactly: forward induction over everything it may be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ombo_agents.planners.belief_mdp import Batch, BeliefMDP, Floats, Integers, make_belief_mdp
from ombo_agents.planners.plates import Plates, describe_plates, whole_campaign, why_not_alike
from ombo_agents.planners.reachable_states import (
    MAX_STATES,
    Progress,
    TooManyStates,
    distinct_rows,
    silent,
)
from ombo_gym.actions import ActionCheck
from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec, Repeats, campaign_spec

_CHUNK_DATASETS = 4096  # that a policy is shown at a time


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
    env: Any,
    policy: Any,
    *,
    samples: int = 64,
    seed: int = 0,
    max_states: int = MAX_STATES,
    progress: Progress = silent,
) -> PolicyValue:
    """As `exact_value`, saying also whether the value is exact and how much was looked at.

    `progress` is told of the datasets in which the policy was asked.
    """
    spec = env if isinstance(env, CampaignSpec) else campaign_spec(env)
    belief_mdp = make_belief_mdp(spec)  # refuses what has no exact posterior
    if samples < 1:
        raise ValueError(f"samples: expected at least 1, got {samples}")
    if spec.control != "designs":
        raise ValueError(f'exact_value needs control="designs", got {spec.control!r}')
    if (reason := why_not_alike(spec)) is not None:
        raise ValueError(f'exact_value needs control="designs", {reason}')
    rng = np.random.default_rng(seed)
    asked = progress("asking the policy", None)
    induction = _ForwardInduction(spec, belief_mdp, policy, samples, rng, max_states, asked)
    value = induction.value()
    return PolicyValue(value, induction.exact, induction.datasets)


@dataclass(frozen=True)
class _Datasets:
    """D datasets with their probabilities.

    Attributes:
        items: (D, n) measurements, see `BeliefMDP`; -1 for wasted slots.
        chances: (D,).
    """

    items: Integers
    chances: Floats

    def __len__(self) -> int:
        return len(self.items)


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
        asked: Callable[[int], object],
    ) -> None:
        self._spec, self._belief_mdp, self._plates = spec, belief_mdp, whole_campaign(spec)
        self._policy, self._samples, self._rng = policy, samples, rng
        self._name = type(policy).__name__
        self._exchangeable = bool(getattr(policy, "exchangeable", False))
        self._detail = "sets" if self._exchangeable else "sequences"
        self._max_states, self._asked = max_states, asked
        self.exact = True
        self.datasets = 0

    def value(self) -> float:
        """Sums expected gains over rounds."""
        belief_mdp, utility, rounds = self._belief_mdp, self._spec.utility, len(self._plates)
        datasets = _Datasets(np.zeros((1, 0), np.int64), np.ones(1))
        gained = 0.0
        for played in range(rounds):
            plates = self._plates[played:]
            self.datasets += len(datasets)
            # What the last round shows is of no matter, unless the utility is of the posterior.
            is_shown = len(plates) > 1 or utility.needs_posterior
            shown: list[_Datasets] = []
            for before, batch in self._proposals(datasets, plates):
                posterior = belief_mdp.posterior(belief_mdp.states(before.items))
                gain = belief_mdp.expected_gain(posterior, batch, plates[0], utility, len(plates))
                gained += float(before.chances @ gain)
                if is_shown:
                    scenarios = belief_mdp.scenarios(batch, self._detail)
                    self._check(shown, len(before) * len(scenarios.items), played + 1)
                    joint = before.chances[:, None] * scenarios.probabilities(posterior)  # (D, E)
                    dataset, scenario = np.nonzero(joint)
                    items = np.concatenate(
                        [before.items[dataset], scenarios.items[scenario]], axis=1
                    )
                    shown.append(self._merged(_Datasets(items, joint[dataset, scenario])))
            if is_shown:
                datasets = self._joined(shown)
        if utility.needs_posterior:
            posterior = belief_mdp.posterior(belief_mdp.states(datasets.items))
            best_means = belief_mdp.posterior_means(posterior).max(axis=1)  # (D,)
            gained += float(datasets.chances @ best_means)
        return gained * utility.share_of_gain(rounds)

    def _check(self, shown: list[_Datasets], num_more: int, played: int) -> None:
        """Gives up where there are too many datasets after so many rounds."""
        needed = sum(map(len, shown)) + num_more
        if needed <= self._max_states:
            return
        order = (
            ""
            if self._exchangeable
            else "; a policy that does not look at the order of the dataset's rows should say so "
            "(exchangeable = True): then far fewer are looked at"
        )
        raise TooManyStates(
            f"exact evaluation of {describe_plates(self._plates)} needs more than {needed:,} "
            f"datasets after round {played}, but at most max_states={self._max_states:,} were "
            f"allowed; N <= {played} is feasible{order}"
        )

    def _proposals(self, datasets: _Datasets, plates: Plates) -> Iterator[tuple[_Datasets, Batch]]:
        """Datasets in which a batch is measured, with the probabilities of both together."""
        for first in range(0, len(datasets), _CHUNK_DATASETS):
            items = datasets.items[first : first + _CHUNK_DATASETS]
            dataset, batches, probabilities = self._ask(items, plates)  # (T,), (T, q), (T,)
            chances = probabilities * datasets.chances[first + dataset]  # (T,)
            measured = self._measured(items[dataset], batches)  # (T, q)
            distinct, kind = np.unique(measured, axis=0, return_inverse=True)
            for number, slots in enumerate(distinct.tolist()):
                alike = np.flatnonzero(kind.ravel() == number)
                batch = tuple(design for design in slots if design >= 0)
                yield _Datasets(items[dataset[alike]], chances[alike]), batch
            self._asked(len(items))

    def _measured(self, items: Integers, batches: Integers) -> Integers:
        """What is measured of batches (T, q): -1, in front, for slots that are wasted."""
        if self._belief_mdp.repeats is Repeats.NEVER_AGAIN:
            designs = self._belief_mdp.designs_of(items)  # (T, n)
            wasted = (batches[:, :, None] == designs[:, None]).any(axis=2)  # (T, q)
            earlier = np.tril(np.ones((batches.shape[1],) * 2, bool), -1)  # (q, q)
            same = batches[:, :, None] == batches[:, None]  # (T, q, q)
            wasted |= (same & earlier).any(axis=2)
            batches = np.where(wasted, -1, batches)
        return np.sort(batches, axis=1) if self._exchangeable else batches

    def _ask(self, items: Integers, plates: Plates) -> tuple[Integers, Integers, Floats]:
        """What the policy proposes in D datasets, as it says itself, surely, or by drawing.

        Returns:
            T proposals: the number of the dataset, (T,), the batch, (T, q), and its probability
            there, (T,).
        """
        observation = self._observation(items, plates)
        distribution = getattr(self._policy, "distribution", None)
        proposed = None if distribution is None else distribution(observation)
        if proposed is not None:
            actions, probabilities = proposed
            return self._listed(actions, probabilities, len(items), plates[0])
        indices = np.arange(len(items))
        if getattr(self._policy, "deterministic", False):
            actions = self._policy.act(observation, [self._rng] * len(items))  # not drawn from
            return indices, self._batches(actions, len(items), plates[0]), np.ones(len(items))
        self.exact = False
        repeated = np.repeat(indices, self._samples)  # (D * samples,)
        actions = self._policy.act(
            {name: array[repeated] for name, array in observation.items()}, self._rng
        )
        batches = self._batches(actions, len(repeated), plates[0])
        if self._exchangeable:
            batches = np.sort(batches, axis=1)
        drawn, counts = np.unique(
            np.concatenate([repeated[:, None], batches], axis=1), axis=0, return_counts=True
        )
        return drawn[:, 0], drawn[:, 1:], counts / self._samples

    def _listed(
        self, actions: Any, probabilities: Floats, num_datasets: int, q: int
    ) -> tuple[Integers, Integers, Floats]:
        """As `_ask`, of a policy that says how likely each of A actions is, (D, A)."""
        batches = self._batches(actions, len(actions), q)  # (A, q)
        shape = (num_datasets, len(actions))
        if probabilities.shape != shape or not (
            (probabilities >= 0).all() and np.allclose(probabilities.sum(axis=1), 1)
        ):
            raise ValueError(
                f"{self._name}.distribution: expected probabilities of shape {shape}, in rows "
                "that sum to 1"
            )
        dataset, action = np.nonzero(probabilities)
        return dataset, batches[action], probabilities[dataset, action]

    def _batches(self, actions: Any, num_actions: int, q: int) -> Integers:
        """Batches of designs from a policy's actions, (num_actions, q).

        Raises:
            ValueError: Actions that the environment would refuse.
        """
        try:
            checked = ActionCheck(self._spec.action_space, num_actions)(actions)
        except ValueError as error:
            raise ValueError(f"{self._name}: {error}") from None
        return self._spec.design_space.designs(checked)[:, :q, 0]

    def _observation(self, items: Integers, plates: Plates) -> Observation:
        """What an agent sees of datasets: the environment's fields with a leading D."""
        num_datasets, spec = len(items), self._spec
        # In a dataset, rows in use come first; wasted slots left none.
        items = np.take_along_axis(items, np.argsort(items < 0, axis=1, kind="stable"), axis=1)
        padded = np.full((num_datasets, spec.capacity), -1)  # (D, capacity)
        padded[:, : items.shape[1]] = items
        observed = padded >= 0  # (D, capacity)
        designs = np.where(observed, self._belief_mdp.designs_of(padded), 0)  # (D, capacity)
        to_come = np.zeros((num_datasets, spec.horizon), np.float32)  # (D, N)
        to_come[:, : len(plates)] = plates
        return {
            "designs": designs[..., None].astype(spec.observation_space["designs"].dtype),
            "measurements": np.where(observed, self._belief_mdp.item_values[padded], 0.0),
            "observed": observed.astype(np.int8),
            "from_start": np.zeros_like(observed, np.int8),
            "rounds_left": np.full((num_datasets, 1), len(plates), np.float32),
            "plates": to_come,
        }

    def _merged(self, datasets: _Datasets) -> _Datasets:
        """Datasets each once: as sets, where the policy does not look at their order."""
        items = np.sort(datasets.items, axis=1) if self._exchangeable else datasets.items
        distinct, _, kind = distinct_rows(items)
        chances = np.zeros(len(distinct))
        np.add.at(chances, kind, datasets.chances)
        return _Datasets(distinct, chances)

    def _joined(self, shown: list[_Datasets]) -> _Datasets:
        """Datasets of all batches together, each once; shorter ones are padded by wasted slots."""
        n = max(datasets.items.shape[1] for datasets in shown)
        padded = [
            np.pad(datasets.items, ((0, 0), (0, n - datasets.items.shape[1])), constant_values=-1)
            for datasets in shown
        ]
        chances = [datasets.chances for datasets in shown]
        return self._merged(_Datasets(np.concatenate(padded), np.concatenate(chances)))
