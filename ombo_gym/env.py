"""A design campaign as a `gymnasium.Env`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from ombo_gym.actions import ActionCheck
from ombo_gym.controlled_campaigns import (
    ControlledCampaigns,
    KeepsSpec,
    OffersCampaigns,
    PlayedCampaigns,
)
from ombo_gym.outcomes import ALL, Infos
from ombo_gym.problems.core.base import Problem
from ombo_gym.rendering import (
    RENDER_FPS,
    RENDER_MODES,
    RenderModes,
    Window,
    check_render_mode,
    draw_campaign,
)


class OneCampaignEnv(KeepsSpec, gym.Env[dict[str, NDArray[Any]], NDArray[Any]]):
    """A campaign and the interface of gymnasium's environments.

    Args:
        played: The campaign.
        render_mode: "rgb_array", "human" or None.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  (as gymnasium declares it)
        "render_modes": RenderModes(RENDER_MODES),
        "render_fps": RENDER_FPS,
    }

    def __init__(self, played: PlayedCampaigns, render_mode: str | None) -> None:
        self._played: Any = played
        self.observation_space: spaces.Space[Any] = played.observation_space
        self.action_space = played.action_space
        self.render_mode = check_render_mode(render_mode)
        self._check = ActionCheck(self.action_space)
        self._window: Window | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Begins a campaign.

        Args:
            seed: Of the sequence of campaigns; None goes on with it.
            options: `{"optimum": True}` asks for the optimum in the infos; `horizon` and
                `batch_size` choose among those that the arguments allow, `instance` among the
                numbered instances of a collection. What was asked for is kept when a finished
                campaign is followed by another through a bare `reset()`, which is what autoreset
                does.

        Raises:
            ValueError: An unknown option, or one out of range.
        """
        requested = self._played.reset_options(ALL, [seed], options)
        super().reset(seed=seed)
        infos = self._played.reset(ALL, [self.np_random], requested)
        return self._after(infos)

    def step(
        self, action: NDArray[Any]
    ) -> tuple[dict[str, NDArray[Any]], float, bool, bool, dict[str, Any]]:
        """Measures a batch.

        Raises:
            ValueError: A bad action; the campaign is as it was.
            ResetNeeded: The campaign is over or was never begun.
        """
        if self._played.finished[0]:
            raise ResetNeeded("the campaign is over (or not begun): call reset() before step()")
        checked = self._check(action)
        outcome = self._played.step(ALL, checked[None])
        observation, info = self._after(outcome.infos)
        return observation, float(outcome.rewards[0]), bool(outcome.finished[0]), False, info

    def action_masks(self) -> NDArray[np.bool_]:
        """Which choices are worth making now, (choices,), for agents that mask the others.

        Of `MultiDiscrete` actions, one after the other the choices of each of their numbers. All
        are True but for designs of a pool that were measured, and candidates that are such designs,
        where measuring them again is worth nothing (`campaign_spec.repeats`) and others are left.

        Raises:
            ResetNeeded: No campaign was begun.
            TypeError: Actions are no choices but numbers: a `Box`.
        """
        masks: NDArray[np.bool_] = self._played.action_masks()[0]
        return masks

    def _after(self, infos: Infos) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        observation = {name: array[0] for name, array in self._played.observe().items()}
        if self.render_mode == "human":
            self.render()
        return observation, single_info(infos)

    def render(self) -> NDArray[np.uint8] | None:
        """Draws the campaign: values by round, and a panel for its kind of designs."""
        if self.render_mode is None:
            gym.logger.warn('render() needs a render_mode: gym.make(..., render_mode="rgb_array")')
            return None
        frame = draw_campaign(*self._played.drawn(0))
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


class CampaignEnv(OffersCampaigns, OneCampaignEnv):
    """One campaign: the state is the dataset, an action is a batch, an episode is N rounds.

    ## Observation space (`control="designs"`)
    A `Dict` of fresh zero-padded arrays; capacity = largest start + all that can be proposed.

    - `designs`: (capacity, ...) in the action's own encoding, the start first, then the batches in
      order; categories and indices in the smallest signed integers that hold them.
    - `measurements`: (capacity,) float64.
    - `observed`: (capacity,) int8, 1 where a row is in use.
    - `from_start`: (capacity,) int8, 1 where a row is the start's.
    - `rounds_left`: (1,) float32, N at reset and 0 at the end.
    - `plates`: (largest N,) float32, the sizes of the batches still to come, the next one first.

    ## Action space
    `Box(-1, 1, (q, d))` for continuous and mixed designs, `MultiDiscrete` of length q * L for
    categorical ones, `MultiDiscrete([n] * q)` for a pool of n candidates; q is the largest batch,
    and the round measures the first `plates[0]` of it. Anything else raises a ValueError and
    changes nothing.

    ## Rewards
    Increments of the utility: the undiscounted return is the utility of the campaign, which the
    last info also holds.

    ## Episode end
    `terminated` after N rounds; never truncated.

    Args:
        problem: Name of a registered problem (ids set it), `module:Class` of your own, or a problem
            as an object.
        horizon: N, or [low, high]: drawn anew for each campaign; 5 when nothing is said.
        batch_size: q, or [low, high] likewise; 4 when nothing is said.
        plates: Batch sizes round by round, for instance [24, 24, 8], instead of the two.
        utility: "best", "auc", "last_max", "last_median", "last_mean", {"name": "last_quantile",
            "quantile": 0.9}, "total" or, for problems with an exact posterior, "recommendation";
            of your own, `module:Class` or an object.
        start: For instance {"kind": "random", "size": 4}, {"kind": "percentile", "percentile": 50},
            {"kind": "space_filling", "size": 8}, {"kind": "listed", "designs": [...]}, {"kind":
            "none"}.
        noise_std: Of the measurement, in the problem's units.
        split: "train", "test" or "all" instances, for problems that are collections.
        control: "designs", "exploration" or "candidates": what the agent acts on.
        surrogate: What controls and surrogate-based policies know, for instance {"kernel": "fit",
            "max_data": 512}.
        render_mode: "rgb_array", "human" or None.
        **arguments: The problem's own.

    Raises:
        ValueError: An argument of another kind or out of range, or campaigns whose arrays would
            take more memory than is allowed (2 GiB, or what `OMBO_MAX_GIB` in the environment
            says); names the argument.
        TypeError: An argument that the problem lacks.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/GP-v0", horizon=3, batch_size=4)
        >>> observation, info = env.reset(seed=0)
        >>> observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
    """

    def __init__(
        self,
        problem: str | Problem = "GP",
        *,
        horizon: int | Sequence[int] | None = None,
        batch_size: int | Sequence[int] | None = None,
        plates: Sequence[int] | None = None,
        utility: str | dict[str, Any] = "best",
        start: dict[str, Any] | None = None,
        noise_std: float | None = None,
        split: str = "all",
        control: str = "designs",
        surrogate: dict[str, Any] | None = None,
        render_mode: str | None = None,
        **arguments: Any,
    ) -> None:
        self._played = ControlledCampaigns(
            problem,
            1,
            horizon=horizon,
            batch_size=batch_size,
            plates=plates,
            utility=utility,
            start=start,
            noise_std=noise_std,
            split=split,
            control=control,
            surrogate=surrogate,
            **arguments,
        )
        super().__init__(self._played, render_mode)


def single_info(infos: Infos) -> dict[str, Any]:
    """The info of one campaign, as Python numbers and arrays."""
    return {
        name: values[0].item() if values.ndim == 1 else values[0]
        for name, (values, present) in infos.items()
        if present[0]
    }
