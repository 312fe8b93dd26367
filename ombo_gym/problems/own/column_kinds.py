"""Whether a design column of a spreadsheet holds numbers or texts."""

from __future__ import annotations

from ombo_gym.spreadsheets.spreadsheet import Spreadsheet, shown


def remedy_of_designs(name: str) -> str:
    """What to do about a cell of a design column that is not what the others are."""
    return (
        "correct it, take the row out, or say what the column is: "
        f'categories=[{shown(name)}], or parameters={{{shown(name)}: {{"choices": [...]}}}}'
    )


def remedy_of_missing(name: str, cell: str) -> str:
    """What to do about a cell of a design column where nothing stands, or what means nothing."""
    return (
        "write what belongs there, or take the row out; where it is a category, say so: "
        f'parameters={{{shown(name)}: {{"choices": [{shown(cell)}, ...]}}}}; where it is no part '
        "of a design, a comment say, leave the column out: designs=[...] lists those that are"
    )


def is_numeric(sheet: Spreadsheet, name: str) -> bool:
    """Whether all cells of a design column are numbers; False: all are texts.

    Raises:
        ValueError: Some are numbers and some are texts, or a cell is empty; names the first of
            those that are fewer. Numbers that cannot be read are numbers, too.
    """
    cells = sheet.cells(name)
    kinds = {what.kind for what in cells.values()}
    if kinds <= {"number", "unread"}:
        return True
    if kinds == {"text"}:
        _check_units_of_texts(sheet, name)
        return False
    column = sheet.column(name)
    numbers = {cell for cell, what in cells.items() if what.kind in ("number", "unread")}
    texts = {cell for cell, what in cells.items() if what.kind == "text"}
    mostly_numbers = sum(cell in numbers for cell in column) > sum(cell in texts for cell in column)
    meant = numbers if mostly_numbers else texts
    row = next(row for row, cell in enumerate(column) if cell not in meant)
    cell, expected = column[row], "a number" if mostly_numbers else "a text"
    if cells[cell].kind == "missing":
        why = f"; {remedy_of_missing(name, cell)}"
    else:
        why = f", as most cells of the column hold; {remedy_of_designs(name)}"
    raise ValueError(f"{sheet.place(row, name)}: expected {expected}, got {shown(cell)}{why}")


def _check_units_of_texts(sheet: Spreadsheet, name: str) -> None:
    """Texts are no numbers with one unknown word behind each."""
    cells = sheet.cells(name)
    cell, what = next(iter(cells.items()))
    if what.unit and all(other.unit == what.unit for other in cells.values()):
        raise ValueError(
            f"{sheet.place(0, name)}: expected a number or a text, got {shown(cell)}, a "
            f"number in a unit that is not known; write {shown(what.unit)} into the header and "
            f"numbers into the cells, or name the column in categories=[{shown(name)}]"
        )
