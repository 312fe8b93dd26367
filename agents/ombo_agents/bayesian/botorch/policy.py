"""What the policies that call BoTorch share: a model and an optimisation for each campaign."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.bayesian.botorch.model import (
    HYPERPARAMETERS,
    make_model,
    require_botorch,
    unit_box,
)
from ombo_agents.bayesian.posterior_policy import PosteriorPolicy
from ombo_agents.settings import whole
from ombo_agents.unmeasured import fresh
from ombo_gym.problems.core.checks import one_of
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior

if TYPE_CHECKING:
    import torch

MAX_CANDIDATES = 1024  # that an acquisition function is maximised over
Plates = tuple[int, ...]  # sizes of the batches to come, the next one first


class BotorchPolicy(PosteriorPolicy):
    """Optimises an acquisition function of BoTorch for one campaign after the other.

    In boxes by gradients from random starts, on other spaces over the candidates that the other
    surrogate-based policies look at; where these are more than 1,024, over the 1,024 of largest
    mean + 3 sd by the surrogate. Campaigns with fewer than two observations get uniform
    designs. The surrogate's `max_data` holds here too.

    Args:
        spec: Of the campaigns it is built for.
        hyperparameters: "fitted" or "surrogate", see `make_model`; plays no part where the kernel
            is given.
        restarts: Starts of the optimisation.
        raw_samples: Random batches that starts are chosen from.
        maxiter: Steps of the optimisation, at most.

    Raises:
        ImportError: BoTorch is not installed.
        ValueError: A setting out of range.
    """

    deterministic = False

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        hyperparameters: str,
        restarts: int,
        raw_samples: int,
        maxiter: int,
    ) -> None:
        require_botorch()
        super().__init__(spec)
        self._hyperparameters = one_of("hyperparameters", hyperparameters, HYPERPARAMETERS)
        self.search: dict[str, Any] = {
            "num_restarts": whole("restarts", restarts),
            "raw_samples": whole("raw_samples", raw_samples),
            "options": {"maxiter": whole("maxiter", maxiter)},
        }

    @override
    def pick(self, group: CandidatePosterior, rngs: GeneratorBatch) -> NDArray[Any]:
        import torch
        from botorch.utils.sampling import manual_seed

        posterior = group.posterior
        batch = fresh(self.space, rngs, group.batch_size).astype(self.space.dtype)
        if posterior.targets.shape[1] < 2:
            return batch
        seeds = rngs.draw(lambda rng: rng.integers(2**31))
        values = posterior.in_units(posterior.targets)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            for row in range(len(batch)):
                with manual_seed(int(seeds[row])), warnings.catch_warnings():
                    # Slots that come close to each other need jitter, and line searches may end
                    # early: both are said of single starts.
                    warnings.filterwarnings("ignore", "A not p.d., added jitter")
                    warnings.filterwarnings("ignore", "Optimization failed")
                    warnings.filterwarnings("ignore", "`scipy_minimize` terminated")
                    # Where nothing is to be gained starts are as good as each other.
                    warnings.filterwarnings("ignore", "All acquisition values for raw samples")
                    # Rounds of a tree add up, so their improvements cannot be logarithms.
                    warnings.filterwarnings("ignore", "qExpectedImprovement has known numerical")
                    model = make_model(
                        self.surrogate,
                        posterior.features[row],
                        values[row],
                        self._hyperparameters,
                        self._bounds(group, row),
                        shift=posterior.shift[row],
                        scale=posterior.scale[row],
                    )
                    best = values[row].max()
                    batch[row] = self._designs(model, float(best), group, row)
        finally:
            torch.set_num_threads(threads)
        return batch

    @abstractmethod
    def acquisition(self, model: Any, best: float, plates: Plates) -> Any:
        """What is maximised.

        Args:
            model: Of a campaign's dataset.
            best: Best value in the dataset.
            plates: Of the campaign.
        """

    def optimise(self, acquisition: Any, plates: Plates, bounds: torch.Tensor) -> torch.Tensor:
        """A batch (q, d) in a box."""
        from botorch.optim.optimize import optimize_acqf

        batch: torch.Tensor
        batch, _ = optimize_acqf(acquisition, bounds, q=plates[0], **self.search)
        return batch

    @property
    def _in_a_box(self) -> bool:
        free = self.space.free
        return free is not None and bool(free.all())

    def _designs(
        self, model: Any, best: float, group: CandidatePosterior, row: int
    ) -> NDArray[Any]:
        """The batch of one campaign, (q, *shape)."""
        plates = tuple(size for size in group.plates[row].tolist() if size)
        acquisition = self.acquisition(model, best, plates)
        if self._in_a_box:
            bounds = unit_box(group.posterior.features.shape[-1])
            features = self.optimise(acquisition, plates, bounds).detach().numpy()  # (q, d)
            return self.space.from_features(np.clip(features, -1, 1))
        return self._best_candidates(acquisition, group, row)

    def _bounds(self, group: CandidatePosterior, row: int) -> torch.Tensor:
        """Of the features, (2, k)."""
        import torch

        measured = group.posterior.features[row]
        if self._in_a_box:
            return unit_box(measured.shape[-1])
        if group.listed is not None:
            candidates = group.listed.features
        else:
            candidates = self.space.features(group.candidates[row])
        features = np.concatenate([measured, candidates])
        lowest, highest = features.min(axis=0), features.max(axis=0)
        highest = np.where(highest > lowest, highest, lowest + 1)  # a feature without a choice
        return torch.as_tensor(np.stack([lowest, highest]))

    def _best_candidates(
        self, acquisition: Any, group: CandidatePosterior, row: int
    ) -> NDArray[Any]:
        """The batch of one campaign, of its candidates."""
        import torch
        from botorch.optim.optimize import optimize_acqf_discrete

        listed, measured = group.candidates[row], group.measured
        unmeasured = np.ones(len(listed), bool) if measured is None else ~measured[row]
        if len(listed) > MAX_CANDIDATES:
            hopeful = group.most_hopeful(MAX_CANDIDATES)[row]
            listed, unmeasured = listed[hopeful], unmeasured[hopeful]
        candidates = np.unique(listed, axis=0)  # (M, *shape)
        if group.measured is not None:
            new = np.unique(listed[unmeasured], axis=0)
            candidates = new if len(new) else candidates
        features, q = self.space.features(candidates), group.batch_size  # (M, k)
        count = min(q, len(candidates)) if group.distinct else q
        chosen, _ = optimize_acqf_discrete(
            acquisition, q=count, choices=torch.as_tensor(features), unique=group.distinct
        )
        picks = self._indices(chosen.numpy(), features)
        designs: NDArray[Any] = candidates[np.resize(picks, q)]
        return designs

    @staticmethod
    def _indices(chosen: NDArray[np.float64], features: NDArray[np.float64]) -> NDArray[np.intp]:
        """The candidates that chosen features belong to; equal ones are taken in turn.

        Args:
            chosen: (count, k).
            features: (M, k) of all candidates.

        Returns:
            (count,).
        """
        indices: list[int] = []
        for point in chosen:
            equal: Sequence[int] = np.flatnonzero((features == point).all(axis=1)).tolist()
            unused = [index for index in equal if index not in indices]
            indices.append((unused or equal)[0])
        return np.array(indices)
