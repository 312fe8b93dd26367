"""The wrappers of B campaigns by name, as gymnasium has its own in `gymnasium.wrappers.vector`."""

from ombo_gym.wrappers.dense_reward import DenseVectorReward as DenseReward
from ombo_gym.wrappers.flat_actions import FlatVectorActions as FlatActions
from ombo_gym.wrappers.flat_observation import FlatVectorObservation as FlatObservation
from ombo_gym.wrappers.one_hot_designs import OneHotVectorDesigns as OneHotDesigns
from ombo_gym.wrappers.score_reward import ScoreVectorReward as ScoreReward
from ombo_gym.wrappers.standardize_measurements import (
    StandardizeVectorMeasurements as StandardizeMeasurements,
)

__all__ = [
    "DenseReward",
    "FlatActions",
    "FlatObservation",
    "OneHotDesigns",
    "ScoreReward",
    "StandardizeMeasurements",
]
