"""What policies that read the surrogate's posterior share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.policy import DesignsPolicy
from ombo_gym.controls.outlook import Outlook, look
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorRows
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.gp import make_surrogate


class PosteriorPolicy(DesignsPolicy):
    """Looks at candidates through the spec's surrogate, and picks a batch."""

    horizon_aware = False

    def __init__(self, spec: CampaignSpec) -> None:
        super().__init__(spec)
        self.surrogate = make_surrogate(spec)

    def propose(self, observation: Observation, draws: GeneratorRows, q: int) -> NDArray[Any]:  # noqa: D102
        batch = np.zeros((len(draws), q, *self.space.shape), self.space.dtype)
        for outlook in self.outlooks(observation, draws):
            batch[outlook.rows] = self.pick(outlook, draws.take(outlook.rows))
        return batch

    def outlooks(self, observation: Observation, draws: GeneratorRows) -> Iterator[Outlook]:
        """Candidates and beliefs of all unfinished campaigns, a few at a time."""
        return look(observation, self.spec, self.surrogate, draws.take, extra_per_slot=4)

    @abstractmethod
    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:
        """The batches of R campaigns, (R, outlook.batch_size, *shape)."""
