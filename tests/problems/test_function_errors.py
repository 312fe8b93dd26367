"""Campaigns for a Python function: what is refused, and what errors say."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

import ombo_gym
from tests.problems.own_functions import BOX, Spy, valley


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), r"expected numbers, got nan at array\(\[ 2\., 40\.\]\); give a floor"),
        (float("inf"), r"expected finite numbers, got inf at array\(\[ 2\., 40\.\]\)"),
        (None, r"expected a number, got None at array\(\[ 2\., 40\.\]\)"),
        ("3", r"expected a number, got '3'"),
        (np.zeros(2), r"expected a number, got array"),
        (1j, r"expected a number, got 1j"),
        (np.ma.masked, r"expected numbers, got masked ones at array\(\[ 2\., 40\.\]\); give NaN"),
    ],
)
def test_what_is_no_value_is_refused_with_the_design_and_changes_nothing(
    value: Any, message: str
) -> None:
    env = ombo_gym.make_campaign(
        lambda x: value if x.tolist() == [2, 40] else 1.0, BOX, start={"kind": "none"}, horizon=1
    )
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.step(np.zeros((4, 2), np.float32))
    assert env.step(np.ones((4, 2), np.float32))[2], "the round is still to be played"


def test_a_vectorized_objective_must_return_a_value_a_design() -> None:
    env = ombo_gym.make_campaign(lambda x: x, BOX, vectorized=True)
    with pytest.raises(ValueError, match=r"expected an array of shape \(4,\)"):
        env.reset(seed=0)
    masked = ombo_gym.make_campaign(
        lambda x: np.ma.masked_less(x[:, 0], 5), BOX, vectorized=True, floor=0
    )
    with pytest.raises(ValueError, match="expected numbers, got masked ones"):
        masked.reset(seed=0)


def test_exceptions_go_through_with_the_design_and_what_was_computed_is_kept() -> None:
    broken = [True]

    def fails_once(x: np.ndarray) -> float:
        if x[0] == 4 and broken:
            broken.pop()
            raise ConnectionError("the robot is busy")
        return float(x[0])

    spy = Spy(fails_once)
    env = ombo_gym.make_campaign(spy, BOX, start={"kind": "none"}, batch_size=3, horizon=1)
    env.reset(seed=0)
    batch = np.float32([[-1, 0], [0, 0], [1, 0]])
    with pytest.raises(ConnectionError, match="the robot is busy") as caught:
        env.step(batch)
    assert caught.value.__notes__ == ["raised by the objective at array([ 4., 40.])"]
    *_, over, _, info = env.step(batch)
    assert over and info["true_values"].tolist() == [0, 2, 4]
    assert len(spy.seen) == 4, "only the failed one again"


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ([(0, 1), (3, 2)], "finite bounds with low < high"),
        ([(0, np.inf)], "finite bounds"),
        (spaces.Box(-np.inf, np.inf, (2,)), "finite bounds"),
        (spaces.Box(0, 1, (2, 2)), "a Box of one dimension"),
        (spaces.Box(0, 1, (0,)), "a Box of one dimension"),
        (spaces.Box(0, 5, (2,), np.int64), "a MultiDiscrete for whole numbers"),
        (spaces.MultiDiscrete([[2, 2]]), "expected one dimension"),
        (spaces.MultiDiscrete([]), "expected one dimension"),
        ([], "space: expected a gymnasium Box"),
        ({}, "space: expected a gymnasium Box"),
        ("box", "space: expected a gymnasium Box"),
        ({"T": (1, 2, 3)}, r"space: 'T': expected \(low, high\), two numbers, got \(1, 2, 3\)"),
        ({"T": ("a", "b")}, r"space: 'T': expected \(low, high\), two numbers"),
        ({"T": 3}, "space: expected a parameter that is not fixed"),
        ({"T": ["a"]}, "space: 'T': expected at least two choices"),
        ({"T": [np.zeros(2), np.ones(2)]}, "space: 'T': .* got arrays; write them as tuples"),
        ({"T": ["a", "a"]}, "space: 'T': expected each choice once"),
        ({"k": [1e-9, 1e-8, 1], "T": (0, 1)}, "'k': expected numbers that can be told apart"),
    ],
)
def test_what_is_no_space_is_refused(space: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ombo_gym.make_campaign(valley, space)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objective": 3}, "objective: expected a function"),
        ({"optimum": "1"}, "optimum: expected a finite number"),
        ({"floor": np.nan}, "floor: expected a finite number"),
        ({"reference": None}, "reference: expected a finite number"),
        ({"minimise": 1}, "minimise: expected True or False"),
        ({"horizon": 0}, "horizon: expected"),
        ({"num_envs": 0}, "num_envs: expected"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ombo_gym.make_campaign(**{"objective": valley, "space": BOX, **arguments})


@pytest.mark.parametrize("units", [[5, 40], [1], {"a": 1}, ["1", "40"], [[1, 40]]])
def test_a_design_outside_of_the_space_is_refused(units: Any) -> None:
    env = ombo_gym.make_campaign(valley, BOX)
    with pytest.raises(ValueError, match=r"design: (entry 0: )?expected"):
        env.unwrapped.problem.to_design(units)


@pytest.mark.parametrize(
    "arguments", [{"minimize": True}, {"split": "train"}, {"autoreset_mode": "SameStep"}]
)
def test_unknown_arguments_are_named_beside_the_known_ones(arguments: dict[str, Any]) -> None:
    name = next(iter(arguments))
    with pytest.raises(TypeError, match=rf"'batch_size'.*'horizon'.*got \['{name}'\]"):
        ombo_gym.make_campaign(lambda x: 0.0, [(0, 1)], **arguments)
    ombo_gym.make_campaign(lambda x: 0.0, [(0, 1)], num_envs=2, autoreset_mode="SameStep")


@pytest.mark.parametrize(
    ("space", "most"), [(BOX, 251 * 4), (gym.spaces.Discrete(5), 5)], ids=["box", "finite"]
)
def test_an_objective_that_can_never_be_measured_is_called_so_often_and_no_more(
    space: Any, most: int
) -> None:
    calls = []

    def never(design: Any) -> float:
        calls.append(design)
        return np.nan

    env = ombo_gym.make_campaign(never, space, floor=0.0)
    with pytest.raises(RuntimeError, match="no 4 designs that can be measured"):
        env.reset(seed=0)
    assert most / 2 < len(calls) <= most
