"""What the public contract says of the observations of `control="designs"`."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ombo_gym.env import CampaignEnv

_FIELDS = {  # of an observation: what a space of it is, and of which type where that is laid down
    "designs": (spaces.Box, None),
    "measurements": (spaces.Box, np.float64),
    "observed": (spaces.MultiBinary, np.int8),
    "from_start": (spaces.MultiBinary, np.int8),
    "rounds_left": (spaces.Box, np.float32),
    "plates": (spaces.Box, np.float32),
}


def check_fields(env: CampaignEnv) -> None:
    """The fields of an observation are those of the contract."""
    fields = env.observation_space
    assert isinstance(fields, spaces.Dict) and set(fields) == set(_FIELDS), (
        f"observation: expected {sorted(_FIELDS)}, got {fields}"
    )
    for name, (kind, dtype) in _FIELDS.items():
        field = fields[name]
        assert isinstance(field, kind) and dtype in (None, field.dtype), (
            f"{name}: expected {kind.__name__} of {dtype}, got {field}"
        )
    designs, space = fields["designs"], env.design_space
    assert designs.shape is not None and designs.dtype is not None
    assert designs.shape[1:] == space.shape and designs.dtype.kind == space.dtype.kind
    if designs.dtype.kind == "i":  # the smallest that holds them
        low, high = int(designs.low.min()), int(designs.high.max())  # type: ignore[attr-defined]
        smaller = [d for d in (np.int8, np.int16, np.int32) if np.iinfo(d).max >= high]
        expected = np.dtype(smaller[0] if smaller else np.int64)
        assert low == 0 and designs.dtype == expected, f"designs: {expected}, got {designs}"


def rows_in_use(env: CampaignEnv, observation: dict[str, NDArray[Any]], where: str) -> int:
    """An observation is in its space, finite, and zero behind the rows in use; says how many."""
    assert observation in env.observation_space, (
        f"{where}: expected {env.observation_space}, got {observation}"
    )
    for name, array in observation.items():
        field = env.observation_space[name]  # type: ignore[index]
        assert (array.dtype, array.shape) == (field.dtype, field.shape), f"{where}: {name}"
        assert np.isfinite(array).all(), f"{where}: {name}: expected numbers, got {array}"
    n = int(observation["observed"].sum())
    for name in ("observed", "designs", "measurements"):
        assert not observation[name][n:].any(), f"{where}: {name}: expected zeros from {n} on"
    return n


def check_counts(observation: dict[str, NDArray[Any]], start: int, where: str) -> None:
    """What is the start's, and the sizes of the batches to come."""
    expected = np.arange(len(observation["observed"])) < start
    assert (observation["from_start"] == expected).all(), (
        f"{where}: from_start: expected the first {start}"
    )
    rounds_left, plates = int(observation["rounds_left"][0]), observation["plates"]
    assert (plates[:rounds_left] >= 1).all() and not plates[rounds_left:].any(), (
        f"{where}: plates: expected {rounds_left} sizes and zeros behind, got {plates}"
    )


def check_round(
    before: dict[str, NDArray[Any]], after: dict[str, NDArray[Any]], info: Any, where: str
) -> None:
    """A round adds a plate to the dataset and leaves the rest as it was."""
    n, q = int(before["observed"].sum()), int(before["plates"][0])
    added = int(after["observed"].sum()) - n
    assert added == q - info["wasted"], f"{where}: expected {q} - {info['wasted']} rows, {added}"
    for name in ("designs", "measurements"):
        np.testing.assert_array_equal(after[name][:n], before[name][:n], err_msg=where)
    assert after["rounds_left"][0] == before["rounds_left"][0] - 1
    np.testing.assert_array_equal(after["plates"][:-1], before["plates"][1:], err_msg=where)
