"""Measurements in units of their own campaign, so that networks can learn across problems."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.arguments import shown
from ombo_gym.design_spaces.values import is_number
from ombo_gym.wrappers.base import (
    AnyEnv,
    AnyVectorEnv,
    Infos,
    ObservationMap,
    ObservationMapVectorWrapper,
    ObservationMapWrapper,
    OneOrMany,
)

LIMIT = 10.0  # standard deviations

_ROUNDING = 8 * np.finfo(np.float64).eps  # what differs by less, beside the largest, is alike


class Standardization(ObservationMap):
    """Measurements minus their mean over their standard deviation, campaign by campaign.

    Args:
        space: Of one campaign's observations.
        limit: Measurements further from the mean are shown at so many standard deviations.

    Raises:
        ValueError: There are no measurements in the observation, or a limit that is none.
    """

    def __init__(self, space: spaces.Space[Any], limit: float) -> None:
        fields = dict(space.spaces) if isinstance(space, spaces.Dict) else {}
        if not {"measurements", "observed"} <= set(fields):
            raise ValueError(
                "env: expected observations with measurements, as control='designs' has them, in a "
                f"Dict (put FlatObservation around StandardizeMeasurements), got {shown(space)}"
            )
        if not is_number(limit) or not 0 < limit < np.inf:
            raise ValueError(f"limit: expected a finite number above 0, got {shown(limit)}")
        self._limit = float(limit)
        shape = fields["measurements"].shape
        fields["measurements"] = spaces.Box(-self._limit, self._limit, shape, np.float32)
        fields["best_measurement"] = spaces.Box(-self._limit, self._limit, (1,), np.float32)
        self.space = spaces.Dict(fields)

    @override
    def __call__(self, observation: Any) -> tuple[dict[str, NDArray[Any]], Infos]:
        observed = observation["observed"] == 1  # (B, capacity)
        standardized, mean, sd = standardize(observation["measurements"], observed)
        clipped = standardized.clip(-self._limit, self._limit)  # (B, capacity)
        best = np.where(observed, clipped, -np.inf).max(axis=1)  # (B,)
        best = np.where(observed.any(axis=1), best, 0.0)
        seen = {
            **observation,
            "measurements": clipped.astype(np.float32),
            "best_measurement": best[:, None].astype(np.float32),
        }
        return seen, {"measurement_mean": mean, "measurement_sd": sd}


def standardize(
    measurements: NDArray[np.float64], observed: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Measurements of B campaigns, each in standard deviations from the mean of the campaign's own.

    Args:
        measurements: (B, capacity).
        observed: (B, capacity) which of them are in use.

    Returns:
        The standardised ones, (B, capacity), 0 where not in use or where all are alike; means and
        standard deviations, (B,) each, in the units of the measurements: 0 and 1 without any, and a
        deviation of 1 where all are alike.
    """
    count = np.maximum(observed.sum(axis=1), 1)  # (B,)
    used = np.where(observed, measurements, 0.0)
    largest = np.abs(used).max(axis=1)  # (B,)
    unit = np.where(largest > 0, largest, 1.0)
    scaled = used / unit[:, None]  # no square of it overflows or vanishes
    first = np.take_along_axis(scaled, observed.argmax(axis=1)[:, None], axis=1)  # (B, 1)
    centred = np.where(observed, scaled - first, 0.0)  # exactly 0 where all are alike
    middle = centred.sum(axis=1) / count
    deviations = np.where(observed, centred - middle[:, None], 0.0)
    sd = np.sqrt((deviations**2).sum(axis=1) / count)
    alike = sd <= _ROUNDING
    standardized = np.where(alike[:, None], 0.0, deviations / np.where(alike, 1.0, sd)[:, None])
    return standardized, (middle + first[:, 0]) * unit, np.where(alike, 1.0, sd * unit)


class StandardizeVectorMeasurements(ObservationMapVectorWrapper):
    """`StandardizeMeasurements` for B campaigns.

    Args:
        env: B campaigns.
        limit: Measurements further from the mean are shown at so many standard deviations.
    """

    def __init__(self, env: AnyVectorEnv, *, limit: float = LIMIT) -> None:
        super().__init__(env, Standardization(env.single_observation_space, limit))


class StandardizeMeasurements(OneOrMany, ObservationMapWrapper, RecordConstructorArgs):
    """Shows measurements in standard deviations from the mean of the campaign's own.

    Raw measurements are in the problem's units: from -1e10 to 1e4 over the problems of this
    package. `measurements` becomes float32 within the limit, zero-padded as before; those that are
    all alike are 0. New is `best_measurement` (1,) float32, the best so far in the same units, 0
    without any. The info holds `measurement_mean` and `measurement_sd`, in the problem's units, so
    that the way back is there. Rewards stay as they are.

    Args:
        env: One campaign with `control="designs"`; of B campaigns, the vector wrapper of the same
            name is made.
        limit: Measurements further from the mean are shown at so many standard deviations.

    Raises:
        ValueError: An observation without measurements, or a limit that is none.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> from ombo_gym.wrappers import StandardizeMeasurements
        >>> env = StandardizeMeasurements(gym.make("Ombo/GP-v0"))
        >>> observation, info = env.reset(seed=0)
        >>> best = observation["best_measurement"] * info["measurement_sd"]
        >>> best += info["measurement_mean"]  # in the problem's units
    """

    vector_wrapper = StandardizeVectorMeasurements

    def __init__(self, env: AnyEnv, *, limit: float = LIMIT) -> None:
        RecordConstructorArgs.__init__(self, limit=limit)
        super().__init__(env, Standardization(env.observation_space, limit))
