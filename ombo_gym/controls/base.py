"""The interface of controls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace
from ombo_gym.randomness import RowDraws
from ombo_gym.sb3_compat import DatasetSpace

Observation = dict[str, NDArray[Any]]
TakeDraws = Callable[[NDArray[np.intp]], RowDraws]


class Control(ABC):
    """What an agent sees and acts on, in place of the whole dataset and raw designs.

    A control holds no campaign: it maps an observation of B campaigns to what the agent sees, and
    the agent's actions to designs. Environments and policies call the same two methods.

    Attributes:
        observation_space: Of one campaign.
        action_space: Of one campaign.
    """

    observation_space: spaces.Dict
    action_space: spaces.Space[Any]

    @abstractmethod
    def view(self, observation: Observation, draws: TakeDraws) -> Any:
        """Looks at B campaigns.

        Args:
            observation: The fields of `control="designs"`, with a leading B.
            draws: Gives the random numbers of some of the campaigns.

        Returns:
            What `seen` and `designs` need: opaque to the caller.
        """

    @abstractmethod
    def seen(self, view: Any) -> Observation:
        """What the agent sees: fresh arrays with a leading B, of `observation_space`."""

    @abstractmethod
    def designs(self, view: Any, actions: NDArray[Any]) -> Designs:
        """The batches that actions stand for, (B, ...) -> (B, q, *shape)."""


class DesignsControl(Control):
    """The dataset itself is seen and designs are proposed.

    Args:
        space: Design space.
        batch_size: q.
        capacity: Rows of the padded dataset.
        horizon: The largest N.
    """

    def __init__(self, space: DesignSpace, batch_size: int, capacity: int, horizon: int) -> None:
        # Finite limits, because checkers warn of infinite ones; measurements are finite.
        limit = float(np.finfo(np.float32).max)
        self._space = space
        self.action_space = space.action_space(batch_size)
        self.observation_space = DatasetSpace(
            {
                "designs": space.observation_space(capacity),
                "values": spaces.Box(-limit, limit, (capacity,), np.float32),
                "observed": spaces.MultiBinary(capacity),
                "rounds_left": rounds_left_space(horizon),
            }
        )

    def view(self, observation: Observation, draws: TakeDraws) -> Observation:  # noqa: D102
        return observation

    def seen(self, view: Observation) -> Observation:  # noqa: D102
        return view

    def designs(self, view: Observation, actions: NDArray[Any]) -> Designs:  # noqa: D102
        return self._space.designs(actions)


def rounds_left_space(horizon: int) -> spaces.Box:
    """The raw count of rounds left, (1,) float32."""
    return spaces.Box(0.0, float(horizon), (1,), np.float32)
