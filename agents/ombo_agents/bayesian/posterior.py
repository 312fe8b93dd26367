"""What policies that read the surrogate's posterior share."""

from __future__ import annotations

from abc import abstractmethod
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

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self.surrogate = game.surrogate

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        rows, q = len(draws), self.batch_size
        batch = np.zeros((rows, q, *self.space.shape), self.space.dtype)
        outlooks = look(
            observation,
            self.space,
            self.surrogate,
            draws.take,
            extra=4 * q,
            repeats=self.repeats,
        )
        for outlook in outlooks:
            batch[outlook.rows] = self.pick(outlook, draws.take(outlook.rows))
        return batch

    @abstractmethod
    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:
        """The batches of R campaigns, (R, q, *shape)."""
