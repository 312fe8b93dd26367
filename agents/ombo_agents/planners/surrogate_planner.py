"""What planners on the surrogate's posterior share: the last round, and planning in chunks."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.planners.plates import Plates, by_plates
from ombo_agents.policy import DesignsPolicy, Details
from ombo_agents.settings import whole
from ombo_gym.acquisition.expected_improvement import standard_normals
from ombo_gym.acquisition.greedy_batch import maximize_score
from ombo_gym.acquisition.q_expected_improvement import maximize_q_expected_improvement
from ombo_gym.acquisition.upper_confidence_bound import UpperConfidenceBound
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior, condition_on_dataset
from ombo_gym.surrogates.surrogate import make_surrogate
from ombo_gym.utilities import Aim

_CHUNK_CAMPAIGNS = 64  # campaigns that are planned together, for bounded memory
_NUM_SAMPLES = 256  # of a batch's values
_FLOOR_DEVIATIONS = 6.0  # below everything that is expected


class SurrogatePlanner(DesignsPolicy):
    """Plans on the surrogate's posterior, and plays the one-round optimum in the last round.

    That is, by the aim of the utility (`ombo_gym.utilities.Aim`), the batch of largest expected
    improvement or expected maximum, or the largest posterior means, which in a box are q times the
    same design where designs can be repeated.

    Args:
        spec: Of the campaigns it is built for.
        num_restarts: Candidates that climb, where designs can move; 0: none.
        max_iterations: Steps of a climb, at most.
    """

    def __init__(self, spec: CampaignSpec, *, num_restarts: int, max_iterations: int) -> None:
        super().__init__(spec)
        self.surrogate = make_surrogate(spec)
        self._num_restarts = whole("num_restarts", num_restarts, at_least=0)
        self._max_iterations = whole("max_iterations", max_iterations, at_least=0)

    @override
    def propose_and_explain(
        self, observation: Observation, rngs: GeneratorBatch, q: int
    ) -> tuple[NDArray[Any], Details]:
        batch = np.zeros((len(rngs), q, *self.space.shape), self.space.dtype)  # (B, q, *shape)
        for plates, same_plates in by_plates(observation):
            last = len(plates) == 1 and not self.spec.utility.needs_posterior
            for first in range(0, len(same_plates), _CHUNK_CAMPAIGNS):
                part = same_plates[first : first + _CHUNK_CAMPAIGNS]
                part_rngs = rngs.take(part)
                for group in condition_on_dataset(
                    {name: array[part] for name, array in observation.items()},
                    self.spec,
                    self.surrogate,
                    part_rngs.take,
                    extra_per_slot=4,
                ):
                    batch[part[group.env_indices]] = (
                        self.last_batch(group)
                        if last
                        else self.plan(group, plates, part_rngs.take(group.env_indices))
                    )
        return batch, {}

    @abstractmethod
    def plan(self, group: CandidatePosterior, plates: Plates, rngs: GeneratorBatch) -> Designs:
        """The next batches of R campaigns with such plates to come, (R, q, *shape)."""

    def last_batch(self, group: CandidatePosterior) -> Designs:
        """The batches that are best if the round is the last, (R, q, *shape)."""
        if self.spec.utility.aim is Aim.MEANS:
            return self.batch_by_upper_confidence_bound(group, np.zeros(len(group.env_indices)))
        return self.batch_by_expected_improvement(group, self.floor(group))

    def floor(self, group: CandidatePosterior) -> NDArray[np.float64]:
        """What a last batch has to be better than, (R,)."""
        if self.spec.utility.aim is Aim.IMPROVEMENT and group.num_observed:
            return group.best
        deviations = _FLOOR_DEVIATIONS * group.marginals.sd  # (R, C)
        lowest: NDArray[np.float64] = group.marginals.mean - deviations
        floor: NDArray[np.float64] = lowest.min(axis=1)
        return floor

    def batch_by_expected_improvement(
        self, group: CandidatePosterior, floor: NDArray[np.float64]
    ) -> Designs:
        """Batches of the largest expected improvement, (R, q, *shape)."""
        return maximize_q_expected_improvement(
            group,
            self.space,
            floor,
            standard_normals(_NUM_SAMPLES, group.batch_size),
            num_restarts=self._num_restarts,
            max_iterations=self._max_iterations,
        )

    def batch_by_upper_confidence_bound(
        self, group: CandidatePosterior, weights: NDArray[np.float64]
    ) -> Designs:
        """Batches by upper confidence bounds with weights (R,), (R, q, *shape)."""
        return maximize_score(
            group,
            self.space,
            UpperConfidenceBound(weights),
            num_restarts=self._num_restarts,
            max_iterations=self._max_iterations,
        )
