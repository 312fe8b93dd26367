"""BoTorch's acquisition functions that look one round ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from ombo_agents.bayesian.botorch.policy import BotorchPolicy, Plates
from ombo_agents.settings import whole
from ombo_gym.spec import CampaignSpec

if TYPE_CHECKING:
    import torch


class BotorchLogEI(BotorchPolicy):
    """qLogExpectedImprovement over the best observed value, a batch optimised slot by slot.

    Reference:
        Ament et al., Unexpected improvements to expected improvement for Bayesian optimization,
        NeurIPS 2023; Balandat et al., BoTorch, NeurIPS 2020.
    """

    @override
    def acquisition(self, model: Any, best: float, plates: Plates) -> Any:
        from botorch.acquisition.logei import qLogExpectedImprovement

        return qLogExpectedImprovement(model, best_f=best)

    @override
    def optimise(self, acquisition: Any, plates: Plates, bounds: torch.Tensor) -> torch.Tensor:
        from botorch.optim.optimize import optimize_acqf

        batch: torch.Tensor
        batch, _ = optimize_acqf(acquisition, bounds, q=plates[0], **self.search, sequential=True)
        return batch


class BotorchKG(BotorchPolicy):
    """qKnowledgeGradient: the batch after which the largest posterior mean should be largest.

    In one shot: the batch and the best design of each fantasy are optimised together. Boxes only.

    Args:
        spec: Of the campaigns it is built for.
        fantasies: Of the batch's values.
        **settings: See `BotorchPolicy`.

    Reference:
        Wu and Frazier, The parallel knowledge gradient method for batch Bayesian optimization,
        NeurIPS 2016; Balandat et al., BoTorch, NeurIPS 2020.
    """

    def __init__(self, spec: CampaignSpec, *, fantasies: int, **settings: Any) -> None:
        super().__init__(spec, **settings)
        self._fantasies = whole("fantasies", fantasies)

    @override
    def acquisition(self, model: Any, best: float, plates: Plates) -> Any:
        from botorch.acquisition import qKnowledgeGradient

        return qKnowledgeGradient(model, num_fantasies=self._fantasies)
