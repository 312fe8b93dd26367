"""BoTorch's lookahead to the end of the campaign."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import override

from ombo_agents.bayesian.botorch.policy import BotorchPolicy, Plates
from ombo_agents.settings import whole
from ombo_gym.problems.core.checks import is_list
from ombo_gym.spec import CampaignSpec
from ombo_gym.utilities import Aim, Utility

if TYPE_CHECKING:
    import torch


def values_last_batch(utility: Utility) -> bool:
    """Whether the lookahead has a value for a utility.

    That is, of rounds that are not the last only improvements may pay.
    """
    pays_at_the_end = utility.last_round_only or utility.aim is Aim.IMPROVEMENT
    return pays_at_the_end and not utility.needs_posterior


class BotorchMultistep(BotorchPolicy):
    """qMultiStepLookahead over the rounds that are left, up to four.

    A tree of batches, one for each outcome that is imagined, is optimised in one shot. What a round
    is worth follows the utility: where improvements pay (`best`, `auc`), its expected improvement,
    in every round; where the largest value of the last batch does (`last_max`), the expected
    maximum of that batch; otherwise (`last_mean`, `last_median`, `last_quantile`) the largest
    posterior mean of the last round, in which all slots are that design. With one round left it is
    the one-round optimum of these. Nothing is carried over from the round before, so trees start at
    random.

    Args:
        spec: Of the campaigns it is built for.
        fantasies: Outcomes that are imagined of the first round, of the second, and so on.
        inner_samples: Draws that an expected improvement or maximum within the tree is taken over.
        **settings: See `BotorchPolicy`.

    Raises:
        ValueError: A utility that it has no value for, or a setting out of range.

    Reference:
        Jiang et al., Efficient nonmyopic Bayesian optimization via one-shot multi-step trees,
        NeurIPS 2020.
    """

    horizon_aware = True

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        fantasies: Sequence[int],
        inner_samples: int,
        **settings: Any,
    ) -> None:
        super().__init__(spec, **settings)
        if not values_last_batch(spec.utility):
            raise ValueError(f"botorch_multistep: it has no value for utility '{spec.utility}'")
        by_round: Sequence[Any] = fantasies if is_list(fantasies) else (fantasies,)
        # In a policy's name, numbers with "/" between are floats.
        by_round = [int(n) if isinstance(n, float) and n.is_integer() else n for n in by_round]
        self._fantasies = [whole("fantasies", n) for n in by_round]
        self._inner_samples = whole("inner_samples", inner_samples)

    def _batches(self, plates: Plates) -> list[int]:
        """Slots of the rounds that are looked at, this one first."""
        within_reach = plates[: len(self._fantasies) + 1]
        last = 1 if self.spec.utility.aim is Aim.MEANS else within_reach[-1]
        return [*within_reach[:-1], last]

    @override
    def acquisition(self, model: Any, best: float, plates: Plates) -> Any:
        from botorch.acquisition import PosteriorMean, qSimpleRegret
        from botorch.acquisition.logei import qLogExpectedImprovement
        from botorch.acquisition.multi_step_lookahead import make_best_f, qMultiStepLookahead

        batches, aim = self._batches(plates), self.spec.utility.aim
        steps = len(batches)
        if steps == 1 and aim is Aim.IMPROVEMENT:
            return qLogExpectedImprovement(model, best_f=best)
        values: list[Any] = [None] * steps  # of each round
        argfacs: list[Any] = [None] * steps
        samples: list[int | None] = [None] * steps
        if aim is Aim.IMPROVEMENT:
            values = [self._improvement(len(plates) - step) for step in range(steps)]
            argfacs, samples = [make_best_f] * steps, [self._inner_samples] * steps
        elif aim is Aim.MAXIMUM:
            values[-1], samples[-1] = qSimpleRegret, self._inner_samples
        else:
            values[-1] = PosteriorMean
        if steps == 1:
            return values[-1](model)
        return qMultiStepLookahead(
            model,
            batch_sizes=batches[1:],
            num_fantasies=self._fantasies[: steps - 1],
            valfunc_cls=values,
            valfunc_argfacs=argfacs,
            inner_mc_samples=samples,
        )

    def _improvement(self, rounds_left: int) -> Any:
        """Expected improvement, times what one of 1 is worth with so many rounds left; a class."""
        from botorch.acquisition import qExpectedImprovement

        weight = float(self.spec.utility.gain(np.ones(1), np.zeros(()), rounds_left))
        if weight == 1:
            return qExpectedImprovement

        class WeightedExpectedImprovement(qExpectedImprovement):  # type: ignore[misc]
            @override
            def _sample_forward(self, obj: torch.Tensor) -> torch.Tensor:
                improvement: torch.Tensor = super()._sample_forward(obj)
                return weight * improvement

        return WeightedExpectedImprovement

    @override
    def optimise(self, acquisition: Any, plates: Plates, bounds: torch.Tensor) -> torch.Tensor:
        from botorch.optim.optimize import optimize_acqf

        batches, q = self._batches(plates), plates[0]
        looks_ahead = len(batches) > 1
        first = batches[0]
        tree_size = acquisition.get_augmented_q_batch_size(first) if looks_ahead else first
        tree: torch.Tensor
        tree, _ = optimize_acqf(
            acquisition, bounds, q=tree_size, **self.search, return_full_tree=looks_ahead
        )
        if not looks_ahead:
            return tree.expand(q, -1) if first < q else tree
        batch: torch.Tensor = acquisition.extract_candidates(tree)
        return batch
