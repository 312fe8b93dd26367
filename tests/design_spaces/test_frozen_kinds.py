"""A kind of one's own that could change under a space, or is written by halves, is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from ombo_gym import Parameter, design_space_of
from ombo_gym.design_spaces.parameter import PARAMETERS


@pytest.fixture(autouse=True)
def kinds_of_a_test() -> Iterator[None]:
    before = dict(PARAMETERS)
    yield
    PARAMETERS.clear()
    PARAMETERS.update(before)


def _kind(**settings: bool) -> Any:
    @dataclass(**settings)
    class Steps(Parameter):
        kind: ClassVar[str] = "test_frozen_steps"
        values: tuple[float, ...] = (0.0, 1.0, 2.0)

        @property
        def coordinates(self) -> Any:
            return np.linspace(-1, 1, len(self.values))

    return Steps


@pytest.mark.parametrize("settings", [{}, {"frozen": False}, {"unsafe_hash": True}, {"eq": False}])
@pytest.mark.parametrize("written", [True, False], ids=["as a dict", "as an object"])
def test_a_dataclass_that_can_change_is_refused(settings: dict[str, bool], written: bool) -> None:
    kind = _kind(**settings)
    given = {"test_frozen_steps": {}} if written else kind()
    message = r"'x': expected a frozen dataclass .*got Steps, .*; write @dataclass\(frozen=True\)"
    with pytest.raises(ValueError, match=message):
        design_space_of({"x": given, "y": (0, 1)})


def test_a_frozen_one_is_taken() -> None:
    _kind(frozen=True)
    space = design_space_of({"x": {"test_frozen_steps": {}}, "y": (0, 1)})
    assert space.describe(space.parse({"x": 2.0, "y": 0.5})) == {"x": 2.0, "y": 0.5}


@pytest.mark.parametrize("beside", [{}, {"y": (0, 1)}])
def test_the_name_of_a_kind_alone_is_no_fixed_text(beside: dict[str, Any]) -> None:
    kind = _kind(frozen=True)
    with pytest.raises(ValueError, match=r"'x': expected the kind 'test_frozen_steps' with its"):
        design_space_of({"x": "test_frozen_steps", **beside})
    with pytest.raises(
        ValueError, match=r"'x': expected an object, Steps\(\.\.\.\), got its class"
    ):
        design_space_of({"x": kind, **beside})
    space = design_space_of({"x": {"fixed": "test_frozen_steps"}, "y": (0, 1)})
    assert space.describe(space.parse({"y": 0.5}))["x"] == "test_frozen_steps"
