"""Refuses observations of `control="designs"` that no campaign of a spec can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.design_spaces import Designs, DesignSpace, repeated

if TYPE_CHECKING:
    from ombo_gym.spec import CampaignSpec

_FLAGS = ("observed", "from_start")
_NEAR = 1e-9  # relative to the larger: measurements as near are the same


def check_observation(observation: Mapping[str, Any], spec: CampaignSpec) -> None:
    """Refuses what no campaign of a spec can show; what that is, `CampaignSpec` says.

    Args:
        observation: Of B campaigns, with a leading B.
        spec: Of the campaigns.

    Raises:
        ValueError: Says which field, what was expected and what came.
    """
    space = spec.observation_space
    arrays = _arrays(observation, space)
    observed, from_start = arrays["observed"] == 1, arrays["from_start"] == 1  # (B, capacity)
    if _has_gap(observed):
        raise ValueError("observed: expected the rows in use to come first, got a gap")
    if (from_start & ~observed).any() or _has_gap(from_start):
        raise ValueError("from_start: expected the first of the observed rows, got others")
    measured = arrays["measurements"][observed]
    if not (finite := np.isfinite(measured)).all():
        campaign, row = np.argwhere(observed)[~finite][0].tolist()
        raise ValueError(
            f"measurements: expected finite numbers, got {measured[~finite][0]} in row {row} of "
            f"campaign {campaign}; leave out the rows that are not measured"
        )
    for name in ("designs", "measurements"):
        behind = arrays[name][~observed]
        if not (behind == 0).all():  # NaN is no zero
            raise ValueError(f"{name}: expected zeros behind the rows in use, got {behind.max()}")
    _check_designs(arrays["designs"][observed], space["designs"], spec.design_space)
    rounds_left = arrays["rounds_left"][:, 0]  # (B,)
    _check_time(rounds_left, arrays["plates"], spec)
    _check_counts(observed.sum(axis=1), from_start.sum(axis=1), rounds_left, arrays["plates"], spec)
    if not spec.noisy:
        _check_repeats(arrays["designs"], arrays["measurements"], observed)


# --- fields as such -------------------------------------------------------------------------------


def _arrays(observation: Mapping[str, Any], space: spaces.Dict) -> dict[str, NDArray[Any]]:
    """The fields as arrays of numbers of the shapes that they have in B campaigns."""
    if not isinstance(observation, Mapping):
        raise ValueError(f"observation: expected a dict, got {type(observation).__name__}")
    fields: dict[str, Any] = dict(space.spaces)
    if missing := sorted(set(fields) - set(observation)):
        raise ValueError(f"observation: expected the fields {sorted(fields)}, {missing} missing")
    if unknown := sorted(set(observation) - set(fields), key=str):
        raise ValueError(f"observation: expected the fields {sorted(fields)}, got {unknown} too")
    arrays = {name: _array(name, observation[name]) for name in fields}
    rounds_left = arrays["rounds_left"]
    if rounds_left.ndim != 2 or rounds_left.shape[1] != 1:
        raise ValueError(
            "rounds_left: expected shape (B, 1), B campaigns with a leading axis (for one campaign "
            f"B is 1), got {rounds_left.shape}"
        )
    if not len(rounds_left):
        raise ValueError("observation: expected at least one campaign, got none")
    for name, field in fields.items():
        _check_array(name, arrays[name], field, len(rounds_left))
    return arrays


def _array(name: str, given: Any) -> NDArray[Any]:
    if np.ma.is_masked(given):
        raise ValueError(f"{name}: expected numbers, got masked ones")
    try:
        return np.asarray(given)
    except Exception as error:  # objects convert through code of their own; lists may be ragged
        raise ValueError(
            f"{name}: expected an array of numbers, got {type(given).__name__}, which is none "
            f"({error})"
        ) from error


def _check_array(
    name: str, array: NDArray[Any], space: spaces.Space[Any], num_campaigns: int
) -> None:
    assert space.shape is not None and space.dtype is not None
    if array.shape != (num_campaigns, *space.shape):
        raise ValueError(
            f"{name}: expected shape {(num_campaigns, *space.shape)}, got {array.shape}"
        )
    whole = space.dtype.kind == "i"
    kinds = "iub" if name in _FLAGS else "iu" if whole else "iuf"
    if array.dtype.kind not in kinds:
        raise ValueError(f"{name}: expected {'whole ' if whole else ''}numbers, got {array.dtype}")
    if name in _FLAGS and not np.isin(array, (0, 1)).all():
        raise ValueError(f"{name}: expected 0 or 1, got {array[~np.isin(array, (0, 1))][0]}")


def _has_gap(flags: NDArray[np.bool_]) -> bool:
    """Whether flags (B, capacity) are anything but some that are set, then others."""
    return bool((flags[:, 1:] & ~flags[:, :-1]).any())


# --- designs and their values ---------------------------------------------------------------------


def _check_designs(used: Designs, space: Any, design_space: DesignSpace) -> None:
    """Checks observed designs, (n, *shape), against the space that shows them."""
    low, high = space.low[:1], space.high[:1]  # of one row: all are alike
    inside = (used >= low) & (used <= high)  # false for NaN
    if not inside.all():
        odd = used[~inside.all(axis=tuple(range(1, used.ndim)))][0]
        raise ValueError(
            f"designs: expected {space.dtype} from {low.min():g} to {high.max():g}, as actions "
            f"hold them (design_space.parse makes them), got {shown(odd.tolist())}"
        )
    canonical = design_space.canonical(used.astype(design_space.dtype))
    if not (np.abs(canonical - used) <= 1e-6).all():
        odd = used[(np.abs(canonical - used) > 1e-6).any(axis=tuple(range(1, used.ndim)))][0]
        raise ValueError(
            "designs: expected each as `design_space.canonical` writes it, got "
            f"{shown(odd.tolist())}"
        )


def _check_repeats(
    designs: NDArray[Any], measurements: NDArray[Any], observed: NDArray[np.bool_]
) -> None:
    """Without noise a design has one measurement, however often it was measured.

    Args:
        designs: (B, capacity, *shape).
        measurements: (B, capacity).
        observed: (B, capacity).
    """
    for campaign, in_use in enumerate(observed):
        used, values = designs[campaign, in_use], measurements[campaign, in_use]  # (n, ...), (n,)
        if not repeated(used[None]).any():
            continue
        _, first, which = np.unique(used, axis=0, return_index=True, return_inverse=True)
        before = values[first[which.reshape(-1)]]  # (n,) of the first row that holds the design
        apart = np.abs(values - before) > _NEAR * np.maximum(np.abs(values), np.abs(before))
        if apart.any():
            row = int(apart.argmax())
            raise ValueError(
                f"measurements: expected one value for a design that is measured again without "
                f"noise, got {before[row]} and {values[row]} for {shown(used[row].tolist())} in "
                f"row {row} of campaign {campaign}; a spec with noise_std=None says that the noise "
                "is not known"
            )


# --- time -----------------------------------------------------------------------------------------


def _check_time(rounds_left: NDArray[Any], plates: NDArray[Any], spec: CampaignSpec) -> None:
    """Checks rounds left (B,), and the sizes of the batches still to come, (B, N)."""
    horizon, (smallest, largest) = spec.horizon, spec.batch_sizes
    whole = rounds_left == np.round(rounds_left)
    if not ((rounds_left >= 0) & (rounds_left <= horizon) & whole).all():
        raise ValueError(
            f"rounds_left: expected whole numbers from 0 to {horizon}, got "
            f"{shown(rounds_left.tolist())}"
        )
    to_come = np.arange(plates.shape[1]) < rounds_left[:, None]  # (B, N)
    sizes = plates[to_come]
    if not ((sizes >= smallest) & (sizes <= largest) & (sizes == np.round(sizes))).all():
        raise ValueError(
            "plates: expected the sizes of the batches still to come, whole numbers from "
            f"{smallest} to {largest}, as many as rounds_left, got {shown(plates.tolist())}"
        )
    if plates[~to_come].any():
        raise ValueError(
            f"plates: expected zeros behind the rounds that are left, got {shown(plates.tolist())}"
        )
    if spec.plates is None:
        return
    laid_down = np.array(spec.plates)  # (N,)
    for left, row in zip(rounds_left.astype(int).tolist(), plates, strict=True):
        tail = laid_down[horizon - left :]
        told_last = left == 1 and (laid_down == row[0]).any()  # as `as_last_round` shows it
        if not told_last and not (row[:left] == tail).all():
            raise ValueError(
                f"plates: expected the last of the spec's plates {shown(list(spec.plates))}, with "
                f"{left} rounds left {shown(tail.tolist())}, got {shown(row[:left].tolist())}"
            )


def _check_counts(
    num_observed: NDArray[np.int64],
    num_from_start: NDArray[np.int64],
    rounds_left: NDArray[Any],
    plates: NDArray[Any],
    spec: CampaignSpec,
) -> None:
    """No start is larger than the largest, and no more is measured than can have been proposed.

    Args:
        num_observed: (B,) rows in use.
        num_from_start: (B,) of these, the start's.
        rounds_left: (B,).
        plates: (B, N).
        spec: Of the campaigns.
    """
    if (num_from_start > spec.start_capacity).any():
        raise ValueError(
            f"from_start: expected at most {spec.start_capacity} rows, the largest start, got "
            f"{num_from_start.max()}; start_capacity of the spec says how large it is"
        )
    played = spec.horizon - rounds_left.astype(np.int64)  # (B,) rounds before, at most
    if spec.plates is None:
        most = played * spec.batch_size  # (B,)
    else:
        laid_down = np.array(spec.plates)
        # The last plate of that size, if a campaign is shown as if the next round were its last.
        at = [np.flatnonzero(laid_down == row[0]) for row in plates]
        last = np.array([where[-1] if len(where) else 0 for where in at])
        played = np.where(rounds_left == 1, last, played)
        most = np.concatenate([[0], np.cumsum(laid_down)])[played]
    rows = num_observed - num_from_start
    if (rows > most).any():
        campaign = int((rows > most).argmax())
        raise ValueError(
            f"observed: expected at most {most[campaign]} rows behind the start, with "
            f"{int(rounds_left[campaign])} of up to {spec.horizon} rounds left, got "
            f"{rows[campaign]} in campaign {campaign}; from_start says which rows are the start's"
        )
