"""Hill climbing with restarts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.model_free.peaks import nearest_others, steps_of_pools, steps_of_sequences
from ombo_agents.model_free.rounds import by_count, reflected, rounds_played, start_size
from ombo_agents.policy import DesignsPolicy, Observation
from ombo_agents.settings import number, whole
from ombo_agents.unmeasured import fresh
from ombo_gym.design_spaces import BoxDesigns, CandidateDesigns, CategoricalDesigns, repeated
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows

_LEADERS = 16  # best rows among which peaks are looked for


class LocalSearch(DesignsPolicy):
    """Climbs from the best measured design to its neighbours, q of them a round.

    On categories neighbours differ in one position (by one level where levels are ordered), in a
    pool they are the nearest candidates. The batch is made of unmeasured neighbours of the best
    peak: a measured design without a better measured neighbour. Where they do not fill it, the next
    peak's follow, and where all of the best peaks are climbed, uniform designs: a restart.

    In a box the batch is normal steps around the best design, mirrored at the sides. The step grows
    after a round in which more than a fifth of the batch was better than all before (one design,
    with q below 5), and shrinks after others; where it gets too small, a uniform batch begins a new
    climb. The steps of past rounds are worked out anew from the dataset.

    Values are taken as they were measured: noise makes false peaks.

    Args:
        game: The campaigns it is built for.
        step: First standard deviation of a step in a box (side 2).
        shrink: What the step is multiplied by after a round of little success, and divided by
            after the others.
        smallest_step: Of which a climb in a box ends.
        neighbours: Of a candidate in a pool.

    Raises:
        ValueError: An argument out of range.

    Reference:
        Rechenberg, Evolutionsstrategie, 1973 (the rule of one success in five).
    """

    horizon_aware = False
    coincides = True

    def __init__(
        self, game: Game, *, step: float, shrink: float, smallest_step: float, neighbours: int
    ) -> None:
        super().__init__(game)
        self.step = number("step", step)
        self.shrink = number("shrink", shrink, up_to=1)
        self.smallest_step = number("smallest_step", smallest_step)
        self._start = start_size(game)
        whole("neighbours", neighbours)
        if isinstance(self.space, CandidateDesigns):
            self._neighbours = nearest_others(self.space.pool_features, neighbours)

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        space, q = self.space, self.batch_size
        batch = np.zeros((len(draws), q, *space.shape), space.dtype)
        for rows, n in by_count(observation, _LEADERS * (1 + space.shape[0])):
            designs = observation["designs"][rows, :n]
            values = observation["values"][rows, :n].astype(np.float64)
            climb = self._steps if isinstance(space, BoxDesigns) else self._neighbours_of_peaks
            batch[rows] = climb(designs, values, draws.take(rows))
        return batch

    def _steps(
        self, designs: NDArray[Any], values: NDArray[np.float64], draws: GeneratorRows
    ) -> NDArray[Any]:
        """Steps in R boxes, from datasets of n rows each."""
        q, n = self.batch_size, values.shape[1]
        row, step = np.arange(len(designs)), np.full(len(designs), self.step)
        rounds = rounds_played(n, self._start, q)
        best = np.full(len(designs), -1)  # (R,) row of the dataset to climb from; -1: none
        height = np.full(len(designs), -np.inf)
        at = 0
        for end in range(n - rounds * q, n + 1, q):
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
        anywhere = self.space.sample(draws, q)
        if not n:
            return anywhere
        normals = draws.standard_normal((q, *self.space.shape))
        around = designs[row, best][:, None] + step[:, None, None] * normals
        return np.where((best >= 0)[:, None, None], reflected(around), anywhere)

    def _neighbours_of_peaks(
        self, designs: NDArray[Any], values: NDArray[np.float64], draws: GeneratorRows
    ) -> NDArray[Any]:
        """Neighbours in R finite spaces, from datasets of n rows each."""
        space, q = self.space, self.batch_size
        anywhere = fresh(space, draws, q)
        if not values.shape[1] or space.size == 1:
            return anywhere
        if isinstance(space, CandidateDesigns):
            steps, good = steps_of_pools(self._neighbours, designs, values, _LEADERS, 2 * q)
        else:
            assert isinstance(space, CategoricalDesigns)
            steps, good = steps_of_sequences(space, designs, values, _LEADERS, 2 * q, draws)
        useless = ~good | repeated(steps)  # two peaks can have a neighbour in common
        choices = np.concatenate([steps, anywhere], axis=1)
        last = np.concatenate([useless, np.zeros(anywhere.shape[:2], bool)], axis=1)
        order = np.argsort(last, axis=1, kind="stable")[:, :q]
        return choices[np.arange(len(choices))[:, None], order]
