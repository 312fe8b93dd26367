"""Excel workbooks as tables of texts: sheets by name, titles above a header, the percent format."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ombo_agents.campaigns.files.made_sheets import made_sheet, text_of
from ombo_gym.spreadsheets.cells import read_cell
from ombo_gym.spreadsheets.header_rows import (
    empty_columns,
    likely_header,
    titles_above,
    without_columns,
)
from ombo_gym.spreadsheets.spreadsheet import Position, Spreadsheet

_LARGEST = 2**26  # bytes of a workbook
_MOST_CELLS = 10_000_000
# What a damaged workbook makes openpyxl and the readers of archives and XML beneath it raise.
_DAMAGED = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, SyntaxError),
    *(TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)
_NO_SYMBOLS = re.compile(r'"[^"]*"|\\.|_.|\[[^\]]*\]')  # of a number format: quoted, or a colour


class _Share(float):
    """A number in the percent format: 0.55, which the workbook shows as 55%."""


def read_workbook(
    path: Path, sheet: str | None = None, *, usual: str | None = None, rows_needed: bool = True
) -> Spreadsheet:
    """The table in a sheet of a workbook.

    Numbers in the percent format are read as they are shown: 0.55 in it is 55%.

    Args:
        path: Of the workbook.
        sheet: Its name; None: the first that holds anything.
        usual: A name that goes before the first one, where none is asked for.
        rows_needed: Whether a header alone is refused.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no workbook, has no such sheet, or holds no table with a header.
    """
    name, others, rows = _cells(path, sheet, usual)
    if sum(map(len, rows)) > _MOST_CELLS:
        raise ValueError(f"{path}: expected at most {_MOST_CELLS:,} cells; leave columns out")
    texts = [[text_of(cell) for cell in row] for row in rows]
    numbered = [i for i, row in enumerate(texts) if any(row)]
    if not numbered:
        raise ValueError(f"{path} is empty: expected a header and rows")
    empty = empty_columns(texts)
    rows, texts = without_columns(rows, empty), without_columns(texts, empty)
    filled = [texts[i] for i in numbered]
    likelier, titles = likely_header(filled), titles_above(filled)
    first, *body = numbered[titles:]
    width = max(i + 1 for i, cell in enumerate(texts[first]) if cell)
    header = texts[first][:width]
    # What stands beside the table, notes say, has no column.
    table, numbers = [rows[i][:width] for i in body], [i + 1 for i in body]
    shown, fractions = _as_shown(header, table, numbers)
    position = Position(
        header_row=first + 1,
        likelier_header_row=numbered[likelier] + 1 if likelier > titles else None,
        sheet=name,
        other_sheets=others,
        fractions=fractions,
        empty_columns=empty,
    )
    return made_sheet(str(path), header, shown, numbers, rows_needed=rows_needed, position=position)


def sheet_names(path: Path) -> tuple[str, ...]:
    """Names of a workbook's sheets, in order.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no workbook.
    """
    with _opened(path) as book:
        return tuple(each.title for each in book.worksheets)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A workbook that can be read; whatever a damaged one raises is said in a sentence."""
    if not path.exists():
        raise FileNotFoundError(f"expected a file, there is no {path}")
    if not path.is_file() or path.stat().st_size > _LARGEST:
        raise ValueError(
            f"{path}: expected a workbook of at most {_LARGEST >> 20} MiB; save the sheet as CSV"
        )
    try:
        import openpyxl
    except ImportError as error:
        raise ImportError(
            'Excel workbooks need openpyxl: pip install "ombo-gym[campaigns]"'
        ) from error
    try:
        with path.open("rb") as file:  # which openpyxl leaves open where it is damaged
            yield openpyxl.load_workbook(file, read_only=True, data_only=True)
    except _DAMAGED as error:
        raise ValueError(
            f"{path}: expected an Excel workbook, got a file that cannot be read as one "
            f"({' '.join(str(error).split())[:200]}); save the sheet again, or as CSV"
        ) from None


def _cells(
    path: Path, sheet: str | None, usual: str | None
) -> tuple[str, tuple[str, ...], list[list[Any]]]:
    """Name of the sheet, names of others that hold anything, and the cells by row."""
    with _opened(path) as book:
        titles = [each.title for each in book.worksheets]
        index = _index_of(titles, usual if sheet is None and usual in titles else sheet)
        if index is None:
            filled = [i for i, each in enumerate(book.worksheets) if _holds_anything(each)]
            index = next(iter(filled), 0)
        rows = _rows_of(book.worksheets[index]) if titles and index >= 0 else []
        others = tuple(
            each.title
            for i, each in enumerate(book.worksheets)
            if i != index and _holds_anything(each)
        )
    if index < 0:
        raise ValueError(
            f"{path}: expected one of the sheets {titles}, got {sheet!r}; --sheet NAME"
        )
    return titles[index] if titles else "", others, rows


def _index_of(titles: Sequence[str], sheet: str | None) -> int | None:
    """Which sheet has a name, letter case aside; -1: there is none; None: none is asked for."""
    if sheet is None:
        return None
    if sheet in titles:
        return titles.index(sheet)
    alike = [i for i, title in enumerate(titles) if title.casefold() == sheet.strip().casefold()]
    return alike[0] if len(alike) == 1 else -1


def _holds_anything(worksheet: Any) -> bool:
    worksheet.reset_dimensions()  # which some programs write wrongly
    rows = worksheet.iter_rows(values_only=True)
    return any(text_of(cell) for row in rows for cell in row)


def _rows_of(worksheet: Any) -> list[list[Any]]:
    """Values of all cells; numbers in the percent format as shares."""
    worksheet.reset_dimensions()
    return [[_value(cell) for cell in row] for row in worksheet.iter_rows()]


def _value(cell: Any) -> Any:
    value = cell.value
    if type(value) not in (int, float) or "%" not in (cell.number_format or ""):
        return value
    return _Share(value) if "%" in _NO_SYMBOLS.sub("", cell.number_format) else value


def _as_shown(
    header: Sequence[str], rows: list[list[Any]], numbers: Sequence[int]
) -> tuple[list[list[Any]], dict[str, tuple[int, ...]]]:
    """Rows in which shares are per cent, and by column where plain numbers may be shares, too.

    The sign stands behind them unless the header has it, so that units are compared.
    """
    fractions: dict[str, tuple[int, ...]] = {}
    for column, name in enumerate(header):
        cells = [row[column] if column < len(row) else None for row in rows]
        if not any(isinstance(cell, _Share) for cell in cells):
            continue
        sign = "" if "%" in name or "percent" in name.casefold() else "%"
        alike = [n for n, cell in zip(numbers, cells, strict=True) if _may_be_share(cell)]
        fractions[name] = tuple(alike)
        for row, cell in zip(rows, cells, strict=True):
            if isinstance(cell, _Share):
                row[column] = f"{float(f'{100 * cell:.12g}'):.15g}{sign}"
    return rows, fractions


def _may_be_share(cell: Any) -> bool:
    """Whether a cell that is not in the percent format holds a number that a share may be."""
    if isinstance(cell, _Share):
        return False
    text = text_of(cell)
    what = read_cell(text)
    if what.kind != "number" or what.unit:
        return False
    return 0 < abs(float((what.number or text).replace(",", "."))) <= 1
