"""Titles above a header: passed over where they cannot be anything else."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_agents.campaigns.files.sheets import found_column, read_sheet
from ombo_gym.spreadsheets.header_rows import titles_above
from tests.campaigns.sheets import workbook, write

TABLE = [["solvent", "T (°C)", "yield (%)"], ["DMF", "60", "12.5"], ["THF", "80", "35.1"]]


def written(folder: Path, rows: list[list[str]], kind: str) -> Path:
    if kind == "xlsx":
        return workbook(folder / "screen.xlsx", [[cell or None for cell in row] for row in rows])
    with (folder / "screen.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=kind).writerows(rows)
    return folder / "screen.csv"


@pytest.mark.parametrize("kind", ["xlsx", ",", ";"])
@pytest.mark.parametrize(
    "above",
    [
        [["Suzuki screen, project K-17, CK 2025"]],
        [["Suzuki screen", "", ""], ["3 November", "", ""]],
        [["", "", "Yields"]],
    ],
)
def test_a_title_is_passed_over(tmp_path: Path, kind: str, above: list[list[str]]) -> None:
    sheet = read_sheet(written(tmp_path, [*above, *TABLE], kind))
    assert sheet.header == TABLE[0] and sheet.rows == TABLE[1:]
    first = len(above) + 1
    assert sheet.position.header_row == first and sheet.row_numbers == [first + 1, first + 2]


@pytest.mark.parametrize("kind", ["xlsx", ","])
@pytest.mark.parametrize(
    "above",
    [
        [["Project", "K-17"]],
        [["Project: K-17", "CK"], ["Date", "3.11."]],
        [["a"]] * 4,
        [["Screen", "", "CK"]],
    ],
)
def test_where_it_may_be_more_than_a_title_the_header_is_pointed_at(
    tmp_path: Path, kind: str, above: list[list[str]]
) -> None:
    where = f"the header seems to be in row {len(above) + 1}: take out the rows above it"
    with pytest.raises(ValueError, match=where):
        found_column(read_sheet(written(tmp_path, [*above, *TABLE], kind)), "T", "the parameter")


def test_a_list_of_one_column_has_no_title(tmp_path: Path) -> None:
    sheet = read_sheet(write(tmp_path, "smiles.csv", "smiles\nCCO\nCCN\nc1ccccc1\n"))
    assert sheet.header == ["smiles"] and len(sheet.rows) == 3


cells = st.text("abc 1.", max_size=3).map(str.strip)


@given(st.lists(st.lists(cells, min_size=1, max_size=3), max_size=5))
@settings(max_examples=60)
def test_what_is_passed_over_are_single_cells_above_names(rows: list[list[str]]) -> None:
    rows = [row for row in rows if any(row)]
    number = titles_above(rows)
    assert all(sum(map(bool, row)) == 1 for row in rows[:number])
    if number:
        names = [name for name in rows[number] if name]
        assert len(set(names)) == len(names) > 1 and not any(name.isdigit() for name in names)
