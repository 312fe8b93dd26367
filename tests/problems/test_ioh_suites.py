"""BBOB and PBO, against ioh called directly and against all bit strings."""

from __future__ import annotations

import importlib.util
import multiprocessing
import pickle
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import gymnasium as gym
import ioh
import numpy as np
import numpy.typing as npt
import pytest

import ombo_gym  # noqa: F401
from ombo_gym.problems.synthetic.bbob import BBOB
from ombo_gym.problems.synthetic.ioh_suites import Suite
from ombo_gym.problems.synthetic.pbo import PBO
from ombo_gym.randomness import KeyedGenerator, Stream

Array = npt.NDArray[Any]
SUITES = {"BBOB": ioh.ProblemClass.BBOB, "PBO": ioh.ProblemClass.PBO}


def campaign_rngs(stream: Stream, count: int) -> KeyedGenerator:
    return KeyedGenerator(np.arange(count, dtype=np.uint64), stream)


def instance(function: int, number: int = 1) -> dict[str, Array]:
    return {"function": np.array([function]), "instance": np.array([number])}


def by_ioh(problem: Suite, function: int, number: int) -> Any:
    return ioh.get_problem(function, int(number), problem.dim, SUITES[problem.suite])


def bit_strings(bits: int) -> Array:
    return (np.arange(2**bits)[:, None] >> np.arange(bits)) & 1


def evaluated(problem: Suite, designs: Array) -> Array:
    """What a process finds, at the top of the module, where processes find it."""
    instances = problem.draw(campaign_rngs(Stream.INSTANCE, len(designs)))
    return problem.evaluate(instances, designs)


@pytest.mark.parametrize("dim", [2, 7, 40])
def test_bbob_is_minus_the_function_of_ioh_on_the_box_of_side_10(dim: int) -> None:
    problem = BBOB(dim=dim)
    instances = problem.draw(campaign_rngs(Stream.INSTANCE, 100))
    designs = problem.sample(instances, campaign_rngs(Stream.START, 100), 3)
    values = problem.evaluate(instances, designs)
    assert set(instances["function"]) == set(range(1, 25))
    for i, (function, number) in enumerate(
        zip(instances["function"], instances["instance"], strict=True)
    ):
        objective = by_ioh(problem, int(function), number)
        expected = [objective([5 * float(x) for x in design]) for design in designs[i]]
        assert values[i].tolist() == [-value for value in expected]
        assert problem.optimum(instances)[i] == -objective.optimum.y >= values[i].max()


def test_pbo_is_the_function_of_ioh() -> None:
    for problem in (PBO(), PBO(dim=64, functions=[18, 20, 25])):
        instances = problem.draw(campaign_rngs(Stream.INSTANCE, 100))
        designs = problem.sample(instances, campaign_rngs(Stream.START, 100), 3)
        values = problem.evaluate(instances, designs)
        assert set(instances["function"]) == set(problem.functions)
        for i, (function, number) in enumerate(
            zip(instances["function"], instances["instance"], strict=True)
        ):
            objective = by_ioh(problem, int(function), number)
            assert values[i].tolist() == [objective(design) for design in designs[i]]


@pytest.mark.parametrize("function", range(1, 25))
def test_the_known_optimum_of_bbob_is_reached_as_closely_as_float32_allows(function: int) -> None:
    tolerance = {13: 1e-4, 18: 2e-5, 23: 1e-3}.get(function, 1e-6)
    for dim in (2, 5, 20):
        problem = BBOB(dim=dim)
        for number in (1, 5, 100):
            objective = by_ioh(problem, function, number)
            design = problem.from_units(objective.optimum.x)
            assert design.dtype == np.float32 and np.abs(design).max() <= 1
            value = problem.evaluate(instance(function, number), design[None, None]).item()
            optimum = problem.optimum(instance(function, number)).item()
            assert 0 <= optimum - value <= tolerance
            beside = np.clip(design + np.float32(0.05), -1, 1)
            if function != 5 or (beside != design).any():  # the linear slope's is in a corner
                worse = problem.evaluate(instance(function, number), beside[None, None]).item()
                assert worse < value


