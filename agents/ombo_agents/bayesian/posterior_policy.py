"""What policies that read the surrogate's posterior share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.policy import DesignsPolicy
from ombo_gym.actions import SLACK
from ombo_gym.design_spaces import DesignSpace
from ombo_gym.design_spaces.returned import check_bounds, checked_designs
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import CandidatePosterior, condition_on_dataset
from ombo_gym.surrogates.surrogate import make_surrogate


class PosteriorPolicy(DesignsPolicy):
    """Looks at candidates through the spec's surrogate, and picks a batch."""

    horizon_aware = False

    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        self.surrogate = make_surrogate(spec)

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        batch = np.zeros((len(rngs), q, *self.space.shape), self.space.dtype)
        source = f"{type(self).__name__}.pick"
        for group in self.groups(observation, rngs):
            picked = self.pick(group, rngs.take(group.env_indices))
            picked = checked_designs(source, picked, len(group.env_indices), q, self.space)
            check_bounds(source, picked, self.space, slack=SLACK)
            batch[group.env_indices] = picked
        return batch

    def groups(
        self, observation: Observation, rngs: GeneratorBatch
    ) -> Iterator[CandidatePosterior]:
        """Candidates and beliefs of all unfinished campaigns, a few at a time."""
        return condition_on_dataset(
            observation, self.spec, self.surrogate, rngs.take, extra_per_slot=4
        )

    @abstractmethod
    def pick(self, group: CandidatePosterior, rngs: GeneratorBatch) -> NDArray[Any]:
        """The batches of R campaigns, (R, group.batch_size, *shape)."""


def draws_no_candidates(space: DesignSpace) -> bool:
    """Whether what policies look at is no matter of chance."""
    return space.looks_at_everything or space.shared_candidates(0) is not None
