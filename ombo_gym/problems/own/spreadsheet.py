"""Columns of a CSV file as spreadsheets write it, and errors that name the cell."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# What separates cells, the one to be preferred first: commas may also stand in numbers and texts.
_DELIMITERS = (";", "\t", "|", ",")
_DECLARED = re.compile(r'sep=([^"\r\n])\r?\n', re.IGNORECASE)
_POINT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d*,\d+)([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
# Numbers with marks between thousands, and percentages: they are not read, but are no texts either.
_UNREAD = re.compile(r"[+-]?(\d{1,3}([., '\u00a0]\d{3})+([.,]\d+)?|\d+([.,]\d+)? ?%)")
_LARGEST = 1e38  # networks compute in float32
_MOSTLY = 0.5  # a column with a larger share of numbers is meant to hold numbers


@dataclass(frozen=True)
class Spreadsheet:
    """The cells of a CSV file, stripped of blanks around them.

    Attributes:
        path: Of the file, for messages.
        delimiter: What separates cells.
        header: Names of the columns.
        rows: Cells of the rows that are not blank.
        numbers: Of the rows, as spreadsheets count them: the header is row 1.
        content: Fingerprint of the file.
    """

    path: Path
    delimiter: str
    header: list[str]
    rows: list[list[str]]
    numbers: list[int]
    content: str

    @classmethod
    def read(cls, path: Path, delimiter: str | None = None) -> Spreadsheet:
        """Reads a file.

        Args:
            path: Of UTF-8 text with a header.
            delimiter: What separates cells; None: the comma, semicolon, tab or bar that cuts all
                rows into as many cells as the header.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is no such table; says why.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise FileNotFoundError(f"csv: expected a file, there is no {path}") from None
        except IsADirectoryError:
            raise ValueError(f"csv: expected a file, got the folder {path}") from None
        except UnicodeDecodeError as error:
            raise ValueError(
                f'csv: {path} is not UTF-8 text ({error.reason}); save it as "CSV UTF-8"'
            ) from None
        content = hashlib.sha256(text.encode()).hexdigest()
        if declared := _DECLARED.match(text):  # the first line of some files that Excel writes
            delimiter, text = delimiter or declared[1], "\n" + text[declared.end() :]
        if delimiter is None:
            tables = {mark: _cells(path, text, mark, strict=False) for mark in _DELIMITERS}
            delimiter = min(_DELIMITERS, key=lambda mark: _misfits(tables[mark]))
        cells = _cells(path, text, delimiter, strict=True)
        if not cells:
            raise ValueError(f"csv: {path} is empty: expected a header and rows")
        (_, header), *body = cells
        found = cls(
            path, delimiter, header, [row for _, row in body], [n for n, _ in body], content
        )
        found._check_shape()
        return found

    def _check_shape(self) -> None:
        if "" in self.header:
            place = self.header.index("") + 1
            raise ValueError(
                f"csv: {self.path}: column {place} has no name: name it, or leave it out"
            )
        twice = sorted({name for name in self.header if self.header.count(name) > 1})
        if twice:
            raise ValueError(f"csv: {self.path}: two columns are called {twice[0]!r}: rename one")
        for number, row in zip(self.numbers, self.rows, strict=True):
            if len(row) > len(self.header):
                raise ValueError(
                    f"csv: {self.path}, row {number}: expected {len(self.header)} cells separated "
                    f"by {self.delimiter!r}, as in the header, got {len(row)}; put cells with "
                    f"{self.delimiter!r} in them in quotes, or give another delimiter"
                )
        if not self.rows:
            raise ValueError(f"csv: {self.path} has a header and no rows")

    def column(self, name: str) -> list[str]:
        """The cells of a column; where a row ends early they are empty."""
        index = self.header.index(name)
        return [row[index] if index < len(row) else "" for row in self.rows]

    def without(self, dropped: Sequence[bool]) -> Spreadsheet:
        """The same with some rows left out."""
        kept = [i for i, drop in enumerate(dropped) if not drop]
        rows, numbers = [self.rows[i] for i in kept], [self.numbers[i] for i in kept]
        return replace(self, rows=rows, numbers=numbers)

    def is_numeric(self, name: str) -> bool:
        """Whether a column is meant to hold numbers: more than half of the cells in use do.

        However they are written: those that cannot be read are no categories, but to be corrected.
        """
        used = [cell for cell in self.column(name) if cell]
        forms = (_POINT.fullmatch, self._with_comma, _UNREAD.fullmatch)
        good = sum(any(form(cell) for form in forms) for cell in used)
        return good > _MOSTLY * len(used)

    def _with_comma(self, cell: str) -> bool:
        return self.delimiter != "," and _COMMA.fullmatch(cell) is not None

    def as_numbers(self, names: Sequence[str]) -> NDArray[np.float64]:
        """The numbers of some columns, (rows, columns).

        A comma is a decimal comma where it does not separate cells and cannot be read otherwise.

        Raises:
            ValueError: A cell that is no number; names its row and what it holds.
        """
        columns = [self.column(name) for name in names]
        cells = [cell for column in columns for cell in column]
        with_comma = [cell for cell in cells if self._with_comma(cell)]
        with_point = [cell for cell in cells if "." in cell and _POINT.fullmatch(cell)]
        if with_comma and with_point:
            raise ValueError(
                f"csv: {self.path}: expected numbers of one kind, got {with_comma[0]!r} and "
                f"{with_point[0]!r}; write all of them with a decimal point"
            )
        if with_comma and all(_THOUSANDS.fullmatch(cell) for cell in with_comma):
            raise ValueError(
                f"csv: {self.path}: {with_comma[0]!r} may be thousands or decimals; write numbers "
                "with a decimal point and nothing between thousands"
            )
        found = np.empty((len(self.rows), len(columns)))
        for index, (name, column) in enumerate(zip(names, columns, strict=True)):
            for i, cell in enumerate(column):
                text = cell.replace(",", ".") if self._with_comma(cell) else cell
                number = float(text) if _POINT.fullmatch(text) else np.nan
                if not abs(number) <= _LARGEST:
                    raise ValueError(
                        f"csv: {self.path}, row {self.numbers[i]}, column {name!r}: expected a "
                        f"number, got {cell!r}; correct it, or take the row out"
                    )
                found[i, index] = number
        return found


def _cells(path: Path, text: str, delimiter: str, *, strict: bool) -> list[tuple[int, list[str]]]:
    """Rows that hold anything, with their numbers, the empty cells at their ends left out.

    Unless it is strict, a quote that is never closed takes all rows behind it into one cell.
    """
    found = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    table: list[list[str]] = []
    try:
        table.extend(reader)
    except csv.Error as error:
        raise ValueError(f"csv: {path}, row {len(table) + 1}: {error}") from error
    for number, row in enumerate(table, 1):
        cells = [cell.strip() for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            found.append((number, cells))
    return found


def _misfits(table: list[tuple[int, list[str]]]) -> int:
    """How many rows do not have as many cells as the header; many, where that has one only."""
    if not table or len(table[0][1]) < 2:
        return len(table) + 1
    return sum(len(row) != len(table[0][1]) for _, row in table)
