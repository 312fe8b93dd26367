"""Expected improvement of a batch."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from ombo_agents.bayesian.log_improvement import standard_normals
from ombo_agents.bayesian.posterior import PosteriorPolicy
from ombo_agents.bayesian.together import best_together
from ombo_agents.settings import whole
from ombo_gym.controls.outlook import Outlook
from ombo_gym.randomness import GeneratorRows
from ombo_gym.spec import CampaignSpec


class ExpectedImprovement(PosteriorPolicy):
    """The expected improvement of the whole batch over the best observed value.

    A slot maximises what it adds to E[max(best, f_1, ..., f_j)] given the slots before it, whose
    values are drawn jointly; given these, a design's own value is integrated exactly, so that the
    first slot has the textbook's expected improvement. Where designs can move, as in a box, the
    best candidates climb its logarithm from where they stand, and then the batch as a whole does
    (`best_together`).

    Args:
        spec: Of the campaigns it is built for.
        draws: Joint draws of the values of the slots before.
        starts: Candidates that climb, where designs can move; 0: none.
        moves: Steps of a climb, at most.

    Raises:
        ValueError: A setting that is not a whole number, or too small.

    References:
        Jones, Schonlau and Welch, Efficient global optimization of expensive black-box functions,
        1998. Wilson, Hutter and Deisenroth, Maximizing acquisition functions for Bayesian
        optimization, NeurIPS 2018 (greedy batches). Ament et al., Unexpected improvements to
        expected improvement for Bayesian optimization, NeurIPS 2023 (its logarithm).
    """

    def __init__(self, spec: CampaignSpec, *, draws: int, starts: int, moves: int) -> None:
        super().__init__(spec)
        self.deterministic = self.space.looks_at_everything
        self._draws = whole("draws", draws)
        self._starts = whole("starts", starts, at_least=0)
        self._moves = whole("moves", moves, at_least=0)

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        return best_together(
            outlook,
            self.space,
            outlook.best,
            standard_normals(self._draws, outlook.batch_size),
            starts=self._starts,
            moves=self._moves,
        )
