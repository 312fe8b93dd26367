"""What is known of choices and candidates beside their names: constraints may speak of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.spreadsheets.number_columns import NumberColumn, read_numbers
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet

_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]$")


@dataclass(frozen=True)
class Descriptor:
    """A property of the texts that a column holds.

    Attributes:
        column: Of a design.
        name: Of the property.
        texts: The values that it may have; None: numbers.
        read: The value for each text of the column, which is worked out where it is needed.
    """

    column: str
    name: str
    texts: Collection[str] | None
    read: Callable[[], Mapping[str, Any]]

    def values(self) -> Mapping[str, Any]:
        """The value for each text of the column.

        Raises:
            ValueError: A cell of a file is no number where others are; names it.
        """
        return self.read()


def descriptors_of_sheet(column: str, sheet: Spreadsheet, key: str) -> list[Descriptor]:
    """All columns of a file that describes choices or candidates.

    Args:
        column: Of a design.
        sheet: The file.
        key: Its column of names.
    """
    names = sheet.column(key)
    return [_of_column(column, sheet, names, each) for each in sheet.header if each != key]


def _of_column(column: str, sheet: Spreadsheet, names: Sequence[str], each: str) -> Descriptor:
    kinds = Counter(sheet.cells(each)[cell].kind for cell in sheet.column(each))
    if 2 * (kinds["number"] + kinds["unread"]) > len(names):
        remedy = "fill it in, since a constraint speaks of it, or take the row out"

        def numbers() -> dict[str, Any]:
            found = read_numbers(sheet, [NumberColumn(each, remedy)], mixed_marks=True)[:, 0]
            return dict(zip(names, found.tolist(), strict=True))

        return Descriptor(column, each, None, numbers)
    cells = sheet.column(each)
    return Descriptor(column, each, set(cells), lambda: dict(zip(names, cells, strict=True)))


def descriptors_of_choices(
    column: str, values: Sequence[Any], table: Mapping[str, Sequence[float]]
) -> list[Descriptor]:
    """Numbers that were written beside choices.

    Args:
        column: Of a design.
        values: The choices.
        table: Numbers by name, one a choice.
    """
    texts = [str(value) for value in values]
    known = {name: dict(zip(texts, each, strict=True)) for name, each in table.items()}
    return [Descriptor(column, name, None, partial(known.__getitem__, name)) for name in known]


def spoken_of(descriptors: Sequence[Descriptor], columns: Collection[str]) -> dict[str, Descriptor]:
    """Descriptors by what a constraint may call them.

    Each is `column.name`; where no other has the name, and no column, the name alone will do, or
    the name without its unit.

    Args:
        descriptors: Of all columns.
        columns: Of the space.
    """
    found: dict[str, Descriptor] = {}
    for form in (_qualified, _alone, _without_unit):
        counts = Counter(map(form, descriptors))
        for each in descriptors:
            name = form(each)
            if counts[name] == 1 and name not in columns:
                found.setdefault(name, each)
    return found


def _qualified(descriptor: Descriptor) -> str:
    return f"{descriptor.column}.{descriptor.name}"


def _alone(descriptor: Descriptor) -> str:
    return descriptor.name


def _without_unit(descriptor: Descriptor) -> str:
    return _BRACKETS.sub("", descriptor.name) or descriptor.name


def looked_up(descriptor: Descriptor, texts: NDArray[Any]) -> NDArray[Any]:
    """Values of a descriptor for texts of the column it is of, (n,)."""
    table = descriptor.values()
    kind: Any = np.float64 if descriptor.texts is None else object
    found: NDArray[Any] = np.empty(len(texts), kind)
    found[:] = [table[text] for text in texts.tolist()]
    return found
