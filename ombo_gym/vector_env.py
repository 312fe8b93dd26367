"""B design campaigns as a native `gymnasium.vector.VectorEnv`."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from ombo_gym.actions import ActionCheck
from ombo_gym.arguments import as_array, shown, whole
from ombo_gym.controlled_campaigns import (
    ControlledCampaigns,
    KeepsSpec,
    OffersCampaigns,
    PlayedCampaigns,
)
from ombo_gym.env import CampaignEnv
from ombo_gym.outcomes import ALL, EnvIndices, Infos
from ombo_gym.problems.core.base import Problem
from ombo_gym.rendering import RENDER_FPS, Window, check_render_mode, draw_campaign
from ombo_gym.reset_options import ResetOptions

Arrays = dict[str, NDArray[Any]]


class LockstepVectorEnv(KeepsSpec, VectorEnv[Arrays, NDArray[Any], NDArray[Any]]):
    """B campaigns in lockstep and the interface of gymnasium's vector environments.

    Args:
        played: The campaigns.
        autoreset_mode: When finished campaigns are followed by new ones, an `AutoresetMode` or its
            value as a string.
        render_mode: "rgb_array", "human" (shows the first campaign) or None.
    """

    _window: Window | None = None  # gymnasium closes what it could not build, too

    def __init__(
        self,
        played: PlayedCampaigns,
        autoreset_mode: AutoresetMode,
        render_mode: str | None,
    ) -> None:
        super().__init__()
        num_envs = played.num_campaigns
        self.autoreset_mode = autoreset_mode
        self.num_envs = num_envs
        self._played: Any = played
        self.single_observation_space = played.observation_space
        self.single_action_space = played.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.render_mode = check_render_mode(render_mode)
        self.metadata = {**CampaignEnv.metadata, "autoreset_mode": self.autoreset_mode}
        self._check = ActionCheck(self.single_action_space, num_envs)
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self._seeds: list[int | None] = [None] * num_envs

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The generators of the rows."""
        return tuple(self._generators_of(range(self.num_envs)))

    @property
    def np_random_seed(self) -> tuple[int | None, ...]:  # type: ignore[override]
        """The seeds of the rows."""
        self._generators_of(range(self.num_envs))
        return tuple(self._seeds)

    def _generators_of(self, env_indices: Iterable[int]) -> list[np.random.Generator]:
        generators = []
        for i in env_indices:
            generator = self._generators[i]
            if generator is None:
                generator, self._seeds[i] = seeding.np_random()
                self._generators[i] = generator
            generators.append(generator)
        return generators

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Arrays, dict[str, Any]]:
        """Begins new campaigns.

        Args:
            seed: s gives row i the seed s + i; a sequence gives each row its own; None goes on.
            options: As in `CampaignEnv.reset`, values for all rows or arrays (B,); `reset_mask`, a
                boolean array (B,), resets some rows only.

        Raises:
            ValueError: A mask or a sequence of seeds of another length, or an unknown option.
        """
        if not isinstance(options, Mapping | None):
            raise ValueError(f"options: expected a dict, got {shown(options)}")
        options = dict(options or {})
        env_indices = self._masked(options.pop("reset_mask", None))
        indices = np.arange(self.num_envs)[env_indices].tolist()
        seeds = self._seed_list(seed)
        requested = self._played.reset_options(env_indices, [seeds[i] for i in indices], options)
        seeded = {i: seeding.np_random(seeds[i]) for i in indices if seeds[i] is not None}
        for i, (generator, used) in seeded.items():
            self._generators[i], self._seeds[i] = generator, used
        infos = self._played.reset(env_indices, self._generators_of(indices), requested)
        packed: dict[str, Any] = {}
        self._pack(packed, infos, env_indices)
        self._show()
        return self._played.observe(), packed

    def _seed_list(self, seed: Any) -> list[int | None]:
        """The seed of each row, None where the row goes on."""
        if seed is None:
            return [None] * self.num_envs
        try:
            if np.ndim(seed) == 0:
                return [operator.index(seed) + i for i in range(self.num_envs)]
            seeds = [None if each is None else operator.index(each) for each in seed]
        except (TypeError, ValueError) as error:
            raise ValueError(f"seed: expected whole numbers, got {shown(seed)}") from error
        if len(seeds) != self.num_envs:
            raise ValueError(
                f"seed: expected an integer or {self.num_envs} seeds, got {len(seeds)}"
            )
        return seeds

    def _masked(self, mask: Any) -> EnvIndices:
        """The campaigns that a reset is meant for."""
        if mask is None:
            return ALL
        array = as_array(mask)
        if array.dtype != np.bool_ or array.shape != (self.num_envs,) or not array.any():
            raise ValueError(
                f"reset_mask: expected a boolean array of shape ({self.num_envs},) with at least "
                f"one True, got {shown(mask)}"
            )
        return np.flatnonzero(array)

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Arrays, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Measures a batch in every campaign, or begins a new one where the mode says so.

        Raises:
            ValueError: A bad action in any row; all campaigns are as they were.
            ResetNeeded: A campaign was never begun or, where autoreset is disabled, is over.
        """
        finished = self._played.finished  # (B,)
        if finished.any() and (
            self.autoreset_mode != AutoresetMode.NEXT_STEP or not self._played.begun.all()
        ):
            raise ResetNeeded(
                f"campaigns {np.flatnonzero(finished).tolist()} are over (or not begun): reset "
                'them before step(), for instance with options={"reset_mask": mask}'
            )
        checked = self._check(actions)
        playing = np.flatnonzero(~finished) if finished.any() else ALL
        rewards = np.zeros(self.num_envs)
        terminations = np.zeros(self.num_envs, bool)
        infos: dict[str, Any] = {}
        if not finished.all():
            outcome = self._played.step(playing, checked)
            rewards[playing], terminations[playing] = outcome.rewards, outcome.finished
            self._pack(infos, outcome.infos, playing)
        if self.autoreset_mode == AutoresetMode.NEXT_STEP and finished.any():
            self._autoreset(infos, np.flatnonzero(finished))
        elif self.autoreset_mode == AutoresetMode.SAME_STEP and terminations.any():
            over = np.flatnonzero(terminations)
            infos = self._finals(infos, over, terminations)
            self._autoreset(infos, over)
        truncations = np.zeros(self.num_envs, bool)
        self._show()
        return self._played.observe(), rewards, terminations, truncations, infos

    def action_masks(self) -> NDArray[np.bool_]:
        """Which choices are worth making now, (B, choices); see `CampaignEnv.action_masks`."""
        masks: NDArray[np.bool_] = self._played.action_masks()
        return masks

    def _autoreset(self, infos: dict[str, Any], env_indices: NDArray[np.intp]) -> None:
        requested = self._played.kept_options(env_indices)
        generators = self._generators_of(env_indices)
        self._pack(infos, self._played.reset(env_indices, generators, requested), env_indices)

    def _pack(self, packed: dict[str, Any], infos: Infos, env_indices: EnvIndices) -> None:
        """Adds the infos of R campaigns to arrays over all B, with masks, as gymnasium does."""
        for name, (values, present) in infos.items():
            if not present.any():
                continue
            if name not in packed:
                packed[name] = np.zeros((self.num_envs, *values.shape[1:]), values.dtype)
                packed[f"_{name}"] = np.zeros(self.num_envs, bool)
            filled = present if env_indices is ALL else np.asarray(env_indices)[present]
            packed[name][filled] = values[present]
            packed[f"_{name}"][filled] = True

    def _finals(
        self, infos: dict[str, Any], over: NDArray[np.intp], terminations: NDArray[np.bool_]
    ) -> dict[str, Any]:
        """Moves the infos of finished campaigns to `final_info` and adds the last observations."""
        last = self._played.observe_finished(over)
        final_obs = np.full(self.num_envs, None, dtype=object)
        for position, row in enumerate(over):
            final_obs[row] = {name: array[position].copy() for name, array in last.items()}
        kept: dict[str, Any] = {}
        final_info: dict[str, Any] = {}
        for name in [name for name in infos if f"_{name}" in infos]:
            for target, meant in ((kept, ~terminations), (final_info, terminations)):
                present = infos[f"_{name}"] & meant
                self._pack(target, {name: (infos[name], present)}, ALL)
        masks = {"_final_obs": terminations.copy(), "_final_info": terminations.copy()}
        return {**kept, "final_obs": final_obs, "final_info": final_info, **masks}

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """Draws every campaign; None without a render mode, or where a window shows the first."""
        if self.render_mode != "rgb_array":
            return None
        return tuple(draw_campaign(*self._played.drawn(row)) for row in range(self.num_envs))

    def _show(self) -> None:
        """Shows the first campaign to people who watch, once it is begun."""
        if self.render_mode == "human" and self._played.begun[0]:
            self._window = self._window or Window(RENDER_FPS)
            self._window.show(draw_campaign(*self._played.drawn(0)))

    def close_extras(self, **kwargs: Any) -> None:
        """Closes the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None


