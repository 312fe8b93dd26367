"""A genetic algorithm on whatever was measured."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.nearest_candidates import nearest
from ombo_agents.policy import DesignsPolicy
from ombo_agents.round_history import by_count
from ombo_agents.settings import whole
from ombo_agents.unmeasured import fresh
from ombo_gym.design_spaces import Designs, repeated
from ombo_gym.observations import Observation
from ombo_gym.problems.core.checks import is_number
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats

_LITTERS = 4  # times q children are born where not all of them are worth measuring
_MEAN_MUTATIONS = 1.5  # categories that change on average, the one that is certain included


class Genetic(DesignsPolicy):
    """Children of the best designs: tournament selection, uniform crossover, mutation.

    The population is the best `population` rows; parents win tournaments of two. Mutation adds
    normal steps to numbers and changes categories, one of them for sure; in a pool a child is the
    candidate nearest to its parents' mixture, of those that are neither measured nor children yet
    (arms of a bandit: of all). Where nothing is measured twice, four litters are born, and the
    first children that are new are kept; where a batch alone is to hold a design once, the first
    that differ. Selection by rank among few, recombination and mutation are a Wright-Fisher
    population's; its members are all designs measured so far, not the last batch alone, for with
    few rounds nothing is to be forgotten.

    Args:
        spec: Of the campaigns it is built for.
        population: Rows that parents are chosen from.
        mutation: Standard deviation of a step of numbers from -1 to 1, in a pool relative to the
            features' spread.

    Raises:
        ValueError: An argument out of range.

    Reference:
        Goldberg and Deb, A comparative analysis of selection schemes used in genetic algorithms,
        Foundations of Genetic Algorithms 1, 1991 (tournaments).
    """

    horizon_aware = False

    def __init__(self, spec: CampaignSpec, *, population: int, mutation: float) -> None:
        super().__init__(spec)
        if not is_number(mutation) or not 0 <= mutation < np.inf:
            raise ValueError(f"mutation: expected a number of at least 0, got {mutation!r}")
        self.population = whole("population", population)
        self.mutation = mutation

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        space = self.space
        batch = np.zeros((len(rngs), q, *space.shape), space.dtype)
        entries = _LITTERS * q * space.shape[0]
        for env_indices, num_observed in by_count(observation, entries_per_row=entries):
            own_rngs = rngs.take(env_indices)
            if num_observed == 0:
                batch[env_indices] = fresh(space, own_rngs, q)
                continue
            designs = observation["designs"][env_indices, :num_observed]
            values = observation["measurements"][env_indices, :num_observed]
            batch[env_indices] = self._breed(designs, values, own_rngs, q)
        return batch

    def _breed(
        self, designs: Designs, values: NDArray[np.float64], rngs: GeneratorBatch, q: int
    ) -> Designs:
        """Children in R campaigns, of (R, n, *shape) designs with (R, n) values."""
        space, pool = self.space, self.space.pool_features
        num_children = _LITTERS * q if self.spec.replaces_repeats and pool is None else q
        best = np.argsort(-values, axis=1, kind="stable")[:, : self.population]  # (R, P)
        uniform = rngs.random((2, 2, num_children))  # (R, parent, contestant, children)
        ranks = (uniform * best.shape[1]).astype(np.intp)  # the lower one wins
        winners = np.take_along_axis(best[:, None], ranks.min(axis=2), axis=2)  # (R, 2, children)
        row = np.arange(len(designs))[:, None]
        mother, father = (designs[row, winners[:, parent]] for parent in (0, 1))
        if pool is not None:
            points = self._mixtures(pool, mother, father, rngs)
            return nearest(pool, points, designs, self.spec.repeats)
        children = space.recombine(mother, father, rngs)
        children = space.mutate(children, rngs, mutations=_MEAN_MUTATIONS, step=self.mutation)
        if num_children == q:
            return children
        unusable = repeated(children)  # (R, children)
        if self.spec.repeats is Repeats.NEVER_AGAIN:
            unusable |= space.among(children, designs)
        usable_first = np.argsort(unusable, axis=1, kind="stable")
        return children[row, usable_first[:, :q]]

    def _mixtures(
        self,
        features: NDArray[np.float64],
        mother: Designs,
        father: Designs,
        rngs: GeneratorBatch,
    ) -> NDArray[np.float64]:
        """Points between parents, and a step, (R, q, k)."""
        q = mother.shape[1]
        share = rngs.random((q, 1))
        between = share * features[mother[..., 0]] + (1 - share) * features[father[..., 0]]
        steps = rngs.standard_normal((q, features.shape[1])) * features.std(axis=0)
        mixtures: NDArray[np.float64] = between + self.mutation * steps
        return mixtures
