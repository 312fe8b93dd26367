"""Trust-region Bayesian optimization."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.thompson import best_of_each, joint_samples
from ombo_agents.model_free.rounds import rounds_played, start_size
from ombo_agents.policy import DesignsPolicy, Observation
from ombo_agents.settings import number, whole
from ombo_gym.controls.outlook import Outlook, look
from ombo_gym.game import Game
from ombo_gym.quasirandom import shifted
from ombo_gym.randomness import GeneratorRows

Floats = NDArray[np.float64]

_GAIN = 1e-3  # relative, by which a batch must be better to count as a success
_MOVED = 20  # coordinates of a candidate that differ from the centre's, on average, at most


class Turbo(DesignsPolicy):
    """Thompson sampling in a box around the best design, which grows with success; boxes only.

    The box doubles after some batches that were better than all before, and is halved after some
    that were not; when it is too small it starts anew. Where it stands is worked out from the
    rounds in the dataset. Unlike the paper's, boxes have equal sides (the surrogate has one
    lengthscale), and a box that starts anew goes on from the best design.

    Args:
        game: The campaigns it is built for.
        length: First side of the box, of 1, the side of the whole.
        smallest: Side below which it starts anew.
        largest: Side, at most.
        successes: In a row, until it doubles.
        failures: Designs measured in vain, until it is halved; at least one a dimension.
        candidates: In the box.

    Raises:
        ValueError: A setting out of range.

    Reference:
        Eriksson et al., Scalable global optimization via local Bayesian optimization, NeurIPS 2019.
    """

    horizon_aware = False

    def __init__(
        self,
        game: Game,
        *,
        length: float,
        smallest: float,
        largest: float,
        successes: int,
        failures: int,
        candidates: int,
    ) -> None:
        super().__init__(game)
        self._length, self._smallest = number("length", length), number("smallest", smallest)
        self._largest = number("largest", largest)
        self._successes = whole("successes", successes)
        least = max(whole("failures", failures), self.space.shape[0])
        self._failures = -(-least // self.batch_size)  # batches
        self._candidates = whole("candidates", candidates)
        self._start = start_size(game)
        self.surrogate = game.surrogate

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        batch = np.zeros((len(draws), self.batch_size, *self.space.shape), self.space.dtype)
        for outlook in look(observation, self.space, self.surrogate, draws.take):
            n = outlook.observed
            designs = observation["designs"][outlook.rows, :n]
            values = observation["values"][outlook.rows, :n].astype(np.float64)
            some = draws.take(outlook.rows)
            batch[outlook.rows] = self._batch(outlook, designs, values, some)
        return batch

    def _batch(
        self, outlook: Outlook, designs: NDArray[Any], values: Floats, draws: GeneratorRows
    ) -> NDArray[Any]:
        rows, dim = len(values), self.space.shape[0]
        centre = np.zeros((rows, dim))
        if values.shape[1]:
            centre = designs[np.arange(rows), values.argmax(axis=1)].astype(np.float64)
        lengths = self.lengths(values)  # (R,), half sides of a box of side 2
        points = (2 * shifted(draws, self._candidates, dim) - 1) * lengths[:, None, None]
        lots = draws.random((self._candidates, dim + 1))
        moved = lots[..., :-1] < min(1.0, _MOVED / dim)
        certain = (lots[..., -1] * dim).astype(np.intp)
        np.put_along_axis(moved, certain[..., None], True, axis=2)
        near = centre[:, None] + np.where(moved, points, 0.0)
        choices = np.clip(near, -1, 1).astype(np.float32)
        samples = joint_samples(
            outlook.posterior, self.space.features(choices), self.batch_size, draws
        )
        return best_of_each(choices, samples, None, distinct=self.distinct)

    def lengths(self, values: Floats) -> Floats:
        """Sides of the boxes after some observations, (R, n) -> (R,), in order of measurement."""
        rows, n = values.shape
        played = rounds_played(n, self._start, self.batch_size)
        first = n - played * self.batch_size
        length = np.full(rows, float(self._length))
        wins, losses = np.zeros(rows, int), np.zeros(rows, int)
        for at in range(first, n, self.batch_size):
            if at == 0:
                continue  # without a start, the first batch has nothing to be compared to
            before = values[:, :at].max(axis=1)
            now = values[:, at : at + self.batch_size].max(axis=1)
            won = now > before + _GAIN * np.abs(before)
            wins, losses = np.where(won, wins + 1, 0), np.where(won, 0, losses + 1)
            grows, shrinks = wins >= self._successes, losses >= self._failures
            length = np.where(grows, np.minimum(2 * length, self._largest), length)
            length = np.where(shrinks, length / 2, length)
            wins, losses = np.where(grows, 0, wins), np.where(shrinks, 0, losses)
            length = np.where(length < self._smallest, self._length, length)
        return length
