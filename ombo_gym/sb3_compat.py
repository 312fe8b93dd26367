"""Lets stable-baselines3's `MultiInputPolicy` take an observation with a field called `values`.

Its `CombinedExtractor` keeps one module per field in a torch `ModuleDict`, which refuses any name
that is also a method of dictionaries, `values` among them (KeyError: "attribute 'values' already
exists"). Nothing is imported here: only where the user has loaded stable-baselines3 is the one
class taught to call that module by another name.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from gymnasium import spaces as gym_spaces

_MODULE = "stable_baselines3.common.torch_layers"
_RENAMED = {"values": "values_"}
_DONE = "_ombo_gym_renames_fields"


def allow_field_named_values() -> None:
    """Teaches a loaded stable-baselines3 once; does nothing where it is not loaded."""
    layers = sys.modules.get(_MODULE)
    extractor: Any = getattr(layers, "CombinedExtractor", None)
    if extractor is None or hasattr(extractor, _DONE):
        return
    init, forward = extractor.__init__, extractor.forward

    @functools.wraps(init)
    def renaming_init(
        self: Any, observation_space: gym_spaces.Dict, *args: Any, **kwargs: Any
    ) -> None:
        renamed = [(_RENAMED.get(key, key), space) for key, space in observation_space.items()]
        init(self, gym_spaces.Dict(renamed), *args, **kwargs)
        self._observation_space = observation_space

    @functools.wraps(forward)
    def renaming_forward(self: Any, observations: dict[str, Any]) -> Any:
        return forward(self, {_RENAMED.get(key, key): x for key, x in observations.items()})

    extractor.__init__, extractor.forward = renaming_init, renaming_forward
    setattr(extractor, _DONE, True)


class DatasetSpace(gym_spaces.Dict):
    """The `Dict` of a dataset's fields; whoever looks into it or unpickles it can train on it."""

    @property
    def spaces(self) -> dict[str, gym_spaces.Space[Any]]:
        """The fields; asking for them prepares stable-baselines3, where that is loaded."""
        allow_field_named_values()
        return self._fields

    @spaces.setter
    def spaces(self, fields: dict[str, gym_spaces.Space[Any]]) -> None:
        self._fields = fields

    def __setstate__(self, state: Any) -> None:
        """Unpickles, for instance inside a model that stable-baselines3 has saved."""
        super().__setstate__(state)
        allow_field_named_values()
