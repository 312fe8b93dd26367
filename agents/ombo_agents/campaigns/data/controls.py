"""Rows of a sheet that are no wells of the campaign: controls, and remarks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ombo_agents.campaigns.space.factors import NEAR_MISS, Outside
from ombo_agents.campaigns.space.space import Space
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet, shown

NO_DESIGN = "no design stands there"
_WORDS = frozenset(["control", "ctrl", "blank", "reference", "standard"])
_NOTHING = frozenset(["none", "no", "-", "without"])  # choices that an empty cell may mean
_PLACE = re.compile(r"(.*, row )(\d+)", re.DOTALL)
_SHOWN = 10  # kinds of controls that are listed, and rows of each


def control_rows(
    sheet: Spreadsheet, space: Space, where: Mapping[str, str | None]
) -> dict[int, str]:
    """Rows that hold no design, by what makes them controls.

    Args:
        sheet: The table.
        space: What designs may be.
        where: The column of each part of a design; None: it has none.
    """
    columns = {name: column for name, column in where.items() if column is not None}
    cells = {name: sheet.column(column) for name, column in columns.items()}
    known = {str(v).casefold() for each in space.values.values() if each for v in each}
    found: dict[int, str] = {}
    for row in range(len(sheet.rows)):
        here = {name: column[row] for name, column in cells.items()}
        words = [cell for cell in here.values() if cell.casefold() in _WORDS - known]
        if words:
            found[row] = f"it says {shown(words[0])}"
        elif not any(here.values()):
            found[row] = NO_DESIGN
        elif _has_gap(sheet, space, columns, here) and (reason := _unknown_choice(space, here)):
            found[row] = reason
    return found


def _has_gap(
    sheet: Spreadsheet, space: Space, columns: Mapping[str, str], here: Mapping[str, str]
) -> bool:
    """Whether something of a row's design is missing: a number, or a choice."""
    return any(
        not (here[name] or meant_by_empty(space.values[name]))
        if space.values[name] is not None
        else sheet.cells(column)[here[name]].kind != "number"
        for name, column in columns.items()
    )


def _unknown_choice(space: Space, here: Mapping[str, str]) -> str:
    """Why a row is outside the space by a text that is like none of the choices; "": it is not."""
    for factor in space.factors:
        texts = {name: here.get(name, "") for name in factor.columns}
        if all(texts.values()) and all(space.values[name] is not None for name in texts):
            try:
                factor.read(texts)
            except Outside as outside:
                if NEAR_MISS not in str(outside):
                    return str(outside)
    return ""


def meant_by_empty(values: Sequence[object] | None) -> str | None:
    """The choice that an empty cell means; None: there is none."""
    return next((str(v) for v in values or () if str(v).casefold() in _NOTHING), None)


def name_of_control(sheet: Spreadsheet, where: Mapping[str, str | None], row: int) -> str:
    """What is the same for replicates of a control: the cells of its design."""
    return " | ".join(sheet.column(c)[row] for c in where.values() if c is not None)


def controls_in_words(places: Sequence[str], reasons: Sequence[str]) -> list[str]:
    """A sentence for each kind of control.

    Args:
        places: Where they stand, "screen.csv, row 7".
        reasons: Why each is outside the space.
    """
    kinds: dict[str, list[str]] = {}
    for place, reason in zip(places, reasons, strict=True):
        kinds.setdefault(reason, []).append(place)
    found = [
        f"control{'s' if len(of_kind) > 1 else ''}, outside the space: {together(of_kind)}: {why}"
        for why, of_kind in list(kinds.items())[:_SHOWN]
    ]
    more = sum(len(of_kind) for of_kind in list(kinds.values())[_SHOWN:])
    if more:
        found.append(f"... and {more} control{'s' if more > 1 else ''} more")
    return found


def together(places: Sequence[str]) -> str:
    """Places, the first of many: "screen.csv, rows 7, 8; plate.csv, row 2"."""
    files: dict[str, list[str]] = {}
    for place in places[:_SHOWN]:
        match = _PLACE.fullmatch(place)
        file, row = match.groups() if match else (place, "")
        files.setdefault(file, []).append(row)
    parts = [
        f"{file.removesuffix('row ')}rows {', '.join(rows)}" if len(rows) > 1 else file + rows[0]
        for file, rows in files.items()
    ]
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return "; ".join(parts) + more
