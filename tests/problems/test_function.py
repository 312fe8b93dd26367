"""Campaigns for a Python function: what it is called with, how often, and what its errors say."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers import RecordVideo

import ombo_agents
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


def valley(x: np.ndarray) -> float:
    return -float(((x - [2, 30]) ** 2).sum())


def total(x: Any) -> float:
    return float(np.sum(x))


class Spy:
    """Counts calls and keeps what came."""

    def __init__(self, objective: Any = valley) -> None:
        self.objective = objective
        self.seen: list[Any] = []

    def __call__(self, x: Any) -> Any:
        self.seen.append(x)
        return self.objective(x)


def play(env: Any, policy: str = "random", seed: int = 0) -> dict[str, Any]:
    """A campaign; returns its last info."""
    player = ombo_agents.make(policy, env)
    observation, _ = env.reset(seed=seed)
    over, rng, info = False, np.random.default_rng(0), {}
    while not over:
        batched = {name: array[None] for name, array in observation.items()}
        observation, _, over, _, info = env.step(player.act(batched, rng)[0])
    return info


BOX = [(0, 4), (20, 60)]


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
    "nothing": [None, 1.5],
    "large": [10**20, 1],
    "larger": [2**53 + 1, 0.5],
    "zeros": ["a", "a\0"],
}


@pytest.mark.parametrize("name", MANY_CHOICES)
def test_choices_are_the_same_in_calls_of_one_and_of_many(name: str) -> None:
    choices = MANY_CHOICES[name]
    space = {name: choices, "other": [0, 1]}
    env = ombo_gym.make_campaign(lambda x: np.zeros(1), space, vectorized=True)
    problem = env.unwrapped.problem
    if all(type(choice) in (int, float) for choice in choices):
        choices = sorted(choices)  # levels
    codes = np.array([[c, 0] for c in range(len(choices))])
    together = problem.design_space.units(codes)[name]
    assert together.shape == (len(choices),)
    for code, choice in zip(codes, choices, strict=True):
        one, few = problem.to_units(code)[name], problem.design_space.units(code[None])[name]
        assert one == choice and type(one) is type(choice)
        assert few.dtype == together.dtype, "whatever else is in the call"
        assert few[0] == together[code[0]] == choice
        if few.dtype == object:
            assert type(few[0]) is type(choice)
        np.testing.assert_array_equal(problem.to_design({name: one, "other": 0}), code)
    kinds = {"whole": "i", "numbers": "f", "texts": "U", "flags": "b"}
    assert together.dtype.kind == kinds.get(name, "O")


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
