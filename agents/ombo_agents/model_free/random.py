"""Uniform designs."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from ombo_agents.policy import DesignsPolicy, Observation
from ombo_agents.unmeasured import fresh
from ombo_gym.randomness import GeneratorRows


class RandomPolicy(DesignsPolicy):
    """Uniform designs, on finite spaces distinct ones each round (but for pulls of a bandit).

    Where nothing is measured twice, they are uniform among those that can be measured.
    """

    horizon_aware = False
    exchangeable = True
    coincides = True  # where there are fewer designs than slots

    def propose(self, observation: Observation, draws: GeneratorRows) -> NDArray[Any]:  # noqa: D102
        if not self.distinct:
            return self.space.sample(draws, self.batch_size)
        return fresh(self.space, draws, self.batch_size)
