"""Campaigns for a Python function: what it is called with, and how often."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers import RecordVideo

import ombo_gym
from ombo_gym.design_spaces import (
    BoxDesigns,
    CandidateDesigns,
    CategoricalDesigns,
    MixedDesigns,
    design_space_of,
    parse_parameters,
)
from ombo_gym.env import CampaignEnv
from ombo_gym.evaluation.replays import _landscape
from ombo_gym.problems.own import function
from ombo_gym.testing import check_rendering
from ombo_gym.vector_env import CampaignVectorEnv
from tests.problems.own_functions import BOX, Spy, play, total, valley


@pytest.mark.parametrize(
    "space",
    [BOX, np.array(BOX), spaces.Box(np.float32([0, 20]), np.float32([4, 60]))],
    ids=["pairs", "array", "Box"],
)
def test_arrays_are_in_the_users_units(space: Any) -> None:
    spy = Spy()
    env = ombo_gym.make_campaign(spy, space, start={"kind": "none"}, batch_size=3)
    env.reset(seed=0)
    *_, info = env.step(np.array([[-1, 1], [0, 0], [1, -0.5]], np.float32))
    np.testing.assert_array_equal(spy.seen, [[0, 60], [2, 40], [4, 30]])
    assert info["true_values"].tolist() == [-904, -100, -4]


@pytest.mark.parametrize(
    ("space", "action", "expected"),
    [
        (spaces.Discrete(5, start=-2), [0, 4], [-2, 2]),
        (spaces.MultiDiscrete([3, 2], start=[10, 0]), [0, 1, 2, 0], [[10, 1], [12, 0]]),
        (spaces.MultiBinary(2), [0, 1, 1, 1], [[0, 1], [1, 1]]),
        (CategoricalDesigns([3, 2]), [0, 1, 2, 0], [[0, 1], [2, 0]]),
        (CandidateDesigns(np.eye(4)), [3, 1], [3, 1]),
        (BoxDesigns(2), [[-1, 1], [0, 0.5]], [[-1, 1], [0, 0.5]]),
        (
            {"n": [5, 10, 20], "catalyst": ["Pd", "Ni"]},
            [0, 1, 2, 0],
            [{"n": 5, "catalyst": "Ni"}, {"n": 20, "catalyst": "Pd"}],
        ),
        (
            {"t": (0, 10), "T": (20, 100)},
            [[-1, 1], [0, 0]],
            [{"t": 0, "T": 100}, {"t": 5, "T": 60}],
        ),
        (
            {"T": (20, 100), "n": {"integer": [1, 3]}, "base": ["DBU", "TEA"], "pH": 7},
            [[-1, 0.1, 0.3, 0.2], [0.43, 0.6, -1, -0.9]],
            [
                {"T": 20, "n": 2, "base": "DBU", "pH": 7},
                {"T": 77.2, "n": 3, "base": "TEA", "pH": 7},
            ],
        ),
        (
            {"c": {"levels": [1, 10, 100], "scale": "log"}, "s": ["a", "b"]},
            [2, 1, 0, 0],
            [{"c": 100, "s": "b"}, {"c": 1, "s": "a"}],
        ),
        (
            MixedDesigns({"x": {"range": [0, 1], "step": 0.1}}),
            [[-0.38], [1]],
            [{"x": 0.3}, {"x": 1}],
        ),
        (design_space_of(parse_parameters({"x": (0, 1)})), [[0], [1]], [{"x": 0.5}, {"x": 1}]),
    ],
)
def test_every_kind_of_space_gives_designs_in_its_own_terms(
    space: Any, action: Any, expected: Any
) -> None:
    spy = Spy(lambda x: 0.0)
    env = ombo_gym.make_campaign(spy, space, start={"kind": "none"}, batch_size=2)
    env.reset(seed=0)
    observation, *_ = env.step(np.array(action, env.action_space.dtype))
    for seen, wanted in zip(spy.seen, expected, strict=True):
        if isinstance(wanted, dict):
            assert seen == wanted and type(seen) is dict
        else:
            np.testing.assert_array_equal(seen, wanted)
            assert isinstance(seen, int if isinstance(wanted, int) else np.ndarray)
    problem = env.unwrapped.problem
    for seen, design in zip(spy.seen, observation["designs"], strict=False):
        np.testing.assert_array_equal(problem.to_design(seen), design)


@pytest.mark.parametrize(
    "space",
    [
        BOX,
        spaces.MultiDiscrete([3, 4]),
        spaces.MultiBinary(2),
        BoxDesigns(2),
        CategoricalDesigns([3, 2]),
        spaces.Discrete(5),
        CandidateDesigns(np.eye(4)),
    ],
)
@pytest.mark.parametrize("vectorized", [False, True])
def test_an_objective_may_write_into_its_argument(space: Any, vectorized: bool) -> None:
    def writes(x: Any) -> Any:
        values = x.sum(axis=tuple(range(1, x.ndim))) * 1.0 if vectorized else total(x)
        if isinstance(x, np.ndarray):
            x[...] = 99
        return values

    env = ombo_gym.make_campaign(writes, space, vectorized=vectorized, start={"kind": "none"})
    env.reset(seed=0)
    action = env.action_space.sample()
    given = action.copy()
    observation, *_ = env.step(action)
    np.testing.assert_array_equal(action, given)
    np.testing.assert_array_equal(observation["designs"][:4].ravel(), given.ravel())
    problem, design = env.unwrapped.problem, observation["designs"][0]
    kept = design.copy()
    units = problem.to_units(design)
    if isinstance(units, np.ndarray):
        units[...] = 99
    np.testing.assert_array_equal(design, kept)


def test_each_design_is_computed_exactly_once() -> None:
    spy = Spy()
    env = ombo_gym.make_campaign(
        spy,
        BOX,
        horizon=3,
        batch_size=4,
        start={"kind": "random", "size": 5},
        render_mode="rgb_array",
    )
    play(env, "ucb")
    env.render()
    assert len(spy.seen) == 5 + 3 * 4 == len({x.tobytes() for x in spy.seen})
    play(env, "random")  # the start again
    assert len(spy.seen) == 17 + 12


def test_the_oldest_values_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function, "_KEPT", 8)
    spy = Spy()
    env = ombo_gym.make_campaign(spy, BOX, start={"kind": "none"}, batch_size=4, horizon=4)
    env.reset(seed=0)
    for batch in (0.1, 0.2, 0.2, 0.3):
        env.step(np.float32(batch * np.arange(8).reshape(4, 2) / 3))
    assert len(spy.seen) == 12, "the third batch was known"
    assert len(env.unwrapped.problem._known) <= 8


def test_a_repeat_is_measured_again_and_not_computed_again() -> None:
    spy = Spy()
    env = ombo_gym.make_campaign(spy, BOX, noise_std=1.0, batch_size=4, start={"kind": "none"})
    env.reset(seed=0)
    observation, _, _, _, info = env.step(np.zeros((4, 2), np.float32))
    assert len(spy.seen) == 1 and set(info["true_values"]) == {-100}
    assert len(set(observation["measurements"][:4].tolist())) == 4


@pytest.mark.parametrize("space", [BOX, {"a": (0, 4), "b": (20, 60)}, {"a": [0, 4], "b": [20, 60]}])
def test_a_vectorized_objective_gives_the_same_campaign_in_a_call_a_round(space: Any) -> None:
    def one(x: Any) -> float:
        a, b = x.values() if isinstance(x, dict) else x
        return -((a - 2) ** 2) - (b - 30) ** 2

    def many(x: Any) -> np.ndarray:
        a, b = x.values() if isinstance(x, dict) else x.T
        return -((a - 2.0) ** 2) - (b - 30.0) ** 2

    spy = Spy(many)
    envs = ombo_gym.make_campaign(spy, space, num_envs=3, vectorized=True, horizon=2, batch_size=2)
    single = ombo_gym.make_campaign(one, space, horizon=2, batch_size=2)
    envs.action_space.seed(0)
    observations, _ = envs.reset(seed=5)
    single.reset(seed=6)
    for _ in range(2):
        actions = envs.action_space.sample()
        observations, rewards, *_ = envs.step(actions)
        observation, reward, *_ = single.step(actions[1])
    assert len(spy.seen) <= 3 and rewards[1] == reward
    np.testing.assert_array_equal(observations["measurements"][1], observation["measurements"])


MANY_CHOICES = {
    "mixed": ["x", 1],
    "whole": [1, 2, 3],
    "numbers": [1, 2.5],
    "texts": ["a", "bcd"],
    "tuples": [(1, 2), (3, 4)],
    "ragged": [[1, 2], [3]],
    "flags": [True, False],
    "flag or number": [True, 2],
    "large": [10**20, 1],
    "larger": [2**53 + 1, 0.5],
}


@pytest.mark.parametrize("name", MANY_CHOICES)
def test_choices_are_the_same_in_calls_of_one_and_of_many(name: str) -> None:
    written = choices = MANY_CHOICES[name]
    if all(type(choice) in (int, float) for choice in choices):
        written = {"levels": choices, "scale": "linear"}
        choices = sorted(choices)
    space = {name: written, "other": [0, 1]}
    env = ombo_gym.make_campaign(lambda x: np.zeros(1), space, vectorized=True)
    problem = env.unwrapped.problem
    codes = np.array([[c, 0] for c in range(len(choices))])
    of_many = problem.design_space.units(codes)[name]
    assert of_many.shape == (len(choices),)
    for code, choice in zip(codes, choices, strict=True):
        one, few = problem.to_units(code)[name], problem.design_space.units(code[None])[name]
        assert one == choice and type(one) is type(choice)
        assert few.dtype == of_many.dtype, "whatever else is in the call"
        assert few[0] == of_many[code[0]] == choice
        if few.dtype == object:
            assert type(few[0]) is type(choice)
        np.testing.assert_array_equal(problem.to_design({name: one, "other": 0}), code)
    kinds = {"whole": "i", "numbers": "f", "texts": "U", "flags": "b"}
    assert of_many.dtype.kind == kinds.get(name, "O")


def test_a_choice_that_is_written_into_stays_what_it_was() -> None:
    problem = ombo_gym.make_campaign(total, {"a": [[1, 2], [3]], "b": [0, 1]}).unwrapped.problem
    problem.to_units([0, 0])["a"].append(7)
    problem.design_space.units(np.array([[0, 0]]))["a"][0].append(7)
    assert problem.to_units([0, 0])["a"] == [1, 2]


def test_minimising_is_maximising_the_negative_and_the_optimum_is_in_own_units() -> None:
    env = ombo_gym.make_campaign(
        lambda x: 7 - valley(x), BOX, minimise=True, optimum=7, start={"kind": "none"}, reference=9
    )
    env.reset(seed=0)
    at_best = np.tile(np.float32([0, -0.5]), (4, 1))
    _, reward, _, _, info = env.step(at_best)
    assert info["true_values"].tolist() == [-7] * 4
    assert info["optimum"] == -7 and info["regret"] == 0 and info["optimum_exact"]
    assert reward == 2  # from -9 to -7


def test_nan_is_infeasible_where_a_floor_is_given() -> None:
    def half(x: np.ndarray) -> float:
        return float("nan") if x[0] > 2 else 1.0

    env = ombo_gym.make_campaign(half, BOX, floor=-3, batch_size=2)
    observation, _ = env.reset(seed=0)
    assert (observation["measurements"][:4] == 1).all(), "a random start can be measured"
    *_, info = env.step(np.float32([[1, 0], [-1, 0]]))
    assert info["infeasible"] == 1 and info["true_values"].tolist() == [-3, 1]


def test_it_pickles_with_its_function_and_without_values() -> None:
    env = ombo_gym.make_campaign(valley, BOX, horizon=2)
    fresh = len(pickle.dumps(env.unwrapped.problem))
    expected = play(env)
    assert len(pickle.dumps(env.unwrapped.problem)) == fresh
    again = pickle.loads(pickle.dumps(env))
    assert play(again)["utility"] == expected["utility"]


@pytest.mark.parametrize(
    "space", [BOX, [(0, 1)], [(0, 1)] * 5, spaces.Discrete(9), {"a": [1, 2], "b": [3, 4, 5]}]
)
@pytest.mark.parametrize("cheap", [False, True])
def test_campaigns_can_be_drawn_and_only_cheap_functions_pay_for_it(
    space: Any, cheap: bool
) -> None:
    spy = Spy(lambda x: total(list(x.values()) if isinstance(x, dict) else x))
    env = ombo_gym.make_campaign(spy, space, cheap=cheap, horizon=1, render_mode="rgb_array")
    play(env)
    calls = len(spy.seen)
    assert env.render().shape == (480, 960, 3)
    campaigns = env.unwrapped.campaigns
    if isinstance(env.design_space, BoxDesigns) and env.design_space.dim <= 2:
        assert (len(spy.seen) > calls) == cheap
        assert (_landscape(campaigns, 0) is None) == (not cheap)
    else:
        assert len(spy.seen) == calls


def test_campaigns_of_a_costly_function_can_be_recorded() -> None:
    check_rendering(ombo_gym.make_campaign(valley, BOX).unwrapped.problem)


def test_policies_and_gymnasiums_wrappers_take_it(tmp_path: Path) -> None:
    env = ombo_gym.make_campaign(valley, BOX, optimum=0, horizon=5, render_mode="rgb_array")
    assert isinstance(env, CampaignEnv)
    filmed = RecordVideo(env, str(tmp_path / "films"), episode_trigger=lambda number: True)
    info = play(filmed, "ucb")
    filmed.close()
    assert info["regret"] < 5, "of 1,000"
    assert list((tmp_path / "films").iterdir())
    envs = ombo_gym.make_campaign(valley, BOX, num_envs=2)
    assert isinstance(envs, CampaignVectorEnv)
    gym.vector.AsyncVectorEnv([lambda: ombo_gym.make_campaign(lambda x: 1.0, BOX)] * 2).close()
