"""PPO of stable-baselines3 whose rollouts are played in blocks, wherever that is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv
from typing_extensions import override

from ombo_agents.learned.over_tasks.rollouts import Rollout

# What the blocks of an update bring, in their order: of a network and the number of the update.
Play = Callable[[ActorCriticPolicy, int], list[Rollout]]


class BlockPPO(PPO):
    """PPO that is given whole rollouts, in place of stepping an environment.

    Attributes:
        play: Plays the blocks of an update; set before `learn`.
    """

    play: Play

    @override
    def collect_rollouts(
        self,
        env: VecEnv,
        callback: BaseCallback,
        rollout_buffer: RolloutBuffer,
        n_rollout_steps: int,
    ) -> bool:
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        callback.on_rollout_start()
        rollouts = self.play(self.policy, self.num_timesteps // (n_rollout_steps * self.n_envs))
        for _ in range(n_rollout_steps):
            self.num_timesteps += self.n_envs
            callback.update_locals(locals())
            if not callback.on_step():
                return False
        ended = np.concatenate([each.campaigns for each in rollouts])  # (E, 2)
        assert self.ep_info_buffer is not None
        self.ep_info_buffer.extend({"r": r, "l": int(n), "t": 0.0} for r, n in ended.tolist())
        self.logger.record("rollout/score", float(ended[:, 0].mean()))
        last_values, over = _fill(rollout_buffer, rollouts)
        rollout_buffer.compute_returns_and_advantage(last_values=last_values, dones=over)
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    @override
    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "play"]


def _fill(buffer: Any, rollouts: list[Rollout]) -> tuple[torch.Tensor, Any]:
    """Writes the rollouts side by side; the last values and which campaigns are over, (B,)."""

    def beside(name: str) -> Any:
        return np.concatenate([getattr(each, name) for each in rollouts], axis=1)  # (T, B, ...)

    for name in buffer.observations:
        parts = [each.observations[name] for each in rollouts]
        buffer.observations[name][:] = np.concatenate(parts, axis=1)
    buffer.actions[:] = beside("actions").reshape(buffer.actions.shape)
    buffer.rewards[:], buffer.episode_starts[:] = beside("rewards"), beside("starts")
    buffer.values[:], buffer.log_probs[:] = beside("values"), beside("log_probs")
    buffer.pos, buffer.full = buffer.buffer_size, True
    last_values = torch.tensor(np.concatenate([each.last_values for each in rollouts]))
    return last_values, np.concatenate([each.over for each in rollouts])


class SpacesOnly(DummyVecEnv):
    """Stands where stable-baselines3 asks for an environment: spaces and a number of rows.

    Args:
        num_envs: B.
        observations: Of one row.
        actions: Of one row.
    """

    def __init__(
        self, num_envs: int, observations: spaces.Dict, actions: spaces.Space[Any]
    ) -> None:
        super().__init__([partial(_Row, observations, actions)] * num_envs)


class _Row(gym.Env[dict[str, Any], Any]):
    """An environment that is never stepped."""

    def __init__(self, observations: spaces.Dict, actions: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = observations, actions

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        assert isinstance(self.observation_space, spaces.Dict)
        fields = self.observation_space.items()
        return {name: np.zeros(field.shape or (), field.dtype) for name, field in fields}, {}
