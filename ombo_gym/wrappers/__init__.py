"""What libraries and networks like to see and to act on; each wraps one campaign or B.

`FlatActions(env)` of a `gymnasium.vector.VectorEnv` is a vector wrapper, and a wrapper otherwise.
"""

from ombo_gym.wrappers.flat_actions import FlatActions
from ombo_gym.wrappers.flat_observation import FlatObservation
from ombo_gym.wrappers.standardize_measurements import StandardizeMeasurements

__all__ = ["FlatActions", "FlatObservation", "StandardizeMeasurements"]
