"""What the columns of a sheet may be, by their cells alone: a start that its owner corrects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ombo_agents.campaigns.data.bounds import bound_in
from ombo_agents.campaigns.data.settings import Settings
from ombo_agents.campaigns.files.sheets import match
from ombo_agents.serve.workspace.drafts import ColumnDraft, Draft, in_words, of_target
from ombo_agents.serve.workspace.number_forms import ratios_matter, round_step
from ombo_agents.serve.workspace.remarks import counts_rows, is_aside
from ombo_gym.spreadsheets.cells import read_cell
from ombo_gym.spreadsheets.number_columns import NumberColumn, read_numbers
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet

_MOSTLY = 0.6  # of the cells that hold anything, from which a column is one of numbers
_SPARSE = 0.5  # of the rows, below which a column is a remark
_MOST_LEVELS = 6  # different numbers that are likely to be levels
_MOST_CHOICES = 30
_REPEATS = 2  # rows for each different value, from which values are likely to be all there are
_GUESSED = ("kind", "low", "high", "step", "log", "values")  # fields


def guessed(sheet: Spreadsheet, settings: Settings | None = None) -> Draft:
    """Fields for a sheet that has no space file.

    The target is the last column of numbers unless settings name it. Other numbers are ranges from
    the least to the largest, in round steps of which all are multiples, or ordered levels where few
    of them come again and again and are powers, or are of no step; ratios matter where they are
    spaced so. Texts are categories unless hardly one comes twice. Dates, who did it, remarks, what
    counts rows, is mostly empty, or is the same in all rows, are not used.

    Args:
        sheet: Whose cells are looked at.
        settings: That are known already; None: none.
    """
    header = sheet.header
    columns = [_guessed(sheet, name) for name in header]
    if settings is None:
        numbers = [i for i, each in enumerate(columns) if _holds_numbers(sheet, each.column)]
        used = [
            i
            for i in numbers
            if columns[i].role != "ignored" or any(bound_in(c)[0] for c in sheet.column(header[i]))
        ]
        if last := (used or numbers)[-1:]:
            columns[last[0]] = replace(columns[last[0]], role="target")
        return Draft(tuple(columns))
    for target in settings.targets:
        for name in match(sheet.header, target.column)[:1]:
            i = sheet.header.index(name)
            columns[i] = of_target(columns[i], target)
    for role, named in (
        ("round", settings.round_column),
        ("block", settings.block),
        ("cost", settings.cost),
    ):
        for name in match(sheet.header, named)[:1] if named else ():
            i = sheet.header.index(name)
            columns[i] = replace(columns[i], role=role)
    return Draft(tuple(columns))


def with_guessed_target(draft: Draft, sheet: Spreadsheet) -> Draft:
    """Fields of a space file, with the last other column of numbers as the target."""
    targets = [each.column for each in draft.of_role("ignored") if each.column]
    numeric = [name for name in targets if _holds_numbers(sheet, name)]
    last = numeric[-1:]
    return replace(
        draft,
        columns=tuple(
            replace(each, role="target") if each.column in last else each for each in draft.columns
        ),
    )


def with_guesses(draft: Draft, sheet: Spreadsheet) -> Draft:
    """Fields of a space file, and guesses in those of columns that are no parameters so far."""
    columns = []
    for each in draft.columns:
        if each.role != "parameter":
            guess = _guessed(sheet, each.column)
            each = replace(each, **{name: getattr(guess, name) for name in _GUESSED})
        columns.append(each)
    return replace(draft, columns=tuple(columns))


def samples(sheet: Spreadsheet, name: str, most: int = 4) -> str:
    """The first different cells of a column, as an example of what stands in it."""
    cells = [cell for cell in sheet.cells(name) if cell]
    more = ", …" if len(cells) > most else ""
    return ", ".join(cells[:most]) + more if cells else "nothing"


def _holds_numbers(sheet: Spreadsheet, name: str) -> bool:
    """Whether most cells that hold anything are numbers, or bounds such as <5."""
    what = sheet.cells(name)
    kinds = {cell: each.kind for cell, each in what.items()}
    kinds |= {
        cell: read_cell(number).kind for cell in what if (number := bound_in(cell)[1]) != cell
    }
    held = [kinds[cell] for cell in sheet.column(name) if kinds[cell] != "missing"]
    plain = any(each.kind == "number" for each in what.values())
    return plain and held.count("number") >= _MOSTLY * len(held)


def _guessed(sheet: Spreadsheet, name: str) -> ColumnDraft:
    cells, what = sheet.column(name), sheet.cells(name)
    held = [cell for cell in cells if what[cell].kind != "missing"]
    aside = is_aside(name, held)
    if _holds_numbers(sheet, name):
        found = _of_numbers(ColumnDraft(name, name), _numbers(sheet, name), len(cells))
        return replace(found, role="ignored") if aside else found
    different = list(dict.fromkeys(held))
    values = "\n".join(different[:_MOST_CHOICES])
    kind = "fixed" if len(different) == 1 else "choices"
    draft = ColumnDraft(name, name, kind=kind, values=values)
    few = len(different) <= _MOST_CHOICES and len(held) >= _REPEATS * len(different)
    if aside or len(held) < _SPARSE * len(cells) or len(different) < 2 or not few:
        return draft
    return replace(draft, role="parameter")


def _of_numbers(draft: ColumnDraft, numbers: np.ndarray, rows: int) -> ColumnDraft:
    """Numbers (n,) of a column."""
    different = np.unique(numbers)
    if not len(different):
        return draft
    low, high = in_words(different[0]), in_words(different[-1])
    step, log = round_step(different), ratios_matter(draft.column, different)
    draft = replace(draft, low=low, high=high, step="" if step is None else in_words(step), log=log)
    if len(numbers) < _SPARSE * rows or counts_rows(draft.column, numbers):
        return draft
    if len(different) == 1:
        return replace(draft, kind="fixed", values=low, low="", high="")
    between = step is not None and not log and len(different) > 2  # others may be meant
    repeated = len(different) <= _MOST_LEVELS and len(numbers) >= _REPEATS * len(different)
    if repeated and not between:
        values = "\n".join(map(in_words, different.tolist()))
        draft = replace(draft, kind="levels", values=values)
    return replace(draft, role="parameter")


def _numbers(sheet: Spreadsheet, name: str) -> np.ndarray:
    """The numbers of a column, (n,); without those that can be read in two ways, if there are."""
    what = sheet.cells(name)
    for skipped in ((), (",",)):
        odd = frozenset(
            cell
            for cell, each in what.items()
            if each.kind != "number" or any(mark in cell for mark in skipped)
        )
        try:
            found = read_numbers(sheet, [NumberColumn(name, "", odd)], mixed_marks=True)[:, 0]
        except ValueError:
            continue
        return found[np.isfinite(found)]
    return np.zeros(0)
