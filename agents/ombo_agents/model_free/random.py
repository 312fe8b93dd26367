"""Uniform designs."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from typing_extensions import override

from ombo_agents.policy import DesignsPolicy
from ombo_agents.unmeasured import fresh
from ombo_gym.observations import Observation
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import Repeats


class RandomPolicy(DesignsPolicy):
    """Uniform designs, on finite spaces distinct ones each round (but for pulls of a bandit).

    Where nothing is measured twice, they are uniform among those that can be measured.
    """

    horizon_aware = False
    exchangeable = True

    @override
    def propose(self, observation: Observation, rngs: GeneratorBatch, q: int) -> NDArray[Any]:
        if self.spec.repeats is Repeats.ALLOWED:
            return self.space.sample(rngs, q)
        return fresh(self.space, rngs, q)
