"""A control of one's own, whose every answer is looked at before anything uses it."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.action_masks import choices_of
from ombo_gym.actions import SLACK
from ombo_gym.arguments import shown
from ombo_gym.controls.base import Control
from ombo_gym.design_spaces import Designs
from ombo_gym.design_spaces.returned import checked_designs, within_bounds
from ombo_gym.observations import Observation
from ombo_gym.own_code import own_class
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.candidate_posterior import TakeRngs

_ACTIONS = (spaces.Box, spaces.MultiDiscrete, spaces.Discrete)
_FIELDS = (*_ACTIONS, spaces.MultiBinary)


class _View(NamedTuple):
    """What a control returned of B campaigns, and their number."""

    given: Any
    num_campaigns: int


class OwnControl(Control):
    """Plays through a control of one's own, and holds it to the spaces that it has named.

    Whatever else the control has is found here, too.

    Args:
        name: `module:Class`.
        spec: Of the campaigns.

    Raises:
        ValueError: There is no such class, it is no control, it is built with something else than a
            spec, or it lacks a method or a space; says what to write.
    """

    def __init__(self, name: str, spec: CampaignSpec) -> None:
        self._control = _built(name, spec)
        self._name = type(self._control).__name__
        self._design_space, self._batch_size = spec.design_space, spec.batch_size
        self.action_space = _action_space(self._name, self._control)
        self.observation_space = _observation_space(self._name, self._control)

    def __getattr__(self, name: str) -> Any:
        if name == "_control":  # not there yet while it is unpickled
            raise AttributeError(name)
        return getattr(self._control, name)

    @override
    def view(self, observation: Observation, rngs: TakeRngs) -> _View:
        num_campaigns = len(observation["rounds_left"])
        return _View(self._control.view(observation, rngs), num_campaigns)

    @override
    def seen(self, view: _View) -> Observation:
        source, fields = f"{self._name}.seen", self.observation_space
        given: Any = self._control.seen(view.given)
        if not isinstance(given, Mapping) or set(given) != set(fields):
            came = list(given) if isinstance(given, Mapping) else shown(given)
            raise ValueError(
                f"{source}: expected a dict with the fields {list(fields)}, got {came}; its "
                "observation_space says which they are"
            )
        return {
            name: _checked_field(f"{source}: {name!r}", given[name], field, view.num_campaigns)
            for name, field in fields.items()
        }

    @override
    def designs(self, view: _View, actions: NDArray[Any]) -> Designs:
        source, space = f"{self._name}.designs", self._design_space
        given = self._control.designs(view.given, actions)
        designs = checked_designs(source, given, view.num_campaigns, self._batch_size, space)
        return within_bounds(source, designs, space, slack=SLACK)

    @override
    def action_masks(self, view: _View, observation: Observation) -> NDArray[np.bool_]:
        masks: Any = self._control.action_masks(view.given, observation)
        shape = view.num_campaigns, int(choices_of(self.action_space).sum())
        if np.shape(masks) != shape or np.asarray(masks).dtype != bool:
            came = f"shape {np.shape(masks)} of {np.asarray(masks).dtype}"
            raise ValueError(
                f"{self._name}.action_masks: expected truth values of shape (campaigns, choices), "
                f"{shape}, got {came}"
            )
        return np.array(masks)


def _built(name: str, spec: CampaignSpec) -> Control:
    """The control that `module:Class` names, made for the spec."""
    build = own_class("control", name)
    if not isinstance(build, type) or not issubclass(build, Control):
        raise ValueError(
            f"control: {name}: expected a subclass of ombo_gym.Control, got {shown(build)}"
        )
    if lacking := sorted(build.__abstractmethods__):
        raise ValueError(f"control: expected {build.__name__} to define {lacking}, got none")
    try:
        signature(build).bind(spec)
    except TypeError:
        raise ValueError(
            f"control: expected {build.__name__} to be built with a CampaignSpec alone, def "
            f"__init__(self, spec), got {signature(build)}"
        ) from None
    try:
        control: Control = build(spec)  # type: ignore[call-arg]
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(
            f"control: building {build.__name__} raised {type(error).__name__}: {error}"
        ) from error
    return control


def _action_space(name: str, control: Control) -> spaces.Space[Any]:
    """The action space that a control has set."""
    given = getattr(control, "action_space", None)
    if not isinstance(given, _ACTIONS):
        raise ValueError(
            f"control: expected {name} to set action_space, a gymnasium Box, MultiDiscrete or "
            f"Discrete, in __init__, got {'none' if given is None else shown(given)}"
        )
    return given


def _observation_space(name: str, control: Control) -> spaces.Dict:
    """The observation space that a control has set."""
    given = getattr(control, "observation_space", None)
    expected = f"control: expected {name} to set observation_space, a gymnasium Dict of fields,"
    if not isinstance(given, spaces.Dict):
        raise ValueError(f"{expected} in __init__, got {'none' if given is None else shown(given)}")
    for field, space in given.items():
        if not isinstance(space, _FIELDS):
            raise ValueError(
                f"{expected} each a Box, MultiBinary, MultiDiscrete or Discrete, got {field!r}: "
                f"{shown(space)}"
            )
    return given


def _checked_field(
    source: str, given: Any, field: spaces.Space[Any], num_campaigns: int
) -> NDArray[Any]:
    """A field of what is seen of B campaigns as a fresh array, (B, *shape).

    Raises:
        ValueError: It is none of the field's space.
    """
    assert field.shape is not None and field.dtype is not None
    shape = num_campaigns, *field.shape
    expected = f"{source}: expected an array of {field.dtype} of shape {shape}, campaigns first"
    if not isinstance(given, np.ndarray):
        raise ValueError(f"{expected}, got {shown(given)}")
    if given.shape != shape:
        raise ValueError(f"{expected}, got shape {given.shape}")
    if not np.can_cast(given.dtype, field.dtype, "same_kind"):
        raise ValueError(f"{expected}, got an array of {given.dtype}")
    low, high = _bounds(field)
    array = given.astype(field.dtype)  # (B, *shape), the caller's own
    inside = (array >= low) & (array <= high)  # false for NaN
    if not inside.all():
        campaign, *position = (int(i) for i in np.argwhere(~inside)[0])
        at = tuple(position)
        raise ValueError(
            f"{source}: expected numbers from {low[at]} to {high[at]}, got "
            f"{given[campaign][at]} in campaign {campaign}; its observation_space says so"
        )
    return array


def _bounds(field: spaces.Space[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The least and the largest values of a field, (*shape) each."""
    if isinstance(field, spaces.Box):
        return field.low, field.high
    if isinstance(field, spaces.MultiDiscrete):
        return field.start, field.start + field.nvec - 1
    if isinstance(field, spaces.Discrete):
        return np.array(field.start), np.array(field.start + field.n - 1)
    shape = field.shape or ()  # of truth values
    return np.zeros(shape, np.int8), np.ones(shape, np.int8)
