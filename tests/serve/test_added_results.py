"""Results that are added: what came of them, and how many plates are left."""

from __future__ import annotations

import csv
import io

import pytest

from ombo_agents.serve.workspace.numbers import without_first
from tests.serve.visitor import Visitor, wrongs


def fill_in(visitor: Visitor, *results: str, name: str = "plate.csv") -> str:
    """Sends the plate with results, one a well; what the page says then."""
    rows = list(csv.reader(io.StringIO(visitor.get("/plate.csv").text.lstrip("\ufeff"))))
    place = rows[0].index("yield (%)")
    for row, value in zip(rows[1:], results, strict=True):
        row[place] = value
    return tell(visitor, rows, name)


def tell(visitor: Visitor, rows: list[list[str]], name: str = "plate.csv") -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    answer = visitor.post("/tell", results=(name, text.getvalue()))
    assert answer.status_code == 303, wrongs(answer)
    return visitor.get(answer.location).text


def plates(visitor: Visitor) -> str:
    field = visitor.get("/plate").text.partition('id="plates"')[2]
    return field.partition('value="')[2].partition('"')[0]


def test_the_page_says_what_came_of_them_and_counts_the_plates_down(measured: Visitor) -> None:
    measured.post("/suggest", plates="4,4, 2")
    page = fill_in(measured, "45", "n.d.", "93.1", "")
    words = "3 results added, 1 failed, 1 still without a result, best now 93.1 (plate.csv, row 4)"
    assert f"{words}. Plates left: 4, 2." in page
    assert words in measured.get("/plate").text
    assert plates(measured) == "4, 2"
    measured.post("/suggest", plates="4, 2")
    page = fill_in(measured, "1", "2", "3", "4", name="second.csv")
    assert "4 results added, best now 93.1 (plate.csv, row 4), as before." in page
    assert plates(measured) == "2"
    measured.post("/suggest", plates="2")
    assert "No plate is left of those that were planned." in fill_in(measured, "1", "2")
    assert plates(measured) == ""
    answer = measured.post("/suggest", plates="")
    assert "got nothing; write whole numbers" in wrongs(answer)["plates"][0]


def test_a_plate_that_comes_back_in_parts_counts_once(measured: Visitor) -> None:
    measured.post("/suggest", plates="2, 3")
    rows = list(csv.reader(io.StringIO(measured.get("/plate.csv").text.lstrip("\ufeff"))))
    place = rows[0].index("yield (%)")
    rows[1][place] = "12"
    tell(measured, rows)
    assert plates(measured) == "3"
    rows[2][place] = "14"
    page = tell(measured, rows, "again.csv")
    assert "1 result added, best now 41 (screen.csv, row 5), as before." in page
    assert plates(measured) == "3"


def test_a_plate_without_any_result_changes_nothing(measured: Visitor) -> None:
    measured.post("/suggest", plates="2, 3")
    before = measured.workspace.campaign
    answer = measured.post("/tell", results=("plate.csv", measured.get("/plate.csv").data))
    assert answer.status_code == 422
    (words,) = wrongs(answer)["results"]
    assert "expected" in words and "--" not in words
    assert measured.workspace.campaign is before and plates(measured) == "2, 3"


def test_low_values_may_be_good(measured: Visitor) -> None:
    answer = measured.post("/columns", **{**measured.fields(), "goal-3": "min"})
    assert answer.status_code == 303
    measured.post("/suggest", plates="1")
    assert "1 result added, best now 3.5 (plate.csv, row 2)" in fill_in(measured, "3.5")


def test_what_changes_later_ends_what_was_said(measured: Visitor) -> None:
    measured.post("/suggest", plates="1")
    assert "1 result added" in fill_in(measured, "3.5")
    measured.post("/columns", **{**measured.fields(), "high-1": "150"})
    assert "1 result added" not in measured.get("/columns").text


@pytest.mark.parametrize(
    ("text", "left"), [("24,24,8", "24, 8"), ("24; 8", "8"), ("8", ""), ("", ""), ("x", "")]
)
def test_plates_left(text: str, left: str) -> None:
    assert without_first(text) == left
