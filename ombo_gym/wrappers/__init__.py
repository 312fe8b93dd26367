"""What libraries and networks like to see, to act on and to be paid; each wraps one campaign or B.

`FlatActions(env)` of a `gymnasium.vector.VectorEnv` is a vector wrapper, and a wrapper otherwise.
"""

from ombo_gym.wrappers.dense_reward import DenseReward
from ombo_gym.wrappers.flat_actions import FlatActions
from ombo_gym.wrappers.flat_observation import FlatObservation
from ombo_gym.wrappers.one_hot_designs import OneHotDesigns
from ombo_gym.wrappers.score_reward import ScoreReward
from ombo_gym.wrappers.standardize_measurements import StandardizeMeasurements

__all__ = [
    "DenseReward",
    "FlatActions",
    "FlatObservation",
    "OneHotDesigns",
    "ScoreReward",
    "StandardizeMeasurements",
]
