"""Design spaces as people write them down, for functions of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.design_spaces import (
    CategoricalDesigns,
    DesignSpace,
    Parameters,
    design_space_of,
)
from ombo_gym.design_spaces.category_features import check_number_of_categories
from ombo_gym.design_spaces.parameters import Choices, Range
from ombo_gym.design_spaces.scales import warn_of_wide_spans
from ombo_gym.problems.core.checks import numbers

EXPECTED = (
    "a gymnasium Box, Discrete, MultiDiscrete or MultiBinary, a list of (low, high), a dict of "
    "parameters by name, or a design space of ombo_gym"
)


def parse_space(space: Any) -> DesignSpace:
    """Reads a space; its designs in the user's units are what the user's function takes.

    Args:
        space: One of what `EXPECTED` lists.

    Raises:
        ValueError: It is none of that, or not finite.

    Warns:
        UserWarning: Positive numbers span more than 3 decades, and no scale is written.
    """
    if isinstance(space, DesignSpace):
        return space
    if isinstance(space, Parameters) or (isinstance(space, Mapping) and space):
        return design_space_of(space, argument="space")
    if isinstance(space, spaces.Box):
        if len(space.shape) != 1 or 0 in space.shape or space.dtype.kind != "f":
            raise ValueError(
                "space: expected a Box of one dimension and of floats (a MultiDiscrete for whole "
                f"numbers), got {space}"
            )
        return _box(np.stack([_as_typed(space.low), _as_typed(space.high)], axis=1), space)
    if isinstance(space, spaces.Discrete):
        check_number_of_categories("space", [int(space.n)])
        codes = range(int(space.start), int(space.start) + int(space.n))
        return design_space_of(Parameters({"0": Choices(tuple(codes))}, "single"))
    if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        return _whole_numbers(space)
    if isinstance(space, list | tuple | np.ndarray):
        bounds = numbers(space)
        if bounds.ndim == 2 and bounds.shape[1] == 2 and len(bounds):
            return _box(bounds, space)
    raise ValueError(f"space: expected {EXPECTED}; got {shown(space)}")


def _box(bounds: NDArray[np.float64], given: Any) -> DesignSpace:
    """Designs that are arrays, of bounds (d, 2)."""
    if not np.isfinite(bounds).all() or not (bounds[:, 0] < bounds[:, 1]).all():
        raise ValueError(f"space: expected finite bounds with low < high, got {shown(given)}")
    ranges = {str(index): Range(low, high) for index, (low, high) in enumerate(bounds.tolist())}
    designs = design_space_of(Parameters(ranges, "array"))
    warn_of_wide_spans(
        {f"number {index}": ends for index, ends in enumerate(bounds.tolist())},
        argument="space",
        remedy=(
            'write a dict of parameters by name, {"name": {"range": [low, high], "scale": "log"}}, '
            'or "scale": "linear" if differences matter'
        ),
    )
    return designs


def _as_typed(ends: NDArray[Any]) -> NDArray[np.float64]:
    """The ends (d,) of a Box as they were typed: 0.1 is no 0.10000000149, as in its float32."""
    return np.array([float(str(end)) for end in ends])


def _whole_numbers(space: spaces.MultiDiscrete | spaces.MultiBinary) -> DesignSpace:
    """Designs that are arrays of categories; they need no parameters where these count from 0."""
    if len(space.shape) != 1 or 0 in space.shape:
        raise ValueError(f"space: expected one dimension, got {space}")
    if isinstance(space, spaces.MultiBinary):
        return CategoricalDesigns([2] * space.shape[0])
    check_number_of_categories("space", space.nvec.tolist())
    first = np.asarray(getattr(space, "start", np.zeros(space.shape)), np.int64)
    if not first.any():
        return CategoricalDesigns(space.nvec.tolist())
    counted = zip(first.tolist(), space.nvec.tolist(), strict=True)
    choices = {
        str(index): Choices(tuple(range(low, low + n))) for index, (low, n) in enumerate(counted)
    }
    return design_space_of(Parameters(choices, "array"))
