"""Which columns of a spreadsheet hold numbers, and the numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ombo_gym.spreadsheets.cells import PLAIN, THOUSANDS, Cell, unit_of_header
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet, shown

_LARGEST = 1e38  # networks compute in float32
_DATE = re.compile(r"\d{4}-\d\d-\d\d 00:00:00")  # of a workbook, as a text
_NEAR = 1e-9  # of a number: others as near are the same


@dataclass(frozen=True)
class NumberColumn:
    """A column whose cells are to be numbers.

    Attributes:
        name: In the header.
        remedy: What to do about a cell that is none, as a message ends.
        unused: Cells that are passed over, by what stands in them.
    """

    name: str
    remedy: str
    unused: frozenset[str] = frozenset()

    def different(self, sheet: Spreadsheet) -> dict[str, Cell]:
        """Its different cells, in the order in which they appear."""
        cells = sheet.cells(self.name)
        if not self.unused:
            return cells
        return {cell: what for cell, what in cells.items() if cell not in self.unused}

    def special(self, sheet: Spreadsheet) -> dict[str, Cell]:
        """Those of them that are more than a number as programs write it: few, as a rule."""
        different = self.different(sheet)
        return {cell: what for cell, what in different.items() if what != PLAIN}


def read_numbers(
    sheet: Spreadsheet, columns: Sequence[NumberColumn], *, mixed_marks: bool = False
) -> NDArray[np.float64]:
    """The numbers of some columns, (rows, columns); NaN in cells that are passed over.

    A comma is a decimal comma where it does not separate cells and cannot be read otherwise. The
    columns are looked at together, as a file is written in one way.

    Args:
        sheet: The table.
        columns: Those that are read.
        mixed_marks: Whether 72,9 may stand among numbers with points: as long as none of either
            kind may be thousands, as 1,250 and 1.250 may.

    Raises:
        ValueError: A cell that is no number, or is in another unit than others; names its row and
            what it holds.
    """
    for column in columns:
        _check_numbers(sheet, column)
        _check_units(sheet, column)
        _check_fractions(sheet, column)
    _check_marks(sheet, columns, mixed_marks=mixed_marks)
    found = np.empty((len(sheet.rows), len(columns)))
    for index, column in enumerate(columns):
        numbers = {
            cell: float(cell if what == PLAIN else what.number.replace(",", "."))
            for cell, what in column.different(sheet).items()
        }
        numbers.update(dict.fromkeys(column.unused, np.nan))
        found[:, index] = [numbers[cell] for cell in sheet.column(column.name)]
        if (beyond := np.abs(found[:, index]) > _LARGEST).any():
            row = int(beyond.argmax())
            raise ValueError(
                f"{sheet.place(row, column.name)}: expected a number, got "
                f"{shown(sheet.column(column.name)[row])}, which is beyond {_LARGEST:g}; "
                f"{column.remedy}"
            )
    return found


def _first(sheet: Spreadsheet, name: str, cell: str) -> str:
    """Where a cell stands first."""
    return sheet.place(sheet.column(name).index(cell), name)


def _check_numbers(sheet: Spreadsheet, column: NumberColumn) -> None:
    for cell, what in column.special(sheet).items():
        if what.kind != "number":
            remedy = column.remedy
            if _DATE.fullmatch(cell):
                remedy = "Excel made a date of it, as of 1.5: type it in a cell that is no date"
            elif what.kind == "unread":
                how = "write numbers like 1234.5 or 1.2e-3, with nothing around them"
                remedy = f"{how}; {remedy}"
            raise ValueError(
                f"{_first(sheet, column.name, cell)}: expected a number, got {shown(cell)}; "
                f"{remedy}"
            )


def _check_units(sheet: Spreadsheet, column: NumberColumn) -> None:
    """All numbers are in one unit; it need not stand behind each where the header has it."""
    if not column.special(sheet):
        return
    header = unit_of_header(column.name)
    different = column.different(sheet)
    first, what = next(iter(different.items()))
    unit = header or what.unit
    for cell, what in different.items():
        if (what.unit or header) != unit:
            expected = f"{header!r}, as the header says" if header else f"that of {shown(first)}"
            raise ValueError(
                f"{_first(sheet, column.name, cell)}: expected a number in one unit with the "
                f"others, {expected}, got {shown(cell)}; write all numbers in one unit, best into "
                f"the header alone; or {column.remedy}"
            )


def _check_fractions(sheet: Spreadsheet, column: NumberColumn) -> None:
    """No number that may be a share, 0.5, beside those that a workbook shows as per cent."""
    for number in sheet.position.fractions.get(column.name, ()):
        if number not in sheet.row_numbers:
            continue
        row = sheet.row_numbers.index(number)
        cell = sheet.column(column.name)[row]
        if cell not in column.unused:
            share = float(sheet.cells(column.name)[cell].number.replace(",", ".") or cell)
            raise ValueError(
                f"{sheet.place(row, column.name)}: expected per cent like the others, got "
                f"{shown(cell)} beside cells in the percent format, which may be "
                f"{share * 100:.6g}% or {share:.6g}%; give all cells of the column one format; "
                f"or {column.remedy}"
            )


def _check_marks(sheet: Spreadsheet, columns: Sequence[NumberColumn], *, mixed_marks: bool) -> None:
    """Decimal marks are of one kind or cannot be mistaken, and no marks stand between thousands."""
    commas = {
        (column.name, cell): what.number
        for column in columns
        for cell, what in column.special(sheet).items()
        if "," in what.number
    }
    if not commas:
        return
    name, comma = next(iter(commas))
    points = {
        (column.name, cell): what.number or cell
        for column in columns
        for cell, what in column.different(sheet).items()
        if "." in (what.number or cell)
    }
    doubtful = [place for place, number in commas.items() if _may_be_thousands(number)]
    doubtful_points = [place for place, number in points.items() if _may_be_thousands(number)]
    if points and (doubtful or doubtful_points or not mixed_marks):
        if mixed_marks:  # then these alone are wrong
            name, comma = next(iter([*doubtful, *commas]))
        other, point = next(iter([*doubtful_points, *points]))
        decimal = commas[name, comma].replace(",", ".")
        raise ValueError(
            f"{_first(sheet, name, comma)}: expected numbers of one kind, got {shown(comma)} and "
            f"{shown(point)} (in column {shown(other)}); write all of them with a decimal point "
            f"and nothing between thousands: {decimal} if {shown(comma)} is that"
        )
    if points:
        return
    if len(doubtful) == len(commas):
        raise ValueError(
            f"{_first(sheet, name, comma)}: expected a number, got {shown(comma)}: {shown(comma)} "
            "may be thousands or decimals; write numbers with a decimal point and nothing between "
            "thousands"
        )


def _may_be_thousands(number: str) -> bool:
    """Whether a mark in a number may stand between thousands: 1,250 and 1.250."""
    return THOUSANDS.fullmatch(number.lstrip("+-").replace(".", ",")) is not None


def merged(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers (n,) of which those that differ by rounding are the same, as 0.3 and 0.1 + 0.2 are.

    Of numbers within a billionth of each other the one with the fewest digits stands for all,
    unless they are whole.
    """
    different, inverse = np.unique(numbers, return_inverse=True)  # ascending
    gaps = np.diff(different)
    near = gaps <= _NEAR * np.abs(different[1:])
    near &= (different[1:] != np.rint(different[1:])) | (different[:-1] != np.rint(different[:-1]))
    if not near.any():
        return numbers
    first = 0
    for start in np.flatnonzero(near).tolist():
        if start < first:
            continue
        first = start + 1
        while first < len(different) and near[first - 1]:
            if different[first] - different[start] > _NEAR * abs(different[first]):
                break
            first += 1
        group = slice(start, first)
        different[group] = min(different[group].tolist(), key=lambda number: len(repr(number)))
    found: NDArray[np.float64] = different[inverse]
    return found
