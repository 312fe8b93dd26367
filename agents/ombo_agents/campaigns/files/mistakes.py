"""Every mistake of a sheet, not the first alone: rows with one are set aside until none is left."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from ombo_gym.spreadsheets.spreadsheet import Spreadsheet

_MOST = 200  # mistakes that are looked for
_LISTED = 20  # rows that a message lists
_ROW = re.compile(r", row (\d+)")
_SPECIAL = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")  # of one cell or row


def mistakes(sheet: Spreadsheet, read: Callable[[Spreadsheet], object]) -> list[str]:
    """What is wrong with a sheet: a sentence for each kind of mistake in a column.

    Args:
        sheet: The table.
        read: Raises a ValueError that names a row where there is a mistake.

    Returns:
        As many as there are, in the order of rows. A mistake that other rows have as well
        lists these.
    """
    found: dict[str, str] = {}  # the first of a kind
    rows: dict[str, list[int]] = {}
    for _ in range(_MOST):
        try:
            read(sheet)
            break
        except ValueError as error:
            message = str(error)
        row = _ROW.search(message)
        number = int(row[1]) if row is not None else 0
        if number not in sheet.row_numbers:  # of the header, or of no row
            if not found:
                found[message] = message
            break
        kind = _SPECIAL.sub("", message)
        kind += (re.search(r"column '[^']*'", message) or [""])[0]
        found.setdefault(kind, message)
        rows.setdefault(kind, []).append(number)
        sheet = _without(sheet, number)
        if not sheet.rows:
            break
    first = sorted(found, key=lambda kind: min(rows.get(kind, [0])))
    return [found[kind] + _others(rows.get(kind, [])[1:]) for kind in first]


def _others(rows: list[int]) -> str:
    if not rows:
        return ""
    more = ", ..." if len(rows) > _LISTED else ""
    plural = "s" if len(rows) > 1 else ""
    return f" (the same in row{plural} {', '.join(map(str, rows[:_LISTED]))}{more})"


def _without(sheet: Spreadsheet, number: int) -> Spreadsheet:
    """The sheet without a row."""
    kept = [i for i, each in enumerate(sheet.row_numbers) if each != number]
    return replace(
        sheet,
        rows=[sheet.rows[i] for i in kept],
        row_numbers=[sheet.row_numbers[i] for i in kept],
        _columns={},
        _cells={},
    )
