"""The observation as one vector, for libraries without dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.wrappers.base import (
    AnyEnv,
    AnyVectorEnv,
    Infos,
    ObservationMap,
    ObservationMapVectorWrapper,
    ObservationMapWrapper,
    OneOrMany,
)


class Flattening(ObservationMap):
    """Fields one after the other, by name, as float32.

    Args:
        space: A `Box`, or a `Dict` of `Box` and `MultiBinary` fields.

    Raises:
        TypeError: Another kind of space.
    """

    def __init__(self, space: spaces.Space[Any]) -> None:
        fields = space.spaces if isinstance(space, spaces.Dict) else {"observation": space}
        lows, highs = [], []
        for name, field in fields.items():
            if isinstance(field, spaces.MultiBinary):
                lows.append(np.zeros(field.shape).ravel())
                highs.append(np.ones(field.shape).ravel())
            elif isinstance(field, spaces.Box):
                lows.append(field.low.ravel())
                highs.append(field.high.ravel())
            else:
                raise TypeError(f"{name}: expected a Box or MultiBinary to make flat, got {field}")
        low, high = np.concatenate(lows), np.concatenate(highs)
        self._names = list(fields)
        self.space = spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)

    @override
    def __call__(self, observation: Any) -> tuple[NDArray[np.float32], Infos]:
        if not isinstance(observation, Mapping):
            observation = {self._names[0]: observation}
        parts = [observation[name].reshape(len(observation[name]), -1) for name in self._names]
        with np.errstate(over="ignore"):
            flat = np.concatenate(parts, axis=1, dtype=np.float32)  # (B, numbers)
        if not np.isfinite(flat).all():
            raise ValueError(
                "observation: expected numbers that float32 holds, got larger ones; wrap the "
                "environment in StandardizeMeasurements before FlatObservation"
            )
        return flat, {}


class FlatVectorObservation(ObservationMapVectorWrapper):
    """`FlatObservation` for B campaigns.

    Args:
        env: B campaigns.
    """

    def __init__(self, env: AnyVectorEnv) -> None:
        super().__init__(env, Flattening(env.single_observation_space))


class FlatObservation(OneOrMany, ObservationMapWrapper, RecordConstructorArgs):
    """Shows the observation as one vector, `Box` float32 (numbers,).

    Fields stand one after the other in the order of their names, as in gymnasium's
    `FlattenObservation`; which makes float64 of it, and leaves the last observations of a vector
    environment as they were under `autoreset_mode="SameStep"`. Measurements in the problem's units
    stay unbounded: `StandardizeMeasurements` before it gives every number finite bounds.

    Args:
        env: One campaign; of B campaigns, the vector wrapper of the same name is made.

    Raises:
        TypeError: An observation that is neither a `Box` nor a `Dict` of boxes and binaries.
        ValueError: A measurement that float32 cannot hold, when it is observed.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> from ombo_gym.wrappers import FlatObservation, StandardizeMeasurements
        >>> env = FlatObservation(StandardizeMeasurements(gym.make("Ombo/GP-v0")))
        >>> env.observation_space.shape
        (127,)
    """

    vector_wrapper = FlatVectorObservation

    def __init__(self, env: AnyEnv) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env, Flattening(env.observation_space))
