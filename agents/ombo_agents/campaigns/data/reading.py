"""Rows of a sheet as a campaign knows them: measured, failed, pending, or controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.data.bounds import bound_in
from ombo_agents.campaigns.data.controls import (
    NO_DESIGN,
    control_rows,
    meant_by_empty,
    name_of_control,
)
from ombo_agents.campaigns.data.settings import Settings
from ombo_agents.campaigns.files.sheets import PARAMETER, check_unit, found_column, match
from ombo_agents.campaigns.space.factors import Columns, Floats, Outside, ParameterFactor
from ombo_agents.campaigns.space.mixture import MixtureFactor
from ombo_agents.campaigns.space.space import Space, joined
from ombo_gym.design_spaces.parameters import Fixed
from ombo_gym.spreadsheets.number_columns import NumberColumn, read_numbers
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet, shown

MEASURED, FAILED, PENDING = "measured", "failed", "pending"


@dataclass(frozen=True)
class Rows:
    """What n rows inside the space and m controls say.

    Attributes:
        columns: Designs (n,) in the user's units.
        targets: (n, t) measured values; NaN where nothing was.
        status: (n,) "measured", "failed" or "pending".
        censored: (n, t) -1 where the value is at most what stands there, 1 where it is at least.
        rounds: (n,) 0: the start.
        blocks: (n,) names; "" where there are none.
        costs: (n,) NaN where nothing is said.
        places: (n,) where the rows stand.
        control_targets: (m, t).
        control_names: (m,) what is the same control.
        control_blocks: (m,).
        control_places: Where controls stand, measured or not.
        control_reasons: Why each of these is outside the space.
        remark_places: Where rows stand that hold neither a design nor a result.
    """

    columns: Columns
    targets: Floats
    status: list[str]
    censored: NDArray[np.int8]
    rounds: NDArray[np.int64]
    blocks: list[str]
    costs: Floats
    places: list[str]
    control_targets: Floats
    control_names: list[str]
    control_blocks: list[str]
    control_places: list[str] = field(default_factory=list)
    control_reasons: list[str] = field(default_factory=list)
    remark_places: list[str] = field(default_factory=list)

    def mask(self, status: str) -> NDArray[np.bool_]:
        """Which rows have a status, (n,)."""
        return np.array([each == status for each in self.status], bool)


def read_rows(
    sheet: Spreadsheet,
    space: Space,
    settings: Settings,
    number: int | None = None,
    *,
    told: bool = False,
) -> Rows:
    """Reads a sheet.

    Args:
        sheet: The table.
        space: What designs may be; its columns are found in the header, units aside.
        settings: Targets, words and columns.
        number: Of the round, where no column says it; None: a column has to.
        told: Whether it came later: it may be without the columns of blocks, and is then one of its
            own, and of costs.

    Raises:
        ValueError: A column that is missing, or a cell that is not what its column holds; names the
            row, and what to do.
    """
    where = _design_columns(sheet, space)
    target_columns = _target_columns(sheet, settings, where)
    status = _statuses(sheet, target_columns, settings)
    plain, censored = _without_signs(sheet, target_columns)
    controls = control_rows(sheet, space, where)
    numbers = _numbers(plain, space, where, target_columns, settings, status, controls)
    designs, reasons = _designs(sheet, space, where, numbers, controls)
    inside = [row for row, reason in enumerate(reasons) if not reason]
    remarks = [
        row for row, why in enumerate(reasons) if why == NO_DESIGN and status[row] == PENDING
    ]
    outside = [row for row, reason in enumerate(reasons) if reason and row not in remarks]
    places = [f"{sheet.path.name}, row {number}" for number in sheet.row_numbers]
    targets = np.stack([numbers[column] for column in target_columns], axis=1)  # (rows, t)
    blocks = _blocks(sheet, settings, number if told else None)
    if number is not None and not match(sheet.header, settings.round_column or ""):
        rounds = np.full(len(sheet.rows), number)
    else:
        rounds = _rounds(sheet, settings)
    known = [row for row in outside if status[row] == MEASURED]
    return Rows(
        columns=_as_columns(space, [designs[row] for row in inside]),
        targets=targets[inside],
        status=[status[row] for row in inside],
        censored=censored[inside],
        rounds=rounds[inside],
        blocks=[blocks[row] for row in inside],
        costs=_costs(sheet, settings, told=told)[inside],
        places=[places[row] for row in inside],
        control_targets=targets[known],
        control_names=[name_of_control(sheet, where, row) for row in known],
        control_blocks=[blocks[row] for row in known],
        control_places=[places[row] for row in outside],
        control_reasons=[reasons[row] for row in outside],
        remark_places=[places[row] for row in remarks],
    )


def stacked(parts: Sequence[Rows]) -> Rows:
    """Rows of several sheets, one behind the other."""
    first = parts[0]
    return replace(
        first,
        columns=joined([part.columns for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        status=[each for part in parts for each in part.status],
        censored=np.concatenate([part.censored for part in parts]),
        rounds=np.concatenate([part.rounds for part in parts]),
        blocks=[each for part in parts for each in part.blocks],
        costs=np.concatenate([part.costs for part in parts]),
        places=[each for part in parts for each in part.places],
        control_targets=np.concatenate([part.control_targets for part in parts]),
        control_names=[each for part in parts for each in part.control_names],
        control_blocks=[each for part in parts for each in part.control_blocks],
        control_places=[each for part in parts for each in part.control_places],
        control_reasons=[each for part in parts for each in part.control_reasons],
        remark_places=[each for part in parts for each in part.remark_places],
    )


def kept_rows(rows: Rows, keep: NDArray[np.intp]) -> Rows:
    """Some of the rows, in this order; all controls."""
    index = keep.tolist()
    return replace(
        rows,
        columns={name: column[keep] for name, column in rows.columns.items()},
        targets=rows.targets[keep],
        status=[rows.status[i] for i in index],
        censored=rows.censored[keep],
        rounds=rows.rounds[keep],
        blocks=[rows.blocks[i] for i in index],
        costs=rows.costs[keep],
        places=[rows.places[i] for i in index],
    )


def _design_columns(sheet: Spreadsheet, space: Space) -> dict[str, str | None]:
    """The column of each parameter, in the unit that the space says."""
    where = {name: _column(sheet, space, name) for name in space.columns}
    for name, column in where.items():
        if column is not None:
            check_unit(sheet, column, space.units.get(name, ""), name)
    return where


def _target_columns(
    sheet: Spreadsheet, settings: Settings, where: dict[str, str | None]
) -> list[str]:
    """The column of each target, none of them part of a design."""
    found = [found_column(sheet, t.column, "the target") for t in settings.targets]
    for column in found:
        if column in where.values() or found.count(column) > 1:
            raise ValueError(
                f"{sheet.source}: expected targets that are no part of a design, each once, got "
                f"{shown(column)}"
            )
    return found


def _column(sheet: Spreadsheet, space: Space, name: str) -> str | None:
    """The column of a parameter; a fixed one may have none."""
    for factor in space.factors:
        if isinstance(factor, ParameterFactor) and factor.name == name:
            if isinstance(factor.parameter, Fixed) and not match(sheet.header, name):
                return None
    return found_column(sheet, name, PARAMETER, space.units.get(name, ""))


def _statuses(sheet: Spreadsheet, targets: Sequence[str], settings: Settings) -> list[str]:
    failed = {word.casefold() for word in settings.failed}
    pending = {word.casefold() for word in settings.pending}
    found = [MEASURED] * len(sheet.rows)
    for column in targets:
        cells = sheet.cells(column)
        for row, cell in enumerate(sheet.column(column)):
            word = cell.casefold()
            if word in failed:
                found[row] = FAILED
            elif (word in pending or cells[cell].kind == "missing") and found[row] == MEASURED:
                found[row] = PENDING
    return found


def _without_signs(
    sheet: Spreadsheet, targets: Sequence[str]
) -> tuple[Spreadsheet, NDArray[np.int8]]:
    """The sheet with 5 for <5 in targets, and which of these are bounds, (rows, t)."""
    censored = np.zeros((len(sheet.rows), len(targets)), np.int8)
    rows = [list(row) for row in sheet.rows]
    for j, column in enumerate(targets):
        place = sheet.header.index(column)
        for i, cell in enumerate(sheet.column(column)):
            censored[i, j], rest = bound_in(cell)
            if censored[i, j]:
                rows[i][place] = rest
    if not censored.any():
        return sheet, censored
    return replace(sheet, rows=rows, _columns={}, _cells={}), censored


def _numbers(
    sheet: Spreadsheet,
    space: Space,
    where: dict[str, str | None],
    targets: Sequence[str],
    settings: Settings,
    status: Sequence[str],
    controls: dict[int, str],
) -> dict[str, Floats]:
    """Numbers (rows,) of the columns that hold such."""
    columns = []
    parts = {n for f in space.factors if isinstance(f, MixtureFactor) for n in f.columns}
    for name, texts in space.values.items():
        column = where[name]
        if column is None or texts is not None:
            continue
        remedy = f"write 0 where the part is absent, {_REMEDY}" if name in parts else _REMEDY
        cells = sheet.column(column)
        here = (cells[row] for row in controls)
        unused = frozenset(c for c in here if sheet.cells(column)[c].kind != "number")
        for row, cell in enumerate(cells):
            if row not in controls and (
                cell in unused or sheet.cells(column)[cell].kind == "missing"
            ):
                raise ValueError(
                    f"{sheet.place(row, column)}: expected a number, got {shown(cell)}; {remedy}"
                )
        columns.append(NumberColumn(column, remedy, unused))
    for column in targets:
        cells = sheet.column(column)
        unused = frozenset(c for c, each in zip(cells, status, strict=True) if each != MEASURED)
        passed = {c for c in unused if sheet.cells(column)[c].kind != "number"}
        columns.append(NumberColumn(column, _REMEDY_OF_TARGETS, frozenset(passed)))
    found = read_numbers(sheet, columns, mixed_marks=True)  # (rows, columns)
    return {column.name: found[:, j] for j, column in enumerate(columns)}


_REMEDY = (
    "correct it, or take the row out; a control may say 'control', be none of the choices, or have "
    "no design at all"
)
_REMEDY_OF_TARGETS = (
    "correct it; or name the word in failed (--failed) where the well failed because of its "
    "conditions and counts as the worst, or in pending (--pending) where it is not measured yet or "
    "was lost, as an empty cell says, too; <5 and >95 are understood"
)


def _designs(
    sheet: Spreadsheet,
    space: Space,
    where: dict[str, str | None],
    numbers: dict[str, Floats],
    controls: dict[int, str],
) -> tuple[list[dict[str, Any]], list[str]]:
    """Designs by row, and why a row holds none; "" where it does."""
    designs: list[dict[str, Any]] = []
    reasons: list[str] = []
    fixed = {
        f.name: f.listed()[f.name][0]
        for f in space.factors
        if isinstance(f, ParameterFactor) and f.count == 1
    }
    texts = {
        name: _choice_cells(sheet, column, space.values[name])
        for name, column in where.items()
        if column is not None and space.values[name] is not None
    }
    for row in range(len(sheet.rows)):
        if row in controls:
            designs.append({})
            reasons.append(controls[row])
            continue
        cells: dict[str, Any] = {}
        for name, column in where.items():
            if column is None:
                cells[name] = fixed[name]
            elif name in texts:
                cells[name] = texts[name][row]
                if cells[name] is None:
                    raise ValueError(
                        f"{sheet.place(row, column)}: expected "
                        f"{_expected(space.values[name])}, got an empty cell; {_REMEDY}"
                    )
            else:
                cells[name] = float(numbers[column][row])
        try:
            designs.append(space.read(cells))
            reasons.append("")
        except Outside as outside:
            designs.append({})
            reasons.append(f"{outside}{_hint_of_percent(sheet, where, str(outside))}")
    return designs, reasons


def _hint_of_percent(sheet: Spreadsheet, where: dict[str, str | None], words: str) -> str:
    """How a reason ends where the column is in the percent format."""
    shares = [n for n, column in where.items() if column in sheet.position.fractions]
    named = any(f"{name!r}" in words for name in shares)
    return ", in the percent format, which counts as it is shown" if named else ""


def _choice_cells(
    sheet: Spreadsheet, column: str, values: Sequence[Any] | None
) -> list[str | None]:
    """Texts of a column; an empty cell is the choice that means nothing, if there is one."""
    nothing = meant_by_empty(values)
    return [cell or nothing for cell in sheet.column(column)]


def _expected(values: Sequence[Any] | None) -> str:
    return f"one of {shown(list(values))}" if values else "a sequence"


def _as_columns(space: Space, designs: Sequence[dict[str, Any]]) -> Columns:
    found: Columns = {}
    for name, texts in space.values.items():
        column: NDArray[Any] = np.empty(len(designs), np.float64 if texts is None else object)
        column[:] = [design[name] for design in designs]
        found[name] = column
    return found


def _blocks(sheet: Spreadsheet, settings: Settings, number: int | None) -> list[str]:
    """Names of blocks by row; of a sheet that was told without them, one for all."""
    if settings.block is None:
        return [""] * len(sheet.rows)
    if number is not None and not match(sheet.header, settings.block):
        return [f"round {number}"] * len(sheet.rows)
    return sheet.column(found_column(sheet, settings.block, "the block"))


def _rounds(sheet: Spreadsheet, settings: Settings) -> NDArray[np.int64]:
    """Which round a row belongs to, (rows,)."""
    if settings.round_column is None:
        return np.zeros(len(sheet.rows), np.int64)
    column = found_column(sheet, settings.round_column, "the round")
    numbers = read_numbers(sheet, [NumberColumn(column, "write the number of the round")])[:, 0]
    if (odd := (numbers != np.rint(numbers)) | (np.abs(numbers) > 1e6)).any():
        row = int(odd.argmax())
        raise ValueError(
            f"{sheet.place(row, column)}: expected a whole number, got "
            f"{shown(sheet.column(column)[row])}; write the number of the round"
        )
    return numbers.astype(np.int64)


def _costs(sheet: Spreadsheet, settings: Settings, *, told: bool) -> Floats:
    """What wells cost, (rows,); NaN where nothing is said."""
    if settings.cost is None or (told and not match(sheet.header, settings.cost)):
        return np.full(len(sheet.rows), np.nan)
    column = found_column(sheet, settings.cost, "the cost")
    empty = frozenset(c for c, what in sheet.cells(column).items() if what.kind == "missing")
    if set(sheet.column(column)) == empty:
        return np.full(len(sheet.rows), np.nan)
    columns = [NumberColumn(column, "write a number", empty)]
    costs: Floats = read_numbers(sheet, columns, mixed_marks=True)[:, 0]
    return costs
