"""Spreadsheets of users, CSV, Excel or data frames, as one kind of table of texts."""

from __future__ import annotations

import difflib
import hashlib
import math
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ombo_gym.arguments import shown
from ombo_gym.spreadsheets.cells import clean, unit_key, unit_of_header
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet, listed

_WORKBOOKS = (".xlsx", ".xlsm")
_LARGEST = 2**26  # bytes of a workbook
_MOST_CELLS = 10_000_000
# What a damaged workbook makes openpyxl and the readers of archives and XML beneath it raise.
_DAMAGED = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, SyntaxError),
    *(TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)
_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]$")


def read_sheet(
    source: Any, delimiter: str | None = None, *, rows_needed: bool = True
) -> Spreadsheet:
    """Reads a table.

    Args:
        source: The path of a CSV file or of an Excel workbook, of which the first sheet is read; a
            data frame of pandas; or a list of dicts, one a row.
        delimiter: What separates the cells of a CSV file; None: found out.
        rows_needed: Whether a header alone is refused.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no table with a header; names the row.
    """
    if isinstance(source, Spreadsheet):
        return source
    if isinstance(source, str | Path):
        path = Path(source)
        return (
            _workbook(path, rows_needed)
            if path.suffix.lower() in _WORKBOOKS
            else Spreadsheet.read(path, delimiter, rows_needed=rows_needed)
        )
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


def made_sheet(
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    numbers: Sequence[int] | None = None,
    *,
    rows_needed: bool = True,
) -> Spreadsheet:
    """A table of cells that are no texts yet.

    Args:
        name: What messages call it.
        header: Names of the columns.
        rows: Cells; empty rows are left out.
        numbers: Of the rows, as messages count them; None: from 2, behind the header.
        rows_needed: Whether a header alone is refused.

    Raises:
        ValueError: Columns without names or of the same name, or no rows.
    """
    kept, kept_numbers = [], []
    for i, row in enumerate(rows):
        cells = [_text(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            kept.append(cells)
            kept_numbers.append(numbers[i] if numbers is not None else i + 2)
    header = [clean(str(each)) for each in header]
    content = hashlib.sha256(repr((header, kept)).encode("utf-8", "replace")).hexdigest()
    found = Spreadsheet(Path(name), ",", header, kept, kept_numbers, content)
    found.check_shape(rows_needed=rows_needed)
    return found


def _text(cell: Any) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if type(cell).__name__ in ("NAType", "NaTType"):
        return ""
    if hasattr(cell, "item") and not isinstance(cell, str):
        cell = cell.item()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return clean(repr(cell) if isinstance(cell, float) else str(cell))


def _workbook(path: Path, rows_needed: bool) -> Spreadsheet:
    """The first sheet of a workbook that holds anything."""
    if not path.exists():
        raise FileNotFoundError(f"csv: expected a file, there is no {path}")
    if not path.is_file() or path.stat().st_size > _LARGEST:
        raise ValueError(
            f"csv: {path}: expected a workbook of at most {_LARGEST >> 20} MiB; save the sheet as "
            "CSV"
        )
    try:
        import openpyxl
    except ImportError as error:
        raise ImportError(
            'Excel workbooks need openpyxl: pip install "ombo-gym[campaigns]"'
        ) from error
    try:
        with path.open("rb") as file:  # which openpyxl leaves open where it is damaged
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            rows = next(filter(None, map(_rows_of, book.worksheets)), [])
    except _DAMAGED as error:
        raise ValueError(
            f"csv: {path}: expected an Excel workbook, got a file that cannot be read as one "
            f"({' '.join(str(error).split())[:200]}); save the sheet again, or as CSV"
        ) from None
    if sum(map(len, rows)) > _MOST_CELLS:
        raise ValueError(f"csv: {path}: expected at most {_MOST_CELLS:,} cells; leave columns out")
    numbered = [(i + 1, row) for i, row in enumerate(rows) if any(_text(cell) for cell in row)]
    if not numbered:
        raise ValueError(f"csv: {path} is empty: expected a header and rows")
    (_, header), *body = numbered
    width = max(i + 1 for i, cell in enumerate(header) if _text(cell))
    names = [_text(cell) for cell in header[:width]]
    # What stands beside the table, notes say, has no column.
    rows, numbers = [row[:width] for _, row in body], [n for n, _ in body]
    return made_sheet(str(path), names, rows, numbers, rows_needed=rows_needed)


def _rows_of(worksheet: Any) -> list[list[Any]]:
    """Cells of a worksheet; none where it holds nothing."""
    worksheet.reset_dimensions()  # which some programs write wrongly
    rows = [list(row) for row in worksheet.iter_rows(values_only=True)]
    return rows if any(_text(cell) for row in rows for cell in row) else []


def found_column(sheet: Spreadsheet, name: str, what: str) -> str:
    """The column of a sheet that a name means: itself, or the same with a unit in brackets.

    Args:
        sheet: The table.
        name: As it was written: `temperature` means `Temperature (°C)`, too.
        what: What messages call it.

    Raises:
        ValueError: There is none, or more than one; lists those that there are.
    """
    found = match(sheet.header, name)
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(
            f"csv: {sheet.path}, row 1: expected one column for {what} {name!r}, got "
            f"{listed(found)}; write the whole name"
        )
    near = difflib.get_close_matches(name, sheet.header, n=1, cutoff=0.5)
    hint = (
        f"; did you mean {near[0]!r}?"
        if near
        else "; name it as the header, in the first row, does"
    )
    raise ValueError(
        f"csv: {sheet.path}, row 1: expected a column for {what} {name!r}, got "
        f"{listed(sheet.header)}{hint}"
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
    return found or [each for each in header if _BRACKETS.sub("", clean(each)).casefold() == key]


def bare(name: str) -> str:
    """A name without its unit, in small letters."""
    text = clean(name)
    if unit_of_header(text):
        for opening in ("(", "[", " /", ","):
            if opening in text:
                text = text[: text.rindex(opening)]
                break
    return " ".join(text.replace("_", " ").split()).casefold()


def check_unit(sheet: Spreadsheet, column: str, unit: str, name: str) -> None:
    """Refuses a column that is in another unit than the space says.

    Raises:
        ValueError: It is.
    """
    there = sheet.unit(column)
    degrees = "°C", "°F"  # which many write without the sign
    meant = {f"°{each}" if f"°{each}" in degrees else each for each in (unit_key(unit), there)}
    if unit and there and len(meant) > 1:
        raise ValueError(
            f"csv: {sheet.path}, row 1, column {shown(column)}: expected {name!r} in {unit}, as "
            f"the space file says, got {there}; convert the numbers, or change the space file"
        )
