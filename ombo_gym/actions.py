"""Checks every action before it touches a campaign."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

SLACK = 1e-6  # beyond the bounds of a Box, which wrappers that rescale come to; clipped


class ActionCheck:
    """Turns what an agent hands over into an array of the space's dtype and shape, or raises.

    Accepted: what NumPy casts "same_kind" to the dtype, of exactly the shape, within the bounds (of
    a Box, up to 1e-6 beyond, and clipped then).
    Booleans are refused although NumPy would cast them, because they are never meant as designs.

    Args:
        space: A `Box`, `MultiDiscrete` or `Discrete` action space of one campaign.
        num_campaigns: None for one action, or B for a batch of actions.
        source: What hands it over, with which messages begin.
    """

    def __init__(
        self,
        space: spaces.Space[Any],
        num_campaigns: int | None = None,
        *,
        source: str = "action",
    ) -> None:
        self._source = source
        if isinstance(space, spaces.MultiDiscrete):
            self._low, self._high = space.start, space.start + space.nvec - 1
            self._lowest, self._highest = self._low, self._high
        elif isinstance(space, spaces.Discrete):
            self._low, self._high = space.start, space.start + space.n - 1
            self._lowest, self._highest = self._low, self._high
        elif isinstance(space, spaces.Box):
            self._low, self._high = space.low, space.high
            # In float64: what is 1e-6 beyond 1 is no number of float32.
            self._lowest = self._low.astype(np.float64) - SLACK
            self._highest = self._high.astype(np.float64) + SLACK
        else:
            raise TypeError(f"space: expected a Box, MultiDiscrete or Discrete, got {space!r}")
        assert space.dtype is not None and space.shape is not None
        self._dtype = np.dtype(space.dtype)
        self._shape = space.shape if num_campaigns is None else (num_campaigns, *space.shape)
        self._kinds = "iu" if self._dtype.kind == "i" else "fiu"

    def _expected(self) -> str:
        """What a message begins with."""
        low, high = np.min(self._low), np.max(self._high)
        values = f"{self._dtype} values of shape {self._shape}"
        return f"{self._source}: expected {values} from {low} to {high}"

    def __call__(self, action: Any) -> NDArray[Any]:
        """Returns the checked action as an array.

        Raises:
            ValueError: Says what was expected and what came.
        """
        try:
            array = np.asarray(action)
        except Exception as error:
            # Objects convert through code of their own, which may raise anything at all.
            raise ValueError(
                f"{self._expected()}, got {type(action).__name__}, "
                f"which is no array ({type(error).__name__})"
            ) from error
        if array.dtype.kind not in self._kinds:
            units = "; design_space.parse and .actions of the spec make one of designs in units"
            remedy = units if array.dtype == object and self._source == "action" else ""
            raise ValueError(f"{self._expected()}, got dtype {array.dtype}{remedy}")
        if isinstance(action, np.ma.MaskedArray) and np.ma.is_masked(action):
            raise ValueError(f"{self._expected()}, got an array with masked entries")
        if array.shape != self._shape:
            raise ValueError(f"{self._expected()}, got shape {array.shape}")
        if ((array >= self._low) & (array <= self._high)).all():
            return array.astype(self._dtype)
        inside = (array >= self._lowest) & (array <= self._highest)  # false for NaN
        if not inside.all():
            index = tuple(int(i) for i in np.argwhere(~inside)[0])
            where = f" at index {index}" if index else ""
            raise ValueError(f"{self._expected()}, got {array[index]}{where}")
        clipped: NDArray[Any] = np.clip(array.astype(self._dtype), self._low, self._high)
        return clipped
