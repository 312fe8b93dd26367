"""What both environments of tasks have in common, beside the shells of all environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from ombo_gym.arguments import shown
from ombo_gym.controlled_campaigns import KeepsSpec
from ombo_gym.multi_task.played import Curriculum, PlayedTasks
from ombo_gym.tasks import Task, TaskDistribution, make_tasks

if TYPE_CHECKING:
    from ombo_gym.wrappers.campaign_rows import CampaignRows

DEFAULT_TASKS = "ML-synthetic-v0:train"


class OffersTasks(KeepsSpec):
    """An environment whose campaigns draw their task."""

    _played: Any
    _arguments: dict[str, Any]

    def _play(
        self, tasks: Any, num_campaigns: int, control: Any, surrogate: Mapping[str, Any] | None
    ) -> PlayedTasks:
        self._arguments = {"control": control, "surrogate": surrogate}
        return PlayedTasks(make_tasks(tasks), num_campaigns, **self._arguments)

    @property
    def tasks(self) -> TaskDistribution:
        """What campaigns draw their tasks from, with the weights that hold now."""
        played: PlayedTasks = self._played
        return played.tasks

    def campaign_rows(self) -> list[CampaignRows]:
        """The campaigns of the rows, with what players may not know, by task and utility."""
        from ombo_gym.wrappers.campaign_rows import CampaignRows

        return [CampaignRows(*block) for block in self._played.blocks()]

    def set_tasks(self, tasks: Any) -> None:
        """Draws from other tasks, or from the same by other weights.

        Weights hold from the next reset of each row on; campaigns that have begun go on. Other
        tasks end all campaigns: call `reset()` next.

        Args:
            tasks: A number for each task, (T,), its weight; or what the argument `tasks` takes.

        Raises:
            ValueError: No weights of these tasks, or tasks that do not fit into the spaces of the
                environment; nothing has changed then.
        """
        if _are_weights(tasks):
            self._played.set_weights(tasks)
            return
        before: PlayedTasks = self._played
        played = PlayedTasks(
            make_tasks(tasks), before.num_campaigns, **self._arguments, like=before
        )
        played.curriculum = before.curriculum
        self._played = played

    def set_curriculum(self, curriculum: Curriculum | None) -> None:
        """Lets a function choose the weights of tasks.

        What a row plays then depends on how others went, and no more on its seed alone.

        Args:
            curriculum: Called whenever rows are reset, before they draw: takes the tasks (n,) and
                utilities (n,) of the campaigns that ended since its last call, in which n may be 0,
                and returns weights (T,), or None to leave them. None: nobody chooses.

        Raises:
            ValueError: It cannot be called.
        """
        if curriculum is not None and not callable(curriculum):
            raise ValueError(
                f"curriculum: expected a function or None, got {shown(curriculum)}; set_tasks "
                "takes weights"
            )
        self._played.curriculum = curriculum

    @override
    def _written(self, arguments: dict[str, Any]) -> dict[str, Any]:
        tasks = {"tasks": _as_json(arguments["tasks"])} if "tasks" in arguments else {}
        return super()._written({**arguments, **tasks})


def _are_weights(given: Any) -> bool:
    """Whether they are numbers, one a task, and not tasks."""
    if isinstance(given, str | Mapping | TaskDistribution | Task) or given is None:
        return False
    try:
        listed = list(given)
    except TypeError:
        return False
    return not any(isinstance(each, Task | Mapping) for each in listed)


def _as_json(tasks: Any) -> Any:
    """An argument `tasks` as JSON holds it: names as they are, the rest by its fields."""
    if isinstance(tasks, TaskDistribution | Task):
        return make_tasks(tasks).to_dict()
    if isinstance(tasks, list | tuple):
        return [each.to_dict() if isinstance(each, Task) else each for each in tasks]
    return tasks
