"""Thompson sampling from the surrogate's posterior."""

from __future__ import annotations

from typing_extensions import override

from ombo_agents.bayesian.posterior_policy import PosteriorPolicy
from ombo_gym.acquisition.greedy_batch import greedy_batch
from ombo_gym.acquisition.thompson import SampledFunctions, posterior_samples
from ombo_gym.design_spaces import Designs
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior


class Thompson(PosteriorPolicy):
    """Each slot maximises a function of its own, drawn from the joint posterior.

    Where there are more than 256 candidates, over the 256 with the largest mean + 3 sd of them all.

    Reference:
        Kandasamy et al., Parallelised Bayesian optimisation via Thompson sampling, AISTATS 2018.
    """

    @override
    def pick(self, group: CandidatePosterior, rngs: GeneratorBatch) -> Designs:
        q = group.batch_size
        choices, samples, measured = posterior_samples(group, self.space, q, rngs)
        functions = SampledFunctions(samples)
        return greedy_batch(functions, choices, q, distinct=group.distinct, measured=measured)
