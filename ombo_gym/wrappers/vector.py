"""The wrappers of B campaigns by name, as gymnasium has its own in `gymnasium.wrappers.vector`."""

from ombo_gym.wrappers.flat_actions import FlatVectorActions as FlatActions
from ombo_gym.wrappers.flat_observation import FlatVectorObservation as FlatObservation
from ombo_gym.wrappers.standardize_measurements import (
    StandardizeVectorMeasurements as StandardizeMeasurements,
)

__all__ = ["FlatActions", "FlatObservation", "StandardizeMeasurements"]
