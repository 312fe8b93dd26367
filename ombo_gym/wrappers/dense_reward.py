"""Rewards in every round, also of utilities that pay in the last one."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.campaign import Campaigns
from ombo_gym.wrappers.base import AnyEnv, AnyVectorEnv, Infos, OneOrMany
from ombo_gym.wrappers.campaign_rows import CampaignRows, Floats, PlayedRound, campaign_rows
from ombo_gym.wrappers.rewards import (
    RewardMap,
    RewardMapVectorWrapper,
    RewardMapWrapper,
    reward_maps,
)
from ombo_gym.wrappers.score_scale import ScoreScale


class DenseRewards(RewardMap):
    """Rewards and, of what a campaign would be worth if it ended now, what is not paid yet.

    Args:
        env: One campaign or B.
        count: B.

    Raises:
        ValueError: There is such a map already.
    """

    dense = True

    def __init__(self, env: Any, count: int) -> None:
        inner = reward_maps(env)
        if any(each.dense for each in inner):
            raise ValueError("env: expected rewards of no other DenseReward, got DenseReward's")
        scales = [each.scale for each in inner if each.scale is not None]
        self.scale = ScoreScale(count, scales[0].best_known) if scales else None
        self._worth = np.zeros(count)  # (B,) if it ended now
        self._paid = np.zeros(count)  # (B,) by the utility, so far
        for group in campaign_rows(env):
            group.campaigns.tracker.watch_stopping()

    @override
    def begin(self, groups: list[CampaignRows], begun: NDArray[np.bool_]) -> None:
        for group in groups:
            group.campaigns.tracker.watch_stopping()
        if self.scale is not None:
            self.scale.begin(groups, begun)
        self._worth[begun] = self._paid[begun] = 0.0

    @override
    def __call__(self, played: PlayedRound) -> tuple[Floats, Infos]:
        worth = played.values(_stopping_values, played.utilities)  # (B,)
        paid = played.values(_utilities_so_far, played.utilities)  # (B,)
        if self.scale is not None:
            worth = self.scale.paid(worth, played, dense=True)
            paid = self.scale.paid(paid, played, dense=False)
        others = played.rewards - (paid - self._paid)  # (B,) 0, unless wrappers between pay, too
        made = others + (worth - self._worth)
        self._worth = np.where(played.playing, worth, self._worth)
        self._paid = np.where(played.playing, paid, self._paid)
        return made, {}


def _utilities_so_far(campaigns: Campaigns) -> Floats:
    return campaigns.tracker.utilities


def _stopping_values(campaigns: Campaigns) -> Floats:
    campaigns.tracker.watch_stopping()  # of campaigns that came in this step, for the first time
    values = campaigns.tracker.stopping_values
    assert values is not None
    return values


class DenseVectorReward(RewardMapVectorWrapper):
    """`DenseReward` for B campaigns.

    Args:
        env: B campaigns.
    """

    def __init__(self, env: AnyVectorEnv) -> None:
        super().__init__(env, DenseRewards(env, env.num_envs))


class DenseReward(OneOrMany, RewardMapWrapper, RecordConstructorArgs):
    """Pays in every round the change of what the campaign would be worth if it ended now.

    That is potential-based shaping: the potential is what stopping now is worth, less what was paid
    already; it is 0 at the start and at the end, so that the undiscounted return stays the utility
    and no policy becomes better or worse than another. (With a discount factor below 1 returns
    differ from those without it.) Of `last_mean` in a campaign of three rounds, the first pays the
    mean of its batch, the second how much better or worse its batch is, and so does the third.
    Utilities that pay every round stay as they are, but for `auc`, whose mean is over the rounds so
    far.

    Over `ScoreReward`, or under it, what stopping is worth is a score: the first round of
    `last_mean` then pays how far its batch is above the start's best.

    Args:
        env: One campaign; of B campaigns, the vector wrapper of the same name is made.

    Raises:
        ValueError: Rewards are dense already.

    References:
        Ng, Harada, Russell, Policy invariance under reward transformations, ICML 1999.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> from ombo_gym.wrappers import DenseReward
        >>> env = DenseReward(gym.make("Ombo/GP-v0", utility="last_max", horizon=2))
        >>> observation, info = env.reset(seed=0)
        >>> _, reward, _, _, info = env.step(env.action_space.sample())
        >>> bool(reward == info["true_values"].max())
        True
    """

    vector_wrapper = DenseVectorReward

    def __init__(self, env: AnyEnv) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env, DenseRewards(env, 1))
