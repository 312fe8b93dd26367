"""A plate's workbook is read at the bench: lines, units, shared values once, one printed page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ombo_agents.campaigns import Campaign, Plate
from ombo_agents.campaigns.plates.plate import LAYOUTS

SPACE: dict[str, Any] = {
    "Solvent": ["n-BuOH / H2O", "=THF", "DMF"],
    "Temp.": {"range": [40, 110], "step": 5},
    "Time": {"levels": [1, 2, 4, 8], "scale": "log"},
    "pH": [5, 6, 7, 8],
    "shared": ["Temp."],
}


@pytest.fixture(scope="module")
def plate() -> Plate:
    rows = [
        {
            "Solvent": ["n-BuOH / H2O", "=THF", "DMF"][i % 3],
            "Temp. (°C)": 40 + 5 * i,
            "Time (h)": [1, 2, 4, 8][i % 4],
            "pH": 5 + i % 4,
            "yield (%)": float(i),
        }
        for i in range(10)
    ]
    return Campaign.from_csv(rows, SPACE, target="yield").suggest([10, 10], policy="ucb")


def cells_of(sheet: Any) -> list[list[str]]:
    return [["" if c is None else str(c) for c in row] for row in sheet.values]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_well_has_a_line_for_each_value_and_what_is_shared_stands_once(
    tmp_path: Path, plate: Plate, layout: int
) -> None:
    plate.write(tmp_path / "plate.xlsx", layout=layout)
    sheet = openpyxl.load_workbook(tmp_path / "plate.xlsx")["map"]
    cells = cells_of(sheet)
    title = [row[0] for row in cells[:3]]
    shared = plate.wells[0].design["Temp."]
    assert "yield (%)" in title[0] and title[1] == f"All wells: Temp. {shared} °C"
    assert title[2] == "In each well: Solvent, Time (h), pH"
    height, width = LAYOUTS[layout]
    assert cells[3][1:] == [str(n) for n in range(1, width + 1)]
    assert [row[0] for row in cells[4:]] == list("ABCDEFGHIJKLMNOP"[:height])
    found = [cell for row in cells[4:] for cell in row[1:]]
    for well, text in zip(plate.wells, found, strict=False):
        design = well.design
        assert text.split("\n") == [
            design["Solvent"],
            f"Time {design['Time']} h",
            f"pH {design['pH']}",
        ]
    assert not any(found[len(plate) :])
    assert sum("°C" in cell for row in cells for cell in row) == 1


def test_the_map_prints_on_one_page_and_its_head_stays_in_sight(
    tmp_path: Path, plate: Plate
) -> None:
    plate.write(tmp_path / "plate.xlsx", layout=24)
    book = openpyxl.load_workbook(tmp_path / "plate.xlsx")
    for sheet, high in ((book["map"], 1), (book["plate"], 0)):
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, high)
        assert sheet.page_setup.orientation == "landscape"
    drawn, table = book["map"], book["plate"]
    assert drawn.freeze_panes == "B5" and table.freeze_panes == "B2"
    assert drawn["B5"].alignment.wrap_text and drawn["B5"].border.left.style == "thin"
    assert drawn["B4"].font.bold and drawn["A5"].font.bold and table["A1"].font.bold
    longest = max(len(line) for line in drawn["B5"].value.split("\n"))
    assert drawn.column_dimensions["B"].width > longest
    assert drawn.row_dimensions[5].height >= 3 * 15  # three lines
    assert table.print_title_rows == "$1:$1"


def test_texts_that_look_like_formulas_are_texts(tmp_path: Path, plate: Plate) -> None:
    plate.write(tmp_path / "plate.xlsx", layout=24)
    book = openpyxl.load_workbook(tmp_path / "plate.xlsx")
    every = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in every)
    assert any(str(cell.value).startswith("=THF") for cell in every)


def test_a_plate_from_such_a_workbook_can_be_told(tmp_path: Path, plate: Plate) -> None:
    plate.write(tmp_path / "plate.xlsx", layout=24)
    assert plate.write(tmp_path / "plate.xlsx", layout=24) == tmp_path / "plate.xlsx"
    book = openpyxl.load_workbook(tmp_path / "plate.xlsx")
    sheet = book["plate"]
    header = [cell.value for cell in sheet[1]]
    sheet.cell(2, header.index("yield (%)") + 1).value = 55
    book.save(tmp_path / "filled.xlsx")
    again = Campaign.from_csv(tmp_path / "filled.xlsx", SPACE, target="yield")
    assert again.values[0] == 55


def test_a_single_well_shares_nothing(plate: Plate) -> None:
    one = Plate(plate.wells[:1], plate.names, plate.targets, plate.measured_name, "", None)
    assert len(one.drawn_map(24).title) == 2


def test_the_header_of_the_table_is_as_high_as_its_lines(tmp_path: Path, plate: Plate) -> None:
    sheet = openpyxl.load_workbook(plate.write(tmp_path / "plate.xlsx"))["plate"]
    lines = max(len(str(cell.value).split()) for cell in sheet[1])
    assert lines > 1 and sheet.row_dimensions[1].height > 15 * 2
