"""What a policy is worth exactly: forward induction over everything it may be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.planners.beliefs import Beliefs, Floats, Integers, make_beliefs
from ombo_agents.planners.reach import MAX_STATES, TooManyStates, distinct_rows
from ombo_gym.actions import ActionCheck
from ombo_gym.game import Game, game_of

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
        env: Of `Ombo/Bandit-v0` or `Ombo/Landscapes-v0`, with one horizon and no start.
        policy: Any policy of the protocol, `act(observation, rng)`. One that draws lots should have
            `distribution`.
        samples: Otherwise it is asked so often in each situation, and the value is an unbiased
            estimate; policies that say `deterministic = True` are asked once.
        seed: Of those draws.
        max_states: Datasets to look at before giving up.

    Returns:
        The value; see `evaluate_policy` for what it rests on.

    Raises:
        ValueError: An environment that cannot be evaluated exactly.
        TooManyStates: Too many datasets.
    """
    return evaluate_policy(env, policy, samples=samples, seed=seed, max_states=max_states).value


def evaluate_policy(
    env: Any, policy: Any, *, samples: int = 64, seed: int = 0, max_states: int = MAX_STATES
) -> PolicyValue:
    """As `exact_value`, saying also whether the value is exact and how much was looked at."""
    game = game_of(env)
    make_beliefs(game)  # refuses what has no exact posterior
    if samples < 1:
        raise ValueError(f"samples: expected at least 1, got {samples}")
    low, high = game.horizons
    if (
        game.control_name != "designs"
        or low != high
        or game.campaigns.capacity != high * game.batch_size
    ):
        raise ValueError(
            'exact_value needs control="designs", one horizon and start={"kind": "none"}, got '
            f"{game.control_name!r}, {[low, high]} and "
            f"{game.campaigns.capacity - high * game.batch_size} starting rows"
        )
    walk = _Walk(game, policy, samples, np.random.default_rng(seed), max_states)
    value = walk.value()
    return PolicyValue(value, walk.exact, walk.datasets)


