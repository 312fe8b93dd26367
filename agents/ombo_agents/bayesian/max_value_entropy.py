"""Max-value entropy search."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.bayesian.posterior_policy import PosteriorPolicy
from ombo_agents.settings import whole
from ombo_gym.acquisition.greedy_batch import maximize_score
from ombo_gym.acquisition.max_value_entropy import MaxValueInformation
from ombo_gym.acquisition.thompson import posterior_samples
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior

_GAP = 1e-3  # standardised units by which the largest value exceeds all that were observed


class MaxValueEntropy(PosteriorPolicy):
    """What a design tells of the largest value that there is, slot by slot.

    Largest values are drawn from the joint posterior over candidates (of more than 256 those 256 of
    largest mean + 3 sd), and are at least the best observed one. Slots see the variance that is
    left once those before them are measured; where designs can move, as in a box, the best
    candidates climb.

    Args:
        spec: Of the campaigns it is built for.
        maxima: Largest values that are drawn.
        num_restarts: Candidates that climb, where designs can move; 0: none.
        max_iterations: Steps of a climb, at most.

    Reference:
        Wang and Jegelka, Max-value entropy search for efficient Bayesian optimization, ICML 2017,
        equation 6; Moss et al., GIBBON, JMLR 22, 2021 (batches).
    """

    def __init__(
        self, spec: CampaignSpec, *, maxima: int, num_restarts: int, max_iterations: int
    ) -> None:
        super().__init__(spec)
        self._maxima = whole("maxima", maxima)
        self._num_restarts = whole("num_restarts", num_restarts, at_least=0)
        self._max_iterations = whole("max_iterations", max_iterations, at_least=0)

    @override
    def pick(self, group: CandidatePosterior, rngs: GeneratorBatch) -> NDArray[Any]:
        _, samples, _ = posterior_samples(group, self.space, self._maxima, rngs)
        maxima = np.maximum(samples.max(axis=2), group.best[:, None] + _GAP)
        return maximize_score(
            group,
            self.space,
            MaxValueInformation(maxima),
            num_restarts=self._num_restarts,
            max_iterations=self._max_iterations,
        )
