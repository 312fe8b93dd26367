"""Rewards in scores, which mean the same on every problem."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.wrappers.base import AnyEnv, AnyVectorEnv, Infos, OneOrMany
from ombo_gym.wrappers.campaign_rows import CampaignRows, Floats, PlayedRound
from ombo_gym.wrappers.rewards import (
    RewardMap,
    RewardMapVectorWrapper,
    RewardMapWrapper,
    reward_maps,
)
from ombo_gym.wrappers.score_scale import ScoreScale

_ROUNDING = 1e-9  # of a sum of rewards, beside the utility that it comes to


class ScoreRewards(RewardMap):
    """Increments of the score of what was paid so far.

    Args:
        env: One campaign or B.
        count: B.
        best_known: What has the score 1; None: what the problem knows.

    Raises:
        ValueError: Rewards are scores already, or a best value that is none.
    """

    def __init__(self, env: Any, count: int, best_known: float | None) -> None:
        inner = reward_maps(env)
        if any(each.scale is not None for each in inner):
            raise ValueError("env: expected rewards in the problem's units, got ScoreReward's")
        self.dense = any(each.dense for each in inner)
        self.scale: ScoreScale = ScoreScale(count, best_known)
        self._worth = np.zeros(count)  # (B,) sum of rewards in the problem's units
        self._paid = np.zeros(count)  # (B,) in scores

    @override
    def begin(self, groups: list[CampaignRows], begun: NDArray[np.bool_]) -> None:
        self.scale.begin(groups, begun)
        self._worth[begun] = self._paid[begun] = 0.0

    @override
    def __call__(self, played: PlayedRound) -> tuple[Floats, Infos]:
        worth = self._worth + np.where(played.playing, played.rewards, 0.0)
        exact = played.over & np.isclose(worth, played.utilities, rtol=_ROUNDING, atol=0)
        self._worth = np.where(exact, played.utilities, worth)
        paid, before = self.scale.paid(self._worth, played, dense=self.dense), self._paid
        self._paid = np.where(played.playing, paid, before)
        return self._paid - before, {"score": self._paid.copy()}


class ScoreVectorReward(RewardMapVectorWrapper):
    """`ScoreReward` for B campaigns.

    Args:
        env: B campaigns.
        best_known: What has the score 1, in the problem's units; None: what the problem knows.
    """

    def __init__(self, env: AnyVectorEnv, *, best_known: float | None = None) -> None:
        super().__init__(env, ScoreRewards(env, env.num_envs, best_known))


class ScoreReward(OneOrMany, RewardMapWrapper, RecordConstructorArgs):
    """Pays in scores: 0 is the start's best value, 1 the optimum or the best value known.

    Without a start 0 is the problem's `reference`. The undiscounted return is the campaign's score
    under its utility, as `ombo_gym.scores.score` has it and reports do: one scale for all problems,
    whatever their units. The last info holds it as `score`. What was worse than the start's best is
    paid below 0, without an end. Utilities of the last batch pay in the last round, `total` pays
    each design where it is measured; see `DenseReward` for what pays every round.

    Where the start holds the best value known already, nothing can be gained: the last round pays 1
    if the utility kept that value and 0 if not, as scores are there.

    The best value is that of `Problem.best_known`, asked for when a campaign is begun. Neither
    campaigns nor infos depend on it; where it takes a search (`ombo list` says so), resets take as
    long as that.

    Args:
        env: One campaign; of B campaigns, the vector wrapper of the same name is made.
        best_known: What has the score 1, in the problem's units (as they are maximised), in place
            of what the problem knows: for problems of one's own that know nothing.

    Raises:
        ValueError: A best value that is none, rewards that are scores already or, at a reset, a
            campaign of which no best value is known.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> from ombo_gym.wrappers import ScoreReward
        >>> env = ScoreReward(gym.make("Ombo/Reaction-v0", horizon=1))
        >>> observation, info = env.reset(seed=0)
        >>> *_, reward, terminated, truncated, info = env.step(env.action_space.sample())
        >>> reward == info["score"]
        True
    """

    vector_wrapper = ScoreVectorReward

    def __init__(self, env: AnyEnv, *, best_known: float | None = None) -> None:
        rewards = ScoreRewards(env, 1, best_known)
        RecordConstructorArgs.__init__(self, best_known=rewards.scale.best_known)
        super().__init__(env, rewards)
