"""The native vector environment as a stable-baselines3 `VecEnv`."""

from __future__ import annotations

import ombo_agents.learned.requirements  # noqa: F401  # isort: skip

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn
from typing_extensions import override

from ombo_gym.campaign import Campaigns
from ombo_gym.spec import campaign_spec
from ombo_gym.vector_env import CampaignVectorEnv
from ombo_gym.wrappers.base import action_masks


@dataclass(frozen=True)
class CampaignsInFlight:
    """B campaigns in mid-air, as what was done in them: they are played again to come back.

    Attributes:
        keys: (B,) that they were begun with.
        rounds: (B,) played.
        actions: (largest N, B, ...) by round; zeros behind the rounds played.
        returns: (B,) sums of rewards.
        best_values: (B,) best true values so far, by which another problem is told.
        generators: States of the rows' generators, JSON-able.
    """

    keys: NDArray[np.uint64]
    rounds: NDArray[np.int64]
    actions: NDArray[Any]
    returns: NDArray[np.float64]
    best_values: NDArray[np.float64]
    generators: list[dict[str, Any]]


class SB3VecEnv(VecEnv):
    """Lets stable-baselines3 train on campaigns in lockstep, with episode returns in the infos.

    Campaigns of one problem or of many, `Ombo/Tasks-v0`, wrapped or not.

    Args:
        env: With `autoreset_mode="SameStep"`, which is how stable-baselines3 resets.

    Raises:
        ValueError: Another autoreset mode.
    """

    def __init__(self, env: CampaignVectorEnv) -> None:
        mode = env.metadata["autoreset_mode"]  # which wrappers of gymnasium's have, too
        if mode != AutoresetMode.SAME_STEP:
            raise ValueError(
                'env: expected autoreset_mode="SameStep", as stable-baselines3 resets, got '
                f'"{mode.value}"'
            )
        self.env = env
        self._actions: Any = None
        actions: Any = env.single_action_space
        # (largest N, B, ...) actions of the campaigns that are being played, by round; of many
        # tasks none are kept, since such campaigns cannot be played again
        one_task = isinstance(env.unwrapped, CampaignVectorEnv)
        horizon = campaign_spec(env).horizon if one_task else 0
        history = (horizon, env.num_envs, *actions.shape)
        self._history = np.zeros(history, actions.dtype)
        self._returns = np.zeros(env.num_envs)  # (B,)
        self._lengths = np.zeros(env.num_envs, int)  # (B,)
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    @override
    def reset(self) -> Any:
        seed = self._seeds[0]
        observation, _ = self.env.reset(seed=seed)
        self._reset_seeds()
        self._returns[:] = 0
        self._lengths[:] = 0
        return observation

    @override
    def step_async(self, actions: NDArray[Any]) -> None:
        self._actions = actions

    @override
    def step_wait(self) -> VecEnvStepReturn:
        if len(self._history):
            rounds = self._campaigns.round  # (B,)
            self._history[rounds, np.arange(self.num_envs)] = self._actions
        observation, rewards, terminated, _, info = self.env.step(self._actions)
        self._returns += rewards
        self._lengths += 1
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for env_index in np.flatnonzero(terminated):
            infos[env_index] = {
                "terminal_observation": info["final_obs"][env_index],
                "episode": {
                    "r": self._returns[env_index],
                    "l": int(self._lengths[env_index]),
                    "t": 0.0,
                },
            }
        self._returns[terminated] = 0
        self._lengths[terminated] = 0
        return observation, rewards.astype(np.float32), terminated, infos

    def in_flight(self) -> CampaignsInFlight:
        """Where the campaigns are."""
        campaigns = self._campaigns
        rounds = campaigns.round.copy()  # (B,)
        played = np.arange(len(self._history))[:, None] < rounds  # (largest N, B)
        played = played.reshape(*played.shape, *[1] * (self._history.ndim - 2))
        return CampaignsInFlight(
            keys=campaigns.keys.copy(),
            rounds=rounds,
            actions=np.where(played, self._history, self._history.dtype.type(0)),
            returns=self._returns.copy(),
            best_values=campaigns.best_value.copy(),
            generators=[dict(rng.bit_generator.state) for rng in self.env.np_random],
        )

    def go_on(self, campaigns: CampaignsInFlight) -> Any:
        """Goes to where campaigns of such an environment were; the observations.

        Raises:
            ValueError: They cannot have been campaigns of this environment.
        """
        observation = self.env.replay(campaigns.keys, campaigns.rounds, campaigns.actions)
        best = self._campaigns.best_value  # (B,)
        if not np.allclose(best, campaigns.best_values, rtol=1e-6, atol=0, equal_nan=True):
            row = int(np.argmax(np.abs(best - campaigns.best_values)))
            raise ValueError(
                f"expected campaigns whose best values are those of before, got {best[row]} where "
                f"{campaigns.best_values[row]} was: the problem, or a table of it, has changed"
            )
        for rng, state in zip(self.env.np_random, campaigns.generators, strict=True):
            rng.bit_generator.state = state
        self._history[:] = campaigns.actions
        self._returns[:] = campaigns.returns
        self._lengths[:] = campaigns.rounds
        return observation

    @override
    def close(self) -> None:
        self.env.close()

    @override
    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The environment's attribute, once for each of the rows asked for."""
        return [getattr(self.env, attr_name)] * len(self._env_indices(indices))

    @override
    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Sets an attribute of the whole environment; rows have none of their own."""
        setattr(self.env, attr_name, value)

    @override
    def env_method(
        self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any
    ) -> list[Any]:
        """Calls a method of the environment once and repeats its result for the rows asked for.

        Of `action_masks`, which sb3-contrib asks for, rows have one each.
        """
        if method_name == "action_masks":
            masks = action_masks(self.env)  # (B, choices)
            return [masks[env_index] for env_index in self._env_indices(indices)]
        result = getattr(self.env, method_name)(*args, **kwargs)
        return [result] * len(self._env_indices(indices))

    @override
    def env_is_wrapped(self, wrapper_class: Any, indices: VecEnvIndices = None) -> list[bool]:
        """Whether rows are wrapped; none is."""
        return [False] * len(self._env_indices(indices))

    @property
    def _campaigns(self) -> Campaigns:
        """Of the one problem that all rows play."""
        campaigns: Campaigns = cast(Any, self.env.unwrapped).campaigns
        return campaigns

    def _env_indices(self, indices: VecEnvIndices) -> Sequence[int]:
        return list(self._get_indices(indices))
