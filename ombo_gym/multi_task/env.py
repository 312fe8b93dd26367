"""A campaign of a task that it draws, as a `gymnasium.Env`."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.campaign import Campaigns
from ombo_gym.design_spaces import DesignSpace
from ombo_gym.env import OneCampaignEnv
from ombo_gym.multi_task.shared import DEFAULT_TASKS, OffersTasks
from ombo_gym.problems.core.base import Problem
from ombo_gym.spec import CampaignSpec


class MultiTaskEnv(OffersTasks, OneCampaignEnv):
    """One campaign at a time, each of a task that it draws: a row of `MultiTaskVectorEnv`.

    The campaign that a reset seeded with s begins is that of the drawn task's own environment
    seeded with s, to the bit.

    Args:
        tasks: What tasks are drawn from: the name of a protocol and a split, such as
            "ML-families-v0:train"; a `TaskDistribution` or its dict; a list of tasks or of their
            dicts.
        control: "exploration" or "candidates", which all tasks have in common, or "designs", for
            tasks whose designs have the same shape.
        surrogate: Recipe for tasks that name none.
        render_mode: "rgb_array", "human" or None.

    Raises:
        ValueError: No tasks, tasks that one control shows differently, or what an environment of a
            task refuses; names the task.
        ImportError: A task needs an extra that is not installed.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> tasks = [{"env": "Ombo/GP-v0"}, {"env": "Ombo/Reaction-v0", "horizon": [1, 3]}]
        >>> env = gym.make("Ombo/Tasks-v0", tasks=tasks, control="exploration")
        >>> observation, info = env.reset(seed=0)
        >>> info["task"] in (0, 1)
        True
    """

    def __init__(
        self,
        tasks: Any = DEFAULT_TASKS,
        *,
        control: Any = "exploration",
        surrogate: dict[str, Any] | None = None,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(self._play(tasks, 1, control, surrogate), render_mode)

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Begins a campaign of a task that is drawn.

        Args:
            seed: As in `CampaignEnv.reset`.
            options: `{"task": k}` chooses the task; the others are those of `CampaignEnv.reset`,
                and must suit every task that may be drawn.

        Raises:
            ValueError: An unknown option, or one out of range.
        """
        return super().reset(seed=seed, options=options)

    @property
    def campaign_spec(self) -> CampaignSpec:
        """All that a player may know of the campaign, once it is begun."""
        spec: CampaignSpec = self._played.spec(0)
        return spec

    @property
    def campaigns(self) -> Campaigns:
        """The campaign, with what players may not know, once it is begun."""
        campaigns: Campaigns = self._played.drawn(0)[0]
        return campaigns

    @property
    def problem(self) -> Problem:
        """What is being designed."""
        return self.campaigns.problem

    @property
    def design_space(self) -> DesignSpace:
        """The space that designs of the campaign live in."""
        return self.campaign_spec.design_space
