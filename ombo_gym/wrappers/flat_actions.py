"""Actions as one vector or one number, for libraries that know no others."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.action_masks import worth_measuring
from ombo_gym.actions import ActionCheck
from ombo_gym.arguments import shown
from ombo_gym.observations import Observation
from ombo_gym.spec import CampaignSpec, campaign_spec
from ombo_gym.wrappers.base import (
    AnyEnv,
    AnyVectorEnv,
    BaseWrapper,
    CampaignVectorWrapper,
    OneOrMany,
    action_masks,
)

LARGEST_DISCRETE = 2**16  # designs that are numbered one by one; a network has an output for each


class ActionFlattening:
    """Flat actions, and what they stand for.

    Args:
        action_space: What the environment takes, of one campaign.
        spec: Of the campaigns.
        discrete: Whether a batch of one design, where designs can be counted, is its number.

    Attributes:
        space: Of flat actions, of one campaign.
        numbered: Whether a flat action is the number of a design, which had several coordinates.

    Raises:
        TypeError: Actions that cannot be flat.
        ValueError: `discrete` is neither True nor False.
    """

    def __init__(
        self, action_space: spaces.Space[Any], spec: CampaignSpec, *, discrete: bool
    ) -> None:
        if not isinstance(discrete, bool | np.bool_):
            raise ValueError(f"discrete: expected True or False, got {shown(discrete)}")
        self._design_space = spec.design_space
        size = spec.design_space.size
        countable = spec.control == "designs" and size is not None and size <= LARGEST_DISCRETE
        self.numbered = False
        self.space: spaces.Space[Any]
        if isinstance(action_space, spaces.Discrete):
            self.space = action_space
        elif isinstance(action_space, spaces.MultiDiscrete) and discrete and _single(action_space):
            choices, first = int(action_space.nvec.item()), int(action_space.start.item())
            self.space = spaces.Discrete(choices, start=first)
        elif discrete and spec.batch_size == 1 and countable:
            self.numbered = True
            self.space = spaces.Discrete(int(size or 0))
        elif isinstance(action_space, spaces.MultiDiscrete):
            nvec, start = action_space.nvec.reshape(-1), action_space.start.reshape(-1)
            self.space = spaces.MultiDiscrete(nvec, start=start)
        elif isinstance(action_space, spaces.Box):
            low, high = action_space.low.reshape(-1), action_space.high.reshape(-1)
            assert action_space.dtype is not None
            self.space = spaces.Box(low, high, dtype=action_space.dtype.type)
        else:
            raise TypeError(f"env: expected Box or MultiDiscrete actions, got {action_space}")
        assert action_space.shape is not None
        self._shape = action_space.shape

    def original(self, actions: NDArray[Any]) -> NDArray[Any]:
        """What the environment takes, (B, ...), of checked flat actions with a leading B."""
        if self.numbered:
            return self._design_space.actions(self._design_space.decode(actions[:, None]))
        return actions.reshape(len(actions), *self._shape)


def _single(space: spaces.MultiDiscrete) -> bool:
    return bool(space.nvec.size == 1)


class FlatVectorActions(CampaignVectorWrapper):
    """`FlatActions` for B campaigns; `Discrete` actions of B campaigns are (B,).

    Args:
        env: B campaigns.
        discrete: As in `FlatActions`.
    """

    def __init__(self, env: AnyVectorEnv, *, discrete: bool = True) -> None:
        super().__init__(env)
        self._spec = campaign_spec(env)
        self._flat = ActionFlattening(env.single_action_space, self._spec, discrete=discrete)
        self._check = ActionCheck(self._flat.space, env.num_envs)
        self.single_action_space = self._flat.space
        self.action_space = batch_space(self._flat.space, env.num_envs)

    @override
    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Plays a round of every campaign.

        Raises:
            ValueError: A bad action in any row; all campaigns are as they were.
        """
        return self.env.step(self._flat.original(self._check(actions)))

    @override
    def action_masks(self) -> NDArray[np.bool_]:
        if not self._flat.numbered:
            return action_masks(self.env)
        return worth_measuring(self._spec, _dataset(self.env))


class FlatActions(OneOrMany, BaseWrapper, RecordConstructorArgs):
    """Takes actions as one vector or, of one design that can be counted, as its number.

    | actions of the environment | flat |
    |---|---|
    | `Box` (q, d) | `Box` (q * d,) |
    | `MultiDiscrete` of one number: a pool or `control="candidates"` with q = 1 | `Discrete` |
    | anything else with `control="designs"`, q = 1 and at most 65,536 designs | `Discrete` |
    | any other `MultiDiscrete` | as it is, of one dimension |

    The number of a design is that of `design_space.decode`. Flat actions are checked as those of
    the environment are, and refused in the same words.

    Args:
        env: One campaign; of B campaigns, the vector wrapper of the same name is made.
        discrete: Whether there is a `Discrete` where there can be; else there are coordinates, as
            actor-critic methods like them.

    Raises:
        TypeError: Actions of a control of one's own that are neither a `Box` nor choices.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> from ombo_gym.wrappers import FlatActions
        >>> FlatActions(gym.make("Ombo/GP-v0", batch_size=4)).action_space.shape
        (8,)
        >>> FlatActions(gym.make("Ombo/Reaction-v0", batch_size=1)).action_space
        Discrete(3960)
    """

    vector_wrapper = FlatVectorActions

    def __init__(self, env: AnyEnv, *, discrete: bool = True) -> None:
        RecordConstructorArgs.__init__(self, discrete=discrete)
        super().__init__(env)
        self._spec = campaign_spec(env)
        self._flat = ActionFlattening(env.action_space, self._spec, discrete=discrete)
        self._check = ActionCheck(self._flat.space)
        self.action_space = self._flat.space

    @override
    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Plays a round.

        Raises:
            ValueError: A bad action; the campaign is as it was.
        """
        return self.env.step(self._flat.original(self._check(action)[None])[0])

    def action_masks(self) -> NDArray[np.bool_]:
        """Which choices are worth making now, (choices,); see `CampaignEnv.action_masks`."""
        if not self._flat.numbered:
            return action_masks(self.env)
        masks: NDArray[np.bool_] = worth_measuring(self._spec, _dataset(self.env))[0]
        return masks


def _dataset(env: AnyEnv | AnyVectorEnv) -> Observation:
    """What was measured so far, with a leading B, however observations are wrapped."""
    unwrapped: Any = env.unwrapped
    rows: list[gym.Env[Any, Any]] = list(getattr(unwrapped, "envs", []))
    if not rows:
        found: Observation = unwrapped.campaigns.observation()
        return found
    each = [_dataset(row) for row in rows]
    return {name: np.concatenate([one[name] for one in each]) for name in each[0]}
