"""Parameters as people write them, and what designs are made of them, for property tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import strategies as st

from ombo_gym.design_spaces import DesignSpace, MixedDesigns
from ombo_gym.randomness import GeneratorBatch

NAMES = ("T", "pH", "solvent", "base", "time", "x")

_TEXTS = st.text("abcxyz ", min_size=1, max_size=4)


@st.composite
def decimals(draw: st.DrawFn) -> float:
    """Numbers as people type them, of three digits."""
    return float(Decimal(draw(st.integers(-999, 999))).scaleb(draw(st.integers(-3, 2))))


@st.composite
def ranges(draw: st.DrawFn) -> Any:
    """Ranges without steps, in all forms."""
    if draw(st.booleans()):
        low = float(Decimal(draw(st.integers(1, 99))).scaleb(draw(st.integers(-3, 0))))
        return {"range": [low, low * draw(st.sampled_from([2, 10, 1e4]))], "scale": "log"}
    low = draw(decimals())
    high = low + draw(st.sampled_from([0.5, 3.0, 80.0, 1e3]))
    written = {"range": [low, high], "scale": "linear"}
    if low > 0 and high > 1e3 * low:  # which is warned of where no scale is chosen
        return written
    return draw(st.sampled_from([(low, high), {"range": [low, high]}, written]))


@st.composite
def stepped(draw: st.DrawFn) -> Any:
    """Ranges with a step that is written in decimals."""
    low, step = draw(st.integers(-50, 50)), draw(st.integers(1, 25))
    high, exponent = low + step * draw(st.integers(1, 30)), draw(st.integers(-2, 1))
    low_, high_, step_ = (float(Decimal(n).scaleb(exponent)) for n in (low, high, step))
    return {"range": [low_, high_], "step": step_}


@st.composite
def integers(draw: st.DrawFn) -> Any:
    """Whole numbers."""
    low = draw(st.integers(-20, 20))
    return {"integer": [low, low + draw(st.integers(1, 40))]}


@st.composite
def levels(draw: st.DrawFn) -> Any:
    """Ordered levels, in both forms."""
    values = draw(st.lists(st.integers(1, 90), min_size=2, max_size=9, unique=True))
    typed = [value / 10 if draw(st.booleans()) else value for value in values]
    if len({float(value) for value in typed}) < len(typed):
        typed = values
    return draw(st.sampled_from([typed, {"levels": typed, "scale": "log"}]))


@st.composite
def choices(draw: st.DrawFn) -> Any:
    """Categories, in both forms."""
    values = draw(st.lists(_TEXTS, min_size=2, max_size=6, unique=True))
    numbers = draw(st.permutations(range(len(values))))
    described = {"choices": values, "descriptors": {"polarity": [0.5 * n for n in numbers]}}
    mixed = [True, 1.5, (1, 2), *values]
    return draw(st.sampled_from([values, {"choices": values}, described, mixed]))


FIXED = st.one_of(decimals(), _TEXTS, st.booleans())


def countable() -> st.SearchStrategy[Any]:
    """Parameters of which all values can be listed."""
    return st.one_of(stepped(), integers(), levels(), choices())


@st.composite
def notations(draw: st.DrawFn, kinds: st.SearchStrategy[Any] | None = None) -> dict[str, Any]:
    """Dicts of one to five parameters, at least one of which varies."""
    varying = st.one_of(ranges(), countable()) if kinds is None else kinds
    found = {NAMES[0]: draw(varying)}
    for name in NAMES[1 : draw(st.integers(1, 5))]:
        found[name] = draw(st.one_of(varying, FIXED))
    return found


@st.composite
def mixed_spaces(draw: st.DrawFn) -> MixedDesigns:
    """Mixed designs, one in two of them with an end."""
    return MixedDesigns(draw(notations(draw(st.sampled_from([None, countable()])))))


def rngs(seed: int, num_campaigns: int = 2) -> GeneratorBatch:
    """Random numbers of some campaigns."""
    return GeneratorBatch(
        [np.random.default_rng([seed, row]) for row in range(num_campaigns)], num_campaigns
    )


def some_designs(space: DesignSpace, seed: int, count: int = 6) -> np.ndarray:
    """Uniform designs of two campaigns, (2, count, *shape)."""
    return space.sample(rngs(seed), count)
