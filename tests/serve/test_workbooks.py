"""Workbooks with several sheets, and titles above the names of columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ombo_agents.cli.serve import Args, workspace_of
from tests.campaigns.sheets import workbook_bytes
from tests.serve.visitor import Visitor, app_of, wrongs

DATA: list[list[Any]] = [["T", "yield"], [20, 1.5], [30, 2], [40, 5]]
NOTES: list[list[Any]] = [["Project", "K-17"], ["Analyst", "CK"]]


def header(visitor: Visitor) -> list[str]:
    assert visitor.workspace.sheet is not None
    return visitor.workspace.sheet.header


def test_the_page_says_which_sheet_it_read_and_offers_the_others(visitor: Visitor) -> None:
    content = workbook_bytes({"Notes": NOTES, "Data": DATA, "Empty": []})
    assert visitor.post("/sheet", sheet=("b.xlsx", content)).location == "/columns"
    for path in ("/columns", "/"):
        page = visitor.get(path).text
        assert "This is sheet “Notes” of b.xlsx." in page
        assert '<button class="quiet" name="name" value="Data">' in page
        assert 'value="Empty"' not in page
    assert visitor.post("/sheet/other", name="Data").location == "/columns"
    assert header(visitor) == ["T", "yield"]
    page = visitor.get("/columns").text
    assert "This is sheet “Data”" in page and 'value="Notes"' in page


def test_a_sheet_that_is_no_table_leaves_the_others_to_choose_from(visitor: Visitor) -> None:
    notes: list[list[Any]] = [["a", "a"], [1, 2]]
    answer = visitor.post(
        "/sheet", sheet=("b.xlsx", workbook_bytes({"Notes": notes, "Data": DATA}))
    )
    assert answer.status_code == 422
    assert "two columns are called 'a'" in wrongs(answer)["sheet"][0]
    assert "--" not in wrongs(answer)["sheet"][0]
    assert "b.xlsx has several sheets" in answer.text
    assert visitor.post("/sheet/other", name="Data").location == "/columns"
    assert header(visitor) == ["T", "yield"]
    assert visitor.post("/sheet/other", name="Nothing").status_code == 422
    assert header(visitor) == ["T", "yield"]


def test_another_sheet_asks_before_it_replaces_what_was_entered(visitor: Visitor) -> None:
    more: list[list[Any]] = [["T", "yield"], [25, 7], [35, 8]]
    visitor.post(
        "/sheet", sheet=("b.xlsx", workbook_bytes({"Data": DATA, "More": more, "Notes": NOTES}))
    )
    answer = visitor.post("/columns", **{**visitor.fields(), "role-0": "parameter"})
    assert answer.status_code == 303, wrongs(answer)
    assert visitor.post("/sheet/other", name="More").location == "/columns"  # the same columns
    assert visitor.workspace.campaign is not None
    assert visitor.post("/sheet/other", name="Notes").location == "/replace"
    assert header(visitor) == ["T", "yield"]


def test_one_sheet_is_not_spoken_of(visitor: Visitor) -> None:
    visitor.post("/sheet", sheet=("b.xlsx", workbook_bytes({"Data": DATA})))
    assert "This is sheet" not in visitor.get("/columns").text
    assert visitor.post("/sheet/other", name="Data").location == "/"


def test_a_title_above_the_names_is_passed_over_and_said(visitor: Visitor) -> None:
    title: list[list[Any]] = [["Suzuki screen, project K-17"], [], *DATA]
    assert (
        visitor.post("/sheet", sheet=("b.xlsx", workbook_bytes({"Data": title}))).status_code == 303
    )
    assert header(visitor) == ["T", "yield"]
    assert "names of columns are read from row 3" in visitor.get("/columns").text


@pytest.mark.parametrize(
    ("sheet", "names"), [(None, ["Project", "K-17"]), ("Data", ["T", "yield"])]
)
def test_the_command_takes_a_sheet_of_a_workbook(
    tmp_path: Path, sheet: str | None, names: list[str]
) -> None:
    path = tmp_path / "b.xlsx"
    path.write_bytes(workbook_bytes({"Notes": NOTES, "Data": DATA}))
    visitor = Visitor(app_of(first=workspace_of(Args(screen=path, sheet=sheet)).copy))
    assert header(visitor) == names
    other = "Data" if sheet is None else "Notes"
    assert f'value="{other}"' in visitor.get("/columns").text
    assert visitor.post("/sheet/other", name=other).location == "/columns"
    assert header(visitor) != names
