"""B campaigns, each of a task that it draws, as a native `gymnasium.vector.VectorEnv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gymnasium.vector import AutoresetMode
from typing_extensions import override

from ombo_gym.multi_task.shared import DEFAULT_TASKS, OffersTasks
from ombo_gym.spec import CampaignSpec
from ombo_gym.vector_env import Arrays, LockstepVectorEnv, checked_rows


class MultiTaskVectorEnv(OffersTasks, LockstepVectorEnv):
    """Rows of different problems, spaces, horizons, batch sizes and utilities under one control.

    Each row draws its task at its reset, and says which in every info: `task`, an index. Row i
    seeded with s plays as a `MultiTaskEnv` seeded with s + i, and as the drawn task's own
    environment does. Arrays are as long as the longest of all tasks, zeros behind; `true_values` in
    infos have NaN there. Where batch sizes differ, an action has the largest q slots of all tasks,
    and a round measures the first of them.

    Args:
        num_envs: B.
        tasks: As in `MultiTaskEnv`, like `control` and `surrogate`.
        control: What the agent acts on.
        surrogate: Recipe for tasks that name none.
        autoreset_mode: When finished campaigns are followed by new ones, of newly drawn tasks; an
            `AutoresetMode` or its value as a string.
        render_mode: "rgb_array", "human" (shows the first campaign) or None.
        max_episode_steps: Must be None.

    Raises:
        ValueError: As in `MultiTaskEnv`, or more memory than is allowed.
        ImportError: A task needs an extra that is not installed.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> tasks = [{"env": "Ombo/GP-v0"}, {"env": "Ombo/Reaction-v0", "batch_size": [1, 8]}]
        >>> envs = gym.make_vec("Ombo/Tasks-v0", num_envs=4, tasks=tasks)
        >>> observations, infos = envs.reset(seed=0)
        >>> [spec.problem for spec in envs.unwrapped.campaign_spec]
        ['Reaction', 'GP', 'Reaction', 'Reaction']
    """

    def __init__(
        self,
        num_envs: int = 1,
        tasks: Any = DEFAULT_TASKS,
        *,
        control: Any = "exploration",
        surrogate: dict[str, Any] | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
    ) -> None:
        num_envs, mode = checked_rows(num_envs, autoreset_mode, max_episode_steps)
        super().__init__(self._play(tasks, num_envs, control, surrogate), mode, render_mode)

    @override
    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Arrays, dict[str, Any]]:
        """Begins new campaigns.

        Args:
            seed: As in `CampaignVectorEnv.reset`.
            options: As in `MultiTaskEnv.reset`, values for all rows or arrays (B,); `reset_mask`, a
                boolean array (B,), resets some rows only.

        Raises:
            ValueError: A mask or a sequence of seeds of another length, or an unknown option.
        """
        return super().reset(seed=seed, options=options)

    @property
    def campaign_spec(self) -> tuple[CampaignSpec, ...]:
        """All that a player may know, for each row: of the task that it plays now.

        Raises:
            ResetNeeded: A row was never begun.
        """
        return tuple(self._played.spec(row) for row in range(self.num_envs))
