"""What somebody typed comes back to the last digit: whole numbers, steps, ends, decimals."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

import ombo_gym
from ombo_gym.design_spaces import design_space_of
from ombo_gym.problems.own.function import Function

PROPERTIES = settings(max_examples=80)
_RESOLUTION = 2.0**-22  # of a range, how far apart typed numbers are at least


def back(space: Any, typed: dict[str, Any]) -> Any:
    """Units of the design that actions and observations hold for what was typed."""
    problem = Function(lambda x: 0.0, space)
    design = problem.to_design(typed)
    again = problem.to_units(design.copy())
    batch = problem.design_space.designs(problem.design_space.actions(design[None, None]))
    assert json.loads(json.dumps(problem.design_space.describe(batch[0, 0]))) == again
    return again


@pytest.mark.parametrize(
    "written",
    [
        (1, 15),
        {"range": [1, 15], "step": 1},
        {"range": [1, 15], "scale": "log"},
        {"range": [1, 15], "step": 1, "scale": "log"},
        {"integer": [1, 15]},
        {"integer": [1, 15], "scale": "log"},
        list(range(1, 16)),
        {"levels": list(range(1, 16)), "scale": "log"},
        {"choices": list(range(1, 16))},
    ],
    ids=str,
)
@pytest.mark.parametrize("more", [{}, {"T": 37.0}, {"s": "a"}], ids=str)
def test_whole_numbers_come_back_whole(written: Any, more: dict[str, Any]) -> None:
    rest = {"T": (20, 100)} if "T" in more else {"s": ["a", "b"]} if more else {}
    for n in range(1, 16):
        for typed in (n, float(n), np.int64(n), np.float64(n)):
            assert back({"n": written, **rest}, {"n": typed, **more}) == {"n": n, **more}


@pytest.mark.parametrize("more", [{}, {"s": "a"}], ids=str)
def test_tenths_come_back_as_tenths(more: dict[str, Any]) -> None:
    rest = {"s": ["a", "b"]} if more else {}
    for written in [
        (0.1, 2.5),
        {"range": [0.1, 2.5], "step": 0.1},
        [tenths / 10 for tenths in range(1, 26)],
    ]:
        for tenths in range(1, 26):
            for typed in (tenths / 10, 0.1 * tenths, 0.1 + 0.1 * (tenths - 1)):
                units = back({"x": written, **rest}, {"x": typed, **more})
                assert repr(units["x"]) == repr(tenths / 10)


@st.composite
def typed_decimals(draw: st.DrawFn) -> tuple[Any, float, type]:
    """A range with ends in decimals on any scale, and a number in it as fine as float32 holds."""
    exponent = draw(st.integers(-12, 12))
    digits = draw(st.integers(1, 6))
    log = draw(st.booleans())
    if log:
        low = Decimal(draw(st.integers(1, 999))).scaleb(exponent)
        high = low * draw(st.sampled_from([2, 30, Decimal("1e3"), Decimal("1e6")]))
        middle = math.exp(math.log(low) + draw(st.floats(0, 1)) * (math.log(high) - math.log(low)))
        typed = Decimal(f"{middle:.{min(digits, 5) - 1}e}")
    else:
        low = Decimal(draw(st.integers(-9999, 9999))).scaleb(exponent)
        span = Decimal(draw(st.integers(1, 9999))).scaleb(exponent)
        high = low + span
        grain = Decimal(10) ** math.ceil(math.log10(float(span) * _RESOLUTION))
        typed = low + Decimal(draw(st.floats(0, 1))) * span
        typed = (typed / grain).to_integral_value() * grain
    typed = min(max(typed, low), high)
    written = {"range": [float(low), float(high)], "scale": "log" if log else "linear"}
    return written, float(typed), float


@st.composite
def typed_steps(draw: st.DrawFn) -> tuple[Any, float, type]:
    """A range with a step in decimals, and one of its numbers, computed as people compute them."""
    exponent = draw(st.integers(-9, 9))
    step, steps = draw(st.integers(1, 999)), draw(st.integers(1, 200))
    low = (
        draw(st.integers(1, 5000))
        if (log := draw(st.booleans()))
        else draw(st.integers(-5000, 5000))
    )
    ends = [float(Decimal(n).scaleb(exponent)) for n in (low, low + steps * step)]
    written = {"range": ends, "step": float(Decimal(step).scaleb(exponent))}
    written["scale"] = "log" if log else "linear"
    number = draw(st.integers(0, steps))
    return written, float(Decimal(low + number * step).scaleb(exponent)), float


@st.composite
def typed_integers(draw: st.DrawFn) -> tuple[Any, float, type]:
    """Whole numbers, and one of them."""
    log = draw(st.booleans())
    low = draw(st.integers(1, 10**4) if log else st.integers(-(10**9), 10**9))
    high = low + draw(st.integers(1, 3000))
    written = {"integer": [low, high], "scale": "log" if log else "linear"}
    return written, draw(st.integers(low, high)), int


@st.composite
def typed_levels(draw: st.DrawFn) -> tuple[Any, float, type]:
    """Levels and choices in any digits, and one of them."""
    values = draw(st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=9, unique=True))
    values = [float(f"{each:.{draw(st.integers(1, 15))}g}") for each in values]
    apart = sorted(values)
    far = all(b > a * (1 + 1e-3) for a, b in pairwise(apart))
    values = values if far else [10.0**k for k in range(-3, 4)]
    kind = draw(st.sampled_from(["levels", "levels, log", "choices"]))
    written: Any = {kind.split(",")[0]: values}
    if kind != "choices":
        written["scale"] = "log"
    return written, draw(st.sampled_from(values)), float


TYPED = st.one_of(typed_decimals(), typed_steps(), typed_integers(), typed_levels())


@PROPERTIES
@given(st.lists(TYPED, min_size=1, max_size=4))
def test_what_was_typed_comes_back_to_the_last_digit(
    each: list[tuple[Any, float, type]],
) -> None:
    space = {f"x{i}": written for i, (written, _, _) in enumerate(each)}
    typed = {f"x{i}": value for i, (_, value, _) in enumerate(each)}
    found = back(space, typed)
    for i, (_, value, kind) in enumerate(each):
        assert repr(found[f"x{i}"]) == repr(kind(value)), space


@PROPERTIES
@given(st.lists(TYPED, min_size=1, max_size=3), st.booleans())
def test_the_objective_is_called_with_what_was_typed(
    each: list[tuple[Any, float, type]], vectorized: bool
) -> None:
    space = {f"x{i}": written for i, (written, _, _) in enumerate(each)}
    typed = {f"x{i}": value for i, (_, value, _) in enumerate(each)}
    seen: list[Any] = []

    def objective(x: Any) -> Any:
        seen.append({name: value[0] if vectorized else value for name, value in x.items()})
        return np.zeros(1) if vectorized else 0.0

    env = ombo_gym.make_campaign(
        objective, space, vectorized=vectorized, horizon=1, batch_size=1, start={"kind": "none"}
    )
    problem = env.unwrapped.problem
    env.reset(seed=0)
    env.step(problem.design_space.actions(problem.to_design(typed)[None, None])[0])
    assert seen == [typed]


@PROPERTIES
@given(typed_decimals(), st.sampled_from([0, 1]))
def test_ends_of_ranges_are_to_the_bit(each: tuple[Any, float, type], end: int) -> None:
    written, *_ = each
    space = design_space_of({"x": written, "y": (0, 1)})
    design = np.array([2.0 * end - 1, 0.0], np.float32)
    assert space.units(design)["x"] == written["range"][end]
    assert space.parse({"x": written["range"][end], "y": 0.5})[0] == 2.0 * end - 1


def test_zero_is_no_negative_zero() -> None:
    for written in [(-10, 10), {"range": [-1, 1], "step": 0.1}, {"integer": [-3, 3]}]:
        for zero in (0.0, -0.0):
            assert str(back({"x": written}, {"x": zero})["x"]) in ("0.0", "0")


def test_the_ends_of_a_box_of_float32_are_what_was_typed() -> None:
    box = spaces.Box(np.float32([0.1, -0.3]), np.float32([0.7, 1e3]))
    problem = Function(lambda x: 0.0, box)
    assert problem.to_units([-1, -1]).tolist() == [0.1, -0.3]
    assert problem.to_units([1, 1]).tolist() == [0.7, 1000.0]
    assert problem.to_units(problem.to_design([0.25, 37.0])).tolist() == [0.25, 37.0]
