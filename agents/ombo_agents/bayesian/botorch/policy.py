"""What the policies that call BoTorch share: a model and an optimisation for each campaign."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.botorch.model import (
    HYPERPARAMETERS,
    make_model,
    require_botorch,
    unit_box,
)
from ombo_agents.bayesian.posterior import PosteriorPolicy
from ombo_agents.settings import whole
from ombo_agents.unmeasured import fresh
from ombo_gym.controls.outlook import Outlook
from ombo_gym.design_spaces import BoxDesigns
from ombo_gym.game import Game
from ombo_gym.problems.checks import one_of
from ombo_gym.randomness import GeneratorRows

if TYPE_CHECKING:
    import torch


class BotorchPolicy(PosteriorPolicy):
    """Optimises an acquisition function of BoTorch for one campaign after the other.

    In boxes by gradients from random starts, on other spaces over the candidates that the other
    surrogate-based policies look at. Campaigns with fewer than two observations get uniform
    designs. The surrogate's `max_data` holds here too.

    Args:
        game: The campaigns it is built for.
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
        self, game: Game, *, hyperparameters: str, restarts: int, raw_samples: int, maxiter: int
    ) -> None:
        require_botorch()
        super().__init__(game)
        self._how = one_of("hyperparameters", hyperparameters, HYPERPARAMETERS)
        self.search: dict[str, Any] = {
            "num_restarts": whole("restarts", restarts),
            "raw_samples": whole("raw_samples", raw_samples),
            "options": {"maxiter": whole("maxiter", maxiter)},
        }

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        import torch
        from botorch.utils.sampling import manual_seed

        posterior, q = outlook.posterior, self.batch_size
        batch = fresh(self.space, draws, q).astype(self.space.dtype)
        if posterior.targets.shape[1] < 2:
            return batch
        seeds = draws.draw(lambda rng: rng.integers(2**31))
        values = posterior.shift[:, None] + posterior.scale[:, None] * posterior.targets
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
                        self._how,
                        self._bounds(outlook, row),
                    )
                    best = values[row].max()
                    left = int(outlook.rounds_left[row])
                    batch[row] = self._designs(model, float(best), left, outlook, row)
        finally:
            torch.set_num_threads(threads)
        return batch

    @abstractmethod
    def acquisition(self, model: Any, best: float, rounds_left: int) -> Any:
        """What is maximised.

        Args:
            model: Of a campaign's dataset.
            best: Best value in it.
            rounds_left: Of the campaign.
        """

    def optimise(self, acquisition: Any, rounds_left: int, bounds: torch.Tensor) -> torch.Tensor:
        """A batch (q, d) in a box."""
        from botorch.optim.optimize import optimize_acqf

        batch, _ = optimize_acqf(
            acquisition,
            bounds,
            q=self.batch_size,
            **self.search,
        )
        return batch

    def _designs(
        self, model: Any, best: float, rounds_left: int, outlook: Outlook, row: int
    ) -> NDArray[Any]:
        """The batch of one campaign, (q, *shape)."""
        acquisition = self.acquisition(model, best, rounds_left)
        if isinstance(self.space, BoxDesigns):
            bounds = unit_box(self.space.dim)
            found = self.optimise(acquisition, rounds_left, bounds).detach().numpy()
            return np.clip(found, -1, 1).astype(np.float32)
        return self._among(acquisition, outlook, row)

    def _bounds(self, outlook: Outlook, row: int) -> torch.Tensor:
        """Of the features, (2, k)."""
        import torch

        if isinstance(self.space, BoxDesigns):
            return unit_box(self.space.dim)
        measured, choices = outlook.posterior.features[row], outlook.candidates[row]
        features = np.concatenate([measured, self.space.features(choices)])
        lowest, highest = features.min(axis=0), features.max(axis=0)
        highest = np.where(highest > lowest, highest, lowest + 1)  # a feature without a choice
        return torch.as_tensor(np.stack([lowest, highest]))

    def _among(self, acquisition: Any, outlook: Outlook, row: int) -> NDArray[Any]:
        """The batch of one campaign, of its candidates."""
        import torch
        from botorch.optim.optimize import optimize_acqf_discrete

        choices = np.unique(outlook.candidates[row], axis=0)
        if outlook.spent is not None:
            unspent = np.unique(outlook.candidates[row][~outlook.spent[row]], axis=0)
            choices = unspent if len(unspent) else choices
        features = self.space.features(choices)
        count = min(self.batch_size, len(choices)) if self.distinct else self.batch_size
        chosen, _ = optimize_acqf_discrete(
            acquisition, q=count, choices=torch.as_tensor(features), unique=self.distinct
        )
        picks = self._numbers(chosen.numpy(), features)
        designs: NDArray[Any] = choices[np.resize(picks, self.batch_size)]
        return designs

    @staticmethod
    def _numbers(chosen: NDArray[np.float64], features: NDArray[np.float64]) -> NDArray[np.intp]:
        """Which candidates some features are those of; equal ones are taken in turn."""
        taken: list[int] = []
        for each in chosen:
            same: Sequence[int] = np.flatnonzero((features == each).all(axis=1)).tolist()
            new = [number for number in same if number not in taken]
            taken.append((new or same)[0])
        return np.array(taken)
