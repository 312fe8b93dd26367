"""A million levels or choices: linear time and memory, or a sentence before any is taken."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import ombo_agents
from ombo_gym import CampaignSpec
from ombo_gym.design_spaces import (
    CategoricalDesigns,
    DesignSpace,
    MixedDesigns,
    design_space_of,
    parse_parameters,
)
from ombo_gym.design_spaces.category_features import category_effects, contrasts
from ombo_gym.design_spaces.parameters import Choices, Levels
from ombo_gym.problems.own.spaces import parse_space
from tests.design_spaces.strategies import some_designs

MANY = 10**6


def peak_mib(work: Callable[[], Any]) -> float:
    """The most memory that something takes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def refuse(build: Callable[[], Any], message: str) -> None:
    """Expects a refusal that takes hardly any memory."""

    def refused() -> None:
        with pytest.raises(ValueError, match=message):
            build()

    assert peak_mib(refused) < 64


def texts(count: int) -> list[str]:
    return [f"c{k}" for k in range(count)]


@pytest.mark.parametrize(
    "beside", [{}, {"T": (20, 100)}, {"T": {"integer": [1, 9]}}], ids=["alone", "mixed", "counted"]
)
def test_too_many_choices_are_refused_by_estimate(beside: dict[str, Any]) -> None:
    many = texts(2**16 + 1)
    message = r"expected at most 65,536 categories in a design.*got 65,537: 0\.3 GiB for the 512"
    refuse(lambda: design_space_of({"s": many, **beside}), message)
    half = texts(2**15 + 1)
    refuse(lambda: design_space_of({"a": half, "b": half, **beside}), "got 65,538")


def test_spaces_of_gymnasium_are_refused_likewise() -> None:
    from gymnasium import spaces

    message = r"space: expected at most 65,536.*got 1,000,000: 3\.8 GiB.*as an integer range"
    refuse(lambda: parse_space(spaces.Discrete(MANY)), message)
    refuse(lambda: parse_space(spaces.MultiDiscrete([MANY, 2])), "got 1,000,002")
    refuse(lambda: CategoricalDesigns([MANY] * 5), "got 5,000,000")


def test_many_long_ranges_are_refused_before_their_values_are_listed() -> None:
    for written in [{"integer": [1, 2**20], "scale": "log"}, {"range": [0, 1], "step": 2.0**-20}]:
        refuse(
            lambda written=written: design_space_of({f"x{i}": written for i in range(100)}),
            r"parameters: expected at most 8,388,608 values in all.*about 9\.8 GiB",
        )


def test_messages_do_not_repeat_a_long_list() -> None:
    many = [*range(100_000), "a", "a"]
    with pytest.raises(ValueError) as refused:
        parse_parameters({"x": {"range": many}})
    assert len(str(refused.value)) < 500
    with pytest.raises(ValueError) as refused:
        parse_parameters({"x": many})
    assert len(str(refused.value)) < 500


def play(space: DesignSpace, name: str) -> None:
    """A policy proposes after three measurements."""
    spec = CampaignSpec(space, plates=(2,), start_capacity=3)
    designs = some_designs(space, 0, 3)[0]
    observation = spec.observation(designs, [1.0, 2.0, 3.0], [2])
    action = ombo_agents.make(name, spec).act(observation, np.random.default_rng(0))
    assert action[0] in spec.action_space


@pytest.mark.parametrize("count", [10_000, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("beside", [{}, {"T": (20, 100)}], ids=["alone", "mixed"])
def test_many_levels_take_time_and_memory_in_proportion(count: int, beside: dict[str, Any]) -> None:
    levels = np.linspace(0, 1, count).tolist()
    begin = time.process_time()
    space = design_space_of({"x": levels, **beside})
    for name in ("random", "ucb", "local_search", "d_optimal"):
        play(space, name)
    if count == MANY:  # what other work on the machine can stretch is judged among slow tests
        assert time.process_time() - begin < 2 + 1e-5 * count
    one = space.parse({"x": levels[count // 2], **dict.fromkeys(beside, 60)})
    assert space.units(one)["x"] == levels[count // 2]
    assert peak_mib(lambda: space.effects(some_designs(space, 0))) < 50 + 1e-4 * count


@pytest.mark.slow
@pytest.mark.parametrize(
    "values",
    [range(MANY), np.linspace(0, 1, MANY).tolist(), texts(2**16), [(k, "a") for k in range(2**16)]],
    ids=["whole", "numbers", "texts", "tuples"],
)
def test_a_million_values_are_read_and_looked_up_in_linear_time(values: Sequence[Any]) -> None:
    begin, count = time.process_time(), len(values)
    parameter = Levels(tuple(values)) if count == MANY else Choices(tuple(values))
    for code in range(0, count, count // 1000):
        assert parameter.column(values[code]) == code
    assert len(parameter.units(np.arange(count))) == count
    assert time.process_time() - begin < 4


class Counted(str):
    """A text that counts how often it is compared."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


@pytest.mark.parametrize("beside", [None, "a"], ids=["texts", "tuples"])
def test_values_are_compared_a_few_times_each(
    beside: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counted, "compared", 0)
    values = [Counted(text) if beside is None else (Counted(text), beside) for text in texts(3000)]
    choices = Choices(tuple(values))
    again = [Counted(text) if beside is None else (Counted(text), beside) for text in texts(3000)]
    assert [choices.column(value) for value in again] == list(range(3000))
    assert 0 < Counted.compared < 20 * 3000, "of every two: 4.5 million"


@pytest.mark.slow
def test_values_are_compared_and_looked_up_in_linear_time() -> None:
    for values in ([(k, "a") for k in range(30_000)], [*range(30_000), "a"], texts(30_000)):
        begin = time.process_time()
        choices = Choices(tuple(values))
        assert [choices.column(value) for value in values] == list(range(len(values)))
        assert time.process_time() - begin < 1.5, "quadratic: minutes"


def test_few_categories_beside_many_are_not_padded() -> None:
    counts = [2] * 300 + [1000]
    space = CategoricalDesigns(counts)
    designs = some_designs(space, 0)
    features = space.features(designs)
    assert features.shape == (2, 6, 1600)
    differ = (designs[0, 0] != designs[0, 1]).sum()
    assert ((features[0, 0] - features[0, 1]) ** 2).sum() == pytest.approx(differ)
    assert MixedDesigns({"s": texts(1000), "T": (0, 1)}).shape == (1001,)


def test_contrasts_of_many_categories_are_those_of_few() -> None:
    codes = np.array([0, 3, 1099])
    np.testing.assert_array_equal(category_effects(codes, 1100), contrasts(1100)[codes])
    np.testing.assert_array_equal(category_effects(codes[:2], 5), contrasts(5)[codes[:2]])
    gram = contrasts(7).T @ contrasts(7)
    np.testing.assert_allclose(gram, 7 * np.eye(6), atol=1e-12)


def test_many_levels_have_one_effect_of_mean_square_1() -> None:
    space = CategoricalDesigns([2000], ordinal=True)
    effects = space.effects(np.arange(2000)[:, None])
    assert effects.shape == (2000, 1) and (effects**2).mean() == pytest.approx(1)
    assert effects.mean() == pytest.approx(0) and effects[0] < 0 < effects[-1]
