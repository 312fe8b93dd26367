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
from ombo_agents.planners.plates import Plates, by_plates
from ombo_agents.policy import DesignsPolicy, Details
from ombo_agents.settings import whole
from ombo_gym.controls.outlook import Outlook, look
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorRows
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.gp import make_surrogate
from ombo_gym.utilities import Aim

_CHUNK = 64  # campaigns that are planned together, for bounded memory
_JOINT = 256  # draws of a batch's values
_FAR = 6.0  # standard deviations below everything


class SurrogatePlanner(DesignsPolicy):
    """Plans on the surrogate's posterior, and plays the one-round optimum in the last round.

    That is, by the aim of the utility (`ombo_gym.utilities.Aim`), the batch of largest expected
    improvement or expected maximum, or the largest posterior means, which in a box are q times the
    same design where designs can be repeated.

    Args:
        spec: Of the campaigns it is built for.
        starts: Candidates that climb, where designs can move; 0: none.
        moves: Steps of a climb, at most.
    """

    def __init__(self, spec: CampaignSpec, *, starts: int, moves: int) -> None:
        super().__init__(spec)
        self.surrogate = make_surrogate(spec)
        self._starts = whole("starts", starts, at_least=0)
        self._moves = whole("moves", moves, at_least=0)

    def propose_and_explain(  # noqa: D102
        self, observation: Observation, draws: GeneratorRows, q: int
    ) -> tuple[NDArray[Any], Details]:
        batch = np.zeros((len(draws), q, *self.space.shape), self.space.dtype)
        for plates, group in by_plates(observation):
            last = len(plates) == 1 and not self.spec.utility.needs_posterior
            for first in range(0, len(group), _CHUNK):
                rows = group[first : first + _CHUNK]
                its = draws.take(rows)
                some = {name: array[rows] for name, array in observation.items()}
                for outlook in look(some, self.spec, self.surrogate, its.take, extra_per_slot=4):
                    own = its.take(outlook.rows)
                    batch[rows[outlook.rows]] = (
                        self.finish(outlook) if last else self.plan(outlook, plates, own)
                    )
        return batch, {}

    @abstractmethod
    def plan(self, outlook: Outlook, plates: Plates, draws: GeneratorRows) -> Designs:
        """The next batches of R campaigns with such plates to come, (R, q, *shape)."""

    def finish(self, outlook: Outlook) -> Designs:
        """The batches that are best if the round is the last, (R, q, *shape)."""
        if self.spec.utility.aim is Aim.MEANS:
            return self.explore(outlook, np.zeros(len(outlook.rows)))
        return self.improve(outlook, self.floor(outlook))

    def floor(self, outlook: Outlook) -> NDArray[np.float64]:
        """What a last batch has to be better than, (R,)."""
        if self.spec.utility.aim is Aim.IMPROVEMENT and outlook.observed:
            return outlook.best
        lowest: NDArray[np.float64] = outlook.beliefs.mean - _FAR * outlook.beliefs.sd
        return lowest.min(axis=1)

    def improve(self, outlook: Outlook, floor: NDArray[np.float64]) -> Designs:
        """Batches of the largest expected improvement, (R, q, *shape)."""
        return best_together(
            outlook,
            self.space,
            floor,
            standard_normals(_JOINT, outlook.batch_size),
            starts=self._starts,
            moves=self._moves,
        )

    def explore(self, outlook: Outlook, weights: NDArray[np.float64]) -> Designs:
        """Batches by upper confidence bounds with weights (R,), (R, q, *shape)."""
        return fill(
            outlook,
            self.space,
            UpperConfidenceBound(weights),
            outlook.batch_size,
            starts=self._starts,
            moves=self._moves,
        )