@pytest.mark.parametrize(
    ("dim", "functions"),
    [(9, [1, 2, 3, *range(4, 20), 20, 21, 22]), (10, [5, 7, 14, 18, 22, 24]), (16, [20, 23])],
)
def test_no_bit_string_beats_the_optimum_and_one_reaches_it(dim: int, functions: list[int]) -> None:
    problem = PBO(dim=dim, functions=functions)
    strings = bit_strings(dim)
    for function in functions:
        for number in (1, 33, 60) if dim < 16 else (60,):
            best = problem.evaluate(instance(function, number), strings[None]).max()
            optimum = problem.optimum(instance(function, number)).item()
            assert optimum == pytest.approx(best, abs=1e-9), (function, number)
    assert problem.optimum_known


def test_optima_of_long_strings_are_reached_where_ioh_says_by_which() -> None:
    problem = PBO(dim=100)
    for function in set(problem.functions) - {7, 14, 18, 22, 23}:  # it says nothing of these
        for number in (1, 17, 99):
            best = np.array(by_ioh(problem, function, number).optimum.x)
            value = problem.evaluate(instance(function, number), best[None, None]).item()
            assert value == problem.optimum(instance(function, number)).item()


@pytest.mark.parametrize(("bits", "merit_factor"), [(13, 14.0833), (27, 9.8514), (64, 9.8462)])
def test_optima_of_labs_are_the_published_merit_factors(bits: int, merit_factor: float) -> None:
    problem = PBO(dim=bits, function="LABS")
    assert problem.optimum(instance(18)).item() == pytest.approx(merit_factor, abs=1e-4)


def test_an_unknown_optimum_has_a_best_known_value_instead_that_some_string_has() -> None:
    problem = PBO(dim=10, function="NKLandscapes")
    assert not problem.optimum_known
    for number in (1, 33):
        assert np.isnan(problem.optimum(instance(25, number))).all()
        best = problem.evaluate(instance(25, number), bit_strings(10)[None]).max()
        assert problem.best_known(instance(25, number)).item() == pytest.approx(best, abs=1e-9)
    mixed = PBO(dim=10, functions=["NKLandscapes", "OneMax"], instances=[1])
    env = gym.make("Ombo/PBO-v0", dim=10, functions=[25], horizon=1)
    assert "optimum" not in env.reset(seed=0)[1]
    both = {name: np.concatenate([a, instance(1)[name]]) for name, a in instance(25).items()}
    assert mixed.best_known(both)[1] == 10


@pytest.mark.parametrize("suite", [BBOB, PBO])
def test_a_design_has_one_value_in_every_batch(suite: type[Suite]) -> None:
    problem = suite()
    instances = problem.draw(campaign_rngs(Stream.INSTANCE, 50))
    designs = problem.sample(instances, campaign_rngs(Stream.START, 50), 6)
    values = problem.evaluate(instances, designs)
    for row, slot in ((0, 0), (31, 3), (49, 5)):
        alone = {name: array[row : row + 1] for name, array in instances.items()}
        value = problem.evaluate(alone, designs[row : row + 1, slot : slot + 1])
        assert value.item() == values[row, slot]


def test_problems_are_small_in_a_pickle_and_rebuilt_in_a_spawned_process() -> None:
    problems = [BBOB(dim=4), PBO(dim=36)]
    batches = [
        problem.sample({}, campaign_rngs(Stream.START, 20), 2)
        for problem in problems
    ]  # fmt: skip
    expected = [evaluated(p, b) for p, b in zip(problems, batches, strict=True)]
    assert all(len(pickle.dumps(problem)) < 2000 for problem in problems)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        spawned = list(pool.map(evaluated, problems, batches))
    for value, of_other_process in zip(expected, spawned, strict=True):
        np.testing.assert_array_equal(of_other_process, value)


@pytest.mark.parametrize("suite", [BBOB, PBO])
@pytest.mark.parametrize("split_by", ["instance", "function"])
def test_train_and_test_share_nothing_and_are_all_together(
    suite: type[Suite], split_by: str
) -> None:
    parts = {
        split: set(getattr(suite(split=split, split_by=split_by), f"{split_by}s"))  # type: ignore[call-arg]
        for split in ("all", "train", "test")
    }
    assert parts["train"] and parts["test"] and not parts["train"] & parts["test"]
    assert parts["train"] | parts["test"] == parts["all"]
    assert len(parts["test"]) < len(parts["train"])
    drawn = suite(split="test", split_by=split_by).draw(campaign_rngs(Stream.INSTANCE, 300))  # type: ignore[call-arg]
    assert set(drawn[split_by]) == parts["test"]


