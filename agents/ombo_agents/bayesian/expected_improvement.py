"""Expected improvement."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from ombo_agents.bayesian.posterior import PosteriorPolicy
from ombo_gym.controls.outlook import Outlook, pick_batch
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows
from ombo_gym.surrogates.candidates import looks_at_everything
from ombo_gym.surrogates.gp import Beliefs

_SQRT_2PI = np.sqrt(2 * np.pi)


class ExpectedImprovement(PosteriorPolicy):
    """The largest expected improvement, slot by slot, each pick hallucinated at its mean.

    Reference:
        Jones, Schonlau and Welch, 1998; Ginsbourger, Le Riche and Carraro, 2010, section 4.2.
    """

    def __init__(self, game: Game) -> None:
        super().__init__(game)
        self.deterministic = looks_at_everything(self.space)

    def pick(self, outlook: Outlook, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        def improvement(slot: int, beliefs: Beliefs) -> NDArray[np.float64]:
            incumbent = np.maximum(outlook.best, beliefs.hallucinated)[:, None]
            gain, sd = beliefs.mean - incumbent, beliefs.sd
            z = gain / sd
            return gain * ndtr(z) + sd * np.exp(-0.5 * z**2) / _SQRT_2PI

        return pick_batch(outlook, improvement, self.batch_size, distinct=self.distinct)
