"""Plates that come back from the bench: results stand where they belong, and some do."""

from __future__ import annotations

from collections.abc import Sequence

from ombo_agents.campaigns.files.plate_columns import HIGH, LOW, PREDICTED, is_plate
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet, shown

_ROUNDING = 2e-3  # of the larger end: numbers of a plate have four digits
_LISTED = 10  # rows that a message names


def check_results_in_place(sheet: Spreadsheet, targets: Sequence[str], *, symmetric: bool) -> None:
    """Refuses a plate with results in the columns of its predictions, the targets being empty.

    What was written is known by what it has to be: a prediction is in the middle of its interval.

    Args:
        sheet: A table; any that is no plate passes.
        targets: Columns of the results.
        symmetric: Whether predictions are in the middle; within the interval they always are.

    Raises:
        ValueError: There are such results; names the rows.
    """
    if not is_plate(sheet.header):
        return
    predicted = next(name for name in reversed(sheet.header) if PREDICTED in name)
    low, high = (next(n for n in reversed(sheet.header) if n.endswith(e)) for e in (LOW, HIGH))
    changed = []
    for row in range(len(sheet.rows)):
        if any(sheet.cells(name)[sheet.column(name)[row]].kind == "missing" for name in targets):
            numbers = [_number(sheet, name, row) for name in (predicted, low, high)]
            if not _belong_together(numbers, symmetric=symmetric):
                changed.append(row)
    if changed:
        rows = ", ".join(str(sheet.row_numbers[row]) for row in changed[:_LISTED])
        more = ", ..." if len(changed) > _LISTED else ""
        raise ValueError(
            f"{sheet.place(changed[0], targets[0])}: expected a result, got an empty cell while "
            f"{predicted!r}, {low!r} and {high!r} are not as the plate had them, in row"
            f"{'s' if len(changed) > 1 else ''} {rows}{more}; move the results to {targets[0]!r}"
        )


def check_same_unit(first: Spreadsheet, column: str, told: Spreadsheet, name: str) -> None:
    """Refuses results in another unit than those before: 70% beside 0.55.

    Args:
        first: The sheet that the campaign began with.
        column: Of the results in it.
        told: A later sheet.
        name: Of the results in that.

    Raises:
        ValueError: The units differ; or the later results are per cent, and all before may be
            shares.
    """
    before, unit = first.unit(column), told.unit(name)
    numbers = [
        abs(float((what.number or cell).replace(",", ".")))
        for cell, what in first.cells(column).items()
        if what.kind == "number"
    ]
    shares = unit == "%" and not before and any(numbers) and max(numbers) <= 1
    if unit and (shares or before not in ("", unit)):
        there = f"in {before!r}" if before else "from 0 to 1"
        raise ValueError(
            f"{told.in_header}, column {shown(name)}: expected results like those of "
            f"{first.path.name}, {there}, got some in {unit!r}; convert them"
        )


def _number(sheet: Spreadsheet, name: str, row: int) -> float | str | None:
    """The number in a cell; None: it is empty; or the text that it is."""
    cell = sheet.column(name)[row]
    what = sheet.cells(name)[cell]
    if what.kind == "number":
        return float((what.number or cell).replace(",", "."))
    return None if what.kind == "missing" else cell


def _belong_together(numbers: Sequence[float | str | None], *, symmetric: bool) -> bool:
    """Whether a prediction and its interval may be as the plate had them."""
    if any(isinstance(each, str) for each in numbers):
        return False
    known = [each for each in numbers if isinstance(each, float)]
    if len(known) < len(numbers):
        return not known  # before any result all of them are empty; or the columns were cleared
    mean, low, high = known
    slack = _ROUNDING * max(map(abs, known))
    if not low - slack <= mean <= high + slack:
        return False
    return not symmetric or abs(mean - (low + high) / 2) <= slack


def check_any_result(
    sheet: Spreadsheet, targets: Sequence[str], pending: Sequence[str] = ()
) -> None:
    """Refuses a filled plate in which nothing was filled in.

    Args:
        sheet: A table; any that is no plate passes.
        targets: Columns of the results.
        pending: Words for wells that are not measured yet: a plate may hold these alone.

    Raises:
        ValueError: All results are empty.
    """
    words = {word.casefold() for word in pending}
    cells = {cell for name in targets for cell in sheet.column(name)}
    empty = all(
        sheet.cells(name)[c].kind == "missing" for name in targets for c in sheet.cells(name)
    )
    if not is_plate(sheet.header) or not empty or {cell.casefold() for cell in cells} & words:
        return
    raise ValueError(
        f"{sheet.source}: expected results in {shown(targets[0])}, got {len(sheet.rows)} empty "
        "cells; type them in and save the file, or name a word of --pending in wells that run "
        "still, or leave the plate out"
    )
