"""Measurements in standard deviations, against numpy's, for whatever problems measure."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import RescaleObservation
from hypothesis import given, settings
from hypothesis import strategies as st

import ombo_gym
from ombo_gym.wrappers import FlatObservation, StandardizeMeasurements
from ombo_gym.wrappers.standardize_measurements import standardize
from tests.wrappers.cases import make

BOUNDS = {"x": (0.0, 1.0)}


def played(objective: Any, rounds: int = 2, **arguments: Any) -> tuple[Any, Any, Any]:
    """The last observation, raw and standardised, and the last info."""
    raw = ombo_gym.make_campaign(objective, BOUNDS, horizon=rounds, **arguments)
    env = StandardizeMeasurements(raw)
    env.action_space.seed(0)
    observation, info = env.reset(seed=1)
    for _ in range(rounds):
        observation, *_, info = env.step(env.action_space.sample())
    return raw.campaigns.observation(), observation, info


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e10])
@pytest.mark.parametrize("shift", [0.0, -9.4e9])
def test_they_are_those_of_numpy_and_the_way_back_is_there(scale: float, shift: float) -> None:
    raw, shown, info = played(lambda design: shift + scale * np.sin(20 * design["x"]))
    n = int(raw["observed"].sum())
    measured = raw["measurements"][0, :n]
    if scale < 1e-6 and shift:  # all alike, beside how large they are
        np.testing.assert_array_equal(shown["measurements"], 0)
        assert info["measurement_sd"] == 1
        return
    expected = (measured - measured.mean()) / measured.std()
    np.testing.assert_allclose(shown["measurements"][:n], expected, rtol=1e-5, atol=1e-5)
    assert not shown["measurements"][n:].any()
    back = shown["measurements"][:n] * info["measurement_sd"] + info["measurement_mean"]
    np.testing.assert_allclose(back, measured, atol=1e-5 * measured.std())
    assert shown["best_measurement"].shape == (1,)
    assert shown["best_measurement"][0] == shown["measurements"][:n].max()


def test_one_measurement_and_equal_ones_are_zero_and_none_are_too() -> None:
    for objective in (lambda design: 0.1 + 0.2, lambda design: -1e37):
        _, shown, info = played(objective)
        assert not shown["measurements"].any() and not shown["best_measurement"].any()
        assert info["measurement_sd"] == 1 and info["measurement_mean"] == objective({})
    env = StandardizeMeasurements(make("box", start={"kind": "none"}))
    observation, info = env.reset(seed=0)
    assert not observation["measurements"].any() and not observation["best_measurement"].any()
    assert (info["measurement_mean"], info["measurement_sd"]) == (0, 1)


def test_an_outlier_stays_within_the_limit() -> None:
    values = np.zeros((1, 1000))
    values[0, 7] = 1e300
    standardized, _, _ = standardize(values, np.ones(values.shape, bool))
    assert standardized.max() > 30
    env = StandardizeMeasurements(make("box"), limit=2.0)
    space = env.observation_space
    env.action_space.seed(0)
    observations = [env.reset(seed=0)[0]] + [env.step(env.action_space.sample())[0]] * 3
    assert all(observation in space for observation in observations)
    assert space["measurements"].high.max() == 2 and space["measurements"].dtype == np.float32


@given(
    st.lists(st.floats(-1e300, 1e300), min_size=0, max_size=12),
    st.lists(st.floats(-1e300, 1e300), min_size=0, max_size=12),
)
@settings(max_examples=60)
def test_any_numbers_are_finite_and_a_row_does_not_see_the_others(
    first: list[float], second: list[float]
) -> None:
    capacity = 12
    measurements, observed = np.zeros((2, capacity)), np.zeros((2, capacity), bool)
    for row, values in enumerate((first, second)):
        measurements[row, : len(values)] = values
        observed[row, : len(values)] = True
    standardized, mean, sd = standardize(measurements, observed)
    assert np.isfinite(standardized).all() and np.isfinite(mean).all() and (sd > 0).all()
    assert (abs(standardized) <= np.sqrt(capacity)).all()
    for row in range(2):
        alone = standardize(measurements[row : row + 1], observed[row : row + 1])
        for batched, single in zip((standardized, mean, sd), alone, strict=True):
            np.testing.assert_array_equal(batched[row], single[0])
    if len(first) > 1:
        order = np.argsort(first, kind="stable")
        assert (np.diff(standardized[0][order]) >= 0).all()


def test_flat_and_rescaled_measurements_are_told_apart() -> None:
    """gymnasium's `RescaleObservation` wants finite bounds, which raw measurements have not."""
    raw = FlatObservation(make("box"))
    with pytest.raises((ValueError, AssertionError)):  # an assertion up to gymnasium 1.2
        RescaleObservation(raw, -1.0, 1.0)
    with pytest.raises((ValueError, AssertionError)):  # an assertion up to gymnasium 1.2
        RescaleObservation(gym.wrappers.FlattenObservation(make("box")), -1.0, 1.0)
    flattened = FlatObservation(StandardizeMeasurements(make("box")))
    env = RescaleObservation(flattened, np.float32(-1), np.float32(1))
    standardized = StandardizeMeasurements(make("box"))
    flat, seen = env.reset(seed=0)[0], standardized.reset(seed=0)[0]
    assert flat in env.observation_space
    n = int(seen["observed"].sum())
    fields = list(standardized.observation_space.spaces)
    sizes = [int(np.prod(standardized.observation_space[name].shape)) for name in fields]
    first = sum(sizes[: fields.index("measurements")])
    measurements = flat[first : first + n]
    np.testing.assert_allclose(measurements, seen["measurements"][:n] / 10, atol=1e-6)
    assert np.ptp(measurements) > 0.1


@pytest.mark.parametrize("control", ["exploration", "candidates"])
def test_what_has_no_measurements_is_refused(control: str) -> None:
    with pytest.raises(ValueError, match="measurements, as control='designs' has them"):
        StandardizeMeasurements(make("box", control=control))


@pytest.mark.parametrize("limit", [0, -1.0, np.inf, np.nan, True])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(ValueError, match="limit: expected a finite number above 0"):
        StandardizeMeasurements(make("box"), limit=limit)


def test_a_flat_observation_is_refused_in_a_line_with_what_to_do() -> None:
    flat = FlatObservation(gym.make("Ombo/PBO-v0"))  # of hundreds of bounds
    with pytest.raises(ValueError, match="put FlatObservation around Standard") as found:
        StandardizeMeasurements(flat)
    assert len(str(found.value)) < 400
