"""What policies that read the surrogate's posterior share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.policy import DesignsPolicy, Observation
from ombo_gym.controls.outlook import Outlook, look
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows


class PosteriorPolicy(DesignsPolicy):
    """Looks at candidates through the environment's surrogate, and picks a batch."""

    horizon_aware = False
    coincides = True  # where there are fewer different candidates than slots

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self.surrogate = game.surrogate

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        batch = np.zeros((len(draws), self.batch_size, *self.space.shape), self.space.dtype)
        for outlook in self.outlooks(observation, draws):
            batch[outlook.rows] = self.pick(outlook, draws.take(outlook.rows))
        return batch

    def outlooks(self, observation: Observation, draws: GeneratorRows) -> Iterator[Outlook]:
        """Candidates and beliefs of all unfinished campaigns, a few at a time."""
        return look(
            observation,
            self.space,
            self.surrogate,
            draws.take,
            extra=4 * self.batch_size,
            repeats=self.repeats,
        )

    @abstractmethod
    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:
        """The batches of R campaigns, (R, q, *shape)."""
