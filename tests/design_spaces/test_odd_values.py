"""Values that are none, that files cannot hold, or that are one although they look like two."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import ombo_gym
from ombo_gym.design_spaces import (
    CandidateDesigns,
    MixedDesigns,
    design_space_of,
    parse_parameters,
)
from ombo_gym.design_spaces.parameters import Choices, Levels

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (["a\0b", "c"], "choice: expected a text without NUL characters, got 'a.x00b'"),
        ({"choices": ["a", "\0"]}, "without NUL characters"),
        (["a", ("b", "c\0")], "without NUL characters"),
        (["a", "\ud800"], "expected a text of Unicode characters"),
        (["a", INF], "choice: expected a finite number, got inf"),
        (["a", -INF], "got -inf"),
        (["a", NAN], "expected choices that equal themselves, got nan"),
        ([("a", NAN), ("b", 1)], "got"),
        ([{"t": INF}, {"t": 1}], "got inf"),
        ({"choices": [1.0, np.float32("inf")]}, "got inf"),
        ({"levels": [1.0, None]}, "level: expected a finite number, got None"),
        ({"levels": [1.0, "2\0"]}, "level: expected a finite number"),
        ([1.0, NAN], "level: expected a finite number, got nan"),
        ([1.0, INF], "level: expected a finite number, got inf"),
        ({"levels": [1, 10**400]}, "level: expected a finite number"),
        ("a\0", "value: expected a text without NUL characters"),
        ({"fixed": NAN}, "value: expected a finite number, got nan"),
        ({"choices": ["a", "b"], "descriptors": {"z": [1, NAN]}}, "'z': expected a finite number"),
        ({"choices": ["a", "b"], "descriptors": {"z\0": [1, 2]}}, "without NUL characters"),
    ],
    ids=repr,
)
def test_what_is_no_value_is_refused_by_name(written: Any, message: str) -> None:
    for build in (parse_parameters, MixedDesigns, design_space_of, ombo_gym.CampaignSpec):
        with pytest.raises(ValueError, match=f"'x': .*{message}"):
            build({"x": written, "T": (0, 1)})


def test_nothing_is_a_choice_like_any_other() -> None:
    """As `max_depth` of trees, which may have no limit."""
    space = MixedDesigns({"max_depth": [None, 5, 10], "T": (0, 1)})
    for depth in (None, 5, 10):
        design = {"max_depth": depth, "T": 0.5}
        assert space.describe(space.parse(design)) == design


def test_names_with_characters_that_files_cannot_hold_are_refused() -> None:
    with pytest.raises(ValueError, match=r"name of a parameter: .*without NUL characters"):
        parse_parameters({"T\0": (0, 1)})
    with pytest.raises(ValueError, match=r"names: .*without NUL characters, got 'b.x00'"):
        CandidateDesigns(np.eye(2), names=["a", "b\0"])
    with pytest.raises(ValueError, match="names: expected a list of 2 texts, one a candidate"):
        CandidateDesigns(np.eye(2), names=["a"])


NEAR = [(0.3, 0.1 + 0.2), (1.0, 1.0 + 1e-10), (0.01, 0.01 * (1 + 1e-10)), (-5.0, -5.0000000001)]


@pytest.mark.parametrize("pair", NEAR, ids=repr)
@pytest.mark.parametrize("more", [[], ["a"]], ids=["levels", "choices"])
def test_numbers_that_differ_by_less_than_a_billionth_are_one(
    pair: tuple[float, float], more: list[Any]
) -> None:
    with pytest.raises(ValueError) as refused:
        parse_parameters({"x": [7.5, *pair, *more]})
    assert "expected each " in str(refused.value), "which says which"
    assert all(repr(number) in str(refused.value) for number in pair)
    space = design_space_of({"x": [7.5, pair[0], *more]})
    designs = [space.parse({"x": number}) for number in pair]
    np.testing.assert_array_equal(designs[0], designs[1])
    assert space.units(designs[1])["x"] == pair[0]


def test_a_choice_that_was_computed_is_measured_once() -> None:
    seen: list[float] = []
    space = {"x": [0.1, 0.3, 0.5], "T": {"range": [0, 1], "step": 0.1}}
    env = ombo_gym.make_campaign(
        lambda x: seen.append(x["x"]) or 0.0, space, batch_size=2, start={"kind": "none"}
    )
    problem = env.unwrapped.problem
    typed = [{"x": 0.3, "T": 0.3}, {"x": 0.1 + 0.2, "T": 3 * 0.1}]
    designs = np.array([[problem.to_design(each) for each in typed]])
    env.reset(seed=0)
    env.step(problem.design_space.actions(designs)[0])
    assert seen == [0.3]


@pytest.mark.parametrize("pair", [(1_700_000_000, 1_700_000_001), (1.0, 1.00000001), (0.0, 1e-30)])
def test_numbers_that_differ_by_more_and_whole_ones_are_two(pair: tuple[float, float]) -> None:
    for kind in (Levels, Choices):
        each = kind((*pair, 2.5))
        assert [each.column(number) for number in pair] == [
            each.values.index(number) for number in pair
        ]


def test_truth_values_are_no_numbers() -> None:
    choices = Choices((True, 1, 0.0, False, (1, 2), "1"))
    assert [choices.column(value) for value in choices.values] == list(range(6))
    assert choices.column(np.True_) == 0 and choices.column(np.float64(1.0)) == 1
    with pytest.raises(ValueError, match="expected one of"):
        choices.column(2)
    with pytest.raises(ValueError, match="expected each choice once, got True and True"):
        Choices((True, 1, True))
    listed = Choices(([1, 2], [1, 3]))  # without a hash
    assert listed.column([1, 3]) == 1
    with pytest.raises(ValueError, match="expected each choice once"):
        Choices(([1, 2], "a", [1, 2]))
    assert math.isclose(1.0, 1.0 + 1e-10)


def test_a_name_that_no_candidate_has_is_refused_with_one_that_there_is() -> None:
    pool = CandidateDesigns(np.eye(2), names=["zinc", "tin"])
    assert pool.parse("tin") == [1]
    with pytest.raises(ValueError, match=r"a candidate's name, such as 'zinc', .*got 'lead'"):
        pool.parse("lead")
