"""Sheets as chemists keep them: empty columns between others, and per cent of this and that."""

from __future__ import annotations

from pathlib import Path

import pytest

from ombo_agents.campaigns.files.sheets import check_unit, match, read_sheet
from ombo_agents.campaigns.plates.plate_map import named_value
from ombo_gym.spreadsheets.cells import unit_of_header
from tests.campaigns.files.test_titles import written

GAPS = [
    ["", "solvent", "", "T (°C)", "yield (%)"],
    ["", "DMF", "", "60", "12.5"],
    ["", "THF", "", "80", "35.1"],
]


@pytest.mark.parametrize("kind", ["xlsx", ",", ";"])
@pytest.mark.parametrize("above", [[], [["", "Screen K-17", "", "", ""]]])
def test_empty_columns_are_left_out(tmp_path: Path, kind: str, above: list[list[str]]) -> None:
    sheet = read_sheet(written(tmp_path, [*above, *GAPS], kind))
    assert sheet.header == ["solvent", "T (°C)", "yield (%)"]
    assert sheet.rows == [["DMF", "60", "12.5"], ["THF", "80", "35.1"]]
    assert sheet.row_numbers == [len(above) + 2, len(above) + 3]


@pytest.mark.parametrize("kind", ["xlsx", ","])
def test_a_column_with_cells_and_no_name_is_counted_as_the_file_does(
    tmp_path: Path, kind: str
) -> None:
    rows = [*GAPS[:-1], ["", "THF", "", "80", "35.1"]]
    rows[0] = ["", "solvent", "", "", "yield (%)"]
    with pytest.raises(ValueError, match="column 4 has no name"):
        read_sheet(written(tmp_path, rows, kind))


@pytest.mark.parametrize(
    "header, unit",
    [
        ("Cosolvent conc. / % (v/v)", "%v/v"),
        ("Cosolvent conc. (% v/v)", "%v/v"),
        ("Cosolvent conc. (% (v/v))", "%v/v"),
        ("Cosolvent conc. / Gew.-%", "wt%"),
        ("Cosolvent conc. [wt.-%]", "wt%"),
        ("Cosolvent conc. (mol-%)", "mol%"),
        ("Cosolvent conc. (area-%)", "area%"),
    ],
)
def test_per_cent_of_something_is_a_unit(header: str, unit: str) -> None:
    assert unit_of_header(header) == unit
    assert match([header, "Co-solvent"], "cosolvent conc.") == [header]
    sheet = read_sheet([{header: 5, "Co-solvent": "DMSO"}])
    check_unit(sheet, header, "%", "cosolvent conc.")
    with pytest.raises(ValueError, match="convert the numbers"):
        check_unit(sheet, header, "mM", "cosolvent conc.")


def test_wells_of_a_map_have_the_unit_behind_the_number() -> None:
    assert named_value("DMSO / % (v/v)", 5) == "DMSO 5 % (v/v)"
    assert named_value("T / °C", 50) == "T 50 °C"
    assert named_value("Loading [mg/mL]", 2) == "Loading 2 mg/mL"
    assert named_value("IPA (parts)", 2) == "IPA 2 parts"
    assert named_value("pH", 8.5) == "pH 8.5"
