"""Spaces that controls of different campaigns have in common, and how their arrays fit in.

Arrays may differ in how long they are: those of all are padded by zeros to the longest. What they
hold has to be of one kind: as wide, of the same type, with the same choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ombo_gym.action_masks import choices_of
from ombo_gym.arguments import shown
from ombo_gym.controls.base import Control
from ombo_gym.observations import Observation


class CommonSpaces:
    """The spaces of one row that plays now under this control and now under that one.

    Args:
        controls: At least one.
        names: What messages call them.
        argument: What messages say is to be changed.

    Attributes:
        observation_space, action_space: Of one row.

    Raises:
        ValueError: Two of the controls show, or take, what is not of one kind; names them.
    """

    observation_space: spaces.Dict
    action_space: spaces.Space[Any]

    def __init__(self, controls: Sequence[Control], names: Sequence[str], argument: str) -> None:
        first = controls[0]
        self.observation_space, self.action_space = first.observation_space, first.action_space
        for control, name in zip(controls, names, strict=True):
            try:
                self.observation_space = _widest_fields(
                    self.observation_space, control.observation_space
                )
                self.action_space = _longest_actions(self.action_space, control.action_space)
            except _NotOfOneKind as error:
                raise ValueError(
                    f"{argument}: expected tasks of which an agent sees and takes the same, got "
                    f"{error} in {names[0]} and {name}; play them apart, or under the "
                    "controls exploration or candidates, which take all"
                ) from None

    def take_those_of(self, other: CommonSpaces, argument: str) -> None:
        """Takes other spaces instead, which these have to fit into.

        Raises:
            ValueError: They do not.
        """
        try:
            seen = _widest_fields(other.observation_space, self.observation_space)
            taken = _longest_actions(other.action_space, self.action_space)
        except _NotOfOneKind as error:
            raise ValueError(
                f"{argument}: expected tasks of which an agent sees and takes the same as before, "
                f"got {error}; make another environment for them"
            ) from None
        for before, now in ((other.observation_space, seen), (other.action_space, taken)):
            if before != now:
                raise ValueError(
                    f"{argument}: expected tasks that fit into the spaces of the environment, "
                    f"{shown(before)}, got some that take {shown(now)}; make another environment "
                    "for them"
                )
        self.observation_space, self.action_space = seen, taken

    def padded(self, observation: Observation) -> Observation:
        """What a control shows of R campaigns, as long as the row's fields, zeros behind."""
        wide: Observation = {}
        for name, array in observation.items():
            shape = self.observation_space[name].shape
            assert shape is not None
            wide[name] = padded_to(array, shape)
        return wide

    @staticmethod
    def own_actions(control: Control, actions: NDArray[Any]) -> NDArray[Any]:
        """The slots that a control takes of R actions of the row, (R, ...)."""
        shape = control.action_space.shape
        assert shape is not None
        return actions[:, : shape[0]] if shape else actions

    def padded_masks(self, masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Masks (R, own choices) of a control as the row's, (R, choices): others are free."""
        wide = np.ones((len(masks), int(choices_of(self.action_space).sum())), bool)
        wide[:, : masks.shape[1]] = masks
        return wide


class _NotOfOneKind(Exception):
    """Says what differs."""


def padded_to(array: NDArray[Any], shape: tuple[int, ...], fill: float = 0) -> NDArray[Any]:
    """An array (R, n, ...) as (R, *shape), filled up behind its n entries."""
    if array.shape[1:] == shape:
        return array
    wide = np.full((len(array), *shape), fill, array.dtype)
    wide[:, : array.shape[1]] = array
    return wide


def _widest_fields(one: spaces.Dict, other: spaces.Dict) -> spaces.Dict:
    if one.keys() != other.keys():
        raise _NotOfOneKind(f"the fields {sorted(one)} and {sorted(other)}")
    fields = {name: _widest(name, one[name], other[name]) for name in one}
    return spaces.Dict(fields)


def _widest(name: str, one: spaces.Space[Any], other: spaces.Space[Any]) -> spaces.Space[Any]:
    if one == other:
        return one
    kinds = (spaces.Box, spaces.MultiBinary, spaces.MultiDiscrete)
    assert one.shape is not None and other.shape is not None
    alike = type(one) is type(other) and isinstance(one, kinds) and one.dtype == other.dtype
    if not alike or not one.shape or one.shape[1:] != other.shape[1:]:
        raise _NotOfOneKind(f"{name} {shown(one)} and {shown(other)}")
    shape = (max(one.shape[0], other.shape[0]), *one.shape[1:])
    if isinstance(one, spaces.MultiBinary):
        return spaces.MultiBinary(shape[0] if len(shape) == 1 else list(shape))
    if isinstance(one, spaces.Box) and isinstance(other, spaces.Box):
        low = np.minimum(_extended(one.low, shape, 0), _extended(other.low, shape, 0))
        high = np.maximum(_extended(one.high, shape, 0), _extended(other.high, shape, 0))
        return spaces.Box(low, high, shape, one.dtype)
    assert isinstance(one, spaces.MultiDiscrete) and isinstance(other, spaces.MultiDiscrete)
    levels = np.maximum(_extended(one.nvec, shape, 1), _extended(other.nvec, shape, 1))
    return spaces.MultiDiscrete(levels, dtype=one.dtype)


def _extended(array: NDArray[Any], shape: tuple[int, ...], fill: int) -> NDArray[Any]:
    """An array (n, ...) of the given shape, filled up behind."""
    extended: NDArray[Any] = padded_to(array[None], shape, fill)[0]
    return extended


def _longest_actions(one: spaces.Space[Any], other: spaces.Space[Any]) -> spaces.Space[Any]:
    """The longer of two spaces of actions, of which the other is the beginning."""
    if one == other:
        return one
    if isinstance(one, spaces.Box) and isinstance(other, spaces.Box):
        shorter, longer = sorted((one, other), key=lambda space: space.shape[:1])
        n = shorter.shape[0] if shorter.shape else 0
        if (
            shorter.shape[1:] == longer.shape[1:]
            and shorter.dtype == longer.dtype
            and np.array_equal(shorter.low, longer.low[:n])
            and np.array_equal(shorter.high, longer.high[:n])
        ):
            return longer
    if isinstance(one, spaces.MultiDiscrete) and isinstance(other, spaces.MultiDiscrete):
        fewer, more = sorted((one, other), key=lambda space: len(space.nvec))
        if np.array_equal(fewer.nvec, more.nvec[: len(fewer.nvec)]) and one.dtype == other.dtype:
            return more
    raise _NotOfOneKind(f"actions {shown(one)} and {shown(other)}")
