"""BoTorch's lookahead to the end of the campaign."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ombo_agents.bayesian.botorch.policy import BotorchPolicy
from ombo_agents.settings import whole
from ombo_gym.game import Game
from ombo_gym.problems.checks import is_list

if TYPE_CHECKING:
    import torch

UTILITIES = ("best", "last_max", "last_mean", "last_median")


class BotorchMultistep(BotorchPolicy):
    """qMultiStepLookahead over the rounds that are left, up to four.

    A tree of batches, one for each outcome that is imagined, is optimised in one shot. What a round
    is worth follows the utility: `best`: its expected improvement, in every round; `last_max`: the
    expected maximum of the last batch; `last_mean` and `last_median`: the largest posterior mean of
    the last round, in which all slots are that design. With one round left it is the one-round
    optimum of these. Nothing is carried over from the round before, so trees start at random.

    Args:
        game: The campaigns it is built for.
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
        self, game: Game, *, fantasies: Sequence[int], inner_samples: int, **settings: Any
    ) -> None:
        super().__init__(game, **settings)
        self._utility = game.campaigns.settings.utility
        if self._utility not in UTILITIES:
            raise ValueError(
                f"botorch_multistep: expected a utility among {list(UTILITIES)}, "
                f"got {self._utility!r}"
            )
        each: Sequence[Any] = fantasies if is_list(fantasies) else (fantasies,)
        # In a policy's name, numbers with "/" between are floats.
        each = [int(n) if isinstance(n, float) and n.is_integer() else n for n in each]
        self._fantasies = [whole("fantasies", n) for n in each]
        self._inner_samples = whole("inner_samples", inner_samples)

    def _batches(self, rounds_left: int) -> list[int]:
        """Slots of the rounds that are looked at, this one first."""
        rounds = min(rounds_left, len(self._fantasies) + 1)
        q = self.batch_size
        last = 1 if self._utility in ("last_mean", "last_median") else q
        return [q] * (rounds - 1) + [last]

    def acquisition(self, model: Any, best: float, rounds_left: int) -> Any:  # noqa: D102
        from botorch.acquisition import PosteriorMean, qExpectedImprovement, qSimpleRegret
        from botorch.acquisition.logei import qLogExpectedImprovement
        from botorch.acquisition.multi_step_lookahead import make_best_f, qMultiStepLookahead

        batches = self._batches(rounds_left)
        steps = len(batches)
        last: Any = qExpectedImprovement
        if self._utility != "best":
            last = qSimpleRegret if self._utility == "last_max" else PosteriorMean
        if steps == 1:
            if self._utility == "best":
                return qLogExpectedImprovement(model, best_f=best)
            return last(model)
        every = self._utility == "best"
        sampled = [None if last is PosteriorMean else self._inner_samples] * steps
        return qMultiStepLookahead(
            model,
            batch_sizes=batches[1:],
            num_fantasies=self._fantasies[: steps - 1],
            valfunc_cls=[qExpectedImprovement if every else None] * (steps - 1) + [last],
            valfunc_argfacs=[make_best_f if every else None] * steps,
            inner_mc_samples=[
                *([self._inner_samples if every else None] * (steps - 1)),
                sampled[-1],
            ],
        )

    def optimise(self, acquisition: Any, rounds_left: int, bounds: torch.Tensor) -> torch.Tensor:  # noqa: D102
        from botorch.optim.optimize import optimize_acqf

        batches = self._batches(rounds_left)
        looks_ahead = len(batches) > 1
        first = batches[0]
        width = acquisition.get_augmented_q_batch_size(first) if looks_ahead else first
        found, _ = optimize_acqf(
            acquisition,
            bounds,
            q=width,
            **self.search,
            return_full_tree=looks_ahead,
        )
        if not looks_ahead:
            return found.expand(self.batch_size, -1) if first < self.batch_size else found
        return acquisition.extract_candidates(found)
