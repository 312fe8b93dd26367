"""Design columns of a spreadsheet: which values their cells are, and what a surrogate sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces.own_kinds import units_of
from ombo_gym.design_spaces.parameter import PARAMETERS
from ombo_gym.design_spaces.parameters import (
    Choices,
    Fixed,
    Integers,
    Levels,
    Number,
    Parameter,
    Range,
)
from ombo_gym.problems.core.checks import is_number
from ombo_gym.problems.own.column_kinds import is_numeric, remedy_of_designs, remedy_of_missing
from ombo_gym.spreadsheets.cells import clean
from ombo_gym.spreadsheets.number_columns import NumberColumn, merged
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet, listed, shown

_MOST_LEVELS = 1000  # of a text column, each of which is a feature
_SHOWN = 8  # values of a column, when it is described
_DIGITS = 9  # of scaled features, which are of the order of 1, that tell copies from others


@dataclass(frozen=True)
class Column:
    """A design column.

    Attributes:
        name: In the header.
        parameter: What it is; None: what its cells look like, numbers or texts.
        log: Whether it holds numbers of which the logarithm is seen.
        text: Whether it holds texts, whatever these look like.
        scale_chosen: Whether somebody said on which scale its numbers are.

    Raises:
        ValueError: Choices that no cell can hold.
    """

    name: str
    parameter: Parameter | None = None
    log: bool = False
    text: bool = False
    scale_chosen: bool = False

    def __post_init__(self) -> None:
        if odd := [v for v in self._named if not (isinstance(v, bool | str) or is_number(v))]:
            raise ValueError(
                f"parameters: {self.name!r}: expected numbers, texts or truth values, as cells "
                f"hold them, got {odd[0]!r}"
            )

    def is_numeric(self, sheet: Spreadsheet) -> bool:
        """Whether its cells are read as numbers.

        Raises:
            ValueError: Nothing was said of the column, and its cells are of both kinds.
        """
        if self.text or self.log:
            return self.log
        if self.parameter is None:
            return is_numeric(sheet, self.name)
        return isinstance(self.parameter, Number) or all(map(is_number, self._named))

    def numbers(self) -> NumberColumn:
        """How its numbers are read."""
        declared = self.log or self.parameter is not None
        remedy = "correct it, or take the row out" if declared else remedy_of_designs(self.name)
        return NumberColumn(self.name, remedy)

    def kind(self, *, numeric: bool) -> str:
        """What it is: "numbers", "ordered levels", "categories" or "fixed"."""
        if self.parameter is None:
            return "numbers" if numeric else "categories"
        if isinstance(self.parameter, Fixed):
            return "fixed"
        if self.parameter.category:
            return "categories"
        return "numbers" if self.parameter.values is None else "ordered levels"

    @property
    def _named(self) -> tuple[Any, ...]:
        """The values of a parameter that has a list of them, and may have texts among them."""
        if self.parameter is None or isinstance(self.parameter, Number):
            return ()
        return self.parameter.values or ()

    def values(self, sheet: Spreadsheet, numbers: NDArray[np.float64] | None) -> list[Any]:
        """What stands in its cells, row by row; numbers that differ by rounding are the same.

        Args:
            sheet: The file.
            numbers: (rows,) in its cells; None: they are texts.

        Raises:
            ValueError: A cell that is no value of the parameter, or has no logarithm; names the
                row. Or too many different texts.
        """
        cells = sheet.column(self.name)
        read: list[Any] = cells if numbers is None else merged(numbers).tolist()
        if self.parameter is not None:
            meaning = self._meaning(sheet, read)
            return [meaning[cell] for cell in read]
        if self.log and numbers is not None and (numbers <= 0).any():
            row = int((numbers <= 0).argmax())
            raise ValueError(
                f"{sheet.place(row, self.name)}: expected a number above 0, whose logarithm is "
                f"meant, got {shown(cells[row])}; correct it, or take the column out of log"
            )
        if numbers is None:
            self._check_texts(sheet)
        return read

    def _check_texts(self, sheet: Spreadsheet) -> None:
        """There are not too many of them, and no cell is empty."""
        cells = sheet.cells(self.name)
        if (levels := len(cells)) > _MOST_LEVELS:
            raise ValueError(
                f"csv: {sheet.path}: column {self.name!r} has {levels:,} different texts, too many "
                f"to be categories (at most {_MOST_LEVELS:,}); replace it by numbers that describe "
                "them, or leave it out of designs"
            )
        for cell, what in cells.items():
            if what.kind == "missing":
                raise ValueError(
                    f"{sheet.place(sheet.column(self.name).index(cell), self.name)}: expected a "
                    f"text, got {shown(cell)}; {remedy_of_missing(self.name, cell)}"
                )

    def _meaning(self, sheet: Spreadsheet, read: Sequence[Any]) -> dict[Any, Any]:
        """The parameter's values, by what stands in cells."""
        assert self.parameter is not None
        # Numbers and truth values among texts are written like texts.
        written = {clean(str(value)): value for value in self._named}
        found: dict[Any, Any] = {}
        for row, cell in enumerate(read):
            if cell in found:
                continue
            meant = written.get(cell, cell) if isinstance(cell, str) else cell
            try:
                code = self.parameter.column(meant)
            except ValueError as error:
                remedy = "add it to what parameters= lists"
                if self.parameter.values is None:
                    remedy = "widen the range that parameters= gives"
                elif isinstance(self.parameter, Number):
                    remedy = 'write a range as {"range": [low, high]}'
                raise ValueError(
                    f"{sheet.place(row, self.name)}: {error}; correct it, or {remedy}"
                ) from None
            values = self.parameter.values
            found[cell] = meant if values is None else values[int(code)]
        return found

    @property
    def unscaled(self) -> bool:
        """Whether its numbers, if it holds any, are on a linear scale that nobody chose."""
        numbers = self.parameter is None or isinstance(self.parameter, Number)
        return numbers and not (self.log or self.text or self.scale_chosen)

    def numbers_among(self, values: Sequence[Any]) -> Sequence[float]:
        """Some of its values that are numbers, or the ends of its parameter; none of texts."""
        if isinstance(self.parameter, Number):
            return self.parameter.values or (self.parameter.low, self.parameter.high)
        return () if isinstance(values[0], str) else values

    def width(self, values: Sequence[Any]) -> int:
        """How many numbers `features` has for each of some values."""
        if self.parameter is None:
            return len(set(values)) if isinstance(values[0], str) else 1
        if isinstance(self.parameter, Choices) and not self.parameter.descriptors:
            return len(self.parameter.values)
        first = self.parameter.features(np.array([self.parameter.column(values[0])]))  # (1, k)
        return int(first.shape[1])

    def features(self, values: Sequence[Any]) -> NDArray[np.float64]:
        """What a surrogate sees of some of its values, on comparable scales, (n,) -> (n, k)."""
        found: NDArray[np.float64]
        if self.parameter is not None:
            codes = {value: self.parameter.column(value) for value in dict.fromkeys(values)}
            return self.parameter.features(np.array([codes[value] for value in values]))
        if isinstance(values[0], str):
            order = {text: code for code, text in enumerate(sorted(set(values)))}
            found = np.zeros((len(values), len(order)))  # (n, levels)
            found[np.arange(len(values)), [order[text] for text in values]] = np.sqrt(0.5)
            return found
        numbers = np.log(values) if self.log else np.array(values)
        low, high = numbers.min(), numbers.max()
        scale = (high - low) / 2 or 1.0  # a column that does not change tells nothing
        found = (numbers[:, None] - (low + high) / 2) / scale
        return found

    def describe(self, values: Sequence[Any], unit: str) -> str:
        """What some of its values are, in words."""
        different = list(dict.fromkeys(values))
        kind = self.kind(numeric=not isinstance(values[0], str))
        scale = "log" if self.log else getattr(self.parameter, "scale", "linear")
        declared = self._ends() + (", on a logarithmic scale" if scale == "log" else "")
        if kind == "numbers":
            return (
                f"numbers from {min(different):.10g} to {max(different):.10g}"
                f"{f' {unit}' if unit else ''}, {len(different):,} different{declared}"
            )
        ordered = sorted(different) if isinstance(self.parameter, Levels) else different
        texts = list(map(printed, ordered))
        if self.parameter is not None and type(self.parameter) in PARAMETERS.values():  # one's own
            kind = self.parameter.kind
            ordered = sorted(different, key=self.parameter.column)
            texts = list(map(self.parameter.text, ordered))
        return f"{kind}: {_few(texts)}{declared}{self._in_no_row(different)}"

    def _ends(self) -> str:
        """The ends of a range that somebody gave, in words."""
        parameter = self.parameter
        if isinstance(parameter, Range | Integers):
            low, high = float(parameter.low), float(parameter.high)
        elif parameter is not None and parameter.values is None:  # of one's own kind
            low, high = sorted(units_of(parameter, np.array([-1.0, 1.0])).tolist())
        else:
            return ""
        step = getattr(parameter, "step", None)
        steps = "" if step is None else f" in steps of {step:.10g}"
        return f", in a range from {low:.10g} to {high:.10g}{steps}"

    def _in_no_row(self, different: Sequence[Any]) -> str:
        """The values of a list that somebody gave, and that are no design's, in words."""
        if not isinstance(self.parameter, Levels | Choices):
            return ""
        found = set(different)
        others = [printed(value) for value in self.parameter.values if value not in found]
        return f"; in no row: {_few(others)}" if others else ""


