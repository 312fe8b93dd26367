"""What a table says of itself: ends and values that `parameters` gave, and the value it guessed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from ombo_gym import Parameter
from ombo_gym.problems.own.table import Table

SHEET = """\
T (°C),base,well,y
25,DBU,1,0.5
30,TEA,2,0.7
37,DBU,4,0.6
"""


@dataclass(frozen=True)
class Logit(Parameter):
    """Shares, as far apart as their logits."""

    kind: ClassVar[str] = "test_described_logit"
    values = None
    widest: float = 3.0

    def units(self, codes: Any) -> Any:
        return 100 / (1 + np.exp(-self.widest * codes))

    def column(self, value: Any) -> Any:
        return np.log(value / (100 - value)) / self.widest


@pytest.fixture
def sheet(tmp_path: Path) -> str:
    (tmp_path / "sheet.csv").write_text(SHEET, encoding="utf-8")
    return str(tmp_path / "sheet.csv")


@pytest.mark.parametrize(
    ("column", "parameter", "words"),
    [
        ("T (°C)", (20, 42), "numbers from 25 to 37 °C, 3 different, in a range from 20 to 42"),
        ("T (°C)", {"range": [20, 42]}, "3 different, in a range from 20 to 42"),
        (
            "T (°C)",
            {"range": [20, 42], "scale": "log"},
            "3 different, in a range from 20 to 42, on a logarithmic scale",
        ),
        (
            "T (°C)",
            {"range": [20, 42], "step": 0.5},
            "ordered levels: 25, 30, 37, in a range from 20 to 42 in steps of 0.5",
        ),
        ("well", {"integer": [1, 12]}, "ordered levels: 1, 2, 4, in a range from 1 to 12"),
        (
            "well",
            {"integer": [1, 12], "scale": "log"},
            "1, 2, 4, in a range from 1 to 12, on a logarithmic scale",
        ),
        ("well", [1, 2, 4], "ordered levels: 1, 2, 4\n"),
        ("well", [1, 2, 4, 8], "ordered levels: 1, 2, 4; in no row: 8\n"),
        ("base", ["DBU", "TEA"], "categories: DBU, TEA\n"),
        ("base", ["DBU", "TEA", "DMAP", "K2CO3"], "categories: DBU, TEA; in no row: DMAP, K2CO3\n"),
        ("T (°C)", {"test_described_logit": {}}, "in a range from 4.742587318 to 95.25741268"),
    ],
)
def test_ends_and_values_that_parameters_gave_are_shown(
    column: str, parameter: Any, words: str, sheet: str
) -> None:
    described = Table(csv=sheet, parameters={column: parameter}).describe()
    (line,) = (each for each in described.splitlines() if each.strip().startswith(column))
    assert words in f"{line}\n"


def test_long_lists_of_values_that_stand_nowhere_are_cut(sheet: str) -> None:
    described = Table(csv=sheet, parameters={"well": list(range(1, 30))}).describe()
    assert "1, 2, 4; in no row: 3, 5, 6, 7, 8, 9, 10, 11, ...\n" in described


def test_without_parameters_nothing_is_said_of_ends(sheet: str) -> None:
    described = Table(csv=sheet).describe()
    assert "range" not in described and "in no row" not in described


# --- the last column, where nobody names the value ------------------------------------------------


def table_of(folder: Path, text: str, **arguments: Any) -> Table:
    (folder / "sheet.csv").write_text(text, encoding="utf-8")
    return Table(csv=str(folder / "sheet.csv"), **arguments)


COMMENTED = "T,Titer (mg/L),Comment\n25,3.5,ok\n30,4.5,\n37,<1,foam\n40,2,ok\n"


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (COMMENTED, {}),  # a design column is at fault
        ("T,y,Comment\n25,3.5,ok\n30,4.5,\n37,5,foam\n", {}),  # the value is
        ("T,y,Comment\n25,3.5,\n30,4.5,\n", {}),  # which is empty
        (COMMENTED, {"designs": ["T"]}),
    ],
)
def test_what_was_taken_for_the_value_is_said_where_it_was_not_named(
    text: str, arguments: Any, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"'Comment', the last column, was taken .*value="):
        table_of(tmp_path, text, **arguments)


def test_whoever_names_the_value_is_not_told_of_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="row 4, column 'Titer") as error:
        table_of(tmp_path, COMMENTED, value="Titer (mg/L)", designs=["T"])
    assert "the last column" not in str(error.value)
