"""The designs that an ensemble of networks predicts the most of."""

from __future__ import annotations

import numpy as np
import torch
from typing_extensions import override

from ombo_agents.offline.forward import Forward, Training, fit_forward
from ombo_agents.offline.one_shot import Dataset, OneShot
from ombo_agents.settings import whole
from ombo_gym.design_spaces import Designs
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec

LISTED = 2**17  # the largest finite space that is predicted as a whole
_STEPS = (0.02, 0.05, 0.1, 0.2)  # of mutations of numbers from -1 to 1, in turn
_MUTATIONS = 1.5  # of categories, the one that is certain included


class EnsembleGreedy(OneShot):
    """Proposes the designs with the largest mean prediction of an ensemble of networks.

    Finite spaces of up to 131,072 designs and pools are predicted as a whole. Elsewhere candidates
    are bred: from the best designs of the dataset and uniform ones, mutants of those that are
    predicted to be the best, for some generations.

    Args:
        spec: Of the campaigns it is built for.
        members, hidden, epochs, batch, rate: Of the networks (`Training`).
        population: Candidates of a generation.
        generations: How often candidates are bred.

    Raises:
        ValueError: A setting out of range.
    """

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        members: int,
        hidden: int,
        epochs: float,
        batch: int,
        rate: float,
        population: int,
        generations: int,
    ) -> None:
        super().__init__(spec)
        self.training = Training(members, hidden, epochs, batch, rate)
        self.population = whole("population", population)
        self.generations = whole("generations", generations)

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> Forward:
        return fit_forward(data, self.training, generator)

    @override
    def search(self, model: Forward, data: Dataset, generator: torch.Generator, q: int) -> Designs:
        space = self.space
        if space.size is not None and space.size <= LISTED:
            listed = space.decode(np.arange(space.size))
            return listed[self._ranking(model, listed, data)]
        seed = int(torch.randint(2**62, (1,), generator=generator))
        rngs = GeneratorBatch([np.random.default_rng(seed)], 1)
        count = max(self.population, 2 * q)
        found = np.concatenate(
            [data.designs[data.ranking[: count // 2]], space.sample(rngs, count)[0]]
        )
        for generation in range(self.generations):
            best = found[self._ranking(model, found, data)[:count]]
            parents = best[np.arange(2 * count) % max(len(best) // 4, 1)]
            step = _STEPS[generation % len(_STEPS)]
            born = space.mutate(parents[None], rngs, mutations=_MUTATIONS, step=step)[0]
            found = np.concatenate([best, born])
            found = found[np.sort(np.unique(found, axis=0, return_index=True)[1])]
        return found[self._ranking(model, found, data)]

    def _ranking(self, model: Forward, designs: Designs, data: Dataset) -> np.ndarray:
        """From the most to the least promising."""
        predicted = model.mean(self.points(designs, data)).numpy()
        return np.argsort(-predicted, kind="stable")
