"""Bayesian optimization of what an ensemble predicts, with expected improvement of batches."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from typing_extensions import override

from ombo_agents.offline.forward import Forward, Training, fit_forward
from ombo_agents.offline.one_shot import Dataset, OneShot
from ombo_agents.settings import number, truth, whole
from ombo_gym.design_spaces import Designs
from ombo_gym.quasirandom import shifted
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate

Rows = NDArray[np.intp]

_CHOICES = 512  # quasi-random points around the dataset's, and as many local ones
_STEP = 0.3  # of local points, in standard deviations; and the share of coordinates that change


class BoQei(OneShot):
    """Plays rounds of Bayesian optimization on an ensemble's predictions, and proposes the best.

    The Gaussian process is the surrogate that all policies of a table share, conditioned on the
    best and on random rows of the dataset and on all designs that the ensemble was asked about;
    values are the ensemble's predictions. A batch maximises expected improvement slot after slot,
    over joint posterior samples with quasi-random normal numbers, among the designs that other
    surrogate-based policies choose from. The designs with the largest predictions are proposed.

    `relaxed` is closer to the published runs. There, batches are points of the box around the
    dataset's (softened logits of categories), predictions are observed with noise, and what is
    proposed is the best of the dataset and of what was found together: few new designs, as the
    noise and the box leave most of what was found below the best of the dataset. (The published
    runs find points by gradients; here they are chosen among quasi-random and local ones.)

    Args:
        spec: Of the campaigns it is built for.
        members, hidden, epochs, batch, rate: Of the networks (`Training`).
        best, others: Rows of the dataset that the process is conditioned on.
        rounds: Of Bayesian optimization.
        samples: Joint posterior samples of a round.
        spare: Designs found per design of the batch.
        relaxed: Whether it works on points, as described.
        noise: Standard deviation of predictions as `relaxed` observes them.

    Raises:
        ValueError: A setting out of range.

    References:
        Wilson et al., The reparameterization trick for acquisition functions, 2017.

        Trabucco et al., Design-Bench: Benchmarks for Data-Driven Offline Model-Based Optimization,
        ICML 2022, section 6.
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
        best: int,
        others: int,
        rounds: int,
        samples: int,
        spare: float,
        relaxed: bool,
        noise: float,
    ) -> None:
        super().__init__(spec)
        self.surrogate = make_surrogate(spec)
        self.training = Training(members, hidden, epochs, batch, rate)
        self.best, self.others = whole("best", best), whole("others", others, at_least=0)
        self.rounds, self.samples = whole("rounds", rounds), whole("samples", samples)
        self.spare, self.noise = number("spare", spare), number("noise", noise)
        self.relaxed = truth("relaxed", relaxed)

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> Forward:
        return fit_forward(data, self.training, generator)

    @override
    def search(self, model: Forward, data: Dataset, generator: torch.Generator, q: int) -> Designs:
        rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        rows = data.ranking[: self.best]
        rest = rng.permutation(data.ranking[self.best :])[: self.others]
        rows = np.concatenate([rows, rest])
        count = max(1, int(np.ceil(self.spare * q / self.rounds)))  # of one of its own rounds
        if self.relaxed:
            return self._search_box(model, data, rows, count, rng)
        return self._search_designs(model, data, rows, count, rng)

    def _search_designs(
        self, model: Forward, data: Dataset, rows: Rows, q: int, rng: np.random.Generator
    ) -> Designs:
        """What was found, from the largest prediction down, and then the rows."""
        rngs = GeneratorBatch([rng], 1)
        known = data.designs[rows]
        values = model.mean(data.points[rows]).double().numpy()
        for _ in range(self.rounds):
            choices = self.space.candidates(known[None], values[None], q, rngs)[0]
            choices = choices[np.sort(np.unique(choices, axis=0, return_index=True)[1])]
            if self.spec.repeats is not Repeats.ALLOWED:
                new = ~self.space.among(choices[None], known[None])[0]
                choices = choices[new] if new.any() else choices
            features = self.space.features(known), self.space.features(choices)
            picked = choices[self._improving(values, *features, q, rng)]
            predicted = model.mean(self.points(picked, data)).double().numpy()
            known = np.concatenate([known, picked])
            values = np.concatenate([values, predicted])
        given = len(rows)
        found = given + np.argsort(-values[given:], kind="stable")
        return known[np.concatenate([found, np.argsort(-values[:given], kind="stable")])]

    def _search_box(
        self, model: Forward, data: Dataset, rows: Rows, q: int, rng: np.random.Generator
    ) -> Designs:
        """Rows and what was found together, from the largest observation down."""
        rngs = GeneratorBatch([rng], 1)
        low, high = (end.double().numpy() for end in data.points.aminmax(dim=0))
        known = data.points[rows].double().numpy()
        values = data.values[rows].double().numpy()
        for _ in range(self.rounds):
            spread = low + (high - low) * shifted(rngs, _CHOICES, len(low))[0]
            parents = known[np.argsort(-values, kind="stable")[: min(q, len(known))]]
            moved = parents[rng.integers(len(parents), size=_CHOICES)]
            steps = _STEP * rng.standard_normal(moved.shape)
            local = moved + steps * (rng.random(moved.shape) < _STEP)
            choices = np.concatenate([spread, np.clip(local, low, high)])
            picked = choices[self._improving(values, known, choices, q, rng)]
            predicted = model.mean(torch.tensor(picked.astype(np.float32))).double().numpy()
            known = np.concatenate([known, picked])
            noise = self.noise * rng.standard_normal(len(picked))
            values = np.concatenate([values, predicted + noise])
        best = known[np.argsort(-values, kind="stable")]
        return self.designs(torch.tensor(best.astype(np.float32)), data)

    def _improving(
        self,
        values: NDArray[np.float64],
        known: NDArray[np.float64],
        choices: NDArray[np.float64],
        q: int,
        rng: np.random.Generator,
    ) -> NDArray[np.intp]:
        """A batch of choices, by expected improvement of its maximum, slot after slot.

        Args:
            values: (n,).
            known: (n, k) features of what has them.
            choices: (M, k) features.
            q: Slots.
            rng: Of the posterior samples.
        """
        features = choices[None]  # (1, M, k)
        posterior = Posterior(self.surrogate, known[None], values[None])
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
