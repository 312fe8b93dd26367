"""Random functions like measured tables: what they are made of, and over which design spaces."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ombo_gym
from ombo_gym.design_spaces import CategoryPool
from ombo_gym.problems.core.base import Instances
from ombo_gym.problems.synthetic.screens import Screens
from ombo_gym.randomness import GeneratorBatch, KeyedGenerator, Stream

MIXED: dict[str, Any] = {
    "T": {"range": [20, 120]},
    "base": ["KOH", "DBU", "NEt3"],
    "equivalents": [1, 2, 4],
    "vessel": "vial",
    "cycles": {"integer": [1, 5]},
}
SPACES: dict[str, Any] = {
    "box": 3,
    "categories": [4, 5, 3],
    "DNA": [4] * 8,
    "mixed": MIXED,
    "levels": {"a": [1, 2, 3, 4], "b": [0.1, 0.5, 1.0]},
}


def drawn(problem: Screens, count: int) -> Instances:
    return problem.draw(KeyedGenerator(np.arange(count, dtype=np.uint64), Stream.INSTANCE))


def some_designs(problem: Screens, count: int, n: int) -> Any:
    rngs = GeneratorBatch(np.random.default_rng(0), count)
    return problem.design_space.sample(rngs, n)


def row(instances: Instances, i: int) -> Instances:
    return {name: array[i : i + 1] for name, array in instances.items()}


def by_hand(instance: Instances, seen: np.ndarray) -> np.ndarray:
    """Values of designs from what the function sees of them, (n, D) -> (n,), in float64."""
    a = {name: array[0].astype(np.float64) for name, array in instance.items()}
    sums = np.cos(seen @ a["frequencies"] + a["phases"]) @ a["amplitudes"]  # (n, 2)
    latent, working = ((sums - a["middles"]) / a["deviations"]).T
    bend, values = float(a["bend"][0]), []
    for z in latent:
        side = 1 if bend >= 0 else -1
        k, out = max(abs(bend), 1e-3), side * z
        y = (np.exp(k * out) - 1) / k
        if out > 2:
            y = (np.exp(2 * k) - 1) / k + np.exp(2 * k) * np.log(1 + out - 2)
        values.append((side * y - a["lowest"][0]) / a["unit"][0])
    found = np.array(values)
    if (step := a["step"][0]) > 0:
        found = step * np.round(found / step)
    if np.isfinite(a["cut"][0]):
        hurdle = np.cos(a["angle"][0]) * latent + np.sin(a["angle"][0]) * working
        found = np.where(hurdle < a["cut"][0], 0.0, np.maximum(found, 0.0))
    return found


def test_values_are_those_that_the_instance_describes_of_numbers_and_categories() -> None:
    problem, count, n = Screens(parameters=MIXED), 40, 30
    instances, designs = drawn(problem, count), some_designs(problem, count, n)
    values = problem.true_values(instances, designs)[0]
    off = []
    for i in range(count):
        units = [problem.design_space.units(each) for each in designs[i]]
        levels = instances["levels"][i]
        seen = [
            [
                (each["T"] - 70) / 50,
                *levels[["KOH", "DBU", "NEt3"].index(each["base"])],
                {1: -1, 2: -1 / 3, 4: 1}[each["equivalents"]],
                (each["cycles"] - 3) / 2,
            ]
            for each in units
        ]
        off.append(np.abs(values[i] - by_hand(row(instances, i), np.array(seen, np.float64))))
    assert (np.array(off) < 1e-3).mean() > 0.995, "but where a value is at a step or at the cut"
    assert (instances["step"] > 0).sum() > 3, "some of the forty are rounded"
    assert np.isfinite(instances["cut"]).sum() > 3, "and some have zeros"


@pytest.mark.parametrize("name", SPACES)
def test_values_vary_by_1_over_the_space_and_zeros_are_the_lowest(name: str) -> None:
    problem = Screens(parameters=SPACES[name])
    instances = drawn(problem, 60)
    values = problem.true_values(instances, some_designs(problem, 60, 400))[0]
    assert np.quantile(values.std(axis=1), [0.1, 0.9]) == pytest.approx([1, 1], abs=0.3)
    with_zeros = np.isfinite(instances["cut"][:, 0])
    assert 0.1 < with_zeros.mean() < 0.6
    assert (values[with_zeros] >= 0).all()
    shares = (values[with_zeros] == 0).mean(axis=1)
    assert shares.max() > 0.3 and shares.max() < 0.85
    assert (values[~with_zeros].min(axis=1) > -4).all()


@pytest.mark.parametrize("name", SPACES)
def test_a_design_has_one_value_whatever_it_is_measured_with(name: str) -> None:
    problem = Screens(parameters=SPACES[name])
    instances, designs = drawn(problem, 7), some_designs(problem, 7, 50)
    together = problem.evaluate(instances, designs)
    alone = [problem.evaluate(row(instances, i), designs[i : i + 1, 3:4]) for i in range(7)]
    np.testing.assert_array_equal(np.ravel(alone), together[:, 3])
    again = problem.draw(KeyedGenerator(np.array([4], np.uint64), Stream.INSTANCE))
    for key, array in again.items():
        np.testing.assert_array_equal(array[0], instances[key][4], err_msg=key)


def test_many_functions_are_drawn_in_pieces_as_they_are_alone() -> None:
    problem = Screens(parameters=2)
    many = drawn(problem, 300)
    last = problem.draw(KeyedGenerator(np.array([299], np.uint64), Stream.INSTANCE))
    assert all((many[key][299:] == array).all() for key, array in last.items())


@pytest.mark.parametrize("name", ["categories", "levels"])
def test_the_optimum_of_few_designs_is_the_largest_value_of_all(name: str) -> None:
    problem = Screens(parameters=SPACES[name])
    instances, space = drawn(problem, 3), problem.design_space
    assert problem.optimum_exact and space.size is not None
    everything = np.stack([space.decode(np.arange(space.size))] * 3)
    largest = problem.evaluate(instances, everything).max(axis=1)
    np.testing.assert_array_equal(problem.optimum(instances), largest)


@pytest.mark.parametrize("parameters", [2, 9, [20] * 5, {**MIXED, "U": {"range": [0, 1]}}])
def test_the_optimum_of_other_spaces_is_searched_for(parameters: Any) -> None:
    problem = Screens(parameters=parameters)
    assert not problem.optimum_exact
    instances = drawn(problem, 2)
    designs = some_designs(problem, 2, 5000)
    best = problem.evaluate(instances, designs).max(axis=1)
    found = problem.optimum(instances)
    assert (found >= best - 1e-9).all() and (found > best + 1e-3).any()


def test_a_pool_is_some_designs_of_the_space_and_the_same_each_time() -> None:
    for parameters in (3, [4, 12, 15], MIXED):
        whole, pool = Screens(parameters=parameters), Screens(parameters=parameters, pool=50)
        space = pool.design_space
        assert space.size == 50 and pool.optimum_exact
        assert space == Screens(parameters=parameters, pool=50).design_space
        features = space.features(np.arange(50)[:, None])
        assert len(np.unique(features, axis=0)) == 50
        if isinstance(space, CategoryPool):
            assert space.categories.max(axis=0).tolist() == [3, 11, 14]
        else:
            assert space.feature_groups.tolist() == whole.design_space.feature_groups.tolist()


def test_an_offline_start_of_many_designs_is_of_the_lower_half() -> None:
    arguments: dict[str, Any] = {"parameters": [4] * 8}
    arguments["start"] = {"kind": "percentile", "size": 16}
    env = gym.make_vec("Ombo/Screens-v0", num_envs=20, **arguments)
    observation, _ = env.reset(seed=0)
    campaigns = env.unwrapped.campaigns  # type: ignore[attr-defined]
    problem = campaigns.problem
    everywhere = problem.evaluate(campaigns.instances, some_designs(problem, 20, 2000))
    ranks = (everywhere[:, None] < observation["measurements"][..., None]).mean(axis=-1)
    assert 0.45 < ranks[observation["observed"] == 1].max() < 0.56
    assert problem.visible_sizes(50) == (4096, 4096)


def test_noise_of_a_function_is_its_own_and_not_told() -> None:
    env = gym.make_vec("Ombo/Screens-v0", num_envs=200, batch_size=64, horizon=1, max_noise=1.0)
    assert env.unwrapped.campaign_spec.noise_std is None  # type: ignore[attr-defined]
    env.reset(seed=0)
    env.step(env.action_space.sample())
    campaigns = env.unwrapped.campaigns  # type: ignore[attr-defined]
    off = (campaigns.measurements - campaigns.true_values)[:, -64:]
    drawn_noise = campaigns.instances["noise"][:, 0]
    assert np.corrcoef(off.std(axis=1), drawn_noise)[0, 1] > 0.95
    assert np.quantile(drawn_noise, [0, 0.5, 1]) == pytest.approx([0, 0.5, 1], abs=0.12)
    exact = gym.make("Ombo/Screens-v0", noise_std=0.5)
    assert ombo_gym.campaign_spec(exact).noise_std == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parameters": 0}, "parameters: expected a box of 1 to 256 dimensions, got 0"),
        ({"parameters": 10**9}, "parameters: expected a box of 1 to 256"),
        ({"parameters": True}, "parameters: expected a whole number, a list"),
        ({"parameters": 2.5}, "parameters: expected a whole number, a list"),
        ({"parameters": []}, "parameters: expected a whole number, a list"),
        ({"parameters": [4, 1]}, "whole number above 1"),
        ({"parameters": [4, "a"]}, "whole number above 1"),
        ({"parameters": "abc"}, "parameters: expected a whole number, a list"),
        ({"parameters": [9000, 2]}, r"levels of categories in all, got 2 and 9,002"),
        ({"parameters": [2] * 300}, "at most 256 parameters"),
        ({"parameters": {"T": {"range": [1]}}}, "parameters"),
        ({"pool": 1}, "pool: expected a whole number of candidates from 2 to 720, got 1"),
        ({"pool": 721}, "pool: expected a whole number of candidates from 2 to 720, got 721"),
        ({"pool": 10**9, "parameters": 2}, "pool: expected .* from 2 to 65,536"),
        ({"pool": 2.0}, "pool"),
        (
            {"parameters": {"T": {"range": [0, 1]}, "c": [f"c{i}" for i in range(999)]}}
            | {"pool": 2**16},
            "pool: expected at most 16,777,216 features .* got 65,536 candidates with 1,000 each",
        ),
        ({"max_noise": -1}, "max_noise: expected a number from 0 to 100, got -1"),
        ({"max_noise": float("nan")}, "max_noise"),
        ({"max_noise": "1"}, "max_noise"),
    ],
)
def test_other_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Screens(**arguments)


KINDS = st.one_of(
    st.just({"range": [0, 1]}),
    st.integers(2, 5).map(lambda n: {"integer": [1, n]}),
    st.integers(2, 6).map(lambda n: {"levels": list(range(n))}),
    st.integers(2, 7).map(lambda n: [f"level {i}" for i in range(n)]),
)


@given(kinds=st.lists(KINDS, min_size=1, max_size=6), pool=st.sampled_from([None, 2, 9]))
@settings(max_examples=10)
def test_functions_can_be_drawn_over_any_parameters(kinds: list[Any], pool: int | None) -> None:
    parameters = {f"x{i}": kind for i, kind in enumerate(kinds)}
    space = Screens(parameters=parameters).design_space
    problem = Screens(parameters=parameters, pool=min(pool, space.size or pool) if pool else None)
    instances = drawn(problem, 5)
    values = problem.true_values(instances, some_designs(problem, 5, 8))[0]
    assert np.isfinite(values).all() and (np.abs(values) < 100).all()
    if problem.optimum_exact:
        assert (problem.optimum(instances) >= values.max(axis=1)).all()
