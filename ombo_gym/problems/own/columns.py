"""Design columns of a spreadsheet: which values their cells are, and what a surrogate sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces.parameters import Choices, Fixed, Number, Parameter
from ombo_gym.problems.core.checks import is_number
from ombo_gym.problems.own.spreadsheet import Spreadsheet

_MOST_LEVELS = 1000  # of a text column, each of which is a feature


@dataclass(frozen=True)
class Column:
    """A design column.

    Attributes:
        name: In the header.
        parameter: What it is; None: what its cells look like, numbers or texts.
        log: Whether it holds numbers of which the logarithm is seen.
        text: Whether it holds texts, whatever these look like.

    Raises:
        ValueError: Choices that no cell can hold.
    """

    name: str
    parameter: Parameter | None = None
    log: bool = False
    text: bool = False

    def __post_init__(self) -> None:
        if odd := [value for value in self._named if not isinstance(value, int | float | str)]:
            raise ValueError(
                f"parameters: {self.name!r}: expected numbers, texts or truth values, as cells "
                f"hold them, got {odd[0]!r}"
            )

    def is_numeric(self, sheet: Spreadsheet) -> bool:
        """Whether its cells are read as numbers."""
        if self.text or self.log:
            return self.log
        if self.parameter is None:
            return sheet.is_numeric(self.name)
        return isinstance(self.parameter, Number) or all(map(is_number, self._named))

    @property
    def _named(self) -> tuple[Any, ...]:
        """The values of a parameter that has a list of them."""
        known = isinstance(self.parameter, Choices | Fixed)
        return (self.parameter.values or ()) if self.parameter and known else ()

    def values(self, sheet: Spreadsheet, numbers: NDArray[np.float64] | None) -> list[Any]:
        """What stands in its cells, row by row.

        Args:
            sheet: The file.
            numbers: (rows,) in its cells; None: they are texts.

        Raises:
            ValueError: A cell that is no value of the parameter, or has no logarithm; names the
                row. Or too many different texts.
        """
        cells = sheet.column(self.name)
        read: list[Any] = cells if numbers is None else numbers.tolist()
        if self.parameter is not None:
            return [self._value(sheet, row, cell) for row, cell in enumerate(read)]
        if self.log and numbers is not None and (numbers <= 0).any():
            row = int((numbers <= 0).argmax())
            raise ValueError(
                f"{self._place(sheet, row)}: expected a number above 0, whose logarithm is meant, "
                f"got {cells[row]!r}"
            )
        if numbers is None and (levels := len(set(cells))) > _MOST_LEVELS:
            raise ValueError(
                f"csv: {sheet.path}: column {self.name!r} has {levels:,} different texts, too many "
                f"to be categories (at most {_MOST_LEVELS:,}); replace it by numbers that describe "
                "them, or leave it out of designs"
            )
        return read

    def _place(self, sheet: Spreadsheet, row: int) -> str:
        return f"csv: {sheet.path}, row {sheet.numbers[row]}, column {self.name!r}"

    def _value(self, sheet: Spreadsheet, row: int, cell: Any) -> Any:
        """The parameter's value that a cell means."""
        assert self.parameter is not None
        meant = cell
        if isinstance(cell, str):  # numbers and truth values among texts are written like texts
            meant = {str(value): value for value in self._named}.get(cell, cell)
        try:
            code = self.parameter.column(meant)
        except ValueError as error:
            raise ValueError(
                f'{self._place(sheet, row)}: {error}; correct it, or write a range as {{"range": '
                "[low, high]}}"
            ) from None
        return meant if self.parameter.values is None else self.parameter.values[int(code)]

    def features(self, values: Sequence[Any]) -> NDArray[np.float64]:
        """What a surrogate sees of some of its values, on comparable scales, (n,) -> (n, k)."""
        if self.parameter is not None:
            return self.parameter.features(np.array(list(map(self.parameter.column, values))))
        found: NDArray[np.float64]
        if isinstance(values[0], str):
            found = np.sqrt(0.5) * (np.array(values)[:, None] == sorted(set(values)))
            return found
        numbers = np.log(values) if self.log else np.array(values)
        low, high = numbers.min(), numbers.max()
        scale = (high - low) / 2 or 1.0  # a column that does not change tells nothing
        found = (numbers[:, None] - (low + high) / 2) / scale
        return found
