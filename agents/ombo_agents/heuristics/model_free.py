"""Policies without a model of the objective."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.policy import DesignsPolicy, Observation
from ombo_gym.controls.outlook import unwasted
from ombo_gym.design_spaces import CandidateDesigns, CategoricalDesigns, DesignSpace
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows
from ombo_gym.surrogates.candidates import mutate

_BITS = 30


class RandomPolicy(DesignsPolicy):
    """Uniform designs, on finite spaces distinct ones each round (but for pulls of a bandit).

    Where nothing is measured twice, they are uniform among those that can be measured.
    """

    horizon_aware = False
    exchangeable = True

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        if not self.distinct:
            return self.space.sample(draws, self.batch_size)
        batch = fresh(self.space, draws, self.batch_size)
        return batch if self.repeats else replenished(self.space, observation, batch, draws)


class Sobol(DesignsPolicy):
    """Each round the first q points of a Sobol sequence with a random digital shift; boxes only."""

    horizon_aware = False

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        dim, q = self.space.shape[0], self.batch_size
        shift = (draws.random((1, dim)) * 2**_BITS).astype(np.int64)
        points = ((sobol_integers(q, dim) ^ shift) + 0.5) / 2**_BITS
        return (2 * points - 1).astype(np.float32)


class LatinHypercube(DesignsPolicy):
    """Each round a random Latin hypercube: one design in each of q slices of every coordinate.

    Reference:
        McKay, Beckman and Conover, Technometrics 21, 1979.
    """

    horizon_aware = False

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        dim, q = self.space.shape[0], self.batch_size
        numbers = draws.random((2, q, dim))
        slices = numbers[:, 0].argsort(axis=1)  # a permutation per coordinate
        points = (slices + numbers[:, 1]) / q
        return np.clip(2 * points - 1, -1, 1).astype(np.float32)


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

    def __init__(self, game: Game, *, population: int = 16, mutation: float = 0.2) -> None:
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
        return batch if self.repeats else replenished(self.space, observation, batch, draws)

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


def fresh(space: DesignSpace, draws: GeneratorRows, count: int) -> NDArray[Any]:
    """Uniform designs, without replacement where there are enough."""
    if space.size is not None and count > space.size:
        return space.sample(draws, count)
    return space.sample_distinct(draws, count)


def replenished(
    space: DesignSpace, observation: Observation, batch: NDArray[Any], draws: GeneratorRows
) -> NDArray[Any]:
    """Puts uniform new designs in place of slots that name measured designs or earlier slots.

    Args:
        space: Design space.
        observation: Of B campaigns.
        batch: (B, q, *shape).
        draws: Their random numbers.

    Returns:
        (B, q, *shape); what was good stays, and comes first.
    """
    q, capacity = batch.shape[1], observation["observed"].shape[1]
    enough = capacity + q  # to hold q that are not measured, if there are so many
    spare = fresh(space, draws, enough if space.size is None else min(enough, space.size))
    return unwasted(observation, np.concatenate([batch, spare], axis=1), q)


def nearest(
    pool: NDArray[np.float64],
    points: NDArray[np.float64],
    taken: NDArray[np.bool_],
    *,
    distinct: bool,
) -> NDArray[np.int64]:
    """The candidates nearest to points.

    Args:
        pool: (n, k) their features.
        points: (R, q, k).
        taken: (R, n) those to leave out, while there are others.
        distinct: Whether each is taken once, while there are others.

    Returns:
        (R, q, 1).
    """
    rows, q = points.shape[:2]
    chosen = np.empty((rows, q, 1), np.int64)
    lengths = (pool**2).sum(axis=1)
    out = taken.copy()
    for slot in range(q):
        # A product a row: in one product of all rows, a row's last digits hang on the others.
        distances = lengths - 2 * np.matmul(points[:, slot, None], pool.T)[:, 0]  # (R, n)
        some_left = ~out.all(axis=1, keepdims=True)
        best = np.where(out & some_left, np.inf, distances).argmin(axis=1)
        chosen[:, slot, 0] = best
        if distinct:
            out[np.arange(rows), best] = True
    return chosen


@cache
def sobol_integers(count: int, dim: int) -> NDArray[np.int64]:
    """The first points of the Sobol sequence as integers below 2^30, (count, dim)."""
    from scipy.stats import qmc  # takes half a second to import

    exponent = int(np.ceil(np.log2(count))) if count > 1 else 0
    points = qmc.Sobol(dim, scramble=False, bits=_BITS).random_base2(exponent)[:count]
    return (points * 2**_BITS).astype(np.int64)
