"""The rows of a spreadsheet as a campaign knows them: designs, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.problems.own.columns import Column, kinds_in_words
from ombo_gym.spreadsheets.cells import clean
from ombo_gym.spreadsheets.number_columns import NumberColumn, read_numbers
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet, listed


@dataclass(frozen=True)
class Rows:
    """What n rows of a spreadsheet say.

    Attributes:
        sheet: Where they stand.
        columns: Of a design.
        kinds: "numbers", "ordered levels", "categories" or "fixed", by name of a column.
        designs: (n,) tuples of what stands in the columns: numbers, texts or a parameter's values.
        values: (n,) what was measured, in the units of the file; NaN where nothing was.
        failed: (n,) where the measurement failed.
        pending: (n,) what is not measured yet: designs that can still be proposed.
    """

    sheet: Spreadsheet
    columns: tuple[Column, ...]
    kinds: dict[str, str]
    designs: list[tuple[Any, ...]]
    values: NDArray[np.float64]
    failed: NDArray[np.bool_]
    pending: NDArray[np.bool_]

    def description(
        self, value: str, columns: Sequence[tuple[Column, Sequence[Any]]], *, minimise: bool
    ) -> str:
        """A line a column, and one for what was measured.

        Args:
            value: Name of the column that was measured.
            columns: Of a design, each with what stands in it in the distinct designs.
            minimise: Whether low values are good.
        """
        measured = self.values[~np.isnan(self.values)]
        notes = [f"{len(measured):,} measured from {measured.min():.10g} to {measured.max():.10g}"]
        if self.failed.any():
            notes.append(f"{self.failed.sum():,} failed")
        if self.pending.any():
            notes.append(f"{self.pending.sum():,} not measured yet, which are left out")
        lines = {
            each.name: each.describe(values, self.sheet.unit(each.name)) for each, values in columns
        }
        lines[value] = f"the value, {'minimised' if minimise else 'maximised'}: {'; '.join(notes)}"
        size = len(columns[0][1])
        head = f"{self.sheet.path.name}: {len(self.values):,} rows, {size:,} designs"
        width = max(map(len, lines))
        return "\n".join([head, *(f"  {name:<{width}}  {line}" for name, line in lines.items())])


def read_words(failed: Any, pending: Any) -> tuple[frozenset[str], frozenset[str]]:
    """The words for failed and for pending, in small letters.

    Raises:
        ValueError: They are no lists of texts, or one is in both.
    """
    found = []
    for argument, words in (("failed", failed), ("pending", pending)):
        if isinstance(words, str) or not isinstance(words, Sequence):
            raise ValueError(f"{argument}: expected a list of words, got {words!r}")
        if odd := [word for word in words if not isinstance(word, str)]:
            raise ValueError(
                f"{argument}: expected words as they stand in cells, as texts, got {odd[0]!r}"
            )
        found.append(frozenset(clean(word).casefold() for word in words))
    if both := sorted(found[0] & found[1]):
        raise ValueError(
            f"failed, pending: expected each word in one of them, got {both[0]!r} in both"
        )
    return found[0], found[1]


def read_rows(
    sheet: Spreadsheet,
    columns: Sequence[Column],
    value: str,
    *,
    failed: Sequence[str] = (),
    pending: Sequence[str] = (),
) -> Rows:
    """Reads designs and values.

    Args:
        sheet: The file.
        columns: Of the designs.
        value: Name of the column that was measured.
        failed: Words in it, in large or small letters, for measurements that failed.
        pending: Words in it for what is not measured yet, "" for empty cells.

    Raises:
        ValueError: A cell that is not what its column holds; names the row, and what to do.
    """
    failed_words, pending_words = read_words(failed, pending)
    cells = sheet.column(value)
    failed_cells = {cell for cell in sheet.cells(value) if cell.casefold() in failed_words}
    pending_cells = {cell for cell in sheet.cells(value) if cell.casefold() in pending_words}
    measured = NumberColumn(value, _REMEDY, frozenset(failed_cells | pending_cells))
    if not measured.different(sheet):
        what = "is empty" if set(cells) == {""} else f"holds {listed(sorted(set(cells)))} alone"
        raise ValueError(f"csv: {sheet.path}: column {value!r} {what}: expected measured values")
    numeric = _are_numeric(sheet, columns)
    in_numbers = [column for column, holds in zip(columns, numeric, strict=True) if holds]
    numbers = read_numbers(sheet, [*(column.numbers() for column in in_numbers), measured])
    by_column = dict(zip((column.name for column in in_numbers), numbers.T, strict=False))
    read = [column.values(sheet, by_column.get(column.name)) for column in columns]
    return Rows(
        sheet,
        tuple(columns),
        {c.name: c.kind(numeric=holds) for c, holds in zip(columns, numeric, strict=True)},
        list(zip(*read, strict=True)),
        numbers[:, -1],
        np.array([cell in failed_cells for cell in cells]),
        np.array([cell in pending_cells for cell in cells]),
    )


_REMEDY = (
    'correct it, take the row out, or name the word ("" for empty cells) in failed=[...] where the '
    "design could not be measured, or in pending=[...] where it is not measured yet"
)


def _are_numeric(sheet: Spreadsheet, columns: Sequence[Column]) -> list[bool]:
    """Whether columns hold numbers; the error about one says what the others are."""
    found: list[bool | None] = []
    refused: ValueError | None = None
    for column in columns:
        try:
            found.append(column.is_numeric(sheet))
        except ValueError as error:
            refused = refused or error
            found.append(None)
    if refused is not None:
        kinds = {
            column.name: column.kind(numeric=numeric)
            for column, numeric in zip(columns, found, strict=True)
            if numeric is not None
        }
        others = f" (other columns: {kinds_in_words(kinds)})" if kinds else ""
        raise ValueError(f"{refused}{others}")
    return [bool(numeric) for numeric in found]
