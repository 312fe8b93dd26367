"""The page of the plate: what `Campaign.suggest` gives, and files of it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from ombo_agents.campaigns import Plate
from ombo_agents.serve.views import answers
from ombo_agents.serve.views.drawing import plate_chart
from ombo_agents.serve.views.plate_maps import plate_map
from tests.serve.conftest import who_measured
from tests.serve.visitor import Visitor, app_of, never_ending, wrongs


def suggested(visitor: Visitor, **fields: str) -> Plate:
    answer = visitor.post("/suggest", **fields)
    assert (answer.status_code, answer.location) == (303, "/plate"), wrongs(answer)
    plate = visitor.workspace.plate
    assert plate is not None
    return plate


def test_the_plate_is_what_suggest_gives(measured: Visitor) -> None:
    plate = suggested(measured, plates="4, 3", policy="ucb", seed="5", repeats="yes")
    campaign = measured.workspace.campaign
    assert campaign is not None
    same = campaign.suggest([4, 3], policy="ucb", seed=5, repeats="allowed")
    assert plate.rows() == same.rows()
    assert plate.reason == same.reason


def test_the_page_shows_every_cell_of_it(measured: Visitor) -> None:
    plate = suggested(measured, plates="4, 4", layout="24")
    page = measured.get("/plate").text
    assert plate.reason in page
    for name in plate.header:
        assert f'<th scope="col">{name}</th>' in page
    for row in plate.rows(24):
        assert f'<tr id="well-{row[0]}">' in page
        for cell in row[1:]:
            assert f">{cell}</td>" in page
    assert page.count('class="free"') == 20
    assert "best measured so far: 41" in page


def test_downloads_are_the_files_that_write_makes(measured: Visitor, tmp_path: Path) -> None:
    plate = suggested(measured, plates="4", layout="24")
    plate.write(tmp_path / "plate.csv", layout=24)
    plate.write(tmp_path / "plate.xlsx", layout=24)
    answer = measured.get("/plate.csv")
    assert answer.data == (tmp_path / "plate.csv").read_bytes()
    assert answer.headers["Content-Disposition"] == "attachment; filename=plate.csv"
    assert measured.get("/plate.map.csv").data == (tmp_path / "plate.map.csv").read_bytes()
    book = openpyxl.load_workbook(io.BytesIO(measured.get("/plate.xlsx").data))
    assert [cell.value for cell in book["plate"][1]] == plate.header
    assert "A" in [cell.value for cell in book["map"]["A"]]


def test_without_a_layout_wells_have_numbers_and_there_is_no_map(measured: Visitor) -> None:
    suggested(measured, plates="3", layout="")
    rows = list(csv.reader(io.StringIO(measured.get("/plate.csv").text.lstrip("\ufeff"))))
    assert [row[0] for row in rows] == ["well", "1", "2", "3"]
    assert measured.get("/plate.map.csv").status_code == 404


def test_there_is_nothing_to_download_before(measured: Visitor) -> None:
    for name in ("/plate.csv", "/plate.xlsx", "/plate.map.csv"):
        answer = measured.get(name)
        assert answer.status_code == 404
        assert "There is no plate yet" in answer.text


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"plates": ""}, "plates", "got nothing; write whole numbers such as 24, 24, 8"),
        ({"plates": "24, x"}, "plates", "got '24, x'"),
        ({"plates": "30", "layout": "24"}, "layout", "at most 24 wells on a plate of 24, got 30"),
        ({"plates": "4", "seed": "-1"}, "seed", "at least 0, got -1"),
        ({"plates": "4", "seed": "1.5"}, "seed", "at least 0, got 1.5"),
        ({"plates": "4", "policy": "os:system"}, "policy", "expected auto or a name of the list"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    measured: Visitor, fields: dict[str, str], place: str, words: str
) -> None:
    answer = measured.post("/suggest", **fields)
    assert answer.status_code == 422
    assert words in wrongs(answer)[place][0]
    assert measured.workspace.plate is None and measured.workspace.calculation is None
    for name in ("plates", "seed"):  # shown again as it was sent
        assert f'value="{fields.get(name, "")}"'.replace("'", "&#39;") in answer.text


def test_what_suggest_refuses_is_said_on_the_page(measured: Visitor) -> None:
    assert measured.post("/space", text="solvent: [DMF, THF]\nt: [60, 80]\n").status_code == 303
    assert measured.post("/suggest", plates="50").status_code == 303
    page = measured.get("/plate").text
    assert "expected at most" in page and "wells on the next plate" in page


def test_a_campaign_without_any_result_has_a_first_plate(visitor: Visitor) -> None:
    sheet = "T,dose,y\n20,1,\n30,2,\n45,3,\n"
    space = "T: {range: [0, 90], step: 15}\ndose: [1, 2, 3]\n"
    visitor.post("/sheet", sheet=("s.csv", sheet), space=("s.yaml", space))
    answer = visitor.post("/columns", **{**visitor.fields(), "role-2": "target"})
    assert answer.status_code == 303, wrongs(answer)
    assert "no result yet" in visitor.get("/columns").text
    suggested(visitor, plates="4")
    page = visitor.get("/plate")
    assert page.status_code == 200
    assert page.text.count('<tr id="well-') == 4


def test_results_are_added(measured: Visitor) -> None:
    suggested(measured, plates="3, 3", layout="24")
    rows = list(csv.reader(io.StringIO(measured.get("/plate.csv").text.lstrip("\ufeff"))))
    place = rows[0].index("yield (%)")
    for row, value in zip(rows[1:], ["45", "n.d.", ""], strict=True):
        row[place] = value
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    answer = measured.post("/tell", results=("plate.csv", text.getvalue()))
    assert (answer.status_code, answer.location) == (303, "/columns")
    own = measured.workspace
    assert own.campaign is not None and own.plate is None
    assert len(own.campaign.values) == 10
    assert len(own.sheets) == 2
    assert "results of 1 more sheet were added" in measured.get("/").text
    fields = measured.fields()
    assert measured.post("/columns", **fields).status_code == 303  # which keeps the results
    assert own.campaign is not None and len(own.campaign.values) == 10


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("p.csv", "a,b\n1,2\n", "expected a column for"),
        ("p.csv", "Solvent,T,time,yield\nDMF,60,2,good\n", "p.csv, row 2, column 'yield'"),
        ("p.pdf", "", "expected a CSV file or an Excel workbook"),
    ],
)
def test_results_that_cannot_be_meant_change_nothing(
    measured: Visitor, name: str, content: str, words: str
) -> None:
    campaign = measured.workspace.campaign
    assert campaign is not None
    before = campaign.check()
    answer = measured.post("/tell", results=(name, content))
    assert answer.status_code == 422
    assert words in wrongs(answer)["results"][0]
    assert campaign.check() == before and measured.workspace.campaign is campaign


def test_a_calculation_that_goes_on_is_shown_and_stopped() -> None:
    visitor = who_measured(app_of(start=never_ending))
    assert visitor.post("/suggest", plates="4").status_code == 303
    assert visitor.get("/progress").json == {"state": "running", "done": 3, "total": 10}
    page = visitor.get("/plate").text
    assert '<progress id="bar"' in page and 'value="3" max="10"' in page
    assert '<meta http-equiv="refresh"' in page  # without scripts
    assert visitor.post("/stop").location == "/plate"
    assert visitor.get("/progress").json["state"] == "stopped"  # type: ignore[index]
    assert "Stopped. Nothing has changed." in visitor.get("/plate").text
    assert visitor.workspace.plate is None


def test_what_the_columns_become_stops_what_was_worked_out_of_them() -> None:
    visitor = who_measured(app_of(start=never_ending))
    visitor.post("/suggest", plates="4")
    begun = visitor.workspace.calculation
    assert begun is not None and begun.running
    visitor.post("/columns", **{**visitor.fields(), "high-1": "150"})
    assert begun.state == "stopped"
    assert visitor.workspace.calculation is None


def test_no_more_than_some_calculations_go_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_AT_ONCE", 1)
    app = app_of(start=never_ending)
    first, second = who_measured(app), who_measured(app)
    assert first.post("/suggest", plates="4").status_code == 303
    assert first.post("/suggest", plates="3").status_code == 303  # in place of the first
    refused = second.post("/suggest", plates="4")
    assert refused.status_code == 422
    assert "go on already: 1, as many as may" in refused.text
    first.post("/stop")
    assert second.post("/suggest", plates="4").status_code == 303


@pytest.mark.parametrize("layout", [24, 96, None])
def test_a_map_holds_every_well_where_its_name_says(measured: Visitor, layout: int | None) -> None:
    plate = suggested(measured, plates="7")
    drawn = plate_map(plate, layout)
    assert drawn is not None
    places = [place for _, row in drawn.rows for place in row]
    taken = [(place.name, place.well) for place in places if place.well is not None]
    assert taken == list(zip([str(row[0]) for row in plate.rows(layout)], plate.wells, strict=True))


def test_a_chart_has_intervals_in_order_and_within_its_ends(measured: Visitor) -> None:
    plate = suggested(measured, plates="5")
    campaign = measured.workspace.campaign
    assert campaign is not None
    chart = plate_chart(plate, campaign, ["1", "2", "3", "4", "5"])
    assert chart is not None and chart.mark is not None
    scale = (float(chart.right) - float(chart.left)) / 100
    for bar, well in zip(chart.bars, plate.wells, strict=True):
        assert 0 <= bar.low <= bar.middle <= bar.high <= 100
        assert float(chart.left) + scale * bar.middle == pytest.approx(well.mean, rel=0.01)
    assert float(chart.left) + scale * chart.mark == pytest.approx(41, rel=0.01)
