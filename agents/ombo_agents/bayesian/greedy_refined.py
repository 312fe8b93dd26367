"""The largest posterior mean of a whole box."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.posterior import PosteriorPolicy
from ombo_gym.controls.outlook import Outlook
from ombo_gym.quasirandom import shifted
from ombo_gym.randomness import GeneratorRows
from ombo_gym.surrogates.candidates import RADIUS

_ZOOMS, _AROUND, _STEPS = 8, 32, 8  # places, points around each, times that boxes are halved


class RefinedGreedy(PosteriorPolicy):
    """The largest posterior mean of the whole box, found by zooming in; boxes only.

    All q slots are that design: the one-round optimum of `last_mean`, of which `greedy`, with its
    256 candidates, falls a little short. Zooms in from the best candidates, in boxes that shrink.
    Where nothing is measured twice, one slot is that design and the others are uniform.
    """

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        space, rows = self.space, np.arange(len(outlook.candidates))
        dim = space.shape[0]
        top = np.argsort(-outlook.beliefs.mean, axis=1, kind="stable")[:, :_ZOOMS]
        centres = outlook.candidates[rows[:, None], top]  # (R, k, d)
        means = outlook.beliefs.mean[rows[:, None], top]  # (R, k)
        for step in range(_STEPS):
            around = 2 * shifted(draws, _ZOOMS * _AROUND, dim) - 1
            around = around.reshape(len(rows), _ZOOMS, _AROUND, dim) * RADIUS / 2**step
            points = np.clip(centres[:, :, None] + around, -1, 1).astype(np.float32)
            there = outlook.posterior.at(space.features(points.reshape(len(rows), -1, dim))).mean
            there = there.reshape(len(rows), _ZOOMS, _AROUND)
            best = there.argmax(axis=2)[..., None]
            found = np.take_along_axis(points, best[..., None], axis=2)[:, :, 0]
            value = np.take_along_axis(there, best, axis=2)[..., 0]
            centres = np.where((value > means)[..., None], found, centres)
            means = np.maximum(value, means)
        design = centres[rows, means.argmax(axis=1)]  # (R, d)
        return np.repeat(design[:, None], self.batch_size, axis=1)
