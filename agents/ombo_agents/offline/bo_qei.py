"""Bayesian optimization of what an ensemble predicts, with expected improvement of batches."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri

from ombo_agents.offline.forward import Forward, Training, fit_forward
from ombo_agents.offline.one_shot import Dataset, OneShot
from ombo_agents.offline.settings import number, whole
from ombo_gym.design_spaces import Designs
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows
from ombo_gym.surrogates.candidates import candidates
from ombo_gym.surrogates.gp import Posterior


class BoQei(OneShot):
    """Plays rounds of Bayesian optimization on an ensemble's predictions, and proposes the best.

    The Gaussian process is the surrogate that all policies of a table share, conditioned on the
    best and on random rows of the dataset and on all designs that the ensemble was asked about;
    values are the ensemble's predictions. A batch maximises expected improvement slot after slot,
    over joint posterior samples with quasi-random normal numbers, among the designs that other
    surrogate-based policies choose from. The designs with the largest predictions are proposed.

    The published runs condition on all rows and optimise batches by gradients over boxes around
    logits.

    Args:
        game: The campaigns it is built for.
        members, hidden, epochs, batch, rate: Of the networks (`Training`).
        best, others: Rows of the dataset that the process is conditioned on.
        rounds: Of Bayesian optimization.
        samples: Joint posterior samples of a round.
        spare: Designs found per design of the batch.

    Raises:
        ValueError: A setting out of range.

    References:
        Wilson et al., The reparameterization trick for acquisition functions, 2017.

        Trabucco et al., Design-Bench: Benchmarks for Data-Driven Offline Model-Based Optimization,
        ICML 2022, section 6.
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
        best: int,
        others: int,
        rounds: int,
        samples: int,
        spare: float,
    ) -> None:
        super().__init__(game)
        self.surrogate = game.surrogate
        self.training = Training(members, hidden, epochs, batch, rate)
        self.best, self.others = whole("best", best), whole("others", others, at_least=0)
        self.rounds, self.samples = whole("rounds", rounds), whole("samples", samples)
        self.spare = number("spare", spare)

    def fit(self, data: Dataset, generator: torch.Generator) -> Forward:  # noqa: D102
        return fit_forward(data, self.training, generator)

    def search(  # noqa: D102
        self, model: Forward, data: Dataset, generator: torch.Generator
    ) -> Designs:
        rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        draws = GeneratorRows([rng], 1)
        ranking = data.ranking
        rest = rng.permutation(ranking[self.best :])[: self.others]
        known = data.designs[np.concatenate([ranking[: self.best], rest])]
        given = len(known)
        values = self._predicted(model, known, data)
        q = max(1, int(np.ceil(self.spare * self.batch_size / self.rounds)))
        for _ in range(self.rounds):
            choices = candidates(self.space, known[None], values[None], q, draws)[0]
            choices = choices[np.sort(np.unique(choices, axis=0, return_index=True)[1])]
            if self.distinct:
                new = ~self.space.among(choices[None], known[None])[0]
                choices = choices[new] if new.any() else choices
            picked = choices[self._improving(known, values, choices, q, rng)]
            known = np.concatenate([known, picked])
            values = np.concatenate([values, self._predicted(model, picked, data)])
        found = given + np.argsort(-values[given:], kind="stable")
        return known[np.concatenate([found, np.argsort(-values[:given], kind="stable")])]

    def _predicted(self, model: Forward, designs: Designs, data: Dataset) -> NDArray[np.float64]:
        return model.mean(self.points(designs, data)).numpy().astype(np.float64)

    def _improving(
        self,
        known: Designs,
        values: NDArray[np.float64],
        choices: Designs,
        q: int,
        rng: np.random.Generator,
    ) -> NDArray[np.intp]:
        """A batch of choices, by expected improvement of its maximum, slot after slot."""
        features = self.space.features(choices)[None]  # (1, M, k)
        posterior = Posterior(self.surrogate, self.space.features(known)[None], values[None])
        mean = posterior.at(features).mean[0]
        covariance = posterior.covariance(features)[0]
        size = len(mean)
        covariance[np.arange(size), np.arange(size)] += 1e-6 * posterior.outputscale[0]
        seed = int(rng.integers(2**31))
        engine = torch.quasirandom.SobolEngine(size, scramble=True, seed=seed)
        uniform = engine.draw(self.samples, dtype=torch.float64).numpy()
        normals = ndtri(np.clip(uniform, 1e-9, 1 - 1e-9))
        samples = mean[:, None] + np.linalg.cholesky(covariance) @ normals.T  # (M, samples)
        reached = np.full(self.samples, ((values - posterior.shift) / posterior.scale).max())
        left = np.ones(size, bool)
        batch = np.empty(min(q, size), np.intp)
        for slot in range(len(batch)):
            gain = np.maximum(samples - reached, 0).mean(axis=1)
            batch[slot] = np.where(left, gain, -1).argmax()
            left[batch[slot]] = False
            reached = np.maximum(reached, samples[batch[slot]])
        return batch
