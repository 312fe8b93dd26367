"""Which row of a table is its header, where titles or notes stand above."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ombo_gym.spreadsheets.cells import read_cell

_MOST_ABOVE = 10  # rows that may stand above a header that is looked for
_MOST_TITLES = 3  # of these, that are passed over
_NAMES_ALONE = 3  # that a header without rows has at least
_LOOKED_AT = 50  # rows below a header


def empty_columns(rows: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Columns, by index, that hold nothing in any row: people leave them between others.

    Args:
        rows: As of `titles_above`.
    """
    filled = {column for row in rows for column, cell in enumerate(row) if cell}
    return tuple(column for column in range(max(filled, default=-1)) if column not in filled)


def without_columns(rows: Sequence[Sequence[Any]], columns: Collection[int]) -> list[list[Any]]:
    """Rows without the columns of these indices."""
    if not columns:
        return [list(row) for row in rows]
    left_out = set(columns)
    return [[cell for i, cell in enumerate(row) if i not in left_out] for row in rows]


def titles_above(rows: Sequence[Sequence[str]]) -> int:
    """How many rows above the header are titles and nothing else, 0 where that is not clear.

    A title is a row with one cell. The header below has at least two names, each once, and holds
    for the rest: most rows have several cells, and there is a column of numbers.

    Args:
        rows: Cells without blanks around them, of rows that hold anything.
    """
    header = likely_header(rows)
    titles = rows[:header]
    if len(titles) > _MOST_TITLES or any(sum(map(bool, row)) != 1 for row in titles):
        return 0
    return header if titles and _has_numbers(rows[header], rows[header + 1 :]) else 0


def likely_header(rows: Sequence[Sequence[str]]) -> int:
    """The row, by index, that is a better header than the first; 0 where none is.

    Args:
        rows: As of `titles_above`.
    """
    if not rows:
        return 0
    width = sum(map(bool, rows[0]))
    if "" in _without_end(rows[0]):  # a gap: a row without one need not be wider
        width -= 1
    for index, row in enumerate(rows[1 : _MOST_ABOVE + 1], 1):
        if sum(map(bool, row)) > width and _are_names(row):
            below = rows[index + 1 :]
            if _has_numbers(row, below) if below else len(row) >= _NAMES_ALONE:
                return index
    return 0


def _are_names(cells: Sequence[str]) -> bool:
    """Whether a row holds at least two different texts without a gap, and no number."""
    names = _without_end(cells)
    return (
        len(names) > 1
        and all(names)
        and len(set(names)) == len(names)
        and all(read_cell(name).kind == "text" for name in names)
    )


def _without_end(cells: Sequence[str]) -> list[str]:
    """Cells without the empty ones at the end."""
    found = list(cells)
    while found and not found[-1]:
        found.pop()
    return found


def _has_numbers(header: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether rows have several cells each, as a rule, and numbers in some column of the header."""
    some = below[:_LOOKED_AT]
    if 2 * sum(sum(map(bool, row)) > 1 for row in some) <= len(some):
        return False
    for column in range(len(header)):
        cells = [row[column] for row in some if column < len(row) and row[column]]
        if 2 * sum(read_cell(cell).kind == "number" for cell in cells) > len(cells):
            return True
    return False
