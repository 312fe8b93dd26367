"""The conformance check finds what is broken in drawing campaigns."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import gymnasium as gym
import matplotlib
import numpy as np
import pytest

from ombo_gym.env import CampaignEnv
from ombo_gym.testing import RenderingConformance, check_rendering
from ombo_gym.vector_env import CampaignVectorEnv

matplotlib.use("Agg")

ONE_D = {"env_kwargs": {"dim": 1}}


class Modeless(CampaignEnv):
    metadata: ClassVar = {"render_modes": ["human"], "render_fps": 1}


class Hasty(CampaignEnv):
    metadata: ClassVar = {**CampaignEnv.metadata, "render_fps": 30}


class Eager(CampaignEnv):
    def render(self) -> Any:
        begun = self.campaigns.horizon[0]
        return super().render() if begun else np.zeros((480, 960, 3), np.uint8)


class Odd(CampaignEnv):
    def render(self) -> Any:
        return super().render()[:-1]


class Growing(CampaignEnv):
    def render(self) -> Any:
        return super().render()[: 400 + 2 * self.campaigns.round[0]]


class Rescaled(CampaignEnv):
    def render(self) -> Any:
        return super().render() / np.float32(255)


class Blank(CampaignEnv):
    def render(self) -> Any:
        return np.full_like(super().render(), 255)


class Frozen(CampaignEnv):
    frame: Any = None

    def render(self) -> Any:
        frame = super().render()
        self.frame = frame if self.frame is None else self.frame
        return self.frame


class Flickering(CampaignEnv):
    drawn = 0

    def render(self) -> Any:
        frame = super().render()
        self.drawn += 1
        frame[0, 0] = self.drawn
        return frame


class Drawing(CampaignEnv):
    def render(self) -> Any:
        frame = super().render()
        self.np_random.random()
        return frame


class Meddling(CampaignEnv):
    def render(self) -> Any:
        frame = super().render()
        self.campaigns.tracker._incumbent += 1.0
        return frame


class Muttering(CampaignEnv):
    def render(self) -> Any:
        frame = super().render()
        gym.logger.warn("something is amiss")
        return frame


class EagerRows(CampaignVectorEnv):
    def render(self) -> Any:
        begun = self.campaigns.horizon.all()
        return super().render() if begun else (np.zeros((480, 960, 3), np.uint8),) * self.num_envs


class Swapped(CampaignVectorEnv):
    def render(self) -> Any:
        return super().render()[::-1]


class First(CampaignVectorEnv):
    def render(self) -> Any:
        return super().render()[0]


class StaleRows(CampaignVectorEnv):
    """Draws what there was before a campaign was begun anew."""

    frames: Any = None

    def render(self) -> Any:
        frames = super().render()
        if self.frames is not None and self.campaigns.round[0] == 0:
            return self.frames
        self.frames = frames
        return frames


class ModelessRows(CampaignVectorEnv):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.metadata = {"autoreset_mode": self.autoreset_mode}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Modeless, r"render_modes'\] of the single env: expected 'rgb_array'.*got \['human'\]"),
        (Hasty, "render_fps'.* of the single env: .*at most 10.*got 30"),
        (Eager, "single env before reset.*expected ResetNeeded, got a ndarray"),
        (Odd, "after the reset to campaign 1: expected an even height.*got 479 x 960"),
        (Growing, r"after round 1 .*first, \(400, 960, 3\), got \(402, 960, 3\)"),
        (Rescaled, "expected a uint8 array.*got float32 ndarray"),
        (Blank, "expected a picture, got one colour"),
        (Frozen, "after round 1 of campaign 1: expected one that shows the round"),
        (Flickering, "drawn again: expected the same picture, got one with 1 other pixels"),
        (Drawing, "after the reset to campaign 2, and one that was not"),
        (Meddling, "after round 1 of campaign 1, and one that was not"),
        (Muttering, "expected no warnings, got .*something is amiss"),
        (ModelessRows, r"render_modes'\] of the vector env: expected 'rgb_array'.*got \[\]"),
        (EagerRows, "vector env before reset.*expected ResetNeeded, got a tuple"),
        (Swapped, r"row 0 after reset\(\): expected the same picture, got one with"),
        (First, "a frame for each of 2 campaigns, got uint8 ndarray"),
        (StaleRows, "row 0 after step 2: expected the same picture, got one with"),
    ],
)
def test_what_cannot_be_recorded_is_found(broken: Any, message: str) -> None:
    single, vector = CampaignEnv, CampaignVectorEnv
    if issubclass(broken, CampaignEnv):
        single = broken
    else:
        vector = broken
    gym.register("Broken/Mine-v0", single, vector_entry_point=vector)
    case: Any = type("Case", (RenderingConformance,), {"env_id": "Broken/Mine-v0", **ONE_D})()
    try:
        with pytest.raises(AssertionError, match=re.compile(message, re.DOTALL)):
            if broken in (Swapped, First):  # the checks of the single environment find nothing
                case.test_the_vector_env_draws_row_i_as_the_single_env_seeded_s_plus_i()
            else:
                check_rendering("Broken/Mine-v0", dim=1)
    finally:
        del gym.registry["Broken/Mine-v0"]
