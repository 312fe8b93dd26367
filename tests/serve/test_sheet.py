"""Where a campaign begins: a sheet, the example, a campaign that was kept."""

from __future__ import annotations

import json

import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.serve.workspace.example import SHEET as EXAMPLE_SHEET
from ombo_agents.serve.workspace.example import SPACE as EXAMPLE_SPACE
from tests.campaigns.sheets import workbook_bytes
from tests.serve.visitor import SHEET, SPACE, Visitor, wrongs


def test_a_page_without_anything_leads_back_to_the_beginning(visitor: Visitor) -> None:
    for path in ("/columns", "/plate", "/advice", "/campaign.json"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.location) == (303, "/"), path
    assert visitor.get("/space.yaml").status_code == 404
    assert visitor.get("/nowhere").status_code == 404


def test_a_sheet_by_itself_asks_for_its_columns(visitor: Visitor) -> None:
    answer = visitor.post("/sheet", sheet=("screen.csv", SHEET))
    assert (answer.status_code, answer.location) == (303, "/columns")
    page = visitor.get("/columns").text
    for column in ("Solvent", "T (°C)", "time (h)", "yield (%)", "remark"):
        assert f"<legend>{column}</legend>" in page
    assert visitor.get("/plate").location == "/columns"


def test_a_workbook_will_do(visitor: Visitor) -> None:
    content = workbook_bytes({"Sheet": [["T", "yield"], [20, 1.5], [30, 2], [40, 5]]})
    assert visitor.post("/sheet", sheet=("s.xlsx", content)).status_code == 303
    assert visitor.workspace.sheet is not None
    assert visitor.workspace.sheet.column("yield") == ["1.5", "2", "5"]


@pytest.mark.parametrize(
    ("files", "place", "words"),
    [
        ({}, "sheet", "got none; choose a file"),
        ({"sheet": ("s.csv", "a,a\n1,2\n")}, "sheet", "two columns are called 'a'"),
        ({"sheet": ("s.csv", "a,b\n1,2,3\n")}, "sheet", "s.csv, row 2: expected 2 cells"),
        (
            {"sheet": ("s.csv", SHEET), "space": ("s.yaml", "t: {range: [5]}\n")},
            "space",
            "space.yaml, line 1: 't': ",
        ),
        (
            {"sheet": ("s.csv", SHEET), "space": ("s.yaml", "candidates: lib.csv\n")},
            "space",
            "expected the file 'lib.csv', which is not there",
        ),
        (
            {"sheet": ("s.csv", SHEET), "tables": ("lib.csv", "")},
            "tables",
            "lib.csv is empty",
        ),
        (
            {"sheet": ("s.csv", SHEET), "space": ("s.yaml", SPACE + "constraints: [t < 0]\n")},
            "space",
            "constraints: expected designs that keep all of",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_said_at_its_field(
    visitor: Visitor, files: dict[str, tuple[str, str]], place: str, words: str
) -> None:
    answer = visitor.post("/sheet", **files)
    assert answer.status_code == 422
    found = wrongs(answer)
    assert list(found) == [place]
    assert words in found[place][0]
    assert visitor.workspace.space is None


def test_a_space_that_names_a_file_is_read_with_it(visitor: Visitor) -> None:
    answer = visitor.post(
        "/sheet",
        sheet=("s.csv", "name,yield\nA,1\nB,2\n"),
        space=("s.yaml", "candidates: lib.csv\n"),
        tables=("lib.csv", "name,x\nA,1\nB,2\nC,5\n"),
    )
    assert answer.status_code == 303
    answer = visitor.post("/columns", **visitor.fields(), onwards="yes")
    assert (answer.status_code, answer.location) == (303, "/plate")
    assert visitor.workspace.campaign is not None
    assert visitor.workspace.campaign.space.size == 3


def test_the_example_is_what_its_files_say(visitor: Visitor) -> None:
    assert visitor.post("/example").location == "/columns"
    same = Campaign.from_csv(
        EXAMPLE_SHEET, EXAMPLE_SPACE, target="yield (%)", failed=["failed"], block="plate"
    )
    assert visitor.workspace.campaign is not None
    assert visitor.workspace.campaign.check() == same.check()
    assert "1 failed, 1 pending, 1 control" in visitor.get("/columns").text


def test_a_campaign_that_is_saved_opens_as_it_was(measured: Visitor) -> None:
    measured.post("/suggest", plates="2, 2")
    saved = measured.get("/campaign.json")
    assert "attachment" in saved.headers["Content-Disposition"]
    assert json.loads(saved.data)["format"] == "ombo campaign"
    before = measured.workspace.campaign
    other = Visitor(measured.app)
    answer = other.post("/campaign", campaign=("c.json", saved.data))
    assert (answer.status_code, answer.location) == (303, "/plate")
    after = other.workspace.campaign
    assert before is not None and after is not None
    assert after.check() == before.check()
    assert other.get("/campaign.json").data == saved.data
    assert other.fields() == measured.fields()


def test_a_campaign_that_cannot_be_read_is_said_at_its_field(measured: Visitor) -> None:
    before = measured.workspace.campaign
    answer = measured.post("/campaign", campaign=("c.json", "{}"))
    assert answer.status_code == 422
    assert list(wrongs(answer)) == ["campaign"]
    assert measured.workspace.campaign is before


def said(visitor: Visitor) -> dict[str, str]:
    """The fields but for what is guessed of the columns that are not varied, 3 and 4."""
    guesses = {f"{name}-{i}" for name in ("low", "high", "step", "log", "values") for i in (3, 4)}
    return {name: each for name, each in visitor.fields().items() if name not in guesses}


def test_a_corrected_sheet_keeps_what_was_said_of_its_columns(measured: Visitor) -> None:
    fields = said(measured)
    measured.post("/sheet", sheet=("screen2.csv", SHEET + "THF,70,2,55,better\n"))
    assert measured.workspace.campaign is not None
    assert len(measured.workspace.campaign.values) == 8
    assert said(measured) == fields


def test_a_sheet_with_other_columns_begins_anew(measured: Visitor) -> None:
    answer = measured.post("/sheet", sheet=("other.csv", "x,y\n1,2\n2,5\n3,4\n"))
    assert answer.location == "/replace"
    assert measured.post("/replace", replace="yes").location == "/columns"
    own = measured.workspace
    assert (own.campaign, own.space, own.settings) == (None, None, None)
    assert own.sheet is not None and own.sheet.header == ["x", "y"]


def test_closing_forgets_all(measured: Visitor) -> None:
    assert measured.post("/anew").location == "/"
    assert measured.workspace.sheet is None
    assert "screen.csv" not in measured.get("/").text


def test_names_of_columns_and_files_are_no_markup(visitor: Visitor) -> None:
    evil = "<script>alert(1)</script>"
    sheet = f'"{evil}",""" onfocus=alert(2) x=""",yield\na,1,2\n"{evil}",2,3\na,1,4\n{evil},2,5\n'
    answer = visitor.post("/sheet", sheet=(f"{evil}.csv", sheet))
    assert answer.status_code == 303, wrongs(answer)
    for path in ("/", "/columns"):
        page = visitor.get(path).text
        assert "<script>alert" not in page
        assert 'onfocus=alert(2) x="' not in page.replace("&#34; onfocus=alert(2) x=&#34;", "")
    answer = visitor.post("/columns", **{**visitor.fields(), "kind-0": "range", "low-0": evil})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
