"""Spreadsheets of users, CSV, Excel or data frames, as one kind of table of texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ombo_agents.campaigns.files.made_sheets import made_sheet
from ombo_agents.campaigns.files.near_columns import bare, near_column
from ombo_agents.campaigns.files.plate_columns import is_plate, users_columns
from ombo_agents.campaigns.files.workbooks import read_workbook
from ombo_gym.arguments import shown
from ombo_gym.spreadsheets.cells import clean, split_header, unit_key, unit_of_header
from ombo_gym.spreadsheets.spreadsheet import WORKBOOKS, Spreadsheet, listed

PARAMETER = "the parameter"  # what messages call columns of the space
_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]$")


def read_sheet(
    source: Any,
    delimiter: str | None = None,
    *,
    rows_needed: bool = True,
    sheet: str | None = None,
    usual: str | None = None,
) -> Spreadsheet:
    """Reads a table.

    Args:
        source: The path of a CSV file, UTF-8 or in Windows' code page 1252, or of an Excel
            workbook; a data frame of pandas; or a list of dicts, one a row.
        delimiter: What separates the cells of a CSV file; None: found out.
        rows_needed: Whether a header alone is refused.
        sheet: Of a workbook, its name; None: the first that holds anything.
        usual: The sheet that goes before the first one, where none is asked for.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no table with a header; names the row.
    """
    if isinstance(source, Spreadsheet):
        return source
    if isinstance(source, str | Path):
        path = Path(source)
        if path.suffix.lower() in WORKBOOKS:
            return read_workbook(path, sheet, usual=usual, rows_needed=rows_needed)
        if sheet is not None:
            raise ValueError(
                f"sheet: expected a workbook, of which {sheet!r} is a sheet, got {path}; leave "
                "--sheet out"
            )
        return Spreadsheet.read(path, delimiter, rows_needed=rows_needed, titles=True, windows=True)
    if hasattr(source, "columns") and hasattr(source, "itertuples"):
        header = [str(name) for name in source.columns]
        cells = source.itertuples(index=False, name=None)
        return made_sheet("frame", header, cells, rows_needed=rows_needed)
    if isinstance(source, Sequence) and all(isinstance(row, Mapping) for row in source) and source:
        header = list(dict.fromkeys(str(name) for row in source for name in row))
        rows = [[row.get(name) for name in header] for row in source]
        return made_sheet("rows", header, rows)
    raise ValueError(
        "expected the path of a CSV file or an Excel workbook, a data frame or a list of dicts, "
        f"got {shown(source)}"
    )


def found_column(sheet: Spreadsheet, name: str, what: str, unit: str = "") -> str:
    """The column of a sheet that a name means: itself, or the same with a unit in brackets.

    Args:
        sheet: The table.
        name: As it was written: `temperature` means `Temperature (°C)`, too.
        what: What messages call it.
        unit: Of what is meant, by which a message guesses; "": unknown.

    Raises:
        ValueError: There is none, or more than one; lists those that there are.
    """
    found = match(sheet.header, name)
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(
            f"{sheet.in_header}: expected one column for {what} {name!r}, got "
            f"{listed(found)}; write the whole name"
        )
    columns = users_columns(sheet.header)
    near = near_column(columns, name, unit)
    raise ValueError(
        f"{sheet.in_header}: expected a column for {what} {name!r}, got {listed(columns)}"
        f"{_remedy(sheet, name, what, near)}"
    )


def _remedy(sheet: Spreadsheet, name: str, what: str, near: str | None) -> str:
    """What to do about a column that is not there, as a message ends."""
    if is_plate(sheet.header):
        guess = "" if near is None else f" (is it {near!r}?)"
        return f"; call the column {name!r} again, as the plate had it{guess}"
    if near is None:
        hint = sheet.position.hint
        return hint or f"; name it as the header, in row {sheet.position.header_row}, does"
    if what != PARAMETER:
        return f"; did you mean {near!r}?{sheet.position.header_hint}"
    return (
        f"; did you mean {near!r}? then rename the line of the space file {name!r} to "
        f"{split_header(near)[0]!r}{sheet.position.header_hint}"
    )


def match(header: Sequence[str], name: str) -> list[str]:
    """Columns that a name may mean: exactly, or but for the unit and the size of letters."""
    name = clean(name)
    if name in header:
        return [name]
    unit = unit_of_header(name)
    key = bare(name)
    found = [
        each
        for each in header
        if bare(each) == key and (not unit or unit_of_header(each) in ("", unit))
    ]
    # A unit that nobody knows, or another remark.
    return found or [each for each in header if _BRACKETS.sub("", bare(each)) == key]


def check_unit(sheet: Spreadsheet, column: str, unit: str, name: str) -> None:
    """Refuses a column that is in another unit than the space says.

    Raises:
        ValueError: It is.
    """
    there = sheet.unit(column)
    degrees = "°C", "°F"  # which many write without the sign
    meant = {f"°{each}" if f"°{each}" in degrees else each for each in (unit_key(unit), there)}
    if "%" in meant and all("%" in each for each in meant):  # of whatever: 5% is 5 vol%
        return
    if unit and there and len(meant) > 1:
        raise ValueError(
            f"{sheet.in_header}, column {shown(column)}: expected {name!r} in {unit}, as "
            f"the space file says, got {there}; convert the numbers, or change the space file"
        )
