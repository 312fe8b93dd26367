"""The lander, against Gymnasium's environment and its own heuristic in a plain loop."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import pytest

import ombo_gym  # noqa: F401
from ombo_gym.problems.robotics.lander import KNOWN, STOCK, Lander, action
from ombo_gym.randomness import KeyedGenerator, Stream

with warnings.catch_warnings():  # that Box2D's bindings give, and that kill the process as errors
    warnings.filterwarnings("ignore", "builtin type [sS]wig", DeprecationWarning)
    from gymnasium.envs.box2d.lunar_lander import heuristic

Array = npt.NDArray[Any]


def plain_return(seed: int) -> float:
    """An episode of the registered environment under its own heuristic."""
    env = gym.make("LunarLander-v3")
    state, _ = env.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        state, reward, terminated, truncated, _ = env.step(heuristic(env, state))
        total += reward
        over = terminated or truncated
    env.close()
    return total


def drawn(problem: Lander, num_campaigns: int, seed: int = 0) -> dict[str, Array]:
    keys = np.random.default_rng(seed).integers(2**63, size=num_campaigns).astype(np.uint64)
    return problem.draw(KeyedGenerator(keys, Stream.INSTANCE))


def designs_of(parameters: Any) -> Array:
    return (np.array(parameters, np.float64) - 1).astype(np.float32)


def test_stock_constants_have_the_return_of_gymnasiums_heuristic() -> None:
    problem = Lander(terrains=3)
    instances = drawn(problem, 2)
    designs = np.broadcast_to(designs_of(STOCK), (2, 1, 12))
    assert problem.to_units(designs)[0, 0].tolist() == list(STOCK)
    expected = [[np.mean([plain_return(int(s)) for s in row])] for row in instances["seeds"]]
    assert problem.evaluate(instances, designs) == pytest.approx(np.array(expected), abs=1e-9)
    assert np.min(expected) > 100  # it lands


def test_one_terrain_is_the_plain_episode_to_the_bit() -> None:
    problem = Lander(terrains=1)
    value = problem.evaluate({"seeds": np.array([[42]])}, designs_of(STOCK)[None, None])
    assert value[0, 0] == plain_return(42)


def test_every_parameter_stands_where_the_heuristic_has_its_constant() -> None:
    class Discrete:  # all that `heuristic` asks of an environment
        continuous = False

        @property
        def unwrapped(self) -> Discrete:
            return self

    rng = np.random.default_rng(0)
    states = rng.uniform(-0.6, 0.6, (4000, 8)).astype(np.float32)
    states[:, 6:] = rng.random((4000, 2)) < 0.15
    stock = np.array([heuristic(Discrete(), state) for state in states])
    assert set(stock.tolist()) == {0, 1, 2, 3}
    assert [action(state, STOCK) for state in states] == stock.tolist()
    for i in range(12):  # and none is without effect
        changed = [w + (0.7 if j == i else 0.0) for j, w in enumerate(STOCK)]
        assert [action(state, changed) for state in states] != stock.tolist()


def test_a_lander_that_fires_nothing_crashes() -> None:
    nothing = designs_of([0.0] * 10 + [2.0, 2.0])
    problem = Lander(terrains=2)
    values = problem.evaluate(drawn(problem, 1), np.stack([nothing, designs_of(STOCK)])[None])
    assert values[0, 0] < -50 < 100 < values[0, 1]


def test_an_episode_depends_on_nothing_that_was_simulated_before() -> None:
    problem = Lander(terrains=1, workers=1)
    instances = drawn(problem, 2)
    rng = np.random.default_rng(0)
    designs = rng.uniform(-1, 1, (2, 3, 12)).astype(np.float32)
    values = problem.evaluate(instances, designs)
    backwards = problem.evaluate({"seeds": instances["seeds"][::-1]}, designs[::-1, ::-1])
    assert values.tobytes() == backwards[::-1, ::-1].tobytes()
    assert values.tobytes() == Lander(terrains=1, workers=2).evaluate(instances, designs).tobytes()


def test_train_and_test_share_no_terrain() -> None:
    train, test, both = (
        drawn(Lander(split=split, terrains=50), 40)["seeds"] for split in ("train", "test", "all")
    )
    assert train.max() < 2**30 <= test.min() and test.max() < 2**31
    assert 0.3 < (both < 2**30).mean() < 0.7 and len(np.unique(both)) == both.size


def test_the_best_known_is_that_of_a_listed_design_and_lands() -> None:
    problem = Lander()
    instances = drawn(problem, 3)
    best = problem.best_known(instances)
    designs = np.broadcast_to(designs_of(KNOWN), (3, len(KNOWN), 12))
    assert best.tolist() == problem.evaluate(instances, designs).max(axis=1).tolist()
    assert best.min() > 200  # "solved"


def test_the_known_designs_return_on_other_terrains_what_is_stated() -> None:
    problem = Lander(terrains=40)
    seeds = np.arange(1000, 1040)
    values = problem.evaluate({"seeds": seeds[None]}, designs_of(KNOWN)[None])[0]
    assert values == pytest.approx([250.8, 254.6, 264.2], abs=0.05)
    assert values[0] == pytest.approx(np.mean([plain_return(int(s)) for s in seeds]), abs=1e-9)


@pytest.mark.parametrize("terrains", [0, -1, 1.0, True, "2"])
def test_a_wrong_number_of_terrains_is_refused(terrains: Any) -> None:
    with pytest.raises(ValueError, match="terrains: expected a whole number of at least 1"):
        Lander(terrains=terrains)
    with pytest.raises(ValueError, match="terrains: expected at most 1,000, got 1,001"):
        Lander(terrains=1001)


def test_an_unknown_split_and_a_missing_box2d_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"split: expected one of .* got 'moon'"):
        Lander(split="moon")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"Lander needs Box2D.*ombo-gym\[robotics\]"):
        Lander()
