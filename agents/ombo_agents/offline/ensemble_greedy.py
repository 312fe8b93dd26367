"""The designs that an ensemble of networks predicts the most of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.offline.forward_model import ForwardModel, fit_forward_model
from ombo_agents.offline.networks import EnsembleSettings
from ombo_agents.offline.offline_policy import Dataset, OfflinePolicy
from ombo_agents.settings import PositiveInt
from ombo_gym.design_spaces import Designs, repeated
from ombo_gym.randomness import GeneratorBatch

_MAX_LISTED = 2**17  # designs of the largest finite space that is predicted as a whole
_STEPS = (0.02, 0.05, 0.1, 0.2)  # of mutations of numbers from -1 to 1, in turn
_MEAN_MUTATIONS = 1.5  # categories that change on average, the one that is certain included


@dataclass(frozen=True, kw_only=True)
class EnsembleGreedySettings(EnsembleSettings):
    """Settings of `EnsembleGreedy`, beside those of its networks.

    Attributes:
        population: Candidates of a generation.
        generations: How often candidates are bred.
    """

    population: PositiveInt
    generations: PositiveInt


class EnsembleGreedy(OfflinePolicy[EnsembleGreedySettings, ForwardModel]):
    """Proposes the designs with the largest mean prediction of an ensemble of networks.

    Finite spaces of up to 131,072 designs and pools are predicted as a whole. Elsewhere candidates
    are bred: from the best designs of the dataset and uniform ones, mutants of those that are
    predicted to be the best, for some generations.

    Args:
        spec: Of the campaigns it is built for.
        settings: Of the networks and of the search.
    """

    settings_type = EnsembleGreedySettings

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> ForwardModel:
        return fit_forward_model(data, self.settings, generator)

    @override
    def search(
        self, model: ForwardModel, data: Dataset, generator: torch.Generator, q: int
    ) -> Designs:
        space = self.space
        if space.size is not None and space.size <= _MAX_LISTED:
            return self._ranked(model, space.decode(np.arange(space.size)), data)
        seed = int(torch.randint(2**62, (1,), generator=generator))
        rngs = GeneratorBatch([np.random.default_rng(seed)], 1)
        count = max(self.settings.population, 2 * q)
        best_measured = data.designs[data.ranking[: count // 2]]
        candidates = np.concatenate([best_measured, space.sample(rngs, count)[0]])  # (m, *shape)
        for generation in range(self.settings.generations):
            best = self._ranked(model, candidates, data)[:count]
            parents = best[np.arange(2 * count) % max(len(best) // 4, 1)]
            step = _STEPS[generation % len(_STEPS)]
            children = space.mutate(parents[None], rngs, mutations=_MEAN_MUTATIONS, step=step)[0]
            candidates = np.concatenate([best, children])
            candidates = candidates[~repeated(candidates[None])[0]]  # each once
        return self._ranked(model, candidates, data)

    def _ranked(self, model: ForwardModel, designs: Designs, data: Dataset) -> Designs:
        """Designs from the most to the least promising, (m, *shape)."""
        predicted = model.mean(self.points(designs, data)).numpy()
        order: NDArray[np.intp] = np.argsort(-predicted, kind="stable")
        ranked: Designs = designs[order]
        return ranked
