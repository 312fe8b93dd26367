"""What is sent while a campaign is open asks before anything that was entered is gone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.serve.visitor import SHEET, SPACE, Visitor, wrongs

OTHER = "x,y\n1,2\n2,5\n3,4\n"
RESULTS = "Solvent,T,time,yield\nDMF,30,1,50\nTHF,35,2,n.d.\n"


def send(visitor: Visitor, what: str) -> Any:
    """Sends something that has nothing to do with what is open."""
    if what == "campaign":
        other = Visitor(visitor.app)
        other.post("/example")
        return visitor.post("/campaign", campaign=("c.json", other.get("/campaign.json").data))
    if what == "example":
        return visitor.post("/example")
    return visitor.post("/sheet", sheet=("other.csv", OTHER))


@pytest.mark.parametrize("what", ["sheet", "example", "campaign"])
def test_nothing_is_replaced_before_it_is_asked(measured: Visitor, what: str) -> None:
    before = measured.workspace.campaign
    answer = send(measured, what)
    assert (answer.status_code, answer.location) == (303, "/replace")
    assert measured.workspace.campaign is before
    page = measured.get("/replace").text
    assert "in place of screen.csv?" in page
    assert "<li>what was said of parameters and rules</li>" in page
    assert measured.post("/replace", keep="yes").location == "/"
    assert measured.workspace.campaign is before and measured.workspace.waiting is None
    send(measured, what)
    assert measured.post("/replace", replace="yes").status_code == 303
    assert measured.workspace.sheet is not None and measured.workspace.campaign is not before
    assert measured.get("/replace").location == "/"  # nothing waits any more


@pytest.mark.parametrize("what", ["sheet", "example", "campaign"])
def test_nothing_is_asked_where_nothing_was_entered(visitor: Visitor, what: str) -> None:
    visitor.post("/sheet", sheet=("mine.csv", SHEET))
    assert send(visitor, what).location != "/replace"


def test_results_that_were_added_are_not_lost_without_a_question(measured: Visitor) -> None:
    assert measured.post("/sheet", sheet=("screen.csv", SHEET)).location == "/columns"
    assert measured.post("/tell", results=("p.csv", RESULTS)).status_code == 303
    assert measured.post("/sheet", sheet=("screen.csv", SHEET)).location == "/replace"
    assert "the results that were added: 2 rows" in measured.get("/replace").text
    assert len(measured.workspace.sheets) == 2


def test_what_is_entered_meanwhile_ends_what_waits(measured: Visitor) -> None:
    send(measured, "sheet")
    measured.post("/columns", **{**measured.fields(), "high-1": "150"})
    assert measured.post("/replace", replace="yes").location == "/"
    assert measured.workspace.sheet is not None
    assert measured.workspace.sheet.path.name == "screen.csv"


def test_a_space_file_that_is_wrong_replaces_nothing(measured: Visitor) -> None:
    before = measured.workspace.campaign
    files = {"sheet": ("other.csv", OTHER), "space": ("s.yaml", "t: {range: [5]}\n")}
    answer = measured.post("/sheet", **files)
    assert answer.status_code == 422 and list(wrongs(answer)) == ["space"]
    assert measured.workspace.campaign is before and measured.workspace.text == SPACE


def test_a_calculation_goes_on_while_it_is_asked(measured: Visitor) -> None:
    measured.post("/suggest", plates="3")
    plate = measured.workspace.plate
    assert plate is not None
    send(measured, "sheet")
    assert measured.workspace.plate is plate
    measured.post("/replace", replace="yes")
    assert measured.workspace.plate is None
