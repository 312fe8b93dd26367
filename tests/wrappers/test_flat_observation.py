"""Flat observations hold what gymnasium's do, in float32."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from ombo_gym.wrappers import FlatObservation, StandardizeMeasurements
from ombo_gym.wrappers.base import batch_of
from ombo_gym.wrappers.flat_observation import Flattening
from ombo_gym.wrappers.standardize_measurements import Standardization
from tests.wrappers.cases import KINDS, make


@pytest.mark.parametrize("control", ["designs", "candidates", "exploration"])
@pytest.mark.parametrize("kind", KINDS)
def test_fields_stand_as_gymnasium_puts_them(kind: str, control: str) -> None:
    env = make(kind, control=control, horizon=2)
    flat = FlatObservation(env)
    space = flat.observation_space
    assert isinstance(space, spaces.Box) and space.dtype == np.float32
    flat.action_space.seed(0)
    for seen in (flat.reset(seed=0)[0], flat.step(flat.action_space.sample())[0]):
        assert seen in space and seen.flags.writeable
    observation = env.reset(seed=0)[0]
    expected = spaces.flatten(env.observation_space, observation)
    np.testing.assert_allclose(flat.reset(seed=0)[0], expected, rtol=1e-6)
    bounds = spaces.flatten_space(env.observation_space)
    np.testing.assert_array_equal(space.low, bounds.low)
    np.testing.assert_array_equal(space.high, bounds.high)


def test_measurements_that_float32_cannot_hold_are_refused_unless_standardized() -> None:
    env = make("box")
    standardized = StandardizeMeasurements(env)
    huge = batch_of([env.reset(seed=0)[0]])
    huge["measurements"] *= 1e200
    with pytest.raises(ValueError, match="StandardizeMeasurements before FlatObservation"):
        Flattening(env.observation_space)(huge)
    seen, _ = Standardization(env.observation_space, 10.0)(huge)
    flat, _ = Flattening(standardized.observation_space)(seen)
    assert np.isfinite(flat).all() and np.ptp(flat) > 1


def test_standardized_campaigns_have_finite_bounds() -> None:
    for kind in KINDS:
        space = FlatObservation(StandardizeMeasurements(make(kind))).observation_space
        assert space.is_bounded(), kind


def test_what_cannot_be_flat_is_refused() -> None:
    class Tuples(gym.ObservationWrapper):
        def __init__(self, env: gym.Env) -> None:
            super().__init__(env)
            self.observation_space = spaces.Tuple([spaces.Discrete(2)])

    with pytest.raises(TypeError, match="observation: expected a Box or MultiBinary"):
        FlatObservation(Tuples(make("box")))
