"""Observations of one real campaign, made of what somebody has written down, and its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import as_array, batch_sizes_of_plates, is_whole, members, shown, whole
from ombo_gym.design_spaces.numeric import Integers, Number, Range
from ombo_gym.design_spaces.values import is_number, is_real

if TYPE_CHECKING:
    from ombo_gym.spec import CampaignSpec


def observation_by_hand(
    spec: CampaignSpec,
    designs: Any,
    measurements: Any,
    plates_left: Any,
    from_start: int | None,
) -> dict[str, NDArray[Any]]:
    """What a policy is shown of one real campaign; arguments and errors as `spec.observation`."""
    values = _measurements(measurements)  # (n,)
    n, capacity, shape = len(values), spec.capacity, spec.design_space.shape
    if n > capacity:
        raise ValueError(
            f"measurements: expected at most {capacity}, the start's {spec.start_capacity} and "
            f"what can be proposed, got {n}; start_capacity says how large the start is"
        )
    given = _designs(spec, designs, n)  # (n, *shape)
    plates = _plates_left(spec, plates_left)
    num_from_start = _from_start(spec, n, len(plates), from_start)
    row = np.arange(capacity)[None]  # (1, capacity)
    observation: dict[str, NDArray[Any]] = {
        # Checked in the type that they came in: a smaller one might not hold them.
        "designs": np.zeros((1, capacity, *shape), given.dtype),
        "measurements": np.zeros((1, capacity)),
        "observed": (row < n).astype(np.int8),
        "from_start": (row < num_from_start).astype(np.int8),
        "rounds_left": np.array([[len(plates)]], np.float32),
        "plates": np.zeros((1, spec.horizon), np.float32),
    }
    observation["designs"][0, :n] = given
    observation["measurements"][0, :n] = values
    observation["plates"][0, : len(plates)] = plates
    spec.check_observation(observation)
    dtype = spec.observation_space["designs"].dtype
    observation["designs"] = observation["designs"].astype(dtype)
    return observation


def described_by_hand(spec: CampaignSpec, actions: Any, plate: int | None) -> list[Any]:
    """The designs of an action in the user's units; arguments and errors as `spec.describe`."""
    if plate is not None and not (is_whole(plate) and plate <= spec.batch_size):
        raise ValueError(f"plate: expected from 1 to {spec.batch_size} designs, got {shown(plate)}")
    shape = spec.action_space.shape
    assert shape is not None
    action = as_array(actions)
    several = action.dtype.kind in "iuf" and action.ndim == 1 + len(shape) and action.size > 0
    if not several or len(action) != 1 or action.shape[2:] != shape[1:]:
        remedy = (
            "actions[None] has the leading 1"
            if action.shape == shape
            else "of several campaigns take actions[i : i + 1]"
        )
        raise ValueError(
            f"actions: expected the action of one campaign, numbers of shape {(1, *shape)}, got "
            f"{shown(actions) if action.dtype.kind not in 'iuf' else action.shape}; {remedy}"
        )
    batch = spec.design_space.designs(action)[0]
    return [spec.design_space.describe(design) for design in batch[:plate]]


def _from_start(spec: CampaignSpec, n: int, num_left: int, given: int | None) -> int:
    """How many of n designs are the start: what was said, or what must be."""
    most = min(n, spec.start_capacity)
    if given is not None:
        number = whole("from_start", given, least=0)
        if number > most:
            raise ValueError(
                f"from_start: expected at most {most}, of {n} designs and with a start_capacity of "
                f"{spec.start_capacity}, got {number}"
            )
        return number
    if not num_left:  # whatever a policy answers is for nothing
        return most
    before = spec.horizon - num_left  # rounds, at most
    sizes = (spec.batch_size,) * spec.horizon if spec.plates is None else spec.plates
    least = max(n - sum(sizes[:before]), 0)
    played = num_left < spec.horizons[0] or n > spec.start_capacity
    if played and least < most:  # the start may be smaller than the largest, and wells are lost
        raise ValueError(
            f"from_start: expected how many of the {n} designs are the start, from {least} to "
            f"{most}, since plates were played, got none; give from_start=, and list the start "
            "first"
        )
    return most