class CampaignVectorEnv(OffersCampaigns, LockstepVectorEnv):
    """B campaigns in lockstep; row i seeded with s plays as a `CampaignEnv` seeded with s + i.

    Infos, masks, `final_obs` and `final_info` are those of gymnasium's `SyncVectorEnv`.

    Args:
        num_envs: B.
        problem: As in `CampaignEnv`, like all further arguments.
        autoreset_mode: When finished campaigns are followed by new ones, an `AutoresetMode` or its
            value as a string.
        render_mode: "rgb_array", "human" (shows the first campaign) or None.
        max_episode_steps: Must be None; see `horizon`.
        **arguments: As in `CampaignEnv`.
    """

    def __init__(
        self,
        num_envs: int = 1,
        problem: str | Problem = "GP",
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **arguments: Any,
    ) -> None:
        num_envs, mode = checked_rows(num_envs, autoreset_mode, max_episode_steps)
        played = ControlledCampaigns(problem, num_envs, **arguments)
        super().__init__(played, mode, render_mode)

    def replay(
        self, keys: NDArray[np.uint64], rounds: NDArray[np.int64], actions: NDArray[Any]
    ) -> Arrays:
        """Goes to where B campaigns of this environment were: begins them and plays them again.

        What follows is the same to the bit; the generators of the rows stay as they are.

        Args:
            keys: (B,) as in `campaigns.keys`.
            rounds: (B,) rounds that each had played.
            actions: (largest N, B, ...) their actions by round; those behind a campaign's rounds
                are not looked at.

        Returns:
            The observations.

        Raises:
            ValueError: An action that is none, or a campaign that was over.
        """
        self.campaigns.reset(ALL, keys, ResetOptions.none(self.num_envs))
        if (over := (rounds < 0) | (rounds >= self.campaigns.horizon)).any():
            row = int(np.argmax(over))
            raise ValueError(
                f"rounds: expected fewer played than the horizon, {self.campaigns.horizon[row]}, "
                f"got {rounds[row]} at row {row}"
            )
        for played in range(int(rounds.max())):
            self._played.observe()
            self._played.step(np.flatnonzero(rounds > played), self._check(actions[played]))
        return self._played.observe()


def checked_rows(
    num_envs: Any, autoreset_mode: Any, max_episode_steps: Any
) -> tuple[int, AutoresetMode]:
    """Arguments of vector environments, before campaigns are built: B and the mode.

    Raises:
        ValueError: One out of range, or an episode that is to be truncated.
    """
    if max_episode_steps is not None:
        raise ValueError(
            "max_episode_steps: campaigns end after `horizon` rounds and are never truncated; "
            f"use horizon={shown(max_episode_steps)}"
        )
    num_envs = whole("num_envs", num_envs)
    try:
        return num_envs, AutoresetMode(autoreset_mode)
    except ValueError:
        modes = [mode.value for mode in AutoresetMode]
        raise ValueError(
            f"autoreset_mode: expected one of {modes}, got {shown(autoreset_mode)}"
        ) from None
