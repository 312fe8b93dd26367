"""Tables of cells that are no texts yet: of workbooks, data frames and lists of dicts."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ombo_gym.spreadsheets.cells import clean
from ombo_gym.spreadsheets.spreadsheet import Position, Spreadsheet


def made_sheet(
    name: str,
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    numbers: Sequence[int] | None = None,
    *,
    rows_needed: bool = True,
    position: Position | None = None,
) -> Spreadsheet:
    """A table of cells that are no texts yet.

    Args:
        name: What messages call it.
        header: Names of the columns.
        rows: Cells; empty rows are left out.
        numbers: Of the rows, as messages count them; None: from 2, behind the header.
        rows_needed: Whether a header alone is refused.
        position: Of the table in its file.

    Raises:
        ValueError: Columns without names or of the same name, or no rows.
    """
    kept, kept_numbers = [], []
    for i, row in enumerate(rows):
        cells = [text_of(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            kept.append(cells)
            kept_numbers.append(numbers[i] if numbers is not None else i + 2)
    header = [clean(str(each)) for each in header]
    content = hashlib.sha256(repr((header, kept)).encode("utf-8", "replace")).hexdigest()
    found = Spreadsheet(
        Path(name), ",", header, kept, kept_numbers, content, position or Position()
    )
    found.check_shape(rows_needed=rows_needed)
    return found


def text_of(cell: Any) -> str:
    """What a cell holds, as a text; "" of what is missing."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if type(cell).__name__ in ("NAType", "NaTType"):
        return ""
    if hasattr(cell, "item") and not isinstance(cell, str):
        cell = cell.item()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return clean(repr(cell) if isinstance(cell, float) else str(cell))
