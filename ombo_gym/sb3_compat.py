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

from gymnasium import spaces

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
    def renaming_init(self: Any, observation_space: spaces.Dict, *args: Any, **kwargs: Any) -> None:
        renamed = [(_RENAMED.get(key, key), space) for key, space in observation_space.items()]
        init(self, spaces.Dict(renamed), *args, **kwargs)
        self._observation_space = observation_space

    @functools.wraps(forward)
    def renaming_forward(self: Any, observations: dict[str, Any]) -> Any:
        return forward(self, {_RENAMED.get(key, key): x for key, x in observations.items()})

    extractor.__init__, extractor.forward = renaming_init, renaming_forward
    setattr(extractor, _DONE, True)
