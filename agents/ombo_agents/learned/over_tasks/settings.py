"""How a policy is trained over tasks, when nothing else is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ombo_agents.learned.ppo_settings import PPOSettings
from ombo_gym.arguments import whole
from ombo_gym.tasks import TaskDistribution


@dataclass(frozen=True)
class TaskSettings:
    """Hyper-parameters of training over tasks.

    Attributes:
        ppo: Of each update. Its `num_envs` rows are played in blocks of `block` rows, each by
            itself, anew from the beginning of campaigns in every update; so `rounds_per_update` is
            at least the longest horizon.
        block: Rows that are played together, wherever that is: results depend on it, and not on
            how many processes there are.
        validation_every: Updates between two validations.
        validation_campaigns: The same ones in every validation.

    Raises:
        ValueError: One that is out of range; names it.
    """

    ppo: PPOSettings = field(
        default_factory=lambda: PPOSettings(steps=200_000, num_envs=128, entropy=0.001)
    )
    block: int = 32
    validation_every: int = 10
    validation_campaigns: int = 512

    def __post_init__(self) -> None:
        whole("block", self.block)
        whole("validation_every", self.validation_every)
        whole("validation_campaigns", self.validation_campaigns, least=2)  # or no interval

    def for_tasks(self, tasks: TaskDistribution) -> TaskSettings:
        """The same, with rounds enough for the longest campaigns of tasks."""
        rounds = max(self.ppo.rounds_per_update, longest(tasks))
        return replace(self, ppo=replace(self.ppo, rounds_per_update=rounds))

    @property
    def rows(self) -> list[int]:
        """Rows of each block."""
        count = self.ppo.num_envs
        return [min(self.block, count - first) for first in range(0, count, self.block)]

    def described(self) -> dict[str, Any]:
        """All but `ppo`, as JSON has it."""
        names = ("block", "validation_every", "validation_campaigns")
        return {name: getattr(self, name) for name in names}


def longest(tasks: TaskDistribution) -> int:
    """The longest horizon of tasks that may be drawn."""
    drawn = [task for task in tasks if task.weight > 0]
    return max(task.horizon if isinstance(task.horizon, int) else task.horizon[1] for task in drawn)
