"""Named parameters: what is written, what comes back, what is refused."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_gym.design_spaces import (
    BoxDesigns,
    CategoricalDesigns,
    MixedDesigns,
    Parameters,
    design_space_from_dict,
    design_space_of,
    parse_parameters,
)
from ombo_gym.design_spaces.parameters import Choices, Fixed, Integers, Levels, Range
from tests.design_spaces.strategies import notations, some_designs

PROPERTIES = settings(max_examples=60)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ((20, 100), Range(20, 100)),
        ({"range": [1, 100], "scale": "log"}, Range(1, 100, "log")),
        ({"range": (0, 1), "step": 0.25}, Range(0, 1, step=0.25)),
        ({"integer": [1, 15]}, Integers(1, 15)),
        ([5, 7, 9], Levels((5, 7, 9))),
        ([20, 5, 10], Levels((5, 10, 20))),
        ([20, 100], Levels((20, 100))),
        (np.array([0.5, 2.5]), Levels((0.5, 2.5))),
        (range(3), Levels((0, 1, 2))),
        ({"levels": [1, 10, 100], "scale": "log"}, Levels((1, 10, 100), "log")),
        (["DMF", "THF"], Choices(("DMF", "THF"))),
        ([True, False], Choices((True, False))),
        ([1, "two"], Choices((1, "two"))),
        ({"choices": [1, 2]}, Choices((1, 2))),
        (
            {"choices": ["a", "b"], "descriptors": {"pKa": [4.8, 9.2]}},
            Choices(("a", "b"), {"pKa": (4.8, 9.2)}),
        ),
        (7.4, Fixed(7.4)),
        ("water", Fixed("water")),
        (True, Fixed(True)),
        ({"fixed": [1, 2]}, Fixed([1, 2])),
    ],
)
def test_every_notation_is_read(written: Any, expected: Any) -> None:
    parameters = parse_parameters({"x": written, "other": (0, 1)})
    assert parameters.each["x"] == expected and type(parameters.each["x"]) is type(expected)
    assert parse_parameters({"x": expected, "other": (0, 1)}) == parameters


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ((1, 1), "expected low < high, got 1.0 and 1.0"),
        ((2, 1), "expected low < high"),
        ((0.3, 0.30000000000000004), "expected low < high"),
        ((0, np.inf), "high: expected a finite number, got inf"),
        ((0, np.nan), "high: expected a finite number, got nan"),
        ((0, 10**400), "high: expected a finite number"),
        ((-1e308, 1e308), "less far apart"),
        ((1, 2, 3), r"expected \(low, high\), two numbers, got \(1, 2, 3\); a list of choices has"),
        (("a", "b"), r"expected \(low, high\), two numbers.*a list of choices has brackets"),
        ((True, 2), r"expected \(low, high\), two numbers"),
        ({"range": [0, 1], "scale": "log"}, "above 0 on a logarithmic scale, got 0.0"),
        ({"range": [0, 1], "scale": "ln"}, r"scale: expected one of \['linear', 'log'\]"),
        ({"range": [0, 1], "step": 0.3}, "got 0.3, which leads to 0.9 and 1.2; let the range end"),
        ({"range": [0, 1], "step": 0}, "a step above 0 and at most 1, got 0"),
        ({"range": [0, 1], "step": 2}, "a step above 0 and at most 1, got 2"),
        ({"range": [0, 1], "step": 1e-9}, "at most 1,048,577 values"),
        ({"range": [0, 1], "steps": 0.1}, r"expected the keys \['range', 'step', 'scale'\]"),
        ({"range": [0]}, r'expected \{"range": \[low, high\]\}, two numbers'),
        ({"integer": [0, 1.5]}, "high: expected a whole number, got 1.5"),
        ({"integer": [3, 3]}, "expected low < high"),
        ({"integer": [0, 10**9]}, "at most 1,048,577 whole numbers.*write them as a range"),
        ({"integer": [0, 9], "step": 2}, r"expected the keys \['integer', 'scale'\]"),
        ({"levels": [1, 2], "step": 1}, r"expected the keys \['levels', 'scale'\]"),
        ({"levels": [0, 1], "scale": "log"}, "above 0 on a logarithmic scale"),
        ({"levels": ["a", "b"]}, "level: expected a finite number, got 'a'"),
        ([], r"at least two choices, got \[\]"),
        (["a"], "at least two choices.*a value that is fixed has no brackets"),
        ([0.3, 0.30000000000000004], "expected each level once, got 0.3 and 0.30000000000000004"),
        ([1, np.nan], "expected a finite number, got nan"),
        (["a", "a"], "expected each choice once, got 'a' and 'a'"),
        (["a", 0.3, 0.1 + 0.2], "expected each choice once"),
        ([True, True], "expected each choice once"),
        (["a", float("nan")], "expected choices that equal themselves, got nan"),
        ([np.zeros(2), np.ones(2)], "got arrays; write them as tuples"),
        ({"choices": ["a", "b"], "descriptors": {"z": [1]}}, "expected 2 numbers for 'z'"),
        ({"choices": ["a", "b"], "descriptors": {"z": [1, "x"]}}, "expected a finite number"),
        ({"choices": ["a", "b"], "descriptors": {"z": [1, 1]}}, "numbers that differ for 'z'"),
        ({"choices": ["a", "b"], "descriptors": [1, 2]}, "descriptors: expected a dict"),
        (
            {"choices": ["a", "b", "c"], "descriptors": {"z": [1, 1, 2]}},
            "expected them to tell all choices apart.*add another descriptor",
        ),
        ({"rng": [0, 1]}, "expected one of the keys"),
        ({"range": [0, 1], "levels": [1, 2]}, "expected one of the keys"),
        (None, r"expected \(low, high\) or .*; got None"),
        ({1, 2}, r"expected \(low, high\) or .*; got \{1, 2\}"),
        (b"ab", "expected .*; got b'ab'"),
        (float("nan"), "expected a finite number, got nan"),
    ],
)
def test_what_is_not_written_so_is_refused_by_name(written: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"parameters: 'x': .*{message}"):
        parse_parameters({"x": written, "other": (0, 1)})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "expected a dict of name"),
        ([(0, 1)], "expected a dict of name"),
        ({3: (0, 1)}, "texts as names of parameters, got 3"),
        ({"": (0, 1)}, "texts as names"),
        ({"T": 20, "base": "DBU"}, "a parameter that is not fixed"),
    ],
)
def test_what_are_no_parameters_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"space: .*{message}"):
        parse_parameters(given, argument="space")


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ({"T": (20, 100), "c": {"range": [1, 9], "scale": "log"}, "pH": 7}, BoxDesigns),
        ({"T": [20, 50, 100], "base": ["DBU", "TEA"], "pH": 7}, CategoricalDesigns),
        ({"T": [20, 50, 100]}, CategoricalDesigns),
        ({"T": (20, 100), "base": ["DBU", "TEA"]}, MixedDesigns),
        ({"T": (20, 100), "pH": [5, 7, 9]}, MixedDesigns),
        ({"T": {"range": [20, 100], "step": 5}}, MixedDesigns),
        ({"n": {"integer": [1, 5]}, "base": ["DBU", "TEA"]}, MixedDesigns),
    ],
)
def test_a_box_is_of_ranges_alone_and_lists_alone_are_categorical(
    written: dict[str, Any], kind: type
) -> None:
    space = design_space_of(parse_parameters(written))
    assert isinstance(space, kind)
    assert isinstance(space, MixedDesigns) == (kind is MixedDesigns)
    assert space.parameters is not None and list(space.parameters.each) == list(written)


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


@PROPERTIES
@given(notations(), st.integers(0, 99))
def test_designs_and_units_are_each_others_inverse(written: dict[str, Any], seed: int) -> None:
    space = design_space_of(parse_parameters(written))
    designs = some_designs(space, seed)[0]
    columns = space.units(designs)
    for i, design in enumerate(designs):
        units = space.units(design)
        assert list(units) == list(written)
        np.testing.assert_array_equal(space.parse(units), design)
        assert _equal(space.describe(design), units) and space.text(design)
        assert all(columns[name][i] == value for name, value in units.items())
        fewer = {name: units[name] for name in space.parameters.varying}
        np.testing.assert_array_equal(space.parse(fewer), design)


@PROPERTIES
@given(notations(), st.data())
def test_what_was_typed_comes_back(written: dict[str, Any], data: st.DataObject) -> None:
    parameters = parse_parameters(written)
    space = design_space_of(parameters)
    typed: dict[str, Any] = {}
    for name, each in parameters.each.items():
        if each.values is not None:
            typed[name] = data.draw(st.sampled_from(each.values))
        else:
            assert isinstance(each, Range)
            share = data.draw(st.integers(0, 100)) / 100
            inside = each.low + share * (each.high - each.low)
            typed[name] = min(max(float(f"{inside:.4g}"), each.low), each.high)
    back = space.units(space.parse(typed))
    assert all(_equal(back[name], value) for name, value in typed.items()), (typed, back)


def test_whole_numbers_steps_and_ends_are_exact() -> None:
    space = MixedDesigns(
        {"n": {"integer": [1, 15]}, "x": {"range": [0.1, 2.5], "step": 0.1}, "T": (0.1, 0.7)}
    )
    for n in range(1, 16):
        units = space.units(space.parse({"n": float(n), "x": 0.1, "T": 0.1}))
        assert units["n"] == n and type(units["n"]) is int
    for tenths in range(1, 26):
        computed = 0.1 * tenths  # 0.30000000000000004 among them
        units = space.units(space.parse({"n": 1, "x": computed, "T": 0.7}))
        assert repr(units["x"]) == repr(tenths / 10) and units["T"] == 0.7
    many = space.units(space.decode(np.arange(15)) if space.size else some_designs(space, 0)[0])
    assert many["n"].dtype.kind == "i" and many["x"].dtype.kind == many["T"].dtype.kind == "f"


@PROPERTIES
@given(st.floats(-1e3, 1e3), st.floats(50, 1e6), st.floats(-1, 1, width=32))
def test_a_range_gives_the_fewest_decimals_of_a_coordinate(
    low: float, span: float, coordinate: float
) -> None:
    written = {"range": [low, low + span], "scale": "linear"}
    space = BoxDesigns.of(parse_parameters({"x": written}))
    each = space.parameters.each["x"]
    design = np.array([coordinate], np.float32)
    number = space.units(design)["x"]
    assert each.low <= number <= each.high
    exact = each.low + (float(design[0]) + 1) / 2 * (each.high - each.low)
    assert number == pytest.approx(exact, abs=2e-7 * span)
    if abs(coordinate) > 1e-3:  # nearer to 0 there are more float32 coordinates than numbers
        np.testing.assert_array_equal(space.parse({"x": number}), design)
        assert len(repr(number)) <= len(repr(exact))


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ({"T": 20, "base": "DBU"}, r"\['n'\] missing"),
        ({"T": 20, "base": "DBU", "n": 1, "p": 1}, r"got \['p'\] too"),
        ({"T": 101, "base": "DBU", "n": 1}, "'T': expected a number from 20.0 to 100.0, got 101"),
        ({"T": "20", "base": "DBU", "n": 1}, "'T': value: expected a finite number, got '20'"),
        ({"T": True, "base": "DBU", "n": 1}, "'T': value: expected a finite number, got True"),
        ({"T": 20, "base": "dbu", "n": 1}, "'base': expected one of 'DBU', 'TEA', got 'dbu'"),
        ({"T": 20, "base": "DBU", "n": 1.5}, "'n': expected one of 1, 2, 3, got 1.5"),
        ({"T": 20, "base": "DBU", "n": 1, "pH": 8}, "'pH': expected 7, which is fixed, got 8"),
        ("T=20", r"expected a dict with \['T', 'base', 'n', 'pH'\], or numbers of shape \(4,\)"),
        ([0, 0, 0, 2], "numbers from"),
        ([0, 0, np.nan, 0], "numbers from"),
    ],
)
def test_what_is_no_design_is_refused_by_parameter(units: Any, message: str) -> None:
    space = MixedDesigns(
        {"T": (20, 100), "base": ["DBU", "TEA"], "n": {"integer": [1, 3]}, "pH": 7}
    )
    with pytest.raises(ValueError, match=f"design: .*{message}"):
        space.parse(units)
    np.testing.assert_array_equal(space.parse([0.5, 0.2, 0.1, 0.7]), np.float32([0.5, 1, -1, 1]))


@PROPERTIES
@given(notations())
def test_parameters_and_spaces_survive_json_and_pickle(written: dict[str, Any]) -> None:
    parameters = parse_parameters(written)
    assert Parameters.from_dict(json.loads(json.dumps(parameters.to_dict()))) == parameters
    space = design_space_of(parameters)
    again = design_space_from_dict(json.loads(json.dumps(space.to_dict())))
    copy = pickle.loads(pickle.dumps(space))
    assert again == space == copy and type(again) is type(space) is type(copy)
    assert hash(again) == hash(space) and again.parameters == parameters
    designs = some_designs(space, 0)
    np.testing.assert_array_equal(again.features(designs), space.features(designs))


def test_other_parameters_make_other_spaces() -> None:
    one = MixedDesigns({"T": (20, 100), "base": ["DBU", "TEA"]})
    for other in [
        {"T": (20, 101), "base": ["DBU", "TEA"]},
        {"t": (20, 100), "base": ["DBU", "TEA"]},
        {"T": (20, 100), "base": ["TEA", "DBU"]},
        {"base": ["DBU", "TEA"], "T": (20, 100)},
    ]:
        assert MixedDesigns(other) != one


def test_choices_may_be_anything_and_files_refuse_what_they_cannot_hold() -> None:
    class Kernel:
        pass

    kernels = [Kernel(), Kernel()]
    space = design_space_of(parse_parameters({"kernel": kernels}))
    assert space.units(np.array([1]))["kernel"] is kernels[1]
    assert space == design_space_of(parse_parameters({"kernel": kernels}))
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(space.to_dict())


def test_features_of_levels_are_spaced_by_value_or_by_its_logarithm() -> None:
    for scale, expected in [("linear", [0, 9 / 99, 1]), ("log", [0, 0.5, 1])]:
        written = {"levels": [1, 10, 100], "scale": scale}
        for more in ({}, {"T": (0, 1)}):
            space = design_space_of(parse_parameters({"c": written, **more}))
            designs = [space.parse({"c": c, **dict.fromkeys(more, 0)}) for c in (1, 10, 100)]
            features = space.features(np.array(designs))[:, 0]
            shares = (features - features[0]) / (features[2] - features[0])
            np.testing.assert_allclose(shares, expected, atol=1e-7)


def test_descriptors_stand_for_categories_at_the_same_mean_distance() -> None:
    described = {
        "choices": ["a", "b", "c", "d"],
        "descriptors": {"p": [1, 2, 3, 10], "q": [0, 1, 1, 0]},
    }
    for more in ({}, {"T": (0, 1)}):
        space = design_space_of(parse_parameters({"s": described, **more}))
        designs = np.array([space.parse({"s": s, **dict.fromkeys(more, 0)}) for s in "abcd"])
        features = space.features(designs)
        squared = ((features[:, None] - features) ** 2).sum(axis=-1)
        assert squared.mean() == pytest.approx(3 / 4), "as one-hot categories have it"
        assert squared[1, 2] < squared[0, 2] < squared[0, 3]
