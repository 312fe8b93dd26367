"""Differential evolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.nearest_candidates import nearest
from ombo_agents.policy import DesignsPolicy
from ombo_agents.round_history import RoundHistory, batches_by_history
from ombo_agents.settings import choice, number, whole
from ombo_agents.unmeasured import fresh
from ombo_gym.design_spaces import Designs
from ombo_gym.design_spaces.relaxations import reflected
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec

STRATEGIES = ("rand", "best")
_MIN_POPULATION = 4  # a target and three others


class Evolution(DesignsPolicy):
    """Differential evolution, rand/1/bin or best/1/bin: a batch is one trial for each target.

    The founders are the best rows of the start, together with those of the first rounds where the
    start is small: these are uniform. From then on the slots of the batches are trials for the
    members of the population in turn, and a trial that is at least as good as
    its target takes its place. The population is worked out anew from the dataset. Trials are
    mirrored at the sides of the space.

    A difference of designs must mean something: the method suits numbers, levels of a quantity
    (trials are rounded to the nearest levels) and pools, whose features are such a space (a trial
    is the nearest candidate that was not measured). On categories without an order a difference has
    no direction; `genetic` recombines those.

    Args:
        spec: Of the campaigns it is built for.
        population: Members, 4 or more.
        weight: F, of the difference.
        crossover: CR, the probability that a coordinate is the mutant's; one always is.
        strategy: What the difference is added to: "rand", a random member, or "best".

    Raises:
        ValueError: An argument out of range.

    Reference:
        Storn and Price, Differential evolution, Journal of Global Optimization 11, 1997.
    """

    horizon_aware = False

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        population: int,
        weight: float,
        crossover: float,
        strategy: str,
    ) -> None:
        super().__init__(spec)
        self.population = whole("population", population, at_least=_MIN_POPULATION)
        self.weight = number("weight", weight, up_to=2)
        self.crossover = number("crossover", crossover, up_to=1)
        self.strategy = choice("strategy", strategy, options=STRATEGIES)
        self._relaxation = self.space.relaxation()
        self._pool: NDArray[np.float64] | None = None  # (M, k) of candidates, from -1 to 1
        if (pool := self.space.pool_features) is not None:
            low, high = pool.min(axis=0), pool.max(axis=0)
            self._pool = 2 * (pool - low) / np.where(high > low, high - low, 1.0) - 1

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        entries = 4 + self.space.shape[0]
        return batches_by_history(
            self._trials, self.spec, observation, rngs, q, entries_per_row=entries
        )

    def _trials(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        rngs: GeneratorBatch,
        q: int,
        history: RoundHistory,
    ) -> Designs:
        # Rows before the first trial: the start and, where it is small, the first rounds.
        founders = next((edge for edge in history.edges if edge >= self.population), None)
        if founders is None:
            return fresh(self.space, rngs, q)
        members = surviving_population(values, founders, self.population)  # (R, P)
        targets = (np.arange(q) + history.num_observed - founders) % self.population
        trials = self._recombined(self._points(designs), values, members, targets, rngs)
        return self._designs(trials, designs)

    def _recombined(
        self,
        points: NDArray[np.float64],
        values: NDArray[np.float64],
        members: NDArray[np.intp],
        targets: NDArray[np.intp],
        rngs: GeneratorBatch,
    ) -> NDArray[Any]:
        """Trials of targets, (R, q, k)."""
        row, q, dim = np.arange(len(points))[:, None], len(targets), points.shape[2]
        lots = rngs.random((q, members.shape[1]))
        lots[:, np.arange(q), targets] = np.inf  # a target is none of its own three
        others = np.argsort(lots, axis=2, kind="stable")[..., :3]  # (R, q, 3)
        first, second, third = (
            points[row, members[row, others[..., i]]] for i in range(3)
        )  # (R, q, k)
        if self.strategy == "best":
            member_values = np.take_along_axis(values, members, axis=1)  # (R, P)
            best = members[row[:, 0], member_values.argmax(axis=1)]  # (R,)
            first = points[row, best[:, None]]
        mutants = first + self.weight * (second - third)
        uniform = rngs.random((q, dim + 1))
        from_mutant = uniform[..., :dim] < self.crossover  # (R, q, k)
        certain = (uniform[..., -1:] * dim).astype(np.intp)  # (R, q, 1)
        np.put_along_axis(from_mutant, certain, True, axis=2)
        return reflected(np.where(from_mutant, mutants, points[row, members[:, targets]]))

    def _points(self, designs: Designs) -> NDArray[np.float64]:
        """Designs as points of [-1, 1]^k."""
        if self._pool is not None:
            return self._pool[designs[..., 0]]
        flat = self._relaxation.precise(designs.reshape(-1, *designs.shape[2:]))
        return flat.reshape(*designs.shape[:2], -1)

    def _designs(self, points: NDArray[Any], measured: Designs) -> Designs:
        if self._pool is not None:
            return nearest(self._pool, points.astype(float), measured, self.spec.repeats)
        flat = self._relaxation.decode(points.reshape(-1, points.shape[-1]))
        return flat.reshape(*points.shape[:2], *self.space.shape)


def surviving_population(
    values: NDArray[np.float64], founders: int, population: int
) -> NDArray[np.intp]:
    """The population after all trials, as rows of the dataset.

    Args:
        values: (R, n); the trials follow the founders, for members 0, 1, ... in turn.
        founders: Rows of which the best are the first members.
        population: Members.

    Returns:
        (R, population).
    """
    members = np.argsort(-values[:, :founders], axis=1, kind="stable")[:, :population]
    for first in range(founders, values.shape[1], population):
        trials = np.arange(first, min(first + population, values.shape[1]))  # rows of the dataset
        targets = members[:, : len(trials)]
        no_worse = values[:, trials] >= np.take_along_axis(values, targets, axis=1)
        members[:, : len(trials)] = np.where(no_worse, trials, targets)
    return members
