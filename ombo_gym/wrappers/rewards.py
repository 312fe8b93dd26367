"""Wrappers of rewards, written once for B campaigns; they wrap one or B."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import VectorWrapper
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.wrappers.base import (
    AnyEnv,
    AnyVectorEnv,
    BaseWrapper,
    CampaignVectorWrapper,
    Infos,
    masked_infos,
)
from ombo_gym.wrappers.campaign_rows import (
    CampaignRows,
    Floats,
    PlayedRound,
    campaign_rows,
    gathered,
)
from ombo_gym.wrappers.score_scale import ScoreScale


class RewardMap(ABC):
    """What a wrapper makes of the rewards of B campaigns.

    Attributes:
        dense: Whether what is paid so far is what a campaign would be worth if it ended now.
        scale: Of rewards that are scores; None: they are in the problem's units.
    """

    dense: bool = False
    scale: ScoreScale | None = None

    @abstractmethod
    def begin(self, groups: list[CampaignRows], begun: NDArray[np.bool_]) -> None:
        """Campaigns of some rows are begun, (B,).

        Raises:
            ValueError: Their rewards cannot be made.
        """

    @abstractmethod
    def __call__(self, played: PlayedRound) -> tuple[Floats, Infos]:
        """What B campaigns are paid instead.

        Returns:
            Rewards of those that played a round, (B,), of others whatever is there; and what is
            added to the infos of those that are over, (B,) each.
        """


class RewardFollower:
    """Follows B campaigns through their rounds, for a map of rewards.

    Args:
        env: One campaign, or B.
        reward_map: What is made of the rewards.
        count: B.
    """

    def __init__(self, env: Any, reward_map: RewardMap, count: int) -> None:
        self.reward_map = reward_map
        self._env, self._count = env, count
        self._begun = np.zeros(count, bool)  # (B,) by a reset of the wrapper
        self._playing = np.zeros(count, bool)  # (B,) about to play a round
        campaign_rows(env)  # refuses campaigns that are out of reach

    def after_reset(self) -> None:
        """Looks at the campaigns that were begun."""
        self._begin(campaign_rows(self._env))

    def before_step(self) -> None:
        """Looks at which campaigns are about to play.

        Raises:
            ResetNeeded: One was begun by other means, so that nothing is known of its rewards.
        """
        self._playing = ~self._gathered(campaign_rows(self._env), "finished")
        if (lost := self._playing & ~self._begun).any():
            raise ResetNeeded(
                f"campaigns {np.flatnonzero(lost).tolist()} were not begun by the wrapper that "
                "makes their rewards: call its reset() before step()"
            )

    def after_step(
        self, rewards: Floats, ended: NDArray[np.bool_], utilities: Floats
    ) -> tuple[Floats, NDArray[np.bool_], Infos]:
        """What campaigns are paid.

        Args:
            rewards: (B,) as they come from the environment.
            ended: (B,) terminated or truncated.
            utilities: (B,) of campaigns that are over, NaN of others.

        Returns:
            Rewards, which campaigns are over, (B,) each, and what is added to their infos.
        """
        groups = campaign_rows(self._env)
        anew = self._gathered(groups, "round") == 0  # (B,) begun in this step
        played = PlayedRound(groups, self._playing & (ended | ~anew), rewards, utilities)
        made, added = self.reward_map(played)
        self._begin(groups)
        return np.where(played.playing, made, rewards), played.over, added

    def _begin(self, groups: list[CampaignRows]) -> None:
        begun = self._gathered(groups, "round") == 0  # (B,)
        begun &= self._gathered(groups, "horizon") > 0
        if begun.any():
            self.reward_map.begin(groups, begun)
            self._begun |= begun

    def _gathered(self, groups: list[CampaignRows], name: str) -> NDArray[Any]:
        return gathered(groups, self._count, lambda campaigns: getattr(campaigns, name))


class RewardMapWrapper(BaseWrapper):
    """One campaign, paid through a map of rewards.

    Args:
        env: One campaign.
        reward_map: What is made of the rewards.
    """

    def __init__(self, env: AnyEnv, reward_map: RewardMap) -> None:
        super().__init__(env)
        self.follower = RewardFollower(env, reward_map, 1)

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        observation, info = self.env.reset(seed=seed, options=options)
        self.follower.after_reset()
        return observation, info

    @override
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.follower.before_step()
        observation, reward, terminated, truncated, info = self.env.step(action)
        rewards, over, added = self.follower.after_step(
            np.array([float(reward)]),
            np.array([terminated or truncated], bool),
            np.array([info.get("utility", np.nan)]),
        )
        if over[0]:
            info = {**info, **{name: array[0].item() for name, array in added.items()}}
        return observation, float(rewards[0]), terminated, truncated, info


class RewardMapVectorWrapper(CampaignVectorWrapper):
    """B campaigns, paid through a map of rewards.

    Args:
        env: B campaigns, the native environment or others.
        reward_map: What is made of the rewards.
    """

    def __init__(self, env: AnyVectorEnv, reward_map: RewardMap) -> None:
        super().__init__(env)
        self.follower = RewardFollower(env, reward_map, env.num_envs)

    @override
    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        observation, infos = self.env.reset(seed=cast(Any, seed), options=options)
        self.follower.after_reset()
        return observation, infos

    @override
    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        self.follower.before_step()
        observation, rewards, terminations, truncations, infos = self.env.step(actions)
        last = infos.get("final_info", infos)
        utilities = np.full(self.num_envs, np.nan)  # (B,)
        if "utility" in last:
            utilities = np.where(last["_utility"], last["utility"], np.nan)
        rewards, over, added = self.follower.after_step(
            np.asarray(rewards, np.float64), terminations | truncations, utilities
        )
        if over.any() and added:
            last = {**last, **masked_infos(added, over)}
            infos = {**infos, "final_info": last} if "final_info" in infos else last
        return observation, rewards, terminations, truncations, infos


def reward_maps(env: Any) -> list[RewardMap]:
    """Those of the wrappers around an environment, or around its first row, outermost first."""
    found: list[RewardMap] = []
    while True:
        if isinstance(env, RewardMapWrapper | RewardMapVectorWrapper):
            found.append(env.follower.reward_map)
        if isinstance(env, gym.Wrapper | VectorWrapper):
            env = env.env
        elif rows := getattr(env, "envs", None):
            env = rows[0]
        else:
            return found