def _measurements(given: Any) -> NDArray[np.float64]:
    """Measurements (n,)."""
    if np.ma.is_masked(given):
        raise ValueError("measurements: expected numbers, got masked ones; leave these rows out")
    values = members(given)
    if values is None:
        raise ValueError(
            f"measurements: expected a list of numbers, one for each of the designs, got "
            f"{shown(given)}"
        )
    for number, value in enumerate(values):
        if not is_real(value):
            raise ValueError(
                f"measurements: expected a list of numbers, got {shown(value)} as number {number}; "
                "leave out the rows that are not measured"
            )
    try:
        return np.array(values, np.float64)
    except OverflowError as error:
        raise ValueError(f"measurements: expected finite numbers, got {shown(given)}") from error


def _designs(spec: CampaignSpec, given: Any, n: int) -> NDArray[Any]:
    """Designs (n, *shape): an array of numbers as it is, what stands in a sheet parsed."""
    shape = spec.design_space.shape
    if np.ma.is_masked(given):
        raise ValueError("designs: expected numbers, got masked ones")
    if not isinstance(given, np.ndarray) or given.dtype.kind not in "biufc":
        rows = None if isinstance(given, Mapping) else members(given)
        if rows is None:
            raise ValueError(
                f"designs: expected a list of designs, one for each of the {n} measurements, got "
                f"{shown(given)}"
            )
        given = _parsed(spec, rows)
    if not n and not given.size:  # whatever the shape of nothing
        return np.zeros((0, *shape), np.int8)
    if given.shape != (n, *shape):
        raise ValueError(
            f"designs: expected shape {(n, *shape)}, one for each of the measurements, got "
            f"{given.shape}"
        )
    array: NDArray[Any] = given
    return array


def _parsed(spec: CampaignSpec, designs: Sequence[Any]) -> NDArray[Any]:
    """Designs in the user's units as those of the space, (n, *shape)."""
    parsed = []
    for number, design in enumerate(designs):
        try:
            parsed.append(spec.design_space.parse(design))
        except (ValueError, TypeError) as error:
            remedy = _remedy_of_numbers(spec, design)
            raise ValueError(f"designs: number {number}: {error}{remedy}") from None
    return np.array(parsed)


def _remedy_of_numbers(spec: CampaignSpec, design: Any) -> str:
    """What to do about a number that was measured and that the space does not hold, if that is it.

    What somebody dispensed may lie between steps, or beyond the ends.
    """
    parameters = spec.design_space.parameters
    if parameters is None or not isinstance(design, Mapping):
        return ""
    for name, parameter in parameters.each.items():
        if not isinstance(parameter, Number) or not is_number(value := design.get(name)):
            continue
        try:
            parameter.column(value)
        except ValueError:
            remedy = "a further level"
            if isinstance(parameter, Range):
                remedy = "a wider range or one without a step"
            if isinstance(parameter, Integers):
                remedy = "a wider range, or one of all numbers: (low, high)"
            return f"; correct it or, where {name!r} was that indeed, make the space of {remedy}"
    return ""


def _plates_left(spec: CampaignSpec, given: Any) -> tuple[int, ...]:
    """Sizes of the batches to come: the last ones of the spec's plates, where it has some."""
    sizes = members(given)
    plates = (
        () if sizes is not None and not len(sizes) else batch_sizes_of_plates("plates_left", given)
    )
    if len(plates) > spec.horizon:
        raise ValueError(
            f"plates_left: expected the sizes of at most {spec.horizon} batches, the spec's "
            f"horizon, got {len(plates)}: {shown(list(plates))}"
        )
    if spec.plates is not None and plates != spec.plates[spec.horizon - len(plates) :]:
        raise ValueError(
            f"plates_left: expected the last of the spec's plates {shown(list(spec.plates))}, of "
            f"{len(plates)} {shown(list(spec.plates[spec.horizon - len(plates) :]))}, got "
            f"{shown(list(plates))}; write another spec where plates have changed"
        )
    return plates
