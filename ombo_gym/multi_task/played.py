"""Campaigns of many tasks at once: each row plays one, and draws another at its next reset.

Rows of the same task and utility are played together. Their arrays are blocks of a few rows, as
many as are likely to need one: memory grows with the rows, not with rows times tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.action_masks import choices_of
from ombo_gym.campaign import Campaigns
from ombo_gym.controlled_campaigns import ControlledCampaigns, PlayedCampaigns, keys_of
from ombo_gym.controls.common import CommonSpaces, padded_to
from ombo_gym.merging import groups_alike, merge_infos, merge_outcomes
from ombo_gym.multi_task.kinds import Kind, kinds_of, name_of
from ombo_gym.multi_task.options import TaskOptions, parse_task_options
from ombo_gym.observations import Observation
from ombo_gym.outcomes import EnvIndices, Infos, Outcome
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.spec import CampaignSpec
from ombo_gym.tasks import TaskDistribution

Curriculum = Callable[[NDArray[np.int64], NDArray[np.float64]], Any]


@dataclass
class Block:
    """Campaigns of one kind, some of them in use."""

    kind: Kind
    played: ControlledCampaigns
    row: NDArray[np.int64]  # (rows,) which row of the environment plays there; -1: none

    @property
    def in_use(self) -> NDArray[np.intp]:
        """The places in use, (A,), in ascending order."""
        return np.flatnonzero(self.row >= 0)

    def places(self, marked: NDArray[np.bool_]) -> NDArray[np.intp]:
        """The places of marked rows, (B,) -> (A,), in ascending order."""
        return np.flatnonzero((self.row >= 0) & marked[self.row])


class PlayedTasks(PlayedCampaigns):
    """B campaigns, each of a task that is drawn when it begins.

    The task, and which of its utilities, come from a stream of the campaign's key of their own, so
    that all else is as in the task's own environment with the same key.

    Args:
        tasks: What is drawn from.
        num_campaigns: B.
        control: What the agent acts on, the same in all tasks.
        surrogate: Recipe for tasks that name none.
        like: Campaigns whose observations and actions these are to have.

    Attributes:
        tasks: With the weights that hold now.
        task: (B,) index of each row's task; -1 before its first reset.
        curriculum: Called before tasks are drawn with the tasks (n,) and the utilities (n,) of the
            campaigns that ended since the last time; returns new weights, or None. None: there is
            none.

    Raises:
        ValueError: Tasks under which an agent sees or takes different things, arguments that one of
            them refuses, or more memory than is allowed; says which task.
        ImportError: A task needs an extra that is not installed.
    """

    observation_space: spaces.Dict

    def __init__(
        self,
        tasks: TaskDistribution,
        num_campaigns: int,
        *,
        control: Any,
        surrogate: Mapping[str, Any] | None = None,
        like: PlayedTasks | None = None,
    ) -> None:
        self.num_campaigns = num_campaigns
        self.curriculum: Curriculum | None = None
        self._ended: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        kinds = kinds_of(tasks, num_campaigns, control=control, surrogate=surrogate)
        of_all = [kind for several in kinds for kind in several]
        names = [name_of(tasks, kind.task) for kind in of_all]
        self._spaces = CommonSpaces([kind.control for kind in of_all], names, "tasks")
        self._largest = max(kind.spec.batch_size for kind in of_all)  # q
        if like is not None:
            self._spaces.take_those_of(like._spaces, "tasks")
            self._largest = max(self._largest, like._largest)
        self.observation_space = self._spaces.observation_space
        self.action_space = self._spaces.action_space
        self.tasks, self._kinds = tasks, kinds
        self._blocks: dict[tuple[int, int], list[Block]] = {}  # by task and utility
        self.task = np.full(num_campaigns, -1, np.int64)  # (B,)
        self._finished = np.ones(num_campaigns, bool)  # (B,)
        self._begun = np.zeros(num_campaigns, bool)  # (B,)
        self._block: list[Block | None] = [None] * num_campaigns
        self._options = TaskOptions.none(num_campaigns)
        self._observed = False

    def set_weights(self, weights: Any) -> None:
        """Draws tasks by other weights (T,), from the next resets on.

        Raises:
            ValueError: They are no weights of these tasks.
        """
        self.tasks = self.tasks.reweighted(weights)

    # --- what is asked for ----------------------------------------------------------------------

    @property
    @override
    def finished(self) -> NDArray[np.bool_]:
        return self._finished.copy()

    @property
    @override
    def begun(self) -> NDArray[np.bool_]:
        return self._begun.copy()

    @override
    def reset_options(
        self,
        env_indices: EnvIndices,
        seeds: Sequence[int | None],
        options: Mapping[str, Any] | None,
    ) -> TaskOptions:
        problems = [(several[0].spec, several[0].arguments["problem"]) for several in self._kinds]
        parsed = parse_task_options(options, self.tasks, problems, self.num_campaigns)
        if parsed is not None:
            return parsed.take(env_indices)
        unseeded = np.array([seed is None for seed in seeds], bool)  # (R,)
        return self._options.take(env_indices).where(self._finished[env_indices] & unseeded)

    @override
    def kept_options(self, env_indices: NDArray[np.intp]) -> TaskOptions:
        return self._options.take(env_indices)

    # --- reset ----------------------------------------------------------------------------------

    @override
    def reset(
        self,
        env_indices: EnvIndices,
        generators: Sequence[np.random.Generator],
        options: TaskOptions,
    ) -> Infos:
        rows = np.arange(self.num_campaigns)[env_indices]  # (R,)
        self._follow_curriculum()
        keys = keys_of(generators)  # (R,)
        drawn = KeyedGenerator(keys, Stream.TASK).random((2,))  # (R, 2)
        tasks = np.where(options.task >= 0, options.task, self.tasks.indices(drawn[:, 0]))  # (R,)
        counts = np.array([len(several) for several in self._kinds])  # (T,)
        utilities = (drawn[:, 1] * counts[tasks]).astype(np.int64)  # (R,) which of the task's
        self._leave(rows)
        self._options.put(rows, options)
        infos: list[Infos] = []
        where: list[NDArray[np.intp]] = []
        for task, of_task in groups_alike(tasks):
            for utility, among in groups_alike(utilities[of_task]):
                at = of_task[among]  # (n,) which of the R
                for block, places, part in self._enter(self._kinds[task][utility], rows[at]):
                    campaigns, meant = block.played.campaigns, at[part]
                    infos.append(
                        campaigns.reset(places, keys[meant], options.campaigns.take(meant))
                    )
                    where.append(meant)
        self.task[rows] = tasks
        self._finished[rows], self._begun[rows] = False, True
        return self._with_tasks(merge_infos(infos, where), rows)

    def _follow_curriculum(self) -> None:
        if self.curriculum is None:
            return
        ended, self._ended = self._ended, []
        tasks = np.concatenate([np.zeros(0, np.int64), *(each[0] for each in ended)])
        utilities = np.concatenate([np.zeros(0), *(each[1] for each in ended)])
        weights = self.curriculum(tasks, utilities)
        if weights is not None:
            self.set_weights(weights)

    def _leave(self, rows: NDArray[np.intp]) -> None:
        """Gives the places of rows back, and blocks beyond the first that are empty then."""
        self._finished[rows], self._begun[rows] = True, False
        for row in rows.tolist():
            block = self._block[row]
            if block is not None:
                block.row[block.row == row] = -1
                self._block[row] = None
        for name, blocks in self._blocks.items():
            kept = [each for each in blocks[1:] if (each.row >= 0).any()]
            self._blocks[name] = [*blocks[:1], *kept]

    def _enter(
        self, kind: Kind, rows: NDArray[np.intp]
    ) -> Iterator[tuple[Block, NDArray[np.intp], NDArray[np.intp]]]:
        """Finds places for rows (n,): blocks, the places, and which of the n have them."""
        blocks = self._blocks.setdefault((kind.task, kind.utility), [])
        placed, number = 0, 0
        while placed < len(rows):
            if number == len(blocks):
                played = ControlledCampaigns(num_campaigns=kind.rows, **kind.arguments)
                blocks.append(Block(kind, played, np.full(kind.rows, -1, np.int64)))
            block = blocks[number]
            free = np.flatnonzero(block.row < 0)[: len(rows) - placed]
            part = np.arange(placed, placed + len(free))
            if len(free):
                block.row[free] = rows[part]
                for row in rows[part].tolist():
                    self._block[row] = block
                yield block, free, part
            placed, number = placed + len(free), number + 1

    # --- rounds ---------------------------------------------------------------------------------

    @override
    def step(self, env_indices: EnvIndices, actions: NDArray[Any]) -> Outcome:
        playing = np.zeros(self.num_campaigns, bool)  # (B,)
        playing[env_indices] = True
        position = np.cumsum(playing) - 1  # (B,) where a row stands among those that play
        measured = []  # by all tasks before any of them goes on
        for block in self._in_use():
            places = block.places(playing)
            if len(places):
                own = self._spaces.own_actions(block.kind.control, actions[block.row[block.in_use]])
                measured.append((block, places, block.played.measure(places, own)))
        outcomes = [block.played.campaigns.play(batches) for block, _, batches in measured]
        where = [position[block.row[places]] for block, places, _ in measured]
        padded = [
            Outcome(each.rewards, each.finished, self._as_wide(each.infos)) for each in outcomes
        ]
        merged = merge_outcomes(padded, where)
        rows = np.flatnonzero(playing)
        self._finished[rows] = merged.finished
        over, worth = merged.finished, merged.infos["utility"][0]
        if self.curriculum is not None and over.any():
            self._ended.append((self.task[rows[over]], worth[over]))
        return Outcome(merged.rewards, over, self._with_tasks(merged.infos, rows))

    def _as_wide(self, infos: Infos) -> Infos:
        """Infos with true values for the largest q of all tasks, NaN behind a task's own."""
        values, present = infos["true_values"]
        return {**infos, "true_values": (padded_to(values, (self._largest,), np.nan), present)}

    def _with_tasks(self, infos: Infos, rows: NDArray[np.intp]) -> Infos:
        return {**infos, "task": (self.task[rows], np.ones(len(rows), bool))}

    # --- what is seen ---------------------------------------------------------------------------

    def _in_use(self) -> list[Block]:
        return [block for blocks in self._blocks.values() for block in blocks if len(block.in_use)]

    @override
    def observe(self) -> Observation:
        self._observed = True
        parts = [
            (block.row[block.in_use], block.played.observe(block.in_use))
            for block in self._in_use()
        ]
        return self._together(self.num_campaigns, parts)

    @override
    def observe_finished(self, env_indices: NDArray[np.intp]) -> Observation:
        marked = np.zeros(self.num_campaigns, bool)  # (B,)
        marked[env_indices] = True
        position = np.cumsum(marked) - 1  # (B,)
        found = [(block, block.places(marked)) for block in self._in_use()]
        parts = [
            (position[block.row[places]], block.played.observe_finished(places))
            for block, places in found
            if len(places)
        ]
        return self._together(len(env_indices), parts)

    def _together(
        self, count: int, parts: list[tuple[NDArray[np.int64], Observation]]
    ) -> Observation:
        """What groups of rows see, as one, (R, ...): zeros where a row was never begun."""
        merged: Observation = {}
        for name, field in self.observation_space.items():
            assert field.shape is not None
            merged[name] = np.zeros((count, *field.shape), field.dtype)
        for rows, observation in parts:
            for name, array in self._spaces.padded(observation).items():
                merged[name][rows] = array
        return merged

    @override
    def action_masks(self) -> NDArray[np.bool_]:
        choices = int(choices_of(self.action_space).sum())
        if not self._observed:
            raise ResetNeeded("no campaign is begun: call reset() before action_masks()")
        masks = np.ones((self.num_campaigns, choices), bool)  # (B, choices)
        for block in self._in_use():
            own = block.played.action_masks()
            masks[block.row[block.in_use]] = self._spaces.padded_masks(own)
        return masks

    # --- who plays where ------------------------------------------------------------------------

    def blocks(self) -> list[tuple[Campaigns, NDArray[np.intp], NDArray[np.int64]]]:
        """Campaigns that are played, which of them, (A,), and in which rows, (A,)."""
        return [
            (block.played.campaigns, block.in_use, block.row[block.in_use])
            for block in self._in_use()
        ]

    def spec(self, row: int) -> CampaignSpec:
        """What the player of a row may know.

        Raises:
            ResetNeeded: The row was never begun.
        """
        return self._of(row).kind.spec

    @override
    def drawn(self, row: int) -> tuple[Campaigns, int]:
        block = self._of(row)
        return block.played.campaigns, int(np.flatnonzero(block.row == row)[0])

    def _of(self, row: int) -> Block:
        block = self._block[row]
        if block is None:
            raise ResetNeeded(
                f"row {row} plays no task yet: each draws one at its reset; call reset() first"
            )
        return block
