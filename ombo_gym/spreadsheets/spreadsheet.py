"""Columns of a CSV file as spreadsheets write it, and errors that name the cell."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ombo_gym.spreadsheets.cells import Cell, clean, read_cell, unit_of_header
from ombo_gym.spreadsheets.file_text import read_text
from ombo_gym.spreadsheets.header_rows import (
    empty_columns,
    likely_header,
    titles_above,
    without_columns,
)

# What separates cells, the one to be preferred first: commas may also stand in numbers and texts.
_DELIMITERS = (";", "\t", "|", ",")
_DECLARED = re.compile(r'sep=([^"\r\n])\r?\n', re.IGNORECASE)
_TRIED = 1000  # rows by which the delimiter is found out
_LONGEST = 60  # characters of a cell in a message
WORKBOOKS = (".xlsx", ".xlsm")


@dataclass(frozen=True)
class Position:
    """Where a table stands in a file.

    Attributes:
        header_row: As spreadsheets count rows.
        likelier_header_row: A row below that looks like the header; None: none does.
        sheet: Of a workbook, its name; "" in other files.
        other_sheets: Names of the others that hold anything.
        fractions: By column that has cells in the percent format of a workbook: the rows where a
            plain number stands that may be a share, too, 0.5 beside 55%.
        empty_columns: Indices of those without a name or a cell, which are left out.
        windows_text: A text with a character that is not ASCII, where the file is in Windows' code
            page 1252; "": it is not.
    """

    header_row: int = 1
    likelier_header_row: int | None = None
    sheet: str = ""
    other_sheets: tuple[str, ...] = ()
    fractions: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    empty_columns: tuple[int, ...] = ()
    windows_text: str = ""

    def column_number(self, index: int) -> int:
        """A column that is kept, by index, as the file counts it from 1."""
        for empty in self.empty_columns:
            index += empty <= index
        return index + 1

    @property
    def hint(self) -> str:
        """How a message ends where the columns are not those that were expected."""
        return self.header_hint + self.sheet_hint

    @property
    def header_hint(self) -> str:
        """The row that seems to be the header, as a message ends; "" where none does."""
        if self.likelier_header_row is not None:
            row = self.likelier_header_row
            return f"; the header seems to be in row {row}: take out the rows above it"
        return ""

    @property
    def sheet_hint(self) -> str:
        """Which other sheets there are, as a message ends; "" where there are none."""
        if not self.other_sheets:
            return ""
        others = ", ".join(map(repr, self.other_sheets))
        return (
            f"; this is sheet {self.sheet!r}, there is also {others}: --sheet "
            f"{_quoted(self.other_sheets[0])}"
        )


def _quoted(name: str) -> str:
    """A name as a command line takes it."""
    return name if re.fullmatch(r"[\w.-]+", name) else f'"{name}"'


@dataclass(frozen=True)
class Spreadsheet:
    """The cells of a CSV file, stripped of blanks around them.

    Attributes:
        path: Of the file, for messages.
        delimiter: What separates cells.
        header: Names of the columns.
        rows: Cells of the rows that are not blank.
        row_numbers: Of the rows, as spreadsheets count them: the header is row 1.
        content: Fingerprint of the file.
        position: Where in the file they stand.
    """

    path: Path
    delimiter: str
    header: list[str]
    rows: list[list[str]]
    row_numbers: list[int]
    content: str
    position: Position = Position()
    _columns: dict[str, list[str]] = field(default_factory=dict, compare=False, repr=False)
    _cells: dict[str, dict[str, Cell]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def read(
        cls,
        path: Path,
        delimiter: str | None = None,
        *,
        rows_needed: bool = True,
        titles: bool = False,
        windows: bool = False,
    ) -> Spreadsheet:
        """Reads a file.

        Args:
            path: Of UTF-8 text with a header; UTF-16 with a byte order mark will do.
            delimiter: What separates cells; None: the comma, semicolon, tab or bar that cuts all
                rows into as many cells as the header.
            rows_needed: Whether a header alone is refused.
            titles: Whether rows of one cell may stand above the header.
            windows: Whether text in Windows' code page 1252 is read, too.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is no such table; says why.
        """
        text, content, is_windows = read_text(path, windows=windows)
        if declared := _DECLARED.match(text):  # the first line of some files that Excel writes
            delimiter, text = delimiter or declared[1], "\n" + text[declared.end() :]
        if text.count("\0") > len(text) // 4:
            raise ValueError(
                f"csv: {path}: expected text, got NUL bytes, as UTF-16 has without a byte order "
                'mark; save it as "CSV UTF-8"'
            )
        if delimiter is None:
            delimiter = min(_DELIMITERS, key=lambda mark: _misfits(text, mark, titles))
        if "\0" in text:
            raise ValueError(
                f"csv: {path}, {_where_nul_is(text, delimiter)}: expected text, got a NUL byte; "
                'the file is damaged or no text: save it again as "CSV UTF-8"'
            )
        cells = _table(path, text, delimiter)
        if not cells:
            raise ValueError(f"csv: {path} is empty: expected a header and rows")
        numbers, rows = [n for n, _ in cells], [row for _, row in cells]
        empty = empty_columns(rows)
        rows = without_columns(rows, empty)
        likelier, above = likely_header(rows), titles_above(rows) if titles else 0
        header, *body = rows[above:]
        position = Position(
            header_row=numbers[above],
            likelier_header_row=numbers[likelier] if likelier > above else None,
            empty_columns=empty,
            windows_text=_first_not_ascii(rows) if is_windows else "",
        )
        found = cls(
            path,
            delimiter,
            header,
            body,
            numbers[above + 1 :],
            content,
            position,
        )
        found.check_shape(rows_needed=rows_needed)
        return found

    def check_shape(self, *, rows_needed: bool = True) -> None:
        """Refuses what is no table.

        Args:
            rows_needed: Whether a header alone is refused.

        Raises:
            ValueError: Columns without names or of the same name, numbers in place of names, a row
                that is longer than the header, or no rows.
        """
        header, hint = self.header, self.position.hint
        if "" in header:
            place = self.position.column_number(header.index(""))
            raise ValueError(
                f"{self.source}: column {place} has no name: name it, or leave it out{hint}"
            )
        if len(set(header)) < len(header):
            twice = min(name for name in header if header.count(name) > 1)
            raise ValueError(
                f"{self.source}: two columns are called {shown(twice)}: rename one{hint}"
            )
        if all(read_cell(name)[::2] == ("number", "") for name in header):
            raise ValueError(
                f"{self.in_header}: expected names of columns, got the numbers "
                f"{listed(header)}; put a row of names above them{hint}"
            )
        for number, row in zip(self.row_numbers, self.rows, strict=True):
            if len(row) > len(header):
                raise ValueError(
                    f"{self.source}, row {number}: expected {len(header)} cells separated "
                    f"by {self.delimiter!r}, as in the header, got {len(row)}; put cells with "
                    f"{self.delimiter!r} in them in quotes, or give another delimiter{hint}"
                )
        if rows_needed and not self.rows:
            raise ValueError(
                f"{self.source} has a header and no rows: expected a row for each design{hint}"
            )

    @property
    def source(self) -> str:
        """The file, as messages begin."""
        return str(self.path) if self.path.suffix.lower() in WORKBOOKS else f"csv: {self.path}"

    @property
    def in_header(self) -> str:
        """The header, as messages begin."""
        return f"{self.source}, row {self.position.header_row}"

    def column(self, name: str) -> list[str]:
        """The cells of a column; where a row ends early they are empty."""
        if name not in self._columns:
            index = self.header.index(name)
            self._columns[name] = [row[index] if index < len(row) else "" for row in self.rows]
        return self._columns[name]

    def cells(self, name: str) -> dict[str, Cell]:
        """What the different cells of a column are, by what stands in them."""
        if name not in self._cells:
            self._cells[name] = {cell: read_cell(cell) for cell in dict.fromkeys(self.column(name))}
        return self._cells[name]

    def unit(self, name: str) -> str:
        """The unit of a column of numbers, from the header or behind them; "" where none is."""
        behind = (what.unit for what in self.cells(name).values() if what.unit)
        return unit_of_header(name) or next(behind, "")

    def place(self, row: int, name: str) -> str:
        """Where a cell is, as messages begin.

        Args:
            row: Index in `rows`.
            name: Of the column.
        """
        return f"{self.source}, row {self.row_numbers[row]}, column {shown(name)}"


def shown(cell: object) -> str:
    """A cell in a message, on one line."""
    text = repr(cell)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def listed(names: Sequence[str], most: int = 20) -> str:
    """Names in a message, as a list; the first of many."""
    more = "" if len(names) <= most else f", ... ({len(names):,} in all)"
    return f"[{', '.join(map(shown, names[:most]))}{more}]"


def _read_rows(text: str, delimiter: str, *, strict: bool) -> Iterator[list[str]]:
    """Rows as they are; a quote that is never closed is only found where it is strict."""
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)


def _table(path: Path, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Rows that hold anything, with their numbers, the empty cells at their ends left out."""
    found = []
    number = 0
    cleaned = str.strip if text.isascii() else clean
    try:
        for number, row in enumerate(_read_rows(text, delimiter, strict=True), 1):
            if cells := _without_end(list(map(cleaned, row))):
                found.append((number, cells))
    except csv.Error as error:
        reason = str(error).replace(delimiter, repr(delimiter)[1:-1])  # on one line
        raise ValueError(
            f"csv: {path}, row {number + 1}: {reason}; look for a quote that is not closed, or "
            "is to be doubled"
        ) from None
    return found


