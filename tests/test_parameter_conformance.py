"""The conformance suite finds what is wrong with kinds of parameters, and nothing in sound ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ombo_gym import Parameter
from ombo_gym.design_spaces.parameter import PARAMETERS
from ombo_gym.testing import ParameterConformance

CHECKS = [name for name in dir(ParameterConformance) if name.startswith("test_")]
BUILT_IN = {
    "range": (20, 80),
    "log_range": {"range": [0.1, 10], "scale": "log"},
    "steps": {"range": [25, 110], "step": 5},
    "integers": {"integer": [1, 15]},
    "log_integers": {"integer": [16, 1024], "scale": "log"},
    "levels": [5, 10, 25, 50],
    "log_levels": {"levels": [1e-3, 1e-2, 1], "scale": "log"},
    "choices": ["DMF", "THF", "dioxane"],
    "descriptors": {"choices": ["DMF", "THF"], "descriptors": {"polarity": [6.4, 4.0]}},
}


@dataclass(frozen=True)
class Clock(Parameter):
    """Hours of a day, of which the last and the first are neighbours."""

    kind = "test_conformance_clock"
    step: int

    @property
    def values(self) -> Any:  # type: ignore[override]
        return tuple(range(0, 24, self.step))

    @property
    def coordinates(self) -> Any:
        return np.linspace(-1, 1, len(self.values))

    @property
    def table(self) -> Any:
        angles = 2 * np.pi * np.array(self.values) / 24
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@dataclass(frozen=True)
class Share(Parameter):
    """Shares of a whole, as far apart as their logits."""

    kind = "test_conformance_share"
    widest: float
    values = None

    def units(self, codes: Any) -> Any:
        return 1 / (1 + np.exp(-self.widest * codes))

    def column(self, value: Any) -> Any:
        return np.log(value / (1 - value)) / self.widest


@dataclass(frozen=True)
class Undocumented(Clock):
    kind = "test_conformance_undocumented"


@dataclass(frozen=True)
class Morning(Clock):
    """The hands of a clock, which are the same in the evening."""

    kind = "test_conformance_morning"

    @property
    def table(self) -> Any:
        angles = 4 * np.pi * (np.array(self.values) % 12) / 24
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@dataclass(frozen=True)
class Shifted(Clock):
    """Reads the hour after the one that was meant."""

    kind = "test_conformance_shifted"

    def column(self, value: Any) -> Any:
        return (super().column(value) + 1) % len(self.values)


@dataclass(frozen=True)
class Clocked(Clock):
    """Of many codes the hours of another day."""

    kind = "test_conformance_clocked"

    def units(self, codes: Any) -> Any:
        return super().units(codes) + 24 * codes.ndim


@dataclass(frozen=True)
class Wordless(Clock):
    """Prints numbers as numbers."""

    kind = "test_conformance_wordless"

    def text(self, value: Any) -> Any:
        return value


@dataclass(frozen=True)
class Flat(Clock):
    """Shows a surrogate one design at a time."""

    kind = "test_conformance_flat"

    def features(self, column: Any) -> Any:
        return self.table[np.ravel(column)]


@dataclass(frozen=True)
class Infinite(Share):
    """Shows a surrogate what has no end."""

    kind = "test_conformance_infinite"

    def column(self, value: Any) -> Any:
        return np.tan(value)


@dataclass(frozen=True)
class Trusting(Clock):
    """Counts with whatever comes."""

    kind = "test_conformance_trusting"

    def column(self, value: Any) -> Any:
        return value // self.step


@dataclass(frozen=True)
class Ended(Share):
    """Is no inverse at its ends."""

    kind = "test_conformance_ended"

    def units(self, codes: Any) -> Any:
        return super().units(np.clip(codes, -0.8, 0.8))


@dataclass(frozen=True)
class Counted(Clock):
    """Counts how often it was asked."""

    kind = "test_conformance_counted"

    def features(self, column: Any) -> Any:
        asked = self.__dict__["asked"] = self.__dict__.get("asked", 0) + 1
        return self.table[column] + asked


OWN = [each for each in PARAMETERS.values() if each.__module__ == __name__]
for each in OWN:
    del PARAMETERS[each.kind]


@pytest.fixture(autouse=True)
def kinds_of_this_file() -> Iterator[None]:
    """Known during its tests alone: messages list all kinds."""
    PARAMETERS.update({each.kind: each for each in OWN})
    yield
    for each in OWN:
        del PARAMETERS[each.kind]


def conformance(parameter: Any, **says: Any) -> Any:
    """The checks of a parameter."""
    return type("Case", (ParameterConformance,), {"parameter": parameter, **says})()


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_kinds_conform(name: str, check: str) -> None:
    getattr(conformance(BUILT_IN[name]), check)()


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(
    "parameter", [Clock(3), Share(4.0), {"test_conformance_clock": {"step": 6}}], ids=str
)
def test_sound_kinds_of_ones_own_conform(parameter: Any, check: str) -> None:
    getattr(conformance(parameter), check)()


@pytest.mark.parametrize(
    ("parameter", "check", "message"),
    [
        (Undocumented(3), "the_kind_says_what_it_is", "expected a docstring"),
        (Shifted(3), "values_come_back", r"Shifted\.column: expected 0 of 0, its value, got 1"),
        (Shifted(3), "designs_come_back_from_units", r"expected the design .* its units, got"),
        (Clocked(3), "values_come_back", "the same value alone and among others, got 0 and 24"),
        (Wordless(3), "values_are_printed", "expected one line for 0, got 0"),
        (Flat(3), "features_are_finite_in_any_shape", "features"),
        (Counted(3), "features_are_finite_in_any_shape", "features"),
        (Morning(3), "a_surrogate_tells_values_apart", r"the same of 0 and 12; if .* told_apart"),
        (Trusting(3), "what_is_no_value_is_refused", "ValueError .* got TypeError"),
        (Ended(4.0), "values_come_back", r"Ended\.column: expected -1\.0 of"),
        (Infinite(4.0), "values_come_back", "expected `column` of Infinite to be the inverse"),
        (Clock, "values_come_back", "expected an object"),
        ([5], "values_come_back", "expected at least two choices"),
    ],
)
def test_what_is_wrong_is_found(parameter: Any, check: str, message: str) -> None:
    with pytest.raises(AssertionError, match=f"(?s){message}"):
        getattr(conformance(parameter), f"test_{check}")()


def test_values_that_are_meant_to_be_alike_may_be() -> None:
    conformance(Morning(3), told_apart=False).test_a_surrogate_tells_values_apart()


def test_a_kind_that_nobody_else_can_import_is_found() -> None:
    @dataclass(frozen=True)
    class Local(Clock):
        """Hours, in a function."""

        kind = "test_conformance_local"

    try:
        with pytest.raises(AssertionError, match="Local from its pickle"):
            conformance(Local(3)).test_it_is_built_again_from_json_and_pickles()
    finally:
        del PARAMETERS[Local.kind]