class _Walk:
    """Datasets with their probabilities, round by round."""

    def __init__(
        self, game: Game, policy: Any, samples: int, rng: np.random.Generator, max_states: int
    ) -> None:
        self._game, self._policy, self._samples, self._rng = game, policy, samples, rng
        self._beliefs: Beliefs = make_beliefs(game)
        self._utility = game.campaigns.settings.utility
        self._name = type(policy).__name__
        self._exchangeable = bool(getattr(policy, "exchangeable", False))
        self._detail = "sets" if self._exchangeable else "sequences"
        self._max = max_states
        self.exact = True
        self.datasets = 0

    def value(self) -> float:
        """Sums expected gains over rounds."""
        beliefs, rounds = self._beliefs, self._game.horizons[1]
        items, chances = np.zeros((1, 0), np.int64), np.ones(1)
        total = 0.0
        for left in range(rounds, 0, -1):
            self.datasets += len(items)
            ends = left == 1 and self._utility != "recommendation"  # what is shown matters no more
            shown: list[tuple[Integers, Floats]] = []
            for some, batch, weights in self._proposals(items, chances, left):
                states = beliefs.states(some)
                posterior = beliefs.weigh(states)
                q = self._game.batch_size
                gain = beliefs.gain(posterior, states, batch, q, self._utility, last=left == 1)
                total += float(weights @ gain)
                if not ends:
                    scenarios = beliefs.scenarios(batch, self._detail)
                    self._check(shown, len(some) * len(scenarios.items), rounds - left + 1)
                    joint = weights[:, None] * scenarios.probabilities(posterior)  # (S, E)
                    which, scenario = np.nonzero(joint)
                    grown = np.concatenate([some[which], scenarios.items[scenario]], axis=1)
                    shown.append(self._merged(grown, joint[which, scenario]))
            if ends:
                return total
            items, chances = self._joined(shown)
        worth = beliefs.means(beliefs.weigh(beliefs.states(items))).max(axis=1)
        return total + float(chances @ worth)

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
            f"exact evaluation of N = {self._game.horizons[1]} rounds of q = "
            f"{self._game.batch_size} needs more than {merged + more:,} datasets after round "
            f"{played}, but at most max_states={self._max:,} were allowed; N <= {played} is "
            f"feasible{order}"
        )

    def _proposals(
        self, items: Integers, chances: Floats, left: int
    ) -> Iterator[tuple[Integers, tuple[int, ...], Floats]]:
        """Datasets with a batch that is measured there, and how likely both are together."""
        for at in range(0, len(items), _TOGETHER):
            part = items[at : at + _TOGETHER]
            row, batches, weights = self._ask(part, left)
            weights = weights * chances[at + row]
            effective = self._effective(part[row], batches)
            distinct, kind = np.unique(effective, axis=0, return_inverse=True)
            for number, batch in enumerate(distinct.tolist()):
                these = np.flatnonzero(kind.ravel() == number)
                yield part[row[these]], tuple(d for d in batch if d >= 0), weights[these]

    def _effective(self, items: Integers, batches: Integers) -> Integers:
        """What is measured of batches (T, q): -1, in front, for slots that are wasted."""
        if not self._beliefs.repeats:
            measured = self._beliefs.design_of(items)
            wasted = (batches[:, :, None] == measured[:, None]).any(axis=2)
            earlier = np.tril(np.ones((batches.shape[1],) * 2, bool), -1)
            wasted |= ((batches[:, :, None] == batches[:, None]) & earlier).any(axis=2)
            batches = np.where(wasted, -1, batches)
        return np.sort(batches, axis=1) if self._exchangeable else batches

    def _ask(self, items: Integers, left: int) -> tuple[Integers, Integers, Floats]:
        """Rows, batches (T, q) and probabilities of what the policy proposes in some datasets."""
        observation = self._observation(items, left)
        rows = np.arange(len(items))
        tell = getattr(self._policy, "distribution", None)
        told = None if tell is None else tell(observation)
        if told is not None:
            actions, probabilities = told
            batches = self._batches(actions, len(actions))
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
            return rows, self._batches(actions, len(rows)), np.ones(len(rows))
        self.exact = False
        again = np.repeat(rows, self._samples)
        repeated = {name: array[again] for name, array in observation.items()}
        batches = self._batches(self._policy.act(repeated, self._rng), len(again))
        if self._exchangeable:
            batches = np.sort(batches, axis=1)
        drawn, count = np.unique(
            np.concatenate([again[:, None], batches], axis=1), axis=0, return_counts=True
        )
        return drawn[:, 0], drawn[:, 1:], count / self._samples

    def _batches(self, actions: Any, rows: int) -> Integers:
        """Batches of designs from a policy's actions, (rows, q).

        Raises:
            ValueError: Actions that the environment would refuse.
        """
        space = self._game.design_space
        try:
            checked = ActionCheck(space.action_space(self._game.batch_size), rows)(actions)
        except ValueError as error:
            raise ValueError(f"{self._name}: {error}") from None
        return space.designs(checked)[..., 0]

    def _observation(self, items: Integers, left: int) -> dict[str, NDArray[Any]]:
        """What an agent sees of datasets: the environment's fields with a leading S."""
        rows, capacity = len(items), self._game.campaigns.capacity
        # In a dataset, rows in use come first; wasted slots left none.
        items = np.take_along_axis(items, np.argsort(items < 0, axis=1, kind="stable"), axis=1)
        padded = np.full((rows, capacity), -1)
        padded[:, : items.shape[1]] = items
        observed = padded >= 0
        designs = np.where(observed, self._beliefs.design_of(padded), 0)
        values = np.where(observed, self._beliefs.item_values[padded], 0)
        return {
            "designs": designs[..., None].astype(np.int64),
            "values": values.astype(np.float32),
            "observed": observed.astype(np.int8),
            "rounds_left": np.full((rows, 1), left, np.float32),
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
