"""The largest posterior mean of all designs, where designs can move."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.bayesian.posterior_policy import PosteriorPolicy
from ombo_gym.design_spaces import DesignSpace
from ombo_gym.quasirandom import shifted
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior

_ZOOMS, _AROUND, _STEPS = 8, 32, 8  # places, points around each, times that boxes are halved
_RADIUS = 0.2  # half side of the first boxes


class RefinedGreedy(PosteriorPolicy):
    """The largest posterior mean of the whole space, found by zooming in; where designs can move.

    All q slots are that design: the one-round optimum of `last_mean`, of which `greedy`, with its
    256 candidates, falls a little short. Zooms in from the best candidates, in boxes that shrink;
    what of a design cannot move, as a category, stays as the candidates have it. Where nothing is
    measured twice, one slot is that design and the others are uniform.

    Args:
        spec: Of the campaigns it is built for.

    Raises:
        ValueError: Designs of which nothing can move a little.
    """

    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        self._free = free_features(self.space)  # (f,)

    @override
    def pick(self, group: CandidatePosterior, rngs: GeneratorBatch) -> NDArray[Any]:
        space, rows, free = self.space, np.arange(len(group.candidates)), self._free
        top = np.argsort(-group.marginals.mean, axis=1, kind="stable")[:, :_ZOOMS]
        centres = space.features(group.candidates[rows[:, None], top])  # (R, Z, k)
        means = group.marginals.mean[rows[:, None], top]  # (R, Z)
        for step in range(_STEPS):
            around = 2 * shifted(rngs, _ZOOMS * _AROUND, len(free)) - 1
            around = around.reshape(len(rows), _ZOOMS, _AROUND, len(free)) * _RADIUS / 2**step
            points = np.repeat(centres[:, :, None], _AROUND, axis=2)
            points[..., free] = np.clip(points[..., free] + around, -1, 1)
            points = space.features(space.from_features(points))
            there = group.posterior.at(points.reshape(len(rows), -1, points.shape[-1])).mean
            there = there.reshape(len(rows), _ZOOMS, _AROUND)
            best = there.argmax(axis=2)[..., None]
            found = np.take_along_axis(points, best[..., None], axis=2)[:, :, 0]
            value = np.take_along_axis(there, best, axis=2)[..., 0]
            centres = np.where((value > means)[..., None], found, centres)
            means = np.maximum(value, means)
        design = space.from_features(centres[rows, means.argmax(axis=1)])  # (R, *shape)
        return np.repeat(design[:, None], group.batch_size, axis=1)


def free_features(space: DesignSpace) -> NDArray[np.intp]:
    """Which features can move by steps as small as you like, (f,).

    Raises:
        ValueError: None can.
    """
    if space.free is None:
        raise ValueError(f"design_space: expected designs that can move a little, got {space!r}")
    return np.flatnonzero(space.free)