def test_functions_that_the_dimension_lacks_are_left_out_unless_named() -> None:
    assert PBO(dim=25).functions == tuple(range(1, 25))
    assert set(range(1, 26)) - set(PBO(dim=64).functions) == {24, 25}
    assert set(range(1, 26)) - set(PBO(dim=30).functions) == {20, 21, 23, 25}
    assert set(range(1, 26)) - set(PBO(dim=100).functions) == {18, 25}
    assert PBO(dim=30, function="ConcatenatedTrap").functions == (24,)


@pytest.mark.parametrize(
    ("env_id", "arguments", "message"),
    [
        ("BBOB", {"dim": 1}, "dim: expected a whole number from 2 to 40, got 1"),
        ("BBOB", {"dim": 41}, "dim: expected a whole number from 2 to 40, got 41"),
        ("BBOB", {"dim": 5.0}, r"dim: .* got 5\.0"),
        ("BBOB", {"function": 25}, "function: expected a number from 1 to 24, or one of"),
        ("BBOB", {"function": "Ackley"}, "Rastrigin.* got 'Ackley'"),
        ("BBOB", {"function": True}, "function: .* got True"),
        ("BBOB", {"functions": []}, "functions: expected a list"),
        ("BBOB", {"functions": [1], "function": 2}, "functions: they go without function=2"),
        ("BBOB", {"instances": [0]}, "instances: expected a list of whole numbers of at least 1"),
        ("BBOB", {"instances": 3}, "instances: expected a list"),
        ("BBOB", {"instances": b"3"}, "instances: expected a list"),
        ("PBO", {"functions": np.array(3)}, "functions: expected a list"),
        ("BBOB", {"split": "test", "instances": [3]}, "split: with split_by='instance'"),
        ("BBOB", {"split": "test", "split_by": "function", "function": 3}, "split: with split_by"),
        ("BBOB", {"split": "validation"}, "split: "),
        ("BBOB", {"split_by": "dim"}, "split_by: expected one of"),
        ("PBO", {"dim": 3}, "dim: expected a whole number from 4 to 1000, got 3"),
        ("PBO", {"dim": 20, "function": "NQueens"}, "dim: function 23, NQueens, needs a square"),
        ("PBO", {"dim": 9, "function": 23}, "needs at least 16, got 9"),
        ("PBO", {"dim": 64, "function": 24}, "needs a multiple of 5, got 64"),
        ("PBO", {"function": "onemax"}, "OneMax.* got 'onemax'"),
    ],
)
def test_arguments_out_of_range_are_refused(
    env_id: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        gym.make(f"Ombo/{env_id}-v0", **arguments)


def test_without_ioh_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for suite in (BBOB, PBO):
        with pytest.raises(ImportError, match=r"needs ioh.*ombo-gym\[synthetic\]"):
            suite()


def test_a_split_goes_with_what_is_chosen_of_the_other_kind() -> None:
    problem = BBOB(function="Sphere", split="test")
    assert problem.functions == (1,) and problem.instances == tuple(range(5, 101, 5))
    problem = BBOB(instances=[2, 3], split="test", split_by="function")
    assert problem.functions == (5, 6, 13, 14, 17, 18, 21, 22) and problem.instances == (2, 3)


@pytest.mark.bench
@pytest.mark.parametrize("suite", [BBOB, PBO])
def test_a_design_takes_no_longer_than_by_ioh_in_a_loop(suite: type[Suite]) -> None:
    problem = suite()
    instances = problem.draw(campaign_rngs(Stream.INSTANCE, 1024))
    designs = problem.sample(instances, campaign_rngs(Stream.START, 1024), 4)
    objectives = [
        problem.ioh(int(function), int(number))
        for function, number in zip(instances["function"], instances["instance"], strict=True)
    ]
    points = problem.points(designs)
    ours, theirs = [], []
    for _ in range(5):
        begin = time.perf_counter()
        problem.evaluate(instances, designs)
        ours.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        for objective, row in zip(objectives, points, strict=True):
            for point in row:
                objective(point)
        theirs.append(time.perf_counter() - begin)
    print(f"us per design: {min(ours) * 1e6 / 4096:.2f}, loop {min(theirs) * 1e6 / 4096:.2f}")
    assert min(ours) < 1.1 * min(theirs)
