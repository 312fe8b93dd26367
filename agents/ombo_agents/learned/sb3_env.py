"""The native vector environment as a stable-baselines3 `VecEnv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvStepReturn
from typing_extensions import override

from ombo_gym.vector_env import CampaignVectorEnv


class SB3VecEnv(VecEnv):
    """Lets stable-baselines3 train on campaigns in lockstep, with episode returns in the infos.

    Args:
        env: With `autoreset_mode="SameStep"`, which is how stable-baselines3 resets.

    Raises:
        ValueError: Another autoreset mode.
    """

    def __init__(self, env: CampaignVectorEnv) -> None:
        if env.autoreset_mode != AutoresetMode.SAME_STEP:
            raise ValueError(
                'env: expected autoreset_mode="SameStep", as stable-baselines3 resets, got '
                f'"{env.autoreset_mode.value}"'
            )
        self.env = env
        self._actions: Any = None
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
        """Calls a method of the environment once and repeats its result for the rows asked for."""
        result = getattr(self.env, method_name)(*args, **kwargs)
        return [result] * len(self._env_indices(indices))

    @override
    def env_is_wrapped(self, wrapper_class: Any, indices: VecEnvIndices = None) -> list[bool]:
        """Whether rows are wrapped; none is."""
        return [False] * len(self._env_indices(indices))

    def _env_indices(self, indices: VecEnvIndices) -> Sequence[int]:
        return list(self._get_indices(indices))
