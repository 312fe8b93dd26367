"""Hill climbing with restarts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.policy import DesignsPolicy
from ombo_agents.round_history import History, by_history
from ombo_agents.settings import number, whole
from ombo_agents.unmeasured import fresh
from ombo_gym.design_spaces import Designs, repeated
from ombo_gym.design_spaces.relaxations import reflected
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec

_LEADERS = 16  # best rows among which peaks are looked for


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
        batch = np.zeros((len(rngs), q, *space.shape), space.dtype)
        climb = self._neighbours_of_peaks if space.free is None else self._steps
        for history in by_history(self.spec, observation, q, _LEADERS * (1 + space.shape[0])):
            rows, n = history.rows, history.count
            designs = observation["designs"][rows, :n]
            values = observation["measurements"][rows, :n]
            batch[rows] = climb(designs, values, rngs.take(rows), q, history)
        return batch

    def _steps(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        rngs: GeneratorBatch,
        q: int,
        history: History,
    ) -> Designs:
        """Steps in R campaigns with datasets of n rows each."""
        best, step = self._climbed(values, history)
        anywhere = self.space.sample(rngs, q)
        if not history.count:
            return anywhere
        parents = np.repeat(designs[np.arange(len(designs)), best][:, None], q, axis=1)
        around = self._around(parents, step, rngs)
        return np.where((best >= 0)[:, None, None], around, anywhere)

    def _climbed(
        self, values: NDArray[np.float64], history: History
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The row of the dataset to climb from (-1: none), and the step, (R,) each."""
        best, step = np.full(len(values), -1), np.full(len(values), self.step)
        height = np.full(len(values), -np.inf)
        at = 0
        for end in history.edges:
            if end == at:
                continue
            new = values[:, at:end]
            climbing = (best >= 0) & (at > 0)
            good = (new > height[:, None]).mean(axis=1) > 0.2
            factor = np.where(good, 1 / self.shrink, self.shrink)
            step = np.where(climbing, np.minimum(step * factor, 1.0), step)
            higher = new.max(axis=1) > height
            best = np.where(higher, at + new.argmax(axis=1), best)
            height = np.maximum(height, new.max(axis=1))
            over = step < self.smallest_step
            best, height = np.where(over, -1, best), np.where(over, -np.inf, height)
            step = np.where(over, self.step, step)
            at = end
        return best, step

    def _around(self, parents: Designs, step: NDArray[np.float64], rngs: GeneratorBatch) -> Designs:
        """A step from each, (R, q, *shape)."""
        space, free = self.space, self.space.free
        assert free is not None
        normals = rngs.standard_normal((parents.shape[1], int(free.sum())))
        features = space.features(parents)
        features[..., free] = reflected(features[..., free] + step[:, None, None] * normals)
        if free.all():
            return space.from_features(features)
        others = space.features(space.mutate(parents, rngs, mutations=1.0, step=self.step))
        changed = rngs.random((parents.shape[1], 1)) < 0.5
        features[..., ~free] = np.where(changed, others[..., ~free], features[..., ~free])
        return space.from_features(features)

    def _neighbours_of_peaks(
        self,
        designs: Designs,
        values: NDArray[np.float64],
        rngs: GeneratorBatch,
        q: int,
        history: History,
    ) -> Designs:
        """Neighbours in R campaigns with datasets of n rows each."""
        space = self.space
        anywhere = fresh(space, rngs, q)
        if not history.count or space.size == 1:
            return anywhere
        steps, good = space.around_peaks(
            designs, values, rngs, leaders=_LEADERS, count=2 * q, neighbours=self.neighbours
        )
        useless = ~good | repeated(steps)  # two peaks can have a neighbour in common
        choices = np.concatenate([steps, anywhere], axis=1)
        last = np.concatenate([useless, np.zeros(anywhere.shape[:2], bool)], axis=1)
        order = np.argsort(last, axis=1, kind="stable")[:, :q]
        return choices[np.arange(len(choices))[:, None], order]
