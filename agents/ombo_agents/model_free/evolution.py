"""Differential evolution."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.model_free.pools import nearest
from ombo_agents.model_free.rounds import by_count, reflected, rounds_played, start_size
from ombo_agents.policy import DesignsPolicy, Observation
from ombo_agents.settings import number, whole
from ombo_agents.unmeasured import fresh
from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows

STRATEGIES = ("rand", "best")
_FEWEST = 4  # members: a target and three others


class Evolution(DesignsPolicy):
    """Differential evolution, rand/1/bin or best/1/bin: a batch is one trial for each target.

    The founders are the best rows of the start, together with those of the first rounds where the
    start is small: these are uniform. From then on the slots of the batches are trials for the
    members of the population in turn, q targets a round, and a trial that is at least as good as
    its target takes its place. The population is worked out anew from the dataset. Trials are
    mirrored at the sides of the space.

    A difference of designs must mean something: the method suits boxes, categories that are levels
    of a quantity (trials are rounded to the nearest levels) and pools, whose features are such a
    space (a trial is the nearest candidate that was not measured). On categories without an order
    a difference has no direction; `genetic` recombines those.

    Args:
        game: The campaigns it is built for.
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
    coincides = True

    def __init__(
        self, game: Game, *, population: int, weight: float, crossover: float, strategy: str
    ) -> None:
        super().__init__(game)
        self.population = whole("population", population, at_least=_FEWEST)
        self.weight = number("weight", weight, up_to=2)
        self.crossover = number("crossover", crossover, up_to=1)
        if strategy not in STRATEGIES:
            raise ValueError(f"strategy: expected one of {list(STRATEGIES)}, got {strategy!r}")
        self.strategy = strategy
        self._start = start_size(game)
        if isinstance(self.space, CandidateDesigns):
            pool = self.space.pool_features
            low, high = pool.min(axis=0), pool.max(axis=0)
            self._pool = 2 * (pool - low) / np.where(high > low, high - low, 1.0) - 1

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        batch = np.zeros((len(draws), self.batch_size, *self.space.shape), self.space.dtype)
        for rows, n in by_count(observation, 4 + self.space.shape[0]):
            designs = observation["designs"][rows, :n]
            values = observation["values"][rows, :n].astype(np.float64)
            batch[rows] = self._trials(designs, values, draws.take(rows))
        return batch

    def _trials(
        self, designs: NDArray[Any], values: NDArray[np.float64], draws: GeneratorRows
    ) -> NDArray[Any]:
        q, n = self.batch_size, values.shape[1]
        rounds = rounds_played(n, self._start, q)
        founders, waits = n - rounds * q, 0  # rows and rounds before the first trial
        while founders < self.population and waits < rounds:
            founders, waits = founders + q, waits + 1
        if founders < self.population:
            return fresh(self.space, draws, q)
        members = selected(values, founders, self.population)  # (R, P)
        targets = (np.arange(q) + q * (rounds - waits)) % self.population
        points = self._bred(self._points(designs), values, members, targets, draws)
        return self._designs(points, designs)

    def _bred(
        self,
        points: NDArray[np.float64],
        values: NDArray[np.float64],
        members: NDArray[np.intp],
        targets: NDArray[np.intp],
        draws: GeneratorRows,
    ) -> NDArray[Any]:
        """Trials of targets, (R, q, k)."""
        row, q, dim = np.arange(len(points))[:, None], len(targets), points.shape[2]
        lots = draws.random((q, members.shape[1]))
        lots[:, np.arange(q), targets] = np.inf  # a target is none of its own three
        others = np.argsort(lots, axis=2, kind="stable")[..., :3]  # (R, q, 3)
        first, second, third = (
            points[row, members[row, others[..., i]]] for i in range(3)
        )  # (R, q, k)
        if self.strategy == "best":
            heights = np.take_along_axis(values, members, axis=1)
            best = members[row[:, 0], heights.argmax(axis=1)]
            first = points[row, best[:, None]]
        mutants = first + self.weight * (second - third)
        numbers = draws.random((q, dim + 1))
        mixed = numbers[..., :dim] < self.crossover
        certain = (numbers[..., -1:] * dim).astype(np.intp)
        np.put_along_axis(mixed, certain, True, axis=2)
        return reflected(np.where(mixed, mutants, points[row, members[:, targets]]))

    def _points(self, designs: NDArray[Any]) -> NDArray[np.float64]:
        """Designs as points of [-1, 1]^k."""
        space = self.space
        if isinstance(space, CandidateDesigns):
            return self._pool[designs[..., 0]]
        if isinstance(space, CategoricalDesigns):
            return 2.0 * designs / np.maximum(space.categories - 1, 1) - 1.0
        return designs.astype(np.float64)

    def _designs(self, points: NDArray[Any], measured: NDArray[Any]) -> NDArray[Any]:
        space = self.space
        if isinstance(space, CandidateDesigns):
            taken = np.zeros((len(points), len(self._pool)), bool)
            if self.distinct:
                taken[np.arange(len(points))[:, None], measured[..., 0]] = True
            return nearest(self._pool, points.astype(float), taken, distinct=self.distinct)
        if isinstance(space, CategoricalDesigns):
            return np.rint((points + 1) / 2 * (space.categories - 1)).astype(np.int64)
        return points


def selected(values: NDArray[np.float64], founders: int, population: int) -> NDArray[np.intp]:
    """The population after all trials, as rows of the dataset.

    Args:
        values: (R, n); the trials follow the founders, for members 0, 1, ... in turn.
        founders: Rows of which the best are the first members.
        population: Members.

    Returns:
        (R, population).
    """
    members = np.argsort(-values[:, :founders], axis=1, kind="stable")[:, :population]
    for trial in range(founders, values.shape[1], population):
        rows = np.arange(trial, min(trial + population, values.shape[1]))
        held = members[:, : len(rows)]
        better = values[:, rows] >= np.take_along_axis(values, held, axis=1)
        members[:, : len(rows)] = np.where(better, rows, held)
    return members
