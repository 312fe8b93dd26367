"""Excel workbooks as laboratories keep them: per cent, several sheets, a title above the table."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.files.sheets import found_column, read_sheet
from tests.campaigns.sheets import book_of

SPACE = {"T": {"range": [20, 100], "step": 5}}
HEADER = ["T", "yield (%)"]
ROWS: list[list[Any]] = [[20, 0.552], [40, 0.61], [60, 0.07], [80, 1.0]]


def book(folder: Path, sheets: dict[str, list[list[Any]]], percent: str = "", **cells: str) -> Path:
    """A workbook; `percent` is the number format of last columns, `cells` of single cells."""
    made = book_of(sheets)
    for sheet in made:
        for row in sheet.iter_rows():
            if percent and row and isinstance(row[-1].value, float):
                row[-1].number_format = percent
        for place, number_format in cells.items():
            sheet[place].number_format = number_format
    made.save(folder / "screen.xlsx")
    return folder / "screen.xlsx"


def values(path: Path, **options: Any) -> list[float]:
    found = Campaign.from_csv(path, SPACE, target="yield", **options)
    return [float(value) for value in found.rows.targets[:, 0]]


@pytest.mark.parametrize("percent", ["0.0%", "0%", '0.00" "%', "[Red]0.0%"])
@pytest.mark.parametrize("name", ["yield (%)", "% yield", "yield"])
def test_the_percent_format_is_read_as_it_is_shown(tmp_path: Path, percent: str, name: str) -> None:
    path = book(tmp_path, {"Data": [["T", name], *ROWS]}, percent)
    found = Campaign.from_csv(path, SPACE, target=name)
    assert found.rows.targets[:, 0].tolist() == [55.2, 61, 7, 100]


def test_a_percent_sign_that_is_mere_text_of_a_format_multiplies_nothing(tmp_path: Path) -> None:
    assert values(book(tmp_path, {"Data": [HEADER, *ROWS]}, '0.0"%"')) == [0.552, 0.61, 0.07, 1]


def test_texts_with_the_sign_stand_beside_cells_in_the_percent_format(tmp_path: Path) -> None:
    rows = [*ROWS, [30, "55.2 %"], [35, 72.5]]
    assert values(book(tmp_path, {"Data": [HEADER, *rows]}, "0%", B7="General")) == [
        *(55.2, 61, 7, 100, 55.2, 72.5)
    ]


@pytest.mark.parametrize("header", [HEADER, ["T", "yield"]])
@pytest.mark.parametrize("cell", [0.55, "0.55", 1])
def test_a_share_beside_per_cent_is_refused(tmp_path: Path, header: list[str], cell: Any) -> None:
    path = book(tmp_path, {"Data": [header, *ROWS, [30, cell]]}, "0%", B6="General")
    with pytest.raises(ValueError, match=r"screen\.xlsx, row 6, column 'yield") as refused:
        values(path)
    assert "give all cells" in str(refused.value) or "write all numbers in one" in str(
        refused.value
    )


def test_a_space_of_shares_is_told_of_the_percent_format(tmp_path: Path) -> None:
    path = book(tmp_path, {"Data": [["yield", "humidity"], [5, 0.2], [6, 0.4]]}, "0%")
    with pytest.raises(
        ValueError, match=r"'humidity' is 20, .* in the percent format, which counts"
    ):
        Campaign.from_csv(path, {"humidity": {"range": [0, 1]}}, target="yield")


def test_a_number_that_became_a_date_is_told_of_it(tmp_path: Path) -> None:
    rows = [HEADER, [20, 55], [40, datetime(2026, 5, 1)]]
    with pytest.raises(ValueError, match=r"row 3, column 'yield.*Excel made a date of it, as of"):
        values(book(tmp_path, {"Data": rows}))


def test_a_share_in_a_column_that_is_not_used_is_no_matter(tmp_path: Path) -> None:
    rows = [[20, 55, 0.5], [40, 61, 0.5], [60, 7, 0.5]]
    path = book(tmp_path, {"Data": [[*HEADER, "ee"], *rows]}, "0%", C4="General")
    assert values(path) == [55, 61, 7]


NOTES: list[list[Any]] = [["Project K-17", None], ["Analyst", "CK"]]
DATA: list[list[Any]] = [HEADER, [20, 55], [40, 61]]


def test_another_sheet_is_named_where_the_columns_are_not_in_this_one(tmp_path: Path) -> None:
    path = book(tmp_path, {"Notes": NOTES, "Data 2": DATA})
    with pytest.raises(ValueError, match="this is sheet 'Notes', there is also 'Data 2': --sheet"):
        values(path)
    assert values(path, sheet="Data 2") == values(path, sheet="data 2") == [55, 61]
    with pytest.raises(ValueError, match=r"expected one of the sheets \['Notes', 'Data 2'\]"):
        values(path, sheet="Plate")
    with pytest.raises(ValueError, match="leave --sheet out"):
        read_sheet(tmp_path / "screen.csv", sheet="Data")


def test_check_says_which_sheet_it_read(tmp_path: Path) -> None:
    path = book(tmp_path, {"Data": DATA, "Notes": NOTES})
    assert (
        "read from sheet 'Data'; there is also 'Notes'"
        in Campaign.from_csv(path, SPACE, target="yield").check()
    )


def test_a_filled_plate_is_found_behind_other_sheets(tmp_path: Path) -> None:
    import openpyxl

    campaign = Campaign.from_csv(book(tmp_path, {"Data": DATA}), SPACE, target="yield")
    file = campaign.suggest([2], policy="random").write(tmp_path / "plate.xlsx", layout=24)
    made = openpyxl.load_workbook(file)
    made.create_sheet("Notes", 0).append(["filled on Monday"])
    place = [cell.value for cell in made["plate"][1]].index("yield (%)") + 1
    for row in (2, 3):
        made["plate"].cell(row, place).value = 50 + row
    made.save(file)
    campaign.tell(file)
    assert campaign.rows.targets[-2:, 0].tolist() == [52, 53]


def test_no_message_about_a_workbook_calls_it_csv(tmp_path: Path) -> None:
    tables: list[list[list[Any]]] = [
        [["T"], [20]],
        [["T", "yield", "yield"], [20, 1, 2]],
        [HEADER, ["warm", 1]],
    ]
    for rows in tables:
        with pytest.raises(ValueError, match=r"screen\.xlsx") as refused:
            values(book(tmp_path, {"Data": rows}))
        assert "csv: " not in str(refused.value)


def test_no_other_sheet_is_named_where_a_column_of_this_one_is_meant(tmp_path: Path) -> None:
    path = book(tmp_path, {"Data": DATA, "Notes": NOTES})
    sheet = read_sheet(path)
    name = sheet.header[1]
    with pytest.raises(ValueError, match="did you mean") as error:
        found_column(sheet, f"{name[:4]} HPLC", "the target")
    assert "--sheet" not in str(error.value)
