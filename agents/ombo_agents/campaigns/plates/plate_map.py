"""A plate as sheets of a workbook that can be read at the bench and printed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ombo_gym.spreadsheets.cells import split_header

Cells = Sequence[Sequence[Any]]

_UNIT = re.compile(r"^(.*\S)\s*[(\[]([^()\[\]]+)[)\]]$")
_NARROWEST, _WIDEST = 6, 30  # columns of a sheet, in characters
_LINE = 15  # height of a line in points
_EMPTY, _HEAD = "EEEEEE", "DDE6F0"  # colours of wells that hold nothing, and of headers


@dataclass(frozen=True)
class PlateMap:
    """A plate as it lies on the bench.

    Attributes:
        title: Above it.
        wells: Texts of its wells by row and column, a line for each value; empty ones are "".
        letters: Of its rows.
    """

    title: tuple[str, ...]
    wells: tuple[tuple[str, ...], ...]
    letters: str


def named_value(column: str, value: Any) -> str:
    """A value as a line of a well: choices speak for themselves, numbers with name and unit."""
    return value if isinstance(value, str) else shared_value(column, value)


def shared_value(column: str, value: Any) -> str:
    """A value of all wells, with its name and unit."""
    name, unit = split_header(column)
    if not unit and (found := _UNIT.match(column)) is not None:  # a unit that nobody knows
        name, unit = found[1], found[2]
    return f"{name} {value} {unit}".rstrip()


def style_table(sheet: Any) -> None:
    """Makes a table readable: a bold header that stays in sight, columns as wide as their cells."""
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    lines = 1  # of the header, which no program makes higher by itself
    for column in sheet.iter_cols():
        longest = max((len(str(c.value)) for c in column[1:] if c.value is not None), default=0)
        words = max((len(word) for word in str(column[0].value).split()), default=0)
        width = min(max(longest, words, _NARROWEST) + 2, _WIDEST)
        sheet.column_dimensions[get_column_letter(column[0].column)].width = width
        lines = max(lines, len(textwrap.wrap(str(column[0].value), width - 2)))
        for cell in column:
            cell.border = _border()
            cell.alignment = Alignment(vertical="top", wrap_text=True)
        column[0].font = Font(bold=True)
        column[0].fill = PatternFill("solid", fgColor=_HEAD)
    sheet.row_dimensions[1].height = _LINE * lines + 4
    sheet.freeze_panes = "B2"
    sheet.print_title_rows = "1:1"
    _fit(sheet, pages_high=0)


def draw_map(sheet: Any, drawn: PlateMap) -> None:
    """Draws a plate on an empty sheet, to be printed on one page."""
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    for row, text in enumerate(drawn.title, 1):
        put_text(sheet.cell(row, 1), text).font = Font(bold=True, size=14 if row == 1 else 11)
    first = len(drawn.title) + 1
    centre = Alignment(horizontal="center", vertical="center", wrap_text=True)
    for column in range(1, len(drawn.wells[0]) + 1):
        put_text(sheet.cell(first, column + 1), str(column))
        lines = [line for row in drawn.wells for line in row[column - 1].splitlines()]
        width = min(max([_NARROWEST, *map(len, lines)]) + 2, _WIDEST)
        sheet.column_dimensions[get_column_letter(column + 1)].width = width
    sheet.column_dimensions["A"].width = 4
    for row, texts in enumerate(drawn.wells, first + 1):
        put_text(sheet.cell(row, 1), drawn.letters[row - first - 1])
        for column, text in enumerate(texts, 2):
            cell = put_text(sheet.cell(row, column), text)
            cell.alignment, cell.border = centre, _border()
            if not text:
                cell.fill = PatternFill("solid", fgColor=_EMPTY)
        height = max(sum(1 + len(line) // _WIDEST for line in t.splitlines()) for t in texts)
        sheet.row_dimensions[row].height = _LINE * max(height, 1) + 4
    head = [*sheet[first], *(sheet.cell(first + 1 + row, 1) for row in range(len(drawn.wells)))]
    for cell in head:
        cell.font, cell.alignment, cell.border = Font(bold=True), centre, _border()
        cell.fill = PatternFill("solid", fgColor=_HEAD)
    sheet.freeze_panes = sheet.cell(first + 1, 2)
    _fit(sheet, pages_high=1)


def put_text(cell: Any, text: str) -> Any:
    """Writes a text that is no formula, whatever it begins with."""
    cell.value = text or None
    if text:
        cell.data_type = "s"
    return cell


def _border() -> Any:
    from openpyxl.styles import Border, Side

    thin = Side(style="thin", color="999999")
    return Border(left=thin, right=thin, top=thin, bottom=thin)


def _fit(sheet: Any, *, pages_high: int) -> None:
    """Prints a sheet across, on pages of its width; 0 pages high: as many as it takes."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, pages_high
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
