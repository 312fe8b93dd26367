"""A plate as a file, CSV or a workbook, that takes the place of nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ombo_agents.campaigns.files.made_sheets import made_sheet
from ombo_agents.campaigns.files.sheets import read_sheet
from ombo_agents.campaigns.plates.plate_map import PlateMap, draw_map, style_table
from ombo_gym.files import check_takes_files, write_atomically
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet

Cells = Sequence[Sequence[Any]]

_WORKBOOK, _MAP = ".xlsx", ".map.csv"
_MOST_NAMES = 1000  # that are tried: plate-2.csv, plate-3.csv, ...


@dataclass(frozen=True)
class _File:
    """A file to be written.

    Attributes:
        ending: Of its name, behind what all files of a plate share.
        cells: Of its table.
        drawn: In a workbook, the sheet that is the map; None: there is none.
    """

    ending: str
    cells: Cells
    drawn: PlateMap | None = None

    def content(self) -> bytes:
        """What it holds."""
        is_workbook = self.ending.lower() == _WORKBOOK
        return _workbook(self.cells, self.drawn) if is_workbook else _csv(self.cells)

    def is_at(self, path: Path) -> bool:
        """Whether a file holds just that: nothing was filled in, changed or taken out."""
        if self.ending == _MAP:  # the first cell is empty, so that it is no sheet
            return path.read_bytes() == self.content()
        there = _sheet_at(path)
        header, *rows = self.cells
        if self.ending.lower() != _WORKBOOK:
            rows = [[str(cell) for cell in row] for row in rows]
        meant = made_sheet(path.name, [str(each) for each in header], rows)
        return there is not None and (there.header, there.rows) == (meant.header, meant.rows)


def write_plate(
    path: Path,
    cells: Cells,
    *,
    listed: Cells | None = None,
    drawn: PlateMap | None = None,
    rename: bool,
) -> Path:
    """Writes a plate; arguments and errors as `Plate.write`.

    Args:
        path: Of the file.
        cells: Of the table, its header first.
        listed: The map of the plate, for a file beside a CSV file; None: there is none.
        drawn: Likewise for a sheet of a workbook.
        rename: Whether a number is added to the name where another plate is there.

    Returns:
        The file that holds the plate: written now, or found there as it is.
    """
    check_name(path)
    if path.suffix.lower() == _WORKBOOK:
        files = [_File(path.suffix, cells, drawn)]
    else:
        files = [_File(path.suffix, cells)] + ([] if listed is None else [_File(_MAP, listed)])
    header = [str(each) for each in cells[0]]
    for stem in [path.stem, *(f"{path.stem}-{number}" for number in range(2, _MOST_NAMES))]:
        places = [path.with_name(stem + file.ending) for file in files]
        taken = [place.exists() for place in places]
        if all(
            file.is_at(at) for file, at, there in zip(files, places, taken, strict=True) if there
        ):
            for file, place, there in zip(files, places, taken, strict=True):
                if not there:
                    write_atomically(place, file.content())
            return places[0]
        if not rename or not _is_plate(places[0], header):
            break
    raise ValueError(
        f"{places[0]}: expected a name that is free, or this very plate there, got "
        f"{_what_is(places[0], header)}; give another name"
    )


def check_name(path: Path) -> None:
    """Refuses names that no plate can have.

    Raises:
        ValueError: A folder that is missing, a name of a folder, or of another kind of file.
    """
    if not path.parent.is_dir():
        raise ValueError(f"{path}: expected a file in a folder that exists, {path.parent} does not")
    if path.is_dir():
        raise ValueError(f"{path}: expected the name of a file, got a folder; add a name")
    if path.suffix.lower() not in (".csv", _WORKBOOK):
        raise ValueError(f"{path}: expected a name that ends in .csv or .xlsx; add one of these")


def check_place(path: Path) -> None:
    """Refuses what `check_name` does, and folders that take no new file.

    Raises:
        ValueError: There can be no such file; says why.
    """
    check_name(path)
    check_takes_files(path)


def _sheet_at(path: Path) -> Spreadsheet | None:
    """The table in a file; None: it is none."""
    try:
        return read_sheet(path, rows_needed=False)
    except (ValueError, OSError):
        return None


def _is_plate(path: Path, header: list[str]) -> bool:
    """Whether what is there is a plate of the same campaign, or was one, or there is no file."""
    if not path.exists():
        return True
    there = _sheet_at(path)
    return there is not None and set(there.header) >= set(header)


def _what_is(path: Path, header: list[str]) -> str:
    """What is in the way, in a few words."""
    if not path.exists():
        return f"the map of another plate beside it, {path.stem}{_MAP}"
    return "another plate, or one with results" if _is_plate(path, header) else "another file"


def _csv(rows: Cells) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    content = text.getvalue()
    mark = "" if content.isascii() else "\ufeff"  # without which Excel reads no °
    return (mark + content).encode("utf-8")


def _workbook(rows: Cells, drawn: PlateMap | None) -> bytes:
    try:
        import openpyxl
    except ImportError as error:
        raise ImportError(
            'Excel workbooks need openpyxl: pip install "ombo-gym[campaigns]"'
        ) from error
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "plate"
    for row in rows:
        sheet.append([None if cell == "" else cell for cell in row])
        for cell in sheet[sheet.max_row]:
            if cell.data_type == "f":  # a text that begins with =, and no formula
                cell.data_type = "s"
    style_table(sheet)
    if drawn is not None:
        draw_map(book.create_sheet("map"), drawn)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
