"""Refuses observations of `control="designs"` that no campaign can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ombo_gym.design_spaces import Designs, DesignSpace

_FLAGS = ("observed", "from_start")


def check_observation(
    observation: Mapping[str, Any],
    space: spaces.Dict,
    design_space: DesignSpace,
    *,
    horizon: int,
    batch_size: int,
) -> None:
    """Refuses what no campaign can show.

    Args:
        observation: Of B campaigns, with a leading B.
        space: Of the observations of one campaign.
        design_space: Where designs live.
        horizon: The largest N.
        batch_size: The largest q.

    Raises:
        ValueError: Says which field, what was expected and what came.
    """
    if not isinstance(observation, Mapping):
        raise ValueError(f"observation: expected a dict, got {type(observation).__name__}")
    fields: dict[str, Any] = dict(space.spaces)
    if missing := sorted(set(fields) - set(observation)):
        raise ValueError(f"observation: expected the fields {sorted(fields)}, {missing} missing")
    if unknown := sorted(set(observation) - set(fields), key=str):
        raise ValueError(f"observation: expected the fields {sorted(fields)}, got {unknown} too")
    arrays = {name: np.asarray(observation[name]) for name in fields}
    rounds_left = arrays["rounds_left"]
    if rounds_left.ndim != 2 or rounds_left.shape[1] != 1:
        raise ValueError(
            "rounds_left: expected shape (B, 1), B campaigns with a leading axis (for one campaign "
            f"B is 1), got {rounds_left.shape}"
        )
    for name, field in fields.items():
        _check_array(name, arrays[name], field, len(rounds_left))
    observed, from_start = arrays["observed"] == 1, arrays["from_start"] == 1
    if _has_gap(observed):
        raise ValueError("observed: expected the rows in use to come first, got a gap")
    if (from_start & ~observed).any() or _has_gap(from_start):
        raise ValueError("from_start: expected the first of the observed rows, got others")
    measured = arrays["measurements"][observed]
    if not (finite := np.isfinite(measured)).all():
        raise ValueError(
            f"measurements: expected finite numbers, got {measured[~finite][0]}; leave out what "
            "was not measured"
        )
    for name in ("designs", "measurements"):
        if (behind := arrays[name][~observed]).any():  # NaN is not 0 either
            raise ValueError(
                f"{name}: expected zeros behind the rows in use, got {behind[behind != 0][0]}"
            )
    _check_designs(arrays["designs"][observed], fields["designs"], design_space)
    _check_time(rounds_left[:, 0], arrays["plates"], horizon, batch_size)


def _has_gap(flags: NDArray[np.bool_]) -> bool:
    """Whether flags (B, capacity) are anything but some that are set, then others."""
    return bool((flags[:, 1:] & ~flags[:, :-1]).any())


def _check_array(
    name: str, array: NDArray[Any], space: spaces.Space[Any], num_campaigns: int
) -> None:
    assert space.shape is not None and space.dtype is not None
    if array.shape != (num_campaigns, *space.shape):
        raise ValueError(
            f"{name}: expected shape {(num_campaigns, *space.shape)}, got {array.shape}"
        )
    whole = space.dtype.kind == "i"
    if array.dtype.kind not in ("iub" if whole else "iuf"):
        raise ValueError(f"{name}: expected {'whole ' if whole else ''}numbers, got {array.dtype}")
    if name in _FLAGS and not np.isin(array, (0, 1)).all():
        raise ValueError(f"{name}: expected 0 or 1, got {array[~np.isin(array, (0, 1))][0]}")


def _check_designs(used: Designs, space: Any, design_space: DesignSpace) -> None:
    """Checks observed designs, (n, *shape), against the space that shows them."""
    low, high = space.low[:1], space.high[:1]  # of one row: all are alike
    inside = (used >= low) & (used <= high)  # false for NaN
    if not inside.all():
        odd = used[~inside.all(axis=tuple(range(1, used.ndim)))][0]
        raise ValueError(
            f"designs: expected {space.dtype} from {low.min():g} to {high.max():g}, as actions "
            f"hold them (design_space.parse makes them), got {odd.tolist()}"
        )
    canonical = design_space.canonical(used.astype(design_space.dtype))
    if not (np.abs(canonical - used) <= 1e-6).all():
        odd = used[(np.abs(canonical - used) > 1e-6).any(axis=tuple(range(1, used.ndim)))][0]
        raise ValueError(
            f"designs: expected each as `design_space.canonical` writes it, got {odd.tolist()}"
        )


def _check_time(
    rounds_left: NDArray[Any], plates: NDArray[Any], horizon: int, batch_size: int
) -> None:
    """Checks rounds left (B,), and the sizes of the batches still to come, (B, N)."""
    whole = rounds_left == np.round(rounds_left)
    if not ((rounds_left >= 0) & (rounds_left <= horizon) & whole).all():
        raise ValueError(
            f"rounds_left: expected whole numbers from 0 to {horizon}, got {rounds_left.tolist()}"
        )
    to_come = np.arange(plates.shape[1]) < rounds_left[:, None]
    sizes = plates[to_come]
    if not ((sizes >= 1) & (sizes <= batch_size) & (sizes == np.round(sizes))).all():
        raise ValueError(
            "plates: expected the sizes of the batches still to come, whole numbers from 1 to "
            f"{batch_size}, as many as rounds_left, got {plates.tolist()}"
        )
    if plates[~to_come].any():
        raise ValueError(
            f"plates: expected zeros behind the rounds that are left, got {plates.tolist()}"
        )
