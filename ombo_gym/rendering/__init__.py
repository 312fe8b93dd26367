"""Pictures of campaigns, drawn by matplotlib (extra `render`)."""

from ombo_gym.rendering.frame import (
    RENDER_FPS,
    RENDER_MODES,
    RenderModes,
    check_render_mode,
    draw_campaign,
)
from ombo_gym.rendering.window import Window

__all__ = [
    "RENDER_FPS",
    "RENDER_MODES",
    "RenderModes",
    "Window",
    "check_render_mode",
    "draw_campaign",
]
