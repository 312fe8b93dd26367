"""Bayesian optimization of what an ensemble predicts, with expected improvement of batches."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from typing_extensions import override

from ombo_agents.offline.forward_model import ForwardModel, fit_forward_model
from ombo_agents.offline.networks import EnsembleSettings
from ombo_agents.offline.offline_policy import Dataset, OfflinePolicy
from ombo_agents.settings import Flag, NonNegativeInt, PositiveFloat, PositiveInt
from ombo_gym.design_spaces import Designs, repeated
from ombo_gym.quasirandom import shifted
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.surrogates.listed_marginals import ListedMarginals, listed_designs
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_CANDIDATES = 512  # quasi-random points around the dataset's, and as many local ones
_HOPE = 3.0  # standard deviations above its mean that a candidate may turn out to be worth
_STEP = 0.3  # of local points, in standard deviations; and the share of coordinates that change


@dataclass(frozen=True, kw_only=True)
class BoQeiSettings(EnsembleSettings):
    """Settings of `BoQei`, beside those of its networks.

    Attributes:
        best, others: Rows of the dataset that the process is conditioned on.
        rounds: Of Bayesian optimization.
        samples: Joint posterior samples of a round.
        spare: Designs found per design of the batch.
        relaxed: Whether it works on points, as described there.
        noise: Standard deviation of predictions as `relaxed` observes them.
    """

    best: PositiveInt
    others: NonNegativeInt
    rounds: PositiveInt
    samples: PositiveInt
    spare: PositiveFloat
    relaxed: Flag
    noise: PositiveFloat


class BoQei(OfflinePolicy[BoQeiSettings, ForwardModel]):
    """Plays rounds of Bayesian optimization on an ensemble's predictions, and proposes the best.

    The Gaussian process is the surrogate that all policies of a table share, conditioned on the
    best and on random rows of the dataset and on all designs that the ensemble was asked about;
    values are the ensemble's predictions. A batch maximises expected improvement slot after slot,
    over joint posterior samples with quasi-random normal numbers, among the designs that other
    surrogate-based policies choose from; where these are more than 1,024, the 512 of largest mean
    + 3 sd before the first round. The designs with the largest predictions are proposed.

    `relaxed` is closer to the published runs. There, batches are points of the box around the
    dataset's (softened logits of categories), predictions are observed with noise, and what is
    proposed is the best of the dataset and of what was found together: few new designs, as the
    noise and the box leave most of what was found below the best of the dataset. (The published
    runs find points by gradients; here they are chosen among quasi-random and local ones.)

    Args:
        spec: Of the campaigns it is built for.
        settings: Of the networks and of the search.

    References:
        Wilson et al., The reparameterization trick for acquisition functions, 2017.

        Trabucco et al., Design-Bench: Benchmarks for Data-Driven Offline Model-Based Optimization,
        ICML 2022, section 6.
    """

    settings_type = BoQeiSettings

    def __init__(self, spec: CampaignSpec, settings: BoQeiSettings) -> None:
        super().__init__(spec, settings)
        if spec.surrogate.get("kernel") == "learned":  # of objectives, not of networks
            spec = replace(spec, surrogate={"kernel": "fit"})
        # Of what networks predict: it has no noise of measurements, and other units.
        self.surrogate = replace(make_surrogate(spec), noise_std=0.0)
        # Of relaxed designs, whose coordinates are no features of the space: one lengthscale.
        recipe = dict(spec.surrogate)
        if self.surrogate.groups is not None:
            recipe["kernel"] = "isotropic"
        self._of_points = make_surrogate(replace(spec, surrogate=recipe))

    @override
    def fit(self, data: Dataset, generator: torch.Generator) -> ForwardModel:
        return fit_forward_model(data, self.settings, generator)

    @override
    def search(
        self, model: ForwardModel, data: Dataset, generator: torch.Generator, q: int
    ) -> Designs:
        settings = self.settings
        rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        best = data.ranking[: settings.best]
        others = rng.permutation(data.ranking[settings.best :])[: settings.others]
        rows = np.concatenate([best, others])  # of the dataset
        # Of a round of Bayesian optimization, of which there are several in a round of a campaign.
        batch_size = max(1, int(np.ceil(settings.spare * q / settings.rounds)))
        search = self._search_box if settings.relaxed else self._search_designs
        return search(model, data, rows, batch_size, rng)

    def _search_designs(
        self, model: ForwardModel, data: Dataset, rows: Rows, q: int, rng: np.random.Generator
    ) -> Designs:
        """What was found, from the largest prediction down, and then the rows."""
        rngs = GeneratorBatch([rng], 1)
        known = data.designs[rows]  # (n, *shape)
        values = model.mean(data.points[rows]).double().numpy()  # (n,) predictions
        hopeful = self._most_hopeful(known, values)
        for _ in range(self.settings.rounds):
            candidates = hopeful
            if candidates is None:
                candidates = self.space.candidates(known[None], values[None], q, rngs)[0]
            candidates = candidates[~repeated(candidates[None])[0]]  # (M, *shape) each once
            if self.spec.repeats is not Repeats.ALLOWED:
                new = ~self.space.among(candidates[None], known[None])[0]  # (M,)
                candidates = candidates[new] if new.any() else candidates
            features = self.space.features(known), self.space.features(candidates)
            batch = candidates[self._q_expected_improvement(values, *features, q, rng)]
            predicted = model.mean(self.points(batch, data)).double().numpy()
            known = np.concatenate([known, batch])
            values = np.concatenate([values, predicted])
        num_rows = len(rows)
        found = num_rows + np.argsort(-values[num_rows:], kind="stable")
        given = np.argsort(-values[:num_rows], kind="stable")
        ranked: Designs = known[np.concatenate([found, given])]
        return ranked

    def _most_hopeful(self, known: Designs, values: Floats) -> Designs | None:
        """Of many candidates those of largest mean + 3 sd, (M, *shape); None: they are not many.

        Args:
            known: (n, *shape).
            values: (n,).
        """
        space = self.space
        listed = listed_designs(space, len(known))
        if listed is None:
            return None
        posterior = Posterior(self.surrogate, space.features(known)[None], values[None])
        marginals = ListedMarginals(posterior, listed)
        hopes = marginals.mean[0] + _HOPE * marginals.sd[0]  # (C,)
        if self.spec.repeats is not Repeats.ALLOWED:
            hopes = np.where(space.marked(known[None])[0, listed.codes], -np.inf, hopes)
        most: Designs = listed.designs[np.argsort(-hopes, kind="stable")[:_CANDIDATES]]
        return most

    def _search_box(
        self, model: ForwardModel, data: Dataset, rows: Rows, q: int, rng: np.random.Generator
    ) -> Designs:
        """Rows and what was found together, from the largest observation down."""
        rngs = GeneratorBatch([rng], 1)
        low, high = (end.double().numpy() for end in data.points.aminmax(dim=0))  # (k,) each
        known = data.points[rows].double().numpy()  # (n, k)
        values = data.values[rows].double().numpy()  # (n,)
        for _ in range(self.settings.rounds):
            spread = low + (high - low) * shifted(rngs, _CANDIDATES, len(low))[0]
            best = known[np.argsort(-values, kind="stable")[: min(q, len(known))]]
            parents = best[rng.integers(len(best), size=_CANDIDATES)]
            steps = _STEP * rng.standard_normal(parents.shape)
            local = parents + steps * (rng.random(parents.shape) < _STEP)
            candidates = np.concatenate([spread, np.clip(local, low, high)])  # (M, k)
            batch = candidates[self._q_expected_improvement(values, known, candidates, q, rng)]
            predicted = model.mean(torch.tensor(batch.astype(np.float32))).double().numpy()
            known = np.concatenate([known, batch])
            noise = self.settings.noise * rng.standard_normal(len(batch))
            values = np.concatenate([values, predicted + noise])
        ranked = known[np.argsort(-values, kind="stable")]
        return self.designs(torch.tensor(ranked.astype(np.float32)), data)

    def _q_expected_improvement(
        self, values: Floats, known: Floats, candidates: Floats, q: int, rng: np.random.Generator
    ) -> NDArray[np.intp]:
        """A batch of candidates, by expected improvement of the maximum, slot after slot.

        Args:
            values: (n,).
            known: (n, k) features of what has them.
            candidates: (M, k) features.
            q: Slots.
            rng: Of the posterior samples.

        Returns:
            (q,) candidates, or (M,) where there are fewer.
        """
        num_samples = self.settings.samples
        features = candidates[None]  # (1, M, k)
        surrogate = self._of_points if self.settings.relaxed else self.surrogate
        posterior = Posterior(surrogate, known[None], values[None])
        mean = posterior.at(features).mean[0]  # (M,)
        covariance = posterior.covariance(features)[0]  # (M, M)
        num_candidates = len(mean)
        diagonal = np.arange(num_candidates)
        covariance[diagonal, diagonal] += 1e-6 * posterior.outputscale[0]
        seed = int(rng.integers(2**31))
        sobol = torch.quasirandom.SobolEngine(  # type: ignore[no-untyped-call]
            num_candidates, scramble=True, seed=seed
        )
        uniform = sobol.draw(num_samples, dtype=torch.float64).numpy()  # (samples, M)
        normals = ndtri(np.clip(uniform, 1e-9, 1 - 1e-9))
        samples = mean[:, None] + np.linalg.cholesky(covariance) @ normals.T  # (M, samples)
        best_known = ((values - posterior.shift) / posterior.scale).max()
        best = np.full(num_samples, best_known)  # (samples,) of what is known and the batch
        available = np.ones(num_candidates, bool)
        batch = np.empty(min(q, num_candidates), np.intp)
        for slot in range(len(batch)):
            improvement = np.maximum(samples - best, 0).mean(axis=1)  # (M,)
            batch[slot] = np.where(available, improvement, -1).argmax()
            available[batch[slot]] = False
            best = np.maximum(best, samples[batch[slot]])
        return batch
