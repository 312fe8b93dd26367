"""Expected improvement with local penalization."""

from __future__ import annotations

from typing_extensions import override

from ombo_agents.bayesian.posterior_policy import PosteriorPolicy, draws_no_candidates
from ombo_agents.settings import whole
from ombo_gym.acquisition.greedy_batch import greedy_batch
from ombo_gym.acquisition.local_climb import make_climb
from ombo_gym.acquisition.local_penalization import PenalizedImprovement
from ombo_gym.design_spaces import Designs
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior


class LocalPenalization(PosteriorPolicy):
    """Expected improvement times the probability that the slots before do not rule a design out.

    Where designs can move, as in a box, the best candidates climb the logarithm of the product
    (`ombo_gym.acquisition.local_penalization`).

    Args:
        spec: Of the campaigns it is built for.
        num_restarts: Candidates that climb, where designs can move; 0: none.
        max_iterations: Steps of a climb, at most.

    Reference:
        Gonzalez, Dai, Hennig and Lawrence, Batch Bayesian optimization via local penalization,
        AISTATS 2016.
    """

    def __init__(self, spec: CampaignSpec, *, num_restarts: int, max_iterations: int) -> None:
        super().__init__(spec)
        self.deterministic = draws_no_candidates(self.space)
        self._num_restarts = whole("num_restarts", num_restarts, at_least=0)
        self._max_iterations = whole("max_iterations", max_iterations, at_least=0)

    @override
    def pick(self, group: CandidatePosterior, rngs: GeneratorBatch) -> Designs:
        return greedy_batch(
            PenalizedImprovement(group, self.space),
            group.candidates,
            group.batch_size,
            distinct=group.distinct,
            measured=group.measured,
            all_different=group.listed is not None,
            climb=make_climb(group, self.space, self._num_restarts, self._max_iterations),
        )
