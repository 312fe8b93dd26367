"""Whether training taught a policy anything: held-out campaigns against chance and its own start.

For training loops of any library: a policy here is a function of the observations of B campaigns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from ombo_gym.evaluation.statistics import Interval, mean_interval, paired_difference
from ombo_gym.wrappers.base import action_masks

FIRST_TRAINING_SEED = 2**31  # campaigns are seeded from here up in training, below in evaluation

Envs = VectorEnv[Any, Any, Any]
Act = Callable[[Any], NDArray[Any]]  # of the observations of B campaigns, the actions (B, ...)


@dataclass(frozen=True)
class Judgement:
    """What a policy's held-out campaigns came to, in the units of its rewards.

    Attributes:
        trained: Mean return of the trained policy, with its 95% interval.
        above_random: Trained minus random actions, paired.
        above_untrained: Trained minus the policy as it was before training, paired.
    """

    trained: Interval
    above_random: Interval
    above_untrained: Interval

    @property
    def learned(self) -> bool:
        """Whether both paired intervals are above 0."""
        return self.above_random.low > 0 and self.above_untrained.low > 0

    def __str__(self) -> str:
        lines = {
            "trained": self.trained,
            "minus random": self.above_random,
            "minus untrained": self.above_untrained,
        }
        shown = [
            f"{name:16} {m:+.3f} [{low:+.3f}, {high:+.3f}]"
            for name, (m, low, high) in lines.items()
        ]
        return "\n".join([*shown, "it learned" if self.learned else "it did not learn"])


def judge(
    make_envs: Callable[[int], Envs],
    trained: Act,
    untrained: Act,
    *,
    campaigns: int = 500,
    seed: int = 0,
) -> Judgement:
    """Plays the same held-out campaigns by a trained policy, its untrained start and at random.

    Random actions are uniform over those that are worth choosing (`action_masks`, where there are
    choices). Under a control they are a better rival than random designs are.

    Args:
        make_envs: Builds so many campaigns, as policies see them and act on them.
        trained: Acts for B campaigns, deterministically; asked round by round, once in all.
        untrained: The same of the policy before training.
        campaigns: B.
        seed: Row i plays the campaign of seed + i; training campaigns begin at 2^31.

    Raises:
        ValueError: Fewer than two campaigns, or seeds that are training's.
    """
    if campaigns < 2:
        raise ValueError(f"campaigns: expected at least 2, for an interval, got {campaigns}")
    if not 0 <= seed <= FIRST_TRAINING_SEED - campaigns:
        raise ValueError(
            f"seed: expected campaigns whose seeds are from 0 to 2**31 - 1, got {campaigns} from "
            f"{seed}; those above are for training"
        )
    envs = make_envs(campaigns)
    found = [returns(envs, act, seed=seed) for act in (trained, random_actions(envs), untrained)]
    envs.close()
    return Judgement(
        mean_interval(found[0]),
        paired_difference(found[0], found[1]),
        paired_difference(found[0], found[2]),
    )


def returns(envs: Envs, act: Act, *, seed: int) -> NDArray[np.float64]:
    """Undiscounted returns of a policy in the campaigns of seed, seed + 1, ..., (B,)."""
    observation, _ = envs.reset(seed=seed)
    totals = np.zeros(envs.num_envs)  # (B,)
    playing = np.ones(envs.num_envs, bool)  # (B,) the first campaign of the row
    while playing.any():
        observation, rewards, terminations, truncations, _ = envs.step(act(observation))
        totals += np.where(playing, rewards, 0.0)
        playing &= ~(terminations | truncations)
    return totals


def random_actions(envs: Envs, *, seed: int = 0) -> Act:
    """A policy that acts at random, uniformly over what is worth choosing.

    Args:
        envs: That it acts in.
        seed: Of the actions.
    """
    single, rng = envs.single_action_space, np.random.default_rng(seed)
    if not isinstance(single, spaces.Discrete | spaces.MultiDiscrete):
        envs.action_space.seed(seed)
        return lambda observation: envs.action_space.sample()

    def act(observation: Any) -> NDArray[Any]:
        masks = action_masks(envs)  # (B, choices of all numbers)
        # The largest of independent uniform numbers is at each allowed choice equally likely.
        scores = np.where(masks, rng.random(masks.shape), -1.0)
        if isinstance(single, spaces.Discrete):
            numbers: NDArray[Any] = scores.argmax(axis=1) + single.start  # (B,)
            return numbers
        ends = np.cumsum(single.nvec.reshape(-1))[:-1]
        chosen = [part.argmax(axis=1) for part in np.split(scores, ends, axis=1)]
        return np.stack(chosen, axis=1).reshape(-1, *single.nvec.shape) + single.start

    return act
