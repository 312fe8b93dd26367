"""A design campaign as a `gymnasium.Env`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from ombo_gym.actions import ActionCheck
from ombo_gym.campaign import ALL, Infos
from ombo_gym.game import Game
from ombo_gym.problems.base import Problem
from ombo_gym.rendering import RENDER_FPS, RENDER_MODES, Window, check_render_mode, draw_campaign

_RESET_OPTIONS = {"optimum"}


class CampaignEnv(gym.Env[dict[str, NDArray[Any]], NDArray[Any]]):
    """One campaign: the state is the dataset, an action is a batch, an episode is N rounds.

    ## Observation space (`control="designs"`)
    A `Dict` of fresh zero-padded arrays; capacity = largest start + largest horizon * q.

    - `designs`: (capacity, ...) in the action's own encoding, the start first, then the batches in
      order.
    - `values`: (capacity,) float32, as measured.
    - `observed`: (capacity,) int8, 1 where a row is in use.
    - `rounds_left`: (1,) float32, N at reset and 0 at the end.

    ## Action space
    `Box(-1, 1, (q, d))` for continuous designs, `MultiDiscrete` of length q * L for categorical
    ones, `MultiDiscrete([n] * q)` for a pool of n candidates. Anything else raises a ValueError and
    changes nothing.

    ## Rewards
    Increments of the utility: the undiscounted return is the utility of the campaign, which the
    last info also holds.

    ## Episode end
    `terminated` after N rounds; never truncated.

    Args:
        problem: Name of a registered problem (ids set it), or a problem of your own.
        horizon: N, or [low, high]: drawn anew for each campaign.
        batch_size: q.
        utility: "best", "last_max", "last_median", "last_mean", "total" or, for problems with an
            exact posterior, "recommendation".
        start: For instance {"kind": "random", "size": 4}, {"kind": "percentile", "percentile": 50},
            {"kind": "none"}.
        noise_std: Of the measurement, in the problem's units.
        split: "train", "test" or "all" instances, for problems that are collections.
        control: "designs", "exploration" or "candidates": what the agent acts on.
        surrogate: What controls and surrogate-based policies know, for instance {"kernel": "fit",
            "max_data": 512}.
        render_mode: "rgb_array", "human" or None.
        **arguments: The problem's own.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/GP-v0", horizon=3, batch_size=4)
        >>> observation, info = env.reset(seed=0)
        >>> observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  (as gymnasium declares it)
        "render_modes": list(RENDER_MODES),
        "render_fps": RENDER_FPS,
    }

    def __init__(
        self,
        problem: str | Problem = "GP",
        *,
        horizon: int | Sequence[int] = 5,
        batch_size: int = 4,
        utility: str = "best",
        start: dict[str, Any] | None = None,
        noise_std: float | None = None,
        split: str = "all",
        control: str = "designs",
        surrogate: dict[str, Any] | None = None,
        render_mode: str | None = None,
        **arguments: Any,
    ) -> None:
        self.game = Game(
            problem,
            1,
            horizon=horizon,
            batch_size=batch_size,
            utility=utility,
            start=start,
            noise_std=noise_std,
            split=split,
            control=control,
            surrogate=surrogate,
            **arguments,
        )
        self.observation_space: spaces.Space[Any] = self.game.control.observation_space
        self.action_space = self.game.control.action_space
        self.render_mode = check_render_mode(render_mode)
        self._check = ActionCheck(self.action_space)
        self._window: Window | None = None

    @property
    def design_space(self) -> Any:
        """The space that designs live in; `design_space.features(designs)` gives their features."""
        return self.game.design_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Begins a campaign.

        Args:
            seed: Of the sequence of campaigns; None goes on with it.
            options: `{"optimum": True}` asks for the optimum in the infos. What was asked for is
                kept when a finished campaign is followed by another through a bare `reset()`, which
                is what autoreset does.

        Raises:
            ValueError: An unknown option.
        """
        wants = keeps_optimum([seed], options, self.game.campaigns.wants_optimum, self._finished)
        super().reset(seed=seed)
        infos = self.game.reset(ALL, [self.np_random], wants)
        return self._after(infos)

    def step(
        self, action: NDArray[Any]
    ) -> tuple[dict[str, NDArray[Any]], float, bool, bool, dict[str, Any]]:
        """Measures a batch.

        Raises:
            ValueError: A bad action; the campaign is as it was.
            ResetNeeded: The campaign is over or was never begun.
        """
        if self._finished[0]:
            raise ResetNeeded("the campaign is over (or not begun): call reset() before step()")
        checked = self._check(action)
        outcome = self.game.step(ALL, checked[None])
        observation, info = self._after(outcome.infos)
        return observation, float(outcome.rewards[0]), bool(outcome.finished[0]), False, info

    @property
    def _finished(self) -> NDArray[np.bool_]:
        return self.game.campaigns.finished

    def _after(self, infos: Infos) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        observation = {name: array[0] for name, array in self.game.observe().items()}
        if self.render_mode == "human":
            self.render()
        return observation, single_info(infos)

    def render(self) -> NDArray[np.uint8] | None:
        """Draws the campaign: values by round, and a panel for its kind of designs."""
        if self.render_mode is None:
            gym.logger.warn('render() needs a render_mode: gym.make(..., render_mode="rgb_array")')
            return None
        frame = draw_campaign(self.game.campaigns, 0)
        if self.render_mode == "rgb_array":
            return frame
        self._window = self._window or Window(RENDER_FPS)
        self._window.show(frame)
        return None

    def close(self) -> None:
        """Closes the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None


def keeps_optimum(
    seeds: Sequence[int | None],
    options: dict[str, Any] | None,
    wanted: NDArray[np.bool_],
    finished: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Which campaigns want their optimum after a reset, (R,).

    An explicit reset (with a seed or options, or in mid-campaign) says anew; a bare reset of a
    finished campaign, which is what autoreset does, keeps what was asked for. Each row decides for
    itself, by its own seed.

    Args:
        seeds: R seeds; None goes on.
        options: Of the reset.
        wanted: (R,) what was asked for before.
        finished: (R,)

    Raises:
        ValueError: An unknown option.
    """
    if not isinstance(options, Mapping | None):
        raise ValueError(f"options: expected a dict, got {options!r}")
    options = dict(options or {})
    if unknown := sorted(set(options) - _RESET_OPTIONS, key=str):
        raise ValueError(f"options: expected {sorted(_RESET_OPTIONS)}, got {unknown}")
    if options:
        asked = options.get("optimum", False)
        if not isinstance(asked, bool | np.bool_):
            raise ValueError(f"options: expected {{'optimum': True or False}}, got {asked!r}")
        return np.full(len(wanted), bool(asked))
    unseeded = np.array([seed is None for seed in seeds])
    kept: NDArray[np.bool_] = wanted & finished & unseeded
    return kept


def single_info(infos: Infos) -> dict[str, Any]:
    """The info of one campaign, as Python numbers and arrays."""
    return {
        name: values[0].item() if values.ndim == 1 else values[0]
        for name, (values, present) in infos.items()
        if present[0]
    }
