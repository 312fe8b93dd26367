"""Where a mixed design holds its parameters: a coordinate a number, one a level of a category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces.category_features import check_number_of_categories
from ombo_gym.design_spaces.duplicates import Designs
from ombo_gym.design_spaces.numeric import Number
from ombo_gym.design_spaces.parameter import Parameter
from ombo_gym.design_spaces.parameters import Parameters
from ombo_gym.design_spaces.relaxations import (
    Coordinates,
    Floats,
    OneHotLogits,
    Points,
    Relaxation,
    SideBySide,
    SoftenedLogits,
)

_APART = 2.0**-22  # float32 coordinates that are nearer to each other are no longer told apart


@dataclass(frozen=True)
class Part:
    """What holds one parameter.

    Attributes:
        parameter: The parameter.
        columns: Numbers of a design.
        features: Features of a design.
        table: (n,) float32 coordinates of numbers that can be counted; None: it is a category, or
            every number will do.
        bounds: (n - 1,) between these coordinates, half way.
    """

    parameter: Parameter
    columns: slice
    features: slice
    table: NDArray[np.float32] | None = None
    bounds: Floats | None = None

    def column(self, designs: Designs) -> NDArray[Any]:
        """Coordinates or codes, (..., D) -> (...,)."""
        if self.parameter.category:
            codes: NDArray[Any] = designs[..., self.columns].argmax(axis=-1)
            return codes
        coordinates: NDArray[Any] = designs[..., self.columns.start]
        return coordinates if self.bounds is None else np.searchsorted(self.bounds, coordinates)

    def write(self, designs: Designs, column: NDArray[Any]) -> None:
        """The inverse of `column`, into designs (..., D)."""
        if self.parameter.category:
            levels = np.arange(self.columns.stop - self.columns.start)
            designs[..., self.columns] = np.where(levels == column[..., None], 1, -1)
        elif self.table is not None:
            designs[..., self.columns.start] = self.table[column]
        else:
            designs[..., self.columns.start] = np.clip(column, -1, 1)


class Layout:
    """Parts of a design, one behind the other, in the order of the parameters.

    Args:
        parameters: Of the design.

    Attributes:
        parts: One a parameter that varies.
        width: D, numbers of a design.
        owners: (D,) which parameter each number of a design belongs to.
        free: (k,) which features can be any number from -1 to 1.
        feature_groups: (k,) which parameter each feature belongs to.

    Raises:
        ValueError: Numbers too close together to be told apart, or too many categories; says what
            to do.
    """

    def __init__(self, parameters: Parameters) -> None:
        varying = parameters.varying
        check_number_of_categories(
            "parameters", [each.count or 0 for each in varying.values() if each.category]
        )
        parts, width, features = [], 0, 0
        for name, each in varying.items():
            columns = (each.count or 0) if each.category else 1
            shown = each.features(np.zeros((), np.intp)).shape[-1]
            part = slice(width, width + columns), slice(features, features + shown)
            parts.append(Part(each, *part, *_table(name, each)))
            width, features = width + columns, features + shown
        self.parts = tuple(parts)
        self.width = width
        sizes = [part.columns.stop - part.columns.start for part in parts]
        self.owners = np.repeat(np.arange(len(parts)), sizes)
        shown_sizes = [part.features.stop - part.features.start for part in parts]
        self.feature_groups = np.repeat(np.arange(len(parts)), shown_sizes)
        self.free = np.concatenate(
            [
                np.full(part.features.stop - part.features.start, part.parameter.values is None)
                for part in parts
            ]
        )

    def columns(self, designs: Designs) -> list[NDArray[Any]]:
        """Coordinates or codes of each parameter, (..., D) -> (...,) each."""
        return [part.column(designs) for part in self.parts]

    def designs(self, columns: Sequence[NDArray[Any]]) -> Designs:
        """The inverse of `columns`: canonical designs."""
        designs = np.empty((*np.shape(columns[0]), self.width), np.float32)
        for part, column in zip(self.parts, columns, strict=True):
            part.write(designs, column)
        designs += np.float32(0)  # -0.0 is 0.0
        return designs

    @cached_property
    def _pairs(self) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], ...]:
        """Columns and features that hold the same: of numbers, and of one-hot categories."""
        numbers: tuple[list[int], list[int]] = [], []
        one_hot: tuple[list[int], list[int]] = [], []
        for part in self.parts:
            if not part.parameter.plain:
                continue
            if not part.parameter.category:
                pair = numbers
            else:
                pair = one_hot
            for indices, place in zip(pair, (part.columns, part.features), strict=True):
                indices.extend(range(place.start, place.stop))
        return tuple(
            (np.array(columns, np.intp), np.array(features, np.intp))
            for columns, features in (numbers, one_hot)
        )

    @property
    def _described(self) -> list[Part]:
        """Parts whose values have features of their own, such as categories by descriptors."""
        return [part for part in self.parts if not part.parameter.plain]

    def features(self, designs: Designs) -> Floats:
        """What a surrogate sees of canonical designs, (..., D) -> (..., k)."""
        found = np.empty((*designs.shape[:-1], len(self.free)))
        (columns, features), (hot_columns, hot_features) = self._pairs
        found[..., features] = designs[..., columns]
        found[..., hot_features] = np.where(designs[..., hot_columns] > 0, np.sqrt(0.5), 0.0)
        for part in self._described:
            found[..., part.features] = part.parameter.features(part.column(designs))
        return found

    def from_features(self, features: Floats) -> Designs:
        """Canonical designs with such features, or the nearest to them, (..., k) -> (..., D)."""
        designs = np.empty((*features.shape[:-1], self.width))
        for columns, same in self._pairs:
            designs[..., columns] = features[..., same]
        for part in self._described:
            apart = features[..., None, part.features] - part.parameter.table  # (..., n, k)
            nearest = (apart**2).sum(axis=-1)  # (..., n)
            if part.parameter.category:
                designs[..., part.columns] = -nearest
            else:
                part.write(designs, nearest.argmin(axis=-1))
        return self.designs(self.columns(designs))

    def relaxation(self, *, softened: bool) -> Relaxation:
        """Numbers as they are and categories as logits, side by side."""
        numbers = np.flatnonzero(
            [not self.parts[owner].parameter.category for owner in self.owners]
        )
        categories = np.setdiff1d(np.arange(self.width), numbers)
        parts: list[tuple[Relaxation, NDArray[np.intp]]] = []
        if len(numbers):
            parts.append((Coordinates(len(numbers)), numbers))
        if len(categories):
            counts = [p.parameter.count or 0 for p in self.parts if p.parameter.category]
            parts.append((_Blocks(np.array(counts), softened=softened), categories))
        return _Parts(parts, self)


def _table(name: str, parameter: Parameter) -> tuple[NDArray[np.float32] | None, Floats | None]:
    if (coordinates := parameter.coordinates) is None:
        return None, None
    if not (np.abs(coordinates) <= 1).all() or (np.diff(coordinates) < 0).any():
        raise ValueError(
            f"parameters: {name!r}: expected coordinates from -1 to 1, ascending, one a value, got "
            f"{coordinates.tolist()}"
        )
    table = coordinates.astype(np.float32)
    if (np.diff(table) < _APART).any():
        closest = int(np.diff(table).argmin())
        values = parameter.values or ()
        what, remedy = "numbers", "take fewer"
        if not isinstance(parameter, Number):
            what = f"`coordinates` of {type(parameter).__name__}"
        elif getattr(parameter, "scale", None) != "log":
            remedy = '"scale": "log" may spread them, or take fewer'
        raise ValueError(
            f"parameters: {name!r}: expected {what} that can be told apart beside all that they "
            f"span, got {values[closest]!r} and {values[closest + 1]!r}; {remedy}"
        )
    exact = table.astype(np.float64)
    return table, (exact[1:] + exact[:-1]) / 2


class _Blocks(Relaxation):
    """Logits of categories that designs hold in blocks of +1 and -1.

    Args:
        counts: (L,) of each block.
        softened: See `DesignSpace.relaxation`.
    """

    def __init__(self, counts: NDArray[np.int64], *, softened: bool) -> None:
        self._logits = SoftenedLogits(counts) if softened else OneHotLogits(counts)
        self._counts = counts
        self._edges = np.cumsum(counts)[:-1]
        self.size = self._logits.size
        self.choices = self._logits.choices

    def encode(self, designs: Designs) -> Points:
        blocks = np.split(designs, self._edges, axis=-1)
        return self._logits.encode(np.stack([each.argmax(axis=-1) for each in blocks], axis=-1))

    def decode(self, points: Points) -> Designs:
        codes = self._logits.decode(points)
        blocks = [
            np.where(np.arange(count) == codes[..., i, None], 1, -1)
            for i, count in enumerate(self._counts)
        ]
        return np.concatenate(blocks, axis=-1).astype(np.float32)


class _Parts(SideBySide):
    """Parts of mixed designs, which are canonical again when they come back."""

    def __init__(
        self, parts: Sequence[tuple[Relaxation, NDArray[np.intp]]], layout: Layout
    ) -> None:
        super().__init__(parts, layout.width)
        self._layout = layout

    def decode(self, points: Points) -> Designs:
        return self._layout.designs(self._layout.columns(super().decode(points)))