def printed(value: Any) -> str:
    """A number, text or truth value in print."""
    return str(value) if isinstance(value, str | bool) else f"{value:.10g}"


def _few(texts: Sequence[str]) -> str:
    """The first of some texts."""
    return f"{', '.join(texts[:_SHOWN])}{', ...' if len(texts) > _SHOWN else ''}"


def informative(parts: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Features of columns without those that tell nothing: constants, and copies of others.

    A copy has the same categories by other names, or the same numbers in another unit.

    Args:
        parts: (n, k) of each column, scaled.
    """
    kept: dict[tuple[tuple[int, ...], bytes], NDArray[np.float64]] = {}  # by what they are alike in
    for part in parts:
        if (part == part[0]).all():
            continue
        # Categories are numbered by their names: here by the row in which they appear first.
        ordered = part[:, np.argsort(part.argmax(axis=0), kind="stable")]
        rounded = np.round(ordered, _DIGITS) + 0.0  # -0.0 is 0.0
        kept.setdefault((part.shape, rounded.tobytes()), part)
    return list(kept.values())


def kinds_in_words(kinds: Mapping[str, str]) -> str:
    """Which columns are what, by kind."""
    groups: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        groups.setdefault(kind, []).append(name)
    return "; ".join(f"{kind}: {listed(names)}" for kind, names in groups.items())
