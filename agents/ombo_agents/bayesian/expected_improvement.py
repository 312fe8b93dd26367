"""Expected improvement of a batch."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.bayesian.posterior_policy import PosteriorPolicy, draws_no_candidates
from ombo_agents.settings import whole
from ombo_gym.acquisition.expected_improvement import standard_normals
from ombo_gym.acquisition.q_expected_improvement import maximize_q_expected_improvement
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior


class ExpectedImprovement(PosteriorPolicy):
    """The expected improvement of the whole batch over the best observed value.

    A slot maximises what it adds to E[max(best, f_1, ..., f_j)] given the slots before it, whose
    values are drawn jointly; given these, a design's own value is integrated exactly, so that the
    first slot has the textbook's expected improvement. Where designs can move, as in a box, the
    best candidates climb its logarithm from where they stand, and then the batch as a whole does
    (`best_together`).

    Args:
        spec: Of the campaigns it is built for.
        num_samples: Joint draws of the values of the slots before.
        num_restarts: Candidates that climb, where designs can move; 0: none.
        max_iterations: Steps of a climb, at most.

    Raises:
        ValueError: A setting that is not a whole number, or too small.

    References:
        Jones, Schonlau and Welch, Efficient global optimization of expensive black-box functions,
        1998. Wilson, Hutter and Deisenroth, Maximizing acquisition functions for Bayesian
        optimization, NeurIPS 2018 (greedy batches). Ament et al., Unexpected improvements to
        expected improvement for Bayesian optimization, NeurIPS 2023 (its logarithm).
    """

    def __init__(
        self, spec: CampaignSpec, *, num_samples: int, num_restarts: int, max_iterations: int
    ) -> None:
        super().__init__(spec)
        self.deterministic = draws_no_candidates(self.space)
        self._num_samples = whole("num_samples", num_samples)
        self._num_restarts = whole("num_restarts", num_restarts, at_least=0)
        self._max_iterations = whole("max_iterations", max_iterations, at_least=0)

    @override
    def pick(self, group: CandidatePosterior, rngs: GeneratorBatch) -> NDArray[Any]:
        return maximize_q_expected_improvement(
            group,
            self.space,
            group.best,
            standard_normals(self._num_samples, group.batch_size),
            num_restarts=self._num_restarts,
            max_iterations=self._max_iterations,
        )
