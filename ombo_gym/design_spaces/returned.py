"""Designs that somebody's own code returns: what they are held to before anything uses them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.design_spaces.base import DesignSpace
from ombo_gym.design_spaces.duplicates import Designs


def checked_designs(
    source: str, designs: Any, num_campaigns: int, q: int, space: DesignSpace
) -> NDArray[Any]:
    """The designs that a method returns, (B, q, *shape).

    Raises:
        ValueError: They have another shape, or a dtype that the space's designs cannot have; names
            the method, `source`.
    """
    shape = (num_campaigns, q, *space.shape)
    counted = np.issubdtype(space.dtype, np.integer)
    expected = (
        f"{source}: expected {'whole numbers' if counted else 'numbers'} of shape {shape}, which "
        "is (campaigns, designs, *design_space.shape)"
    )
    if not isinstance(designs, np.ndarray):
        raise ValueError(f"{expected}, in an array, got {shown(designs)}")
    if designs.shape != shape:
        raise ValueError(f"{expected}, got shape {designs.shape}")
    if designs.dtype.kind not in ("iu" if counted else "iuf"):
        raise ValueError(f"{expected}, got an array of {designs.dtype}")
    return designs


def within_bounds(source: str, designs: Designs, space: DesignSpace, *, slack: float) -> Designs:
    """Designs (B, q, *shape) of the space's dtype, in their canonical form.

    Args:
        source: The method that they come from, for messages.
        designs: As `checked_designs` returns them.
        space: Whose they are.
        slack: How far beyond a bound numbers may lie, which are clipped then.

    Raises:
        ValueError: As `check_bounds`.
    """
    low, high = check_bounds(source, designs, space, slack=slack)
    clipped = np.clip(designs, low, high).astype(space.dtype)
    return space.canonical(clipped)


def check_bounds(
    source: str, designs: Designs, space: DesignSpace, *, slack: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The least and the largest numbers of a design, (*shape) each, once designs keep to them.

    Args:
        source: The method that they come from, for messages.
        designs: (B, q, *shape), as `checked_designs` returns them.
        space: Whose they are.
        slack: How far beyond a bound numbers may lie.

    Raises:
        ValueError: NaN, or a number out of bounds; names the campaign and the design.
    """
    bounds = space.observation_space(1)
    low, high = bounds.low[0], bounds.high[0]  # (*shape) each
    if space.dtype.kind != "f":
        slack = 0
    inside = (designs >= low - slack) & (designs <= high + slack)  # false for NaN
    if not inside.all():
        campaign, design, *position = (int(i) for i in np.argwhere(~inside)[0])
        place = tuple(position)
        raise ValueError(
            f"{source}: expected numbers from {low[place]:g} to {high[place]:g}, got "
            f"{designs[campaign, design][place]} in campaign {campaign}, design {design}; "
            "numpy.clip keeps numbers within bounds, and design_space.observation_space(1) has them"
        )
    return low, high
