"""What planners on the surrogate's posterior share: the last round, and who is planned together."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.bayesian.batches import fill
from ombo_agents.bayesian.log_improvement import standard_normals
from ombo_agents.bayesian.together import best_together
from ombo_agents.bayesian.upper_confidence_bound import UpperConfidenceBound
from ombo_agents.policy import DesignsPolicy, Details, Observation
from ombo_agents.settings import whole
from ombo_gym.controls.outlook import Outlook, look
from ombo_gym.design_spaces import Designs
from ombo_gym.game import Game
from ombo_gym.randomness import GeneratorRows

_TOGETHER = 64  # campaigns that are planned together, for bounded memory
_JOINT = 256  # draws of a batch's values
_FAR = 6.0  # standard deviations below everything


class SurrogatePlanner(DesignsPolicy):
    """Plans on the surrogate's posterior, and plays the one-round optimum in the last round.

    That is, under `best` and `last_max`, the batch of largest expected improvement or expected
    maximum; under the others the largest posterior means, which in a box are q times the same
    design where designs can be repeated.

    Args:
        game: The campaigns it is built for.
        starts: Candidates that climb, in a box; 0: none.
        moves: Steps of a climb, at most.
    """

    coincides = True  # where there are fewer different candidates than slots

    def __init__(self, game: Game, *, starts: int, moves: int) -> None:
        super().__init__(game)
        self.surrogate = game.surrogate
        self.utility = game.campaigns.settings.utility
        self._starts = whole("starts", starts, at_least=0)
        self._moves = whole("moves", moves, at_least=0)

    def propose_and_explain(  # noqa: D102
        self, observation: Observation, draws: GeneratorRows
    ) -> tuple[NDArray[Any], Details]:
        q, left = self.batch_size, observation["rounds_left"][:, 0].astype(np.intp)
        batch = np.zeros((len(draws), q, *self.space.shape), self.space.dtype)
        for rounds in np.unique(left[left > 0]):
            group = np.flatnonzero(left == rounds)
            for at in range(0, len(group), _TOGETHER):
                rows = group[at : at + _TOGETHER]
                its = draws.take(rows)
                outlooks = look(
                    {name: array[rows] for name, array in observation.items()},
                    self.space,
                    self.surrogate,
                    its.take,
                    extra=4 * q,
                    repeats=self.repeats,
                )
                for outlook in outlooks:
                    own = its.take(outlook.rows)
                    last = rounds == 1 and self.utility != "recommendation"
                    batch[rows[outlook.rows]] = (
                        self.finish(outlook) if last else self.plan(outlook, int(rounds), own)
                    )
        return batch, {}

    @abstractmethod
    def plan(self, outlook: Outlook, left: int, draws: GeneratorRows) -> Designs:
        """The batches of R campaigns with so many rounds left, (R, q, *shape)."""

    def finish(self, outlook: Outlook) -> Designs:
        """The batches that are best if the round is the last, (R, q, *shape)."""
        if self.utility not in ("best", "last_max"):
            return self.explore(outlook, np.zeros(len(outlook.rows)))
        return self.improve(outlook, self.floor(outlook))

    def floor(self, outlook: Outlook) -> NDArray[np.float64]:
        """What a last batch has to be better than, (R,)."""
        if self.utility == "best" and outlook.observed:
            return outlook.best
        lowest: NDArray[np.float64] = outlook.beliefs.mean - _FAR * outlook.beliefs.sd
        return lowest.min(axis=1)

    def improve(self, outlook: Outlook, floor: NDArray[np.float64]) -> Designs:
        """Batches of the largest expected improvement, (R, q, *shape)."""
        return best_together(
            outlook,
            self.space,
            floor,
            standard_normals(_JOINT, self.batch_size),
            distinct=self.distinct,
            starts=self._starts,
            moves=self._moves,
        )

    def explore(self, outlook: Outlook, weights: NDArray[np.float64]) -> Designs:
        """Batches by upper confidence bounds with weights (R,), (R, q, *shape)."""
        return fill(
            outlook,
            self.space,
            UpperConfidenceBound(weights),
            self.batch_size,
            distinct=self.distinct,
            starts=self._starts,
            moves=self._moves,
        )
