"""Kinds of parameters of one's own that cannot work are refused when the space is built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import make_dataclass
from typing import Any

import numpy as np
import pytest

import ombo_gym
from ombo_gym import CampaignSpec, Parameter, design_space_of, parse_parameters
from ombo_gym.design_spaces.parameter import PARAMETERS


@pytest.fixture(autouse=True)
def kinds_of_a_test() -> Iterator[None]:
    before = dict(PARAMETERS)
    yield
    PARAMETERS.clear()
    PARAMETERS.update(before)


# --- every number between two ends ----------------------------------------------------------------


def logit(**changes: Any) -> type[Parameter]:
    """A kind of shares, as far apart as their logits: without an end of values."""

    def units(self: Any, codes: Any) -> Any:
        return 1 / (1 + np.exp(-self.widest * codes))

    def column(self: Any, value: Any) -> Any:
        return np.log(value / (1 - value)) / self.widest

    members = {"kind": "logit", "values": None, "units": units, "column": column, **changes}
    return made("Logit", [("widest", float)], members)


def made(name: str, fields: list[Any], members: dict[str, Any], *bases: type) -> type[Any]:
    """A frozen dataclass with these members; those that are ... are left out."""
    kept = {member: value for member, value in members.items() if value is not ...}
    return make_dataclass(name, fields, bases=bases or (Parameter,), namespace=kept, frozen=True)


@pytest.mark.parametrize("beside", [{}, {"T": (1, 2)}, {"T": (1, 2), "solvent": ["DMF", "THF"]}])
def test_numbers_of_an_own_kind_without_end_are_those_that_it_says(beside: dict[str, Any]) -> None:
    kind: Any = logit()
    spec = CampaignSpec({**beside, "share": {"logit": {"widest": 3.0}}})  # type: ignore[arg-type]
    assert CampaignSpec.from_json(spec.to_json()) == spec
    space = spec.design_space
    given = {"share": 0.9, "T": 1.25, "solvent": "THF"}
    given = {name: value for name, value in given.items() if name in (*beside, "share")}
    design = space.parse(given)
    described = space.describe(design)
    assert described == {**given, "share": pytest.approx(0.9, rel=1e-6)}
    many = space.units(np.stack([design, space.parse({**given, "share": 0.5})]))
    np.testing.assert_allclose(many["share"], [0.9, 0.5], rtol=1e-6)
    with pytest.raises(ValueError, match="'share': expected a value with a coordinate from -1"):
        space.parse({**given, "share": 0.99})
    assert kind(3.0) == space.parameters.each["share"]  # type: ignore[union-attr]


@pytest.mark.parametrize("given", ["0.9", None, True, object()])
def test_what_is_no_number_is_refused_before_the_kind_reckons_with_it(given: Any) -> None:
    kind: Any = logit()
    space = design_space_of({"share": kind(3.0)})
    with pytest.raises(ValueError, match=r"^design: 'share': expected a number, got "):
        space.parse({"share": given})


def test_functions_are_called_with_them() -> None:
    logit()
    seen = []

    def share(x: dict[str, float]) -> float:
        seen.append(x["share"])
        return x["share"] + x["T"]

    env = ombo_gym.make_campaign(
        share, {"T": (1, 2), "share": {"logit": {"widest": 3.0}}}, horizon=1
    )
    env.reset(seed=0)
    env.step(env.action_space.sample())
    assert all(0 < each < 1 for each in seen) and len(set(seen)) > 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": ...}, "methods `units` .* and `column` .* of Logit.*none called units;"),
        ({"column": ..., "units": ...}, "none called units or column; or list all `values`"),
        ({"category": True}, "seen by the coordinates of its numbers, got a category"),
        ({"table": property(lambda self: np.eye(2))}, "got `table`"),
        ({"coordinates": property(lambda self: np.zeros(2))}, "got `coordinates`"),
        ({"column": lambda self, value: -value}, "expected `column` of Logit to be the inverse"),
        ({"units": lambda self, codes: "a"}, r"Logit\.units: expected numbers of shape \(3,\)"),
        ({"units": lambda self, codes: 0.5}, r"Logit\.units: expected numbers of shape \(3,\)"),
    ],
)
def test_without_an_end_of_values_units_and_their_inverse_are_needed(
    changes: dict[str, Any], message: str
) -> None:
    logit(**changes)
    for beside in ({}, {"T": (1, 2)}):
        with pytest.raises(ValueError, match=f"^parameters: 'share': .*{message}"):
            design_space_of({**beside, "share": {"logit": {"widest": 3.0}}})


# --- finitely many values -------------------------------------------------------------------------


VALUES = ("values", tuple)


def angle(*fields: Any, **changes: Any) -> type[Any]:
    """A kind of angles, which need coordinates beside what a surrogate sees."""
    members = {
        "kind": "angle",
        "coordinates": property(lambda self: np.linspace(-1, 1, len(self.values))),
        "table": property(lambda self: np.stack([np.cos(self.values), np.sin(self.values)], 1)),
        **changes,
    }
    return made("Angle", list(fields or (VALUES,)), members)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"coordinates": ...}, "expected `coordinates` of Angle, .* category = True"),
        (
            {"coordinates": ..., "table": ...},
            "expected `coordinates` of Angle, an array of 3 numbers",
        ),
        ({"coordinates": property(lambda self: [-1, 0, 1])}, "expected coordinates from -1 to 1"),
        ({"coordinates": property(lambda self: np.array([-1, 1]))}, "expected coordinates from"),
        ({"table": property(lambda self: np.zeros(3))}, r"expected `table` of Angle.*\(3, k\)"),
        ({"table": property(lambda self: np.zeros((2, 2)))}, r"expected `table` of .*\(3, k\)"),
        ({"table": property(lambda self: np.full((3, 1), np.nan))}, "`table` .* finite numbers"),
        ({"weights": property(lambda self: np.ones(3))}, "`weights` of Angle.*whose sum is 1"),
    ],
)
def test_what_an_own_kind_lacks_is_said(changes: dict[str, Any], message: str) -> None:
    angle(**changes)
    with pytest.raises(ValueError, match=f"^parameters: 'turn': .*{message}"):
        design_space_of({"turn": {"angle": {"values": [0.0, 1.0, 2.0]}}, "y": (0, 1)})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((), "expected `values` of Angle in a tuple, at least one, got"),
        (5, "expected `values` of Angle in a tuple"),
        ("abc", "expected `values` of Angle in a tuple"),
        ((1.0, 1.0), r"expected each of `values` of Angle once, got 1\.0, 1\.0"),
        ((1.0, np.inf), "values of Angle: expected a finite number"),
    ],
)
def test_values_that_are_none_are_said(values: Any, message: str) -> None:
    kind = angle()
    with pytest.raises(ValueError, match=f"^parameters: 'turn': {message}"):
        parse_parameters({"turn": kind(values)})


def test_without_a_kind_values_or_fields_of_json_it_is_said() -> None:
    with pytest.raises(ValueError, match=r'expected a kind of Angle, .* write kind = "angle"'):
        parse_parameters({"turn": angle(kind=...)((0.0, 1.0))})
    with pytest.raises(ValueError, match="expected `values` of Angle, a tuple of all values"):
        parse_parameters({"turn": angle(("radians", tuple))((0.0, 1.0))})
    loose = angle(VALUES, ("about", object))
    with pytest.raises(ValueError, match=r"expected fields of Angle that JSON holds, .* set"):
        parse_parameters({"turn": loose((0.0, 1.0), {1})})
    with pytest.raises(ValueError, match="expected Angle to come back from JSON as it was"):
        parse_parameters({"turn": loose((0.0, 1.0), {1: 2})})


def test_a_field_that_is_missing_is_refused_with_those_it_has() -> None:
    angle()
    with pytest.raises(ValueError, match=r"'turn': expected {\"angle\": {\"values\": ...}}, got"):
        parse_parameters({"turn": {"angle": {}}})


@pytest.mark.parametrize("values", [[0.0, 1.0], np.array([0.0, 1.0]), ((0, 1), (1, 0))])
def test_lists_and_arrays_are_tuples_and_survive_json(values: Any) -> None:
    kind = angle(table=...)
    spec = CampaignSpec({"turn": kind(values), "y": (0, 1)})  # type: ignore[arg-type]
    assert CampaignSpec.from_json(spec.to_json()) == spec
    assert kind(values) == kind(tuple(map(tuple, values) if np.ndim(values) == 2 else values))
    assert spec.design_space.parse({"turn": kind(values).values[1], "y": 0.5})[0] == 1


@pytest.mark.parametrize(
    "word",
    ["range", "integer", "levels", "choices", "fixed", "step", "scale", "descriptors", "", 3],
)
def test_a_kind_that_built_in_parameters_are_written_with_is_refused(word: Any) -> None:
    with pytest.raises(ValueError, match=r"^kind: expected"):
        angle(kind=word)
    written = {"x": {"range": [1.0, 10.0], "step": 0.5, "scale": "log"}, "y": ["a", "b"]}
    assert len(parse_parameters(written).each) == 2


def test_a_subclass_needs_a_kind_of_its_own() -> None:
    parent = angle()
    child = made("Child", [("offset", float, 0.0)], {}, parent)
    with pytest.raises(ValueError, match="a kind of its own where it is a subclass"):
        parse_parameters({"turn": child((0.0, 1.0))})


def test_what_is_no_dataclass_is_refused() -> None:
    class Bare(Parameter):
        kind = "bare"
        values = (0.0, 1.0)

    for written in (Bare(), dict[str, Any](bare={})):
        with pytest.raises(ValueError, match=r"expected a dataclass .*got Bare; write @dataclass"):
            parse_parameters({"turn": written})
