"""The interface of controls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.action_masks import choices_of, worth_measuring
from ombo_gym.design_spaces import Designs
from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import TakeRngs

_MOST_ROUNDS = 2.0**24  # that float32 counts exactly


class Control(ABC):
    """What an agent sees and acts on, in place of the whole dataset and raw designs.

    A control holds no campaign: it maps an observation of B campaigns to what the agent sees, and
    the agent's actions to designs. Environments and policies call the same methods.

    Attributes:
        observation_space: Of one campaign.
        action_space: Of one campaign.
    """

    observation_space: spaces.Dict
    action_space: spaces.Space[Any]

    @abstractmethod
    def view(self, observation: Observation, rngs: TakeRngs) -> Any:
        """Looks at B campaigns.

        Args:
            observation: The fields of `control="designs"`, with a leading B.
            rngs: Gives the random numbers of some of the campaigns, by their indices (R,).

        Returns:
            What `seen` and `designs` need: opaque to the caller.
        """

    @abstractmethod
    def seen(self, view: Any) -> Observation:
        """What the agent sees: fresh arrays with a leading B, of `observation_space`."""

    @abstractmethod
    def designs(self, view: Any, actions: NDArray[Any]) -> Designs:
        """The batches that actions stand for, (B, ...) -> (B, largest q, *shape)."""

    def action_masks(self, view: Any, observation: Observation) -> NDArray[np.bool_]:
        """Which choices are worth making, (B, choices), one number of an action after the other.

        All of them, unless a control says otherwise.

        Args:
            view: What `view` gave.
            observation: What the view was made from.

        Raises:
            TypeError: Actions are no choices.
        """
        num_choices = choices_of(self.action_space).sum()
        return np.ones((len(observation["rounds_left"]), num_choices), bool)


class DesignsControl(Control):
    """The dataset itself is seen and designs are proposed.

    Args:
        spec: Of the campaigns.
    """

    def __init__(self, spec: CampaignSpec) -> None:
        self._spec = spec
        self._space = spec.design_space
        self.action_space = spec.action_space
        self.observation_space = spec.observation_space

    @override
    def view(self, observation: Observation, rngs: TakeRngs) -> Observation:
        return observation

    @override
    def seen(self, view: Observation) -> Observation:
        return view

    @override
    def designs(self, view: Observation, actions: NDArray[Any]) -> Designs:
        return self._space.designs(actions)

    @override
    def action_masks(self, view: Observation, observation: Observation) -> NDArray[np.bool_]:
        masks = super().action_masks(view, observation)
        if self._space.shape != (1,):  # a number of an action is no design by itself
            return masks
        return np.tile(worth_measuring(self._spec, observation), self._spec.batch_size)


def rounds_left_space() -> spaces.Box:
    """The raw count of rounds left, (1,) float32: the same space whatever the horizon."""
    return spaces.Box(0.0, _MOST_ROUNDS, (1,), np.float32)
