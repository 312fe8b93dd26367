"""A genetic algorithm on whatever was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.model_free.pools import nearest
from ombo_agents.policy import DesignsPolicy, Observation
from ombo_agents.unmeasured import fresh
from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows
from ombo_gym.surrogates.candidates import mutate


class Genetic(DesignsPolicy):
    """Children of the best designs: tournament selection, uniform crossover, mutation.

    The population is the best `population` rows; parents win tournaments of two. In a box mutation
    adds normal steps, on categories it changes a position for sure; in a pool a child is the
    candidate nearest to its parents' mixture, of those that are neither measured nor children yet
    (arms of a bandit: of all). Where nothing is measured twice, uniform designs take the place of
    children that were measured.

    Args:
        game: The campaigns it is built for.
        population: Rows that parents are chosen from.
        mutation: Standard deviation of a step in a box (side 2), in a pool relative to the
            features' spread.

    Raises:
        ValueError: An argument out of range.
    """

    horizon_aware = False

    def __init__(self, game: Game, *, population: int, mutation: float) -> None:
        super().__init__(game)
        if isinstance(population, bool) or not isinstance(population, int) or population < 1:
            raise ValueError(
                f"population: expected a whole number of at least 1, got {population!r}"
            )
        if not 0 <= mutation < np.inf:
            raise ValueError(f"mutation: expected a number of at least 0, got {mutation!r}")
        self.population = population
        self.mutation = mutation

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        observed = observation["observed"].astype(bool)
        batch = np.zeros((len(observed), self.batch_size, *self.space.shape), self.space.dtype)
        some = observed.any(axis=1)
        if not some.all():
            rows = np.flatnonzero(~some)
            batch[rows] = fresh(self.space, draws.take(rows), self.batch_size)
        if some.any():
            rows = np.flatnonzero(some)
            values = np.where(observed, observation["values"], -np.inf)[rows]
            batch[rows] = self._breed(observation["designs"][rows], values, draws.take(rows))
        return batch

    def _breed(
        self, designs: NDArray[Any], values: NDArray[np.floating], draws: GeneratorRows
    ) -> NDArray[Any]:
        """Children in R campaigns with something observed; values (R, n) are -inf elsewhere."""
        best = np.argsort(-values, axis=1, kind="stable")[:, : self.population]
        available = np.minimum(np.isfinite(values).sum(axis=1), self.population)  # (R,)
        numbers = draws.random((2, 2, self.batch_size))  # (R, parent, contestant, q)
        ranks = (numbers * available[:, None, None, None]).astype(np.intp)  # the lower one wins
        chosen = np.take_along_axis(best[:, None], ranks.min(axis=2), axis=2)  # (R, 2, q)
        mother, father = (
            designs[np.arange(len(designs))[:, None], chosen[:, side]] for side in (0, 1)
        )
        if isinstance(self.space, CandidateDesigns):
            points = self._mixtures(self.space.pool_features, mother, father, draws)
            taken = np.zeros((len(designs), len(self.space.pool_features)), bool)
            if self.distinct:
                row, at = np.nonzero(np.isfinite(values))
                taken[row, designs[row, at, 0]] = True
            return nearest(self.space.pool_features, points, taken, distinct=self.distinct)
        return self._children(mother, father, draws)

    def _mixtures(
        self,
        features: NDArray[np.float64],
        mother: NDArray[Any],
        father: NDArray[Any],
        draws: GeneratorRows,
    ) -> NDArray[np.float64]:
        """Points between parents, and a step, (R, q, k)."""
        q = self.batch_size
        share = draws.random((q, 1))
        middle = share * features[mother[..., 0]] + (1 - share) * features[father[..., 0]]
        steps = draws.standard_normal((q, features.shape[1])) * features.std(axis=0)
        return middle + self.mutation * steps

    def _children(
        self, mother: NDArray[Any], father: NDArray[Any], draws: GeneratorRows
    ) -> NDArray[Any]:
        space, q = self.space, self.batch_size
        mixed = np.where(draws.random((q, *space.shape)) < 0.5, mother, father)
        if isinstance(space, CategoricalDesigns):
            return mutate(space, mixed, 1.5, draws)
        steps = self.mutation * draws.standard_normal((q, *space.shape))
        return np.clip(mixed + steps, -1, 1).astype(np.float32)
