"""A kind of parameter that raises, or whose values coincide, is named with the parameter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ombo_gym
from ombo_gym import Parameter, design_space_of
from ombo_gym.design_spaces.parameter import PARAMETERS

DILUTIONS = ("1:10", "1:100", "1:1000")


@pytest.fixture
def dilution() -> Iterator[type[Any]]:
    before = dict(PARAMETERS)

    @dataclass(frozen=True)
    class Dilution(Parameter):
        kind = "dilution"
        values: tuple[str, ...]

        @property
        def coordinates(self) -> Any:
            logs = np.log10([float(text.split(":")[1]) for text in self.values])
            return 2 * (logs - logs[0]) / max(logs[-1] - logs[0], 1e-9) - 1

    yield Dilution
    PARAMETERS.clear()
    PARAMETERS.update(before)


def test_what_its_own_code_raises_is_told_with_its_name_and_the_parameter(dilution: Any) -> None:
    with pytest.raises(ValueError, match=r"'d': expected Dilution to work out .*IndexError: list"):
        design_space_of({"d": dilution(("1-10", *DILUTIONS))})


def test_values_that_coincide_are_no_matter_of_a_scale(dilution: Any) -> None:
    with pytest.raises(ValueError, match=r"expected `coordinates` of Dilution that can") as got:
        design_space_of({"d": dilution(("1:1", "2:1", "1:10"))})
    assert "'2:1'" in str(got.value) and "scale" not in str(got.value)


def test_numbers_that_coincide_still_are() -> None:
    with pytest.raises(ValueError, match=r'expected numbers .*"scale": "log" may spread them'):
        design_space_of({"d": [1e-9, 2e-9, 1.0], "T": (0, 1)})


@pytest.mark.parametrize(
    ("parameter", "remedy"),
    [
        ({"dilution": {"values": DILUTIONS[:2]}}, r"got '1:1000'; correct it, or add it to what"),
        (list(DILUTIONS[:2]), r"got '1:1000'; correct it, or add it to what"),
    ],
)
def test_a_cell_that_is_not_listed_is_to_be_added_to_the_list(
    dilution: Any, tmp_path: Path, parameter: Any, remedy: str
) -> None:
    file = tmp_path / "elisa.csv"
    file.write_text("d,signal\n1:10,1\n1:100,2\n1:1000,3\n")
    with pytest.raises(ValueError, match=rf"row 4, column 'd': .*{remedy}"):
        ombo_gym.make_problem("Table", csv=str(file), parameters={"d": parameter})
