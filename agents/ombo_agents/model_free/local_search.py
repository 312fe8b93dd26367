"""Hill climbing with restarts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.policy import DesignsPolicy
from ombo_agents.round_history import RoundHistory, batches_by_history
from ombo_agents.settings import number, whole
from ombo_agents.unmeasured import first_usable, fresh
from ombo_gym.design_spaces import Designs, repeated
from ombo_gym.design_spaces.relaxations import reflected
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec

_LEADERS = 16  # best rows among which local optima are looked for
_SUCCESS_SHARE = 0.2  # of a batch above all before it, beyond which the step grows


class LocalSearch(DesignsPolicy):
    """Climbs from the best measured design to its neighbours, q of them a round.

    On categories neighbours differ in one position (by one level where levels are ordered), in a
    pool they are the nearest candidates. The batch is made of unmeasured neighbours of the best
    peak: a measured design without a better measured neighbour. Where they do not fill it, the next
    peak's follow, and where all of the best peaks are climbed, uniform designs: a restart.

    Where numbers can be a little more, the batch is normal steps around the best design, mirrored
    at the sides; beside such numbers, half of the slots change the rest too (categories, whole
    numbers). The step grows after a round in which more than a fifth of the batch was better than
    all before (one design, with q below 5), and shrinks after others; where it gets too small, a
    uniform batch begins a new climb. The steps of past rounds are worked out anew from the dataset.

    Values are taken as they were measured: noise makes false peaks.

    Args:
        spec: Of the campaigns it is built for.
        step: First standard deviation of a step, of numbers from -1 to 1.
        shrink: What the step is multiplied by after a round of little success, and divided by
            after the others.
        smallest_step: Of which a climb by steps ends.
        neighbours: Of a candidate in a pool.

    Raises:
        ValueError: An argument out of range.

    Reference:
        Rechenberg, Evolutionsstrategie, 1973 (the rule of one success in five).
    """

    horizon_aware = False

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        step: float,
        shrink: float,
        smallest_step: float,
        neighbours: int,
    ) -> None:
        super().__init__(spec)
        self.step = number("step", step)
        self.shrink = number("shrink", shrink, up_to=1)
        self.smallest_step = number("smallest_step", smallest_step)
        self.neighbours = whole("neighbours", neighbours)

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        space = self.space
        in_pool = space.pool_features is not None
        return batches_by_history(
            self._neighbours_of_optima if space.free is None else self._steps,
            self.spec,
            observation,
            rngs,
            q,
            entries_per_row=_LEADERS * (1 + space.shape[0]),
            entries_per_campaign=2 * (space.size or 0) if in_pool else 0,
        )

    def _steps(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        rngs: GeneratorBatch,
        q: int,
        history: RoundHistory,
    ) -> Designs:
        """Steps in R campaigns with datasets of n rows each."""
        best, step = self._replayed(values, history)
        uniform = self.space.sample(rngs, q)  # (R, q, *shape)
        if not history.num_observed:
            return uniform
        parents = np.repeat(designs[np.arange(len(designs)), best][:, None], q, axis=1)
        steps = self._stepped(parents, step, rngs)
        return np.where((best >= 0)[:, None, None], steps, uniform)

    def _replayed(
        self, values: NDArray[np.float64], history: RoundHistory
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The row of the dataset to climb from (-1: none), and the step, (R,) each."""
        best = np.full(len(values), -1)  # (R,)
        best_value = np.full(len(values), -np.inf)  # (R,)
        step = np.full(len(values), self.step)  # (R,)
        begin = 0
        for end in history.edges:
            if end == begin:
                continue
            batch_values = values[:, begin:end]
            climbing = (best >= 0) & (begin > 0)
            successful = (batch_values > best_value[:, None]).mean(axis=1) > _SUCCESS_SHARE
            factor = np.where(successful, 1 / self.shrink, self.shrink)
            step = np.where(climbing, np.minimum(step * factor, 1.0), step)
            improved = batch_values.max(axis=1) > best_value
            best = np.where(improved, begin + batch_values.argmax(axis=1), best)
            best_value = np.maximum(best_value, batch_values.max(axis=1))
            ended = step < self.smallest_step
            best, best_value = np.where(ended, -1, best), np.where(ended, -np.inf, best_value)
            step = np.where(ended, self.step, step)
            begin = end
        return best, step

    def _stepped(
        self, parents: Designs, step: NDArray[np.float64], rngs: GeneratorBatch
    ) -> Designs:
        """A step from each parent, (R, q, *shape)."""
        space, free = self.space, self.space.free
        assert free is not None
        normals = rngs.standard_normal((parents.shape[1], int(free.sum())))
        features = space.features(parents)
        features[..., free] = reflected(features[..., free] + step[:, None, None] * normals)
        if free.all():
            return space.from_features(features)
        mutants = space.features(space.mutate(parents, rngs, mutations=1.0, step=self.step))
        mutated = rngs.random((parents.shape[1], 1)) < 0.5  # (R, q, 1)
        features[..., ~free] = np.where(mutated, mutants[..., ~free], features[..., ~free])
        return space.from_features(features)

    def _neighbours_of_optima(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        rngs: GeneratorBatch,
        q: int,
        history: RoundHistory,
    ) -> Designs:
        """Neighbours in R campaigns with datasets of n rows each."""
        space = self.space
        uniform = fresh(space, rngs, q)  # (R, q, *shape)
        if not history.num_observed or space.size == 1:
            return uniform
        neighbours, usable = space.around_peaks(
            designs, values, rngs, leaders=_LEADERS, count=2 * q, neighbours=self.neighbours
        )
        usable &= ~repeated(neighbours)  # two optima can have a neighbour in common
        return first_usable(neighbours, usable, uniform)
