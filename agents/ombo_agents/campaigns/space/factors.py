"""What a space is made of: parameters, sequences, mixtures and lists of candidates.

Designs of a campaign are held in the user's units, as *columns*: an array (n,) of numbers or of
texts for each column of the user's sheet.
"""

from __future__ import annotations

import difflib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.arguments import shown
from ombo_gym.design_spaces.numeric import Integers, Levels, Number, Range
from ombo_gym.design_spaces.parameters import Choices, Fixed, Parameter

Floats = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]  # (n,) each

OFF_GRID = 0.02  # of the gap between two values, within which a number is taken for one of them
_ROUNDING = 1e-6  # of what a range spans, how far beyond its ends a number is taken for the end
_DIGITS = 4  # of what a range spans, that its numbers are proposed with


NEAR_MISS = "did you mean"  # what ends a reason of `Outside` where a choice is nearly another


class Outside(ValueError):
    """A value that no design of the space has: the row is a control."""


class Factor(ABC):
    """Some columns of a design that are chosen together.

    Attributes:
        columns: Their names, in the user's order.
        count: How many different values they have together; None: there is no end of them.
        cube: Sides of the unit cube that values are drawn from.
        weight: How many parameters they count as.
        category: Whether its values are categories, which have a kernel of their own.
        values: Of a column of texts these, of a column of numbers None, by column.
        parameters: What policies see in their place, by name; None: only designs that are listed.
    """

    columns: tuple[str, ...]
    count: int | None
    cube: int
    weight: int = 1
    category: bool = False

    def groups(self, width: int) -> NDArray[np.intp]:
        """Which parameter each of its features is of, (width,): one for all, unless it says so."""
        return np.zeros(width, np.intp)

    @property
    @abstractmethod
    def values(self) -> Mapping[str, Sequence[Any] | None]:
        """Texts by column."""

    @property
    def parameters(self) -> Mapping[str, Parameter] | None:
        """As policies see them."""
        return None

    def in_parameters(self, columns: Mapping[str, NDArray[Any]]) -> Columns:
        """Values of `parameters` from columns."""
        return {name: columns[name] for name in self.columns}

    def from_parameters(self, columns: Mapping[str, NDArray[Any]]) -> Columns:
        """The inverse of `in_parameters`."""
        return {name: columns[name] for name in self.columns}

    @abstractmethod
    def read(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        """The values that are meant by a row's cells: numbers or texts.

        Raises:
            Outside: No design has them.
        """

    @abstractmethod
    def listed(self) -> Columns:
        """All `count` values."""

    @abstractmethod
    def drawn(self, points: Floats) -> Columns:
        """Values at points of the unit cube, (n, cube)."""

    @abstractmethod
    def moved(self, columns: Columns, rng: np.random.Generator, step: float) -> Columns:
        """Values near others: numbers by about `step` of what they span, texts now and then."""

    @abstractmethod
    def features(self, columns: Mapping[str, NDArray[Any]]) -> Floats:
        """What a surrogate sees, (n, k): the squared distance of two values is about 1."""

    def on_grid(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Which values are among those that can be proposed, (n,), up to `OFF_GRID`."""
        return np.ones(len(columns[self.columns[0]]), bool)


@dataclass(frozen=True)
class ParameterFactor(Factor):
    """One parameter.

    Attributes:
        name: Of the column.
        parameter: What it may be.
    """

    name: str
    parameter: Parameter

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        """The one column."""
        return (self.name,)

    @property
    def count(self) -> int | None:  # type: ignore[override]
        """Of the parameter."""
        return self.parameter.count

    @property
    def cube(self) -> int:  # type: ignore[override]
        """One, unless it is fixed."""
        return 0 if self.count == 1 else 1

    @property
    def weight(self) -> int:  # type: ignore[override]
        """One, unless it is fixed."""
        return 0 if self.count == 1 else 1

    @property
    def category(self) -> bool:  # type: ignore[override]
        """Of the parameter."""
        return self.parameter.category

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers with an order, or a fixed number."""
        if isinstance(self.parameter, Fixed):
            return isinstance(self.parameter.value, int | float)
        return isinstance(self.parameter, Number)

    @property
    @override
    def values(self) -> Mapping[str, Sequence[Any] | None]:
        return {self.name: None if self.numeric else [str(v) for v in self._texts]}

    @property
    @override
    def parameters(self) -> Mapping[str, Parameter]:
        return {self.name: self.parameter}

    @cached_property
    def _texts(self) -> list[Any]:
        return [str(value) for value in self.parameter.values or ()]

    @cached_property
    def _written(self) -> dict[str, str]:
        """Choices by how people write them: in large and small letters, numbers in any way."""
        found: dict[str, str] = {}
        for text, value in zip(self._texts, self.parameter.values or (), strict=True):
            found.setdefault(_key(value), text)
            found.setdefault(text.casefold(), text)
        return {**found, **{text: text for text in self._texts}}

    @override
    def read(self, cells: Mapping[str, Any]) -> dict[str, Any]:
        value = cells[self.name]
        if self.numeric:
            return {self.name: self._number(value)}
        if value in self._written:
            return {self.name: self._written[value]}
        for key in (str(value).casefold(), _key(value)):
            if key in self._written:
                return {self.name: self._written[key]}
        near = difflib.get_close_matches(str(value), self._texts, n=1, cutoff=0.65)
        raise Outside(
            f"{self.name!r} is {shown(value)}, none of {shown(self._texts)}"
            + (f" ({NEAR_MISS} {near[0]!r}?)" if near else "")
        )

    def _number(self, number: float) -> float:
        parameter = self.parameter
        if isinstance(parameter, Fixed):
            if not math.isclose(number, parameter.value, rel_tol=1e-6, abs_tol=1e-12):
                raise Outside(f"{self.name!r} is {number:g}, not {parameter.value:g}, as fixed")
            return float(parameter.value)
        assert isinstance(parameter, Number)
        low, high = parameter.low, parameter.high
        slack = _ROUNDING * (high - low)
        if not low - slack <= number <= high + slack:
            raise Outside(f"{self.name!r} is {number:g}, not from {low:g} to {high:g}")
        number = min(max(number, low), high)
        nearest = self._nearest(np.array([number]))[0]
        gap = self._gap
        return float(nearest) if gap and abs(nearest - number) <= OFF_GRID * gap else number

    @cached_property
    def _numbers(self) -> Floats:
        return np.array(self.parameter.values or (), np.float64)

    @property
    def _gap(self) -> float:
        return float(np.diff(self._numbers).min()) if len(self._numbers) > 1 else 0.0

    def _nearest(self, numbers: Floats) -> Floats:
        """The values that are nearest; the numbers themselves where every number will do."""
        known = self._numbers
        if not len(known):
            return numbers
        above = np.clip(np.searchsorted(known, numbers), 0, len(known) - 1)
        below = np.maximum(above - 1, 0)
        nearer = numbers - known[below] <= known[above] - numbers
        found: Floats = np.where(nearer, known[below], known[above])
        return found

    @override
    def on_grid(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        if not self.numeric or not len(self._numbers):
            return np.ones(len(columns[self.name]), bool)
        numbers = columns[self.name].astype(np.float64)
        return np.abs(self._nearest(numbers) - numbers) <= OFF_GRID * max(self._gap, 1e-300)

    @override
    def in_parameters(self, columns: Mapping[str, NDArray[Any]]) -> Columns:
        if self.numeric:
            return {self.name: self._nearest(columns[self.name].astype(np.float64))}
        meant = dict(zip(self._texts, self.parameter.values or (), strict=True))
        found = np.empty(len(columns[self.name]), object)
        found[:] = [meant[text] for text in columns[self.name].tolist()]
        return {self.name: found}

    @override
    def from_parameters(self, columns: Mapping[str, NDArray[Any]]) -> Columns:
        given = columns[self.name]
        if self.numeric:
            return {self.name: np.asarray(given, np.float64)}
        return {self.name: np.array([str(value) for value in given.tolist()], object)}

    @override
    def listed(self) -> Columns:
        if self.numeric:
            fixed = isinstance(self.parameter, Fixed)
            return {self.name: np.array([self.parameter.value]) if fixed else self._numbers}  # type: ignore[attr-defined]
        return {self.name: np.array(self._texts, object)}

    @override
    def drawn(self, points: Floats) -> Columns:
        if self.count is not None:
            every = self.listed()[self.name]
            weights = self.parameter.weights
            if weights is not None:
                chosen = np.searchsorted(np.cumsum(weights)[:-1], points[:, 0], side="right")
                return {self.name: every[chosen]}
            shares = points[:, 0] if self.cube else np.zeros(len(points))
            place = np.minimum((shares * len(every)).astype(np.intp), len(every) - 1)
            return {self.name: every[place]}
        return {self.name: self._at(points[:, 0])}

    def _at(self, shares: Floats) -> Floats:
        """Numbers of a range without steps, with as many digits as a pipette has."""
        assert isinstance(self.parameter, Range)
        low, high = self.parameter.low, self.parameter.high
        if self.parameter.scale == "log":
            exact = np.exp(np.log(low) + shares * (np.log(high) - np.log(low)))
            digits = _DIGITS - 1 - np.floor(np.log10(exact)).astype(int)
            power = 10.0 ** digits.astype(np.float64)
            found: Floats = np.clip(np.rint(exact * power) / power, low, high)
            return found
        decimals = _DIGITS - math.floor(math.log10(high - low))
        rounded: Floats = np.clip(np.round(low + shares * (high - low), decimals), low, high)
        return rounded

    @override
    def moved(self, columns: Columns, rng: np.random.Generator, step: float) -> Columns:
        column = columns[self.name]
        if not self.cube:
            return {self.name: column}
        if not self.numeric:
            swapped = rng.random(len(column)) < max(step, 0.1)
            other = rng.integers(len(self._texts), size=len(column))
            return {self.name: np.where(swapped, np.array(self._texts, object)[other], column)}
        assert isinstance(self.parameter, Number)
        share = (self.parameter.position(column.astype(np.float64)) + 1) / 2
        share = np.clip(share + step * rng.standard_normal(len(column)), 0, 1)
        if self.count is None:
            return {self.name: self._at(share)}
        places = (np.asarray(self.parameter.coordinates) + 1) / 2
        nearest = (
            np.abs(share[:, None] - places).argmin(axis=1)
            if len(places) < 500
            else (np.clip(np.searchsorted(places, share), 0, len(places) - 1))
        )
        return {self.name: self._numbers[nearest]}

    @override
    def features(self, columns: Mapping[str, NDArray[Any]]) -> Floats:
        column = columns[self.name]
        if not self.cube:
            return np.zeros((len(column), 0))
        if isinstance(self.parameter, Number):
            return self.parameter.position(column.astype(np.float64))[:, None]
        codes = {text: code for code, text in enumerate(self._texts)}
        return self.parameter.features(np.array([codes[text] for text in column.tolist()]))


def _key(value: Any) -> str:
    """How a choice is looked up: numbers are the same however they are written, 2.50 and 2.5."""
    try:
        return f"{float(value):.12g}"
    except (TypeError, ValueError):
        return str(value).casefold()


def kind_of(parameter: Parameter) -> str:
    """What a parameter is, in words."""
    if isinstance(parameter, Fixed):
        return f"fixed at {parameter.value}"
    if isinstance(parameter, Choices):
        described = (
            f", described by {', '.join(parameter.descriptors)}" if parameter.descriptors else ""
        )
        return f"{len(parameter.values)} choices{described}"
    assert isinstance(parameter, Number)
    scale = ", on a logarithmic scale" if parameter.scale == "log" else ""
    if isinstance(parameter, Levels):
        return f"{len(parameter.values)} levels from {parameter.low:g} to {parameter.high:g}{scale}"
    whole = "whole numbers" if isinstance(parameter, Integers) else "numbers"
    step = (
        f" in steps of {parameter.step:g}"
        if isinstance(parameter, Range) and parameter.step
        else ""
    )
    return f"{whole} from {parameter.low:g} to {parameter.high:g}{step}{scale}"
