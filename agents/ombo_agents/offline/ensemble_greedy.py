"""The designs that an ensemble of networks predicts the most of."""

from __future__ import annotations

import numpy as np
import torch

from ombo_agents.offline.forward import Forward, Training, fit_forward
from ombo_agents.offline.one_shot import Dataset, OneShot
from ombo_agents.settings import whole
from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns, Designs
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows
from ombo_gym.surrogates.candidates import mutate

LISTED = 2**17  # the largest finite space that is predicted as a whole
_STEPS = (0.02, 0.05, 0.1, 0.2)  # of mutations in a box of side 2, in turn


class EnsembleGreedy(OneShot):
    """Proposes the designs with the largest mean prediction of an ensemble of networks.

    Finite spaces of up to 131,072 designs and pools are predicted as a whole. Elsewhere candidates
    are bred: from the best designs of the dataset and uniform ones, mutants of those that are
    predicted to be the best, for some generations.

    Args:
        game: The campaigns it is built for.
        members, hidden, epochs, batch, rate: Of the networks (`Training`).
        population: Candidates of a generation.
        generations: How often candidates are bred.

    Raises:
        ValueError: A setting out of range.
    """

    def __init__(
        self,
        game: Game,
        *,
        members: int,
        hidden: int,
        epochs: float,
        batch: int,
        rate: float,
        population: int,
        generations: int,
    ) -> None:
        super().__init__(game)
        self.training = Training(members, hidden, epochs, batch, rate)
        self.population = whole("population", population)
        self.generations = whole("generations", generations)

    def fit(self, data: Dataset, generator: torch.Generator) -> Forward:  # noqa: D102
        return fit_forward(data, self.training, generator)

    def search(  # noqa: D102
        self, model: Forward, data: Dataset, generator: torch.Generator
    ) -> Designs:
        space = self.space
        if space.size is not None and space.size <= LISTED:
            listed = space.decode(np.arange(space.size))
            return listed[self._ranking(model, listed, data)]
        seed = int(torch.randint(2**62, (1,), generator=generator))
        draws = GeneratorRows([np.random.default_rng(seed)], 1)
        count = max(self.population, 2 * self.batch_size)
        found = np.concatenate(
            [data.designs[data.ranking[: count // 2]], space.sample(draws, count)[0]]
        )
        for generation in range(self.generations):
            best = found[self._ranking(model, found, data)[:count]]
            parents = best[np.arange(2 * count) % max(len(best) // 4, 1)]
            found = np.concatenate([best, self._mutants(parents, generation, draws)])
            found = found[np.sort(np.unique(found, axis=0, return_index=True)[1])]
        return found[self._ranking(model, found, data)]

    def _ranking(self, model: Forward, designs: Designs, data: Dataset) -> np.ndarray:
        """From the most to the least promising."""
        predicted = model.mean(self.points(designs, data)).numpy()
        return np.argsort(-predicted, kind="stable")

    def _mutants(self, parents: Designs, generation: int, draws: GeneratorRows) -> Designs:
        if isinstance(self.space, CategoricalDesigns):
            return mutate(self.space, parents[None], 1.5, draws)[0]
        assert isinstance(self.space, BoxDesigns)
        step = _STEPS[generation % len(_STEPS)]
        moved = parents + step * draws.standard_normal(parents.shape)[0]
        return np.clip(moved, -1, 1).astype(np.float32)