def _first_not_ascii(rows: Sequence[Sequence[str]]) -> str:
    return next(cell for row in rows for cell in row if not cell.isascii())


def _without_end(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _misfits(text: str, delimiter: str, titles: bool) -> int:
    """How many rows do not have as many cells as the header; many, where that has one only."""
    table: list[list[str]] = []
    try:
        for row in _read_rows(text, delimiter, strict=False):
            if cells := _without_end([cell.strip() for cell in row]):
                table.append(cells)
            if len(table) > _TRIED:
                break
    except csv.Error:  # longer cells than there are: it does not separate them
        return _TRIED + 2
    table = without_columns(table, empty_columns(table))
    table = table[likely_header(table) if titles else 0 :]
    if not table or len(table[0]) < 2:
        return _TRIED + 2
    return sum(len(row) != len(table[0]) for row in table)


def _where_nul_is(text: str, delimiter: str) -> str:
    """The row and the column of the first NUL byte."""
    header: list[str] = []
    try:
        for number, row in enumerate(_read_rows(text, delimiter, strict=False), 1):
            header = header or [cell.strip() for cell in row]
            for index, cell in enumerate(row):
                if "\0" in cell:
                    named = number > 1 and index < len(header)
                    return f"row {number}{f', column {shown(header[index])}' if named else ''}"
    except csv.Error:
        pass
    return f"line {text.count(chr(10), 0, text.index(chr(0))) + 1}"
