"""Observations of `control="designs"`: refused where they cannot be, told less, computed with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ombo_gym.spec import CampaignSpec

Observation = dict[str, NDArray[Any]]

_FLAGS = ("observed", "from_start")


def as_last_round(observation: Observation) -> Observation:
    """The same as if the round were the last: of the plates to come only the next, nothing else."""
    told = {**observation, "rounds_left": np.ones_like(observation["rounds_left"])}
    if "plates" in observation:
        told["plates"] = observation["plates"].copy()
        told["plates"][..., 1:] = 0
    return told


def computable(spec: CampaignSpec, observation: Observation) -> Observation:
    """The same with designs in the type that they are computed with: small integers overflow."""
    dtype = spec.design_space.dtype
    if observation["designs"].dtype == dtype:
        return observation
    return {**observation, "designs": observation["designs"].astype(dtype)}


def next_plates(spec: CampaignSpec, observation: Observation) -> NDArray[np.int64]:
    """Designs of each campaign's next batch, (B,); the largest where the campaign is over."""
    sizes = observation["plates"][:, 0].astype(np.int64)
    return np.where(sizes > 0, sizes, spec.batch_size)


def check_observation(spec: CampaignSpec, observation: Mapping[str, Any]) -> None:
    """See `CampaignSpec.check_observation`."""
    if not isinstance(observation, Mapping):
        raise ValueError(f"observation: expected a dict, got {type(observation).__name__}")
    fields: dict[str, Any] = dict(spec.observation_space.spaces)
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
    rows = len(rounds_left)
    for name, space in fields.items():
        _check_array(name, arrays[name], space, rows)
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
    _check_designs(spec, arrays["designs"], observed)
    _check_time(spec, arrays)


def _has_gap(flags: NDArray[np.bool_]) -> bool:
    """Whether flags (B, capacity) are anything but some that are set, then others."""
    return bool((flags[:, 1:] & ~flags[:, :-1]).any())


def _check_array(name: str, array: NDArray[Any], space: spaces.Space[Any], rows: int) -> None:
    assert space.shape is not None and space.dtype is not None
    if array.shape != (rows, *space.shape):
        raise ValueError(f"{name}: expected shape {(rows, *space.shape)}, got {array.shape}")
    whole = space.dtype.kind == "i"
    if array.dtype.kind not in ("iub" if whole else "iuf"):
        raise ValueError(f"{name}: expected {'whole ' if whole else ''}numbers, got {array.dtype}")
    if name in _FLAGS and not np.isin(array, (0, 1)).all():
        raise ValueError(f"{name}: expected 0 or 1, got {array[~np.isin(array, (0, 1))][0]}")


def _check_designs(spec: CampaignSpec, designs: NDArray[Any], observed: NDArray[np.bool_]) -> None:
    space: Any = spec.observation_space["designs"]
    low, high = space.low[:1], space.high[:1]  # of one row: all are alike
    used = designs[observed]
    inside = (used >= low) & (used <= high)  # false for NaN
    if not inside.all():
        odd = used[~inside.all(axis=tuple(range(1, used.ndim)))][0]
        raise ValueError(
            f"designs: expected {space.dtype} from {low.min():g} to {high.max():g}, as actions "
            f"hold them (design_space.parse makes them), got {odd.tolist()}"
        )
    canonical = spec.design_space.canonical(used.astype(spec.design_space.dtype))
    if not (np.abs(canonical - used) <= 1e-6).all():
        odd = used[(np.abs(canonical - used) > 1e-6).any(axis=tuple(range(1, used.ndim)))][0]
        raise ValueError(
            f"designs: expected each as `design_space.canonical` writes it, got {odd.tolist()}"
        )


def _check_time(spec: CampaignSpec, arrays: dict[str, NDArray[Any]]) -> None:
    left, plates = arrays["rounds_left"][:, 0], arrays["plates"]
    if not ((left >= 0) & (left <= spec.horizon) & (left == np.round(left))).all():
        raise ValueError(
            f"rounds_left: expected whole numbers from 0 to {spec.horizon}, got {left.tolist()}"
        )
    to_come = np.arange(plates.shape[1]) < left[:, None]
    sizes = plates[to_come]
    if not ((sizes >= 1) & (sizes <= spec.batch_size) & (sizes == np.round(sizes))).all():
        raise ValueError(
            "plates: expected the sizes of the batches still to come, whole numbers from 1 to "
            f"{spec.batch_size}, as many as rounds_left, got {plates.tolist()}"
        )
    if plates[~to_come].any():
        raise ValueError(
            f"plates: expected zeros behind the rounds that are left, got {plates.tolist()}"
        )
