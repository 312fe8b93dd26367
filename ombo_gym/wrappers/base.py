"""Wrappers that are written once, for observations of B campaigns, and wrap one or B."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.arguments import shown
from ombo_gym.campaign import Campaigns
from ombo_gym.spec import CampaignSpec, campaign_spec

if TYPE_CHECKING:
    AnyEnv = gym.Env[Any, Any]
    AnyVectorEnv = VectorEnv[Any, Any, Any]
    BaseWrapper = gym.Wrapper[Any, Any, Any, Any]
    BaseVectorWrapper = VectorWrapper[Any, Any, Any, Any, Any]
else:  # gymnasium before 1.4 has no type parameters for all of them
    AnyEnv, AnyVectorEnv, BaseWrapper, BaseVectorWrapper = (
        gym.Env,
        VectorEnv,
        gym.Wrapper,
        VectorWrapper,
    )


Infos = dict[str, NDArray[Any]]


class ObservationMap(ABC):
    """What a wrapper makes of observations, of B campaigns at a time.

    Attributes:
        space: Of one campaign, of what is made.
    """

    space: spaces.Space[Any]

    @abstractmethod
    def __call__(self, observation: Any) -> tuple[Any, Infos]:
        """What is seen instead, with a leading B, and what is added to infos, (B, ...) each."""


class OneOrMany:
    """A wrapper of one campaign that becomes its vector wrapper where it is given B campaigns.

    Attributes:
        vector_wrapper: Of the same arguments.
    """

    vector_wrapper: ClassVar[type[AnyVectorEnv]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Neither has an environment where something is copied or unpickled.

        Raises:
            TypeError: What is to be wrapped is no environment.
        """
        given = [*args[:1], *([kwargs["env"]] if "env" in kwargs else [])]
        if given and isinstance(given[0], VectorEnv):
            return cls.vector_wrapper(*args, **kwargs)
        if given and not isinstance(given[0], gym.Env):
            raise TypeError(f"env: expected an environment, got {shown(given[0])}")
        return super().__new__(cls)


class ObservationMapWrapper(BaseWrapper):
    """One campaign, seen through a map of observations.

    Args:
        env: One campaign.
        observation_map: What is made of the observations.
    """

    def __init__(self, env: AnyEnv, observation_map: ObservationMap) -> None:
        super().__init__(env)
        self._map = observation_map
        self.observation_space = observation_map.space

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        return self._seen(*self.env.reset(seed=seed, options=options))

    @override
    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        observation, info = self._seen(observation, info)
        return observation, reward, terminated, truncated, info

    def _seen(self, observation: Any, info: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        seen, infos = self._map(batch_of([observation]))
        added = {
            name: array[0].item() if array.ndim == 1 else array[0] for name, array in infos.items()
        }
        return row_of_batch(seen, 0), {**info, **added}


class CampaignVectorWrapper(BaseVectorWrapper):
    """B campaigns, and what they offer beside the interface of gymnasium's.

    Args:
        env: B campaigns, the native environment or others.
    """

    @property
    def autoreset_mode(self) -> AutoresetMode:
        """When finished campaigns are followed by new ones."""
        return cast(AutoresetMode, self.metadata["autoreset_mode"])

    @property
    def campaign_spec(self) -> CampaignSpec:
        """All that a player may know."""
        return campaign_spec(self)

    @property
    def campaigns(self) -> Campaigns:
        """The campaigns of the native environment, with what players may not know."""
        return cast(Campaigns, cast(Any, self.unwrapped).campaigns)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which choices are worth making now, (B, choices); see `CampaignEnv.action_masks`."""
        return action_masks(self.env)


class ObservationMapVectorWrapper(CampaignVectorWrapper):
    """B campaigns, seen through a map of observations, the last ones of each campaign too.

    Args:
        env: B campaigns, the native environment or others.
        observation_map: What is made of the observations.
    """

    def __init__(self, env: AnyVectorEnv, observation_map: ObservationMap) -> None:
        super().__init__(env)
        self._map = observation_map
        self.single_observation_space = observation_map.space
        self.observation_space = batch_space(observation_map.space, env.num_envs)

    @override
    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        observation, infos = self.env.reset(seed=cast(Any, seed), options=options)
        seen, added = self._map(observation)
        return seen, self._with_more(infos, added)

    @override
    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        observation, rewards, terminations, truncations, infos = self.env.step(actions)
        seen, added = self._map(observation)
        infos = self._with_more(infos, added)
        if "final_obs" in infos:
            infos = self._with_finals(infos)
        return seen, rewards, terminations, truncations, infos

    def _with_more(self, infos: dict[str, Any], added: Infos) -> dict[str, Any]:
        """Adds to the infos of the campaigns that have some."""
        present = infos.get("_round", np.zeros(self.num_envs, bool))  # (B,)
        return {**infos, **masked_infos(added, present)} if present.any() else infos

    def _with_finals(self, infos: dict[str, Any]) -> dict[str, Any]:
        """Maps the last observations of campaigns that were followed by new ones."""
        over = infos["_final_obs"]  # (B,)
        rows = np.flatnonzero(over)  # (R,)
        seen, last = self._map(batch_of([infos["final_obs"][row] for row in rows]))
        final_obs = np.full(self.num_envs, None, dtype=object)
        for position, row in enumerate(rows):
            final_obs[row] = row_of_batch(seen, position)
        added: Infos = {}
        for name, array in last.items():
            added[name] = np.zeros((self.num_envs, *array.shape[1:]), array.dtype)
            added[name][rows] = array
        final_info = {**infos["final_info"], **masked_infos(added, over)}
        return {**infos, "final_obs": final_obs, "final_info": final_info}


def masked_infos(added: Infos, present: NDArray[np.bool_]) -> dict[str, Any]:
    """Infos (B, ...) with their masks, zero where there are none, as gymnasium packs them."""
    packed: dict[str, Any] = {}
    for name, array in added.items():
        shown = present.reshape(-1, *[1] * (array.ndim - 1))
        packed |= {name: np.where(shown, array, 0).astype(array.dtype), f"_{name}": present.copy()}
    return packed


def batch_of(observations: Sequence[Any]) -> Any:
    """Observations of R campaigns with a leading R."""
    if isinstance(observations[0], Mapping):
        return {name: np.stack([each[name] for each in observations]) for name in observations[0]}
    return np.stack(observations)


def row_of_batch(observation: Any, row: int) -> Any:
    """One of the observations that `batch_of` put together."""
    if isinstance(observation, Mapping):
        return {name: array[row] for name, array in observation.items()}
    return observation[row]


def action_masks(env: AnyEnv | AnyVectorEnv) -> NDArray[np.bool_]:
    """The masks of one campaign, (choices,), or of B, (B, choices), wrapped or not."""
    if not isinstance(env, VectorEnv):
        masks: NDArray[np.bool_] = env.get_wrapper_attr("action_masks")()
        return masks
    if hasattr(env, "action_masks"):
        masks = env.action_masks()
        return masks
    if isinstance(env, VectorWrapper):
        return action_masks(env.env)
    return np.stack(env.call("action_masks"))  # type: ignore[attr-defined]
