"""Spaces as people write them down, and designs in their units."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ombo_gym.design_spaces import BoxDesigns, CandidateDesigns, CategoricalDesigns, DesignSpace
from ombo_gym.problems.checks import is_number, numbers

EXPECTED = (
    "a gymnasium Box, Discrete, MultiDiscrete or MultiBinary, a list of (low, high), a dict of "
    "name: (low, high) or of name: [choice, choice, ...], or a design space of ombo_gym"
)

_KINDS = (bool | np.bool_, int | float | np.integer | np.floating, str)  # that arrays are made of


@dataclass(frozen=True)
class OwnSpace:
    """A design space, and what its designs are called outside.

    Attributes:
        designs: Where designs live.
        bounds: (2, d) what -1 and 1 stand for, of boxes.
        first: (L,) what category 0 of a position is called, of whole numbers.
        names: Of the variables, where designs are dicts.
        choices: Of each variable, where they are categories.
        single: Whether a design is one whole number and not an array of them.
    """

    designs: DesignSpace
    bounds: NDArray[np.float64] | None = None
    first: NDArray[np.int64] | None = None
    names: tuple[str, ...] | None = None
    choices: tuple[tuple[Any, ...], ...] | None = None
    single: bool = False

    def units(self, designs: NDArray[Any]) -> Any:
        """One design (*shape) or many (n, *shape), as the user means them.

        Returns:
            An array or, of named variables, a dict of numbers or choices; of many designs, a dict
            of arrays (n,), see `_listed`. All of it is the caller's own, to be written into.
        """
        columns: Any = np.array(designs)
        if self.bounds is not None:
            share = (columns.astype(np.float64) + 1) / 2
            columns = (1 - share) * self.bounds[0] + share * self.bounds[1]  # exact at the ends
        elif self.first is not None:
            columns = columns + self.first
        if self.single:
            columns = columns[..., 0]
        if self.names is None:
            return columns.item() if columns.ndim == 0 else columns
        found = {}
        for at, name in enumerate(self.names):
            column = columns[..., at]
            if self.choices is not None:
                own = self.choices[at]
                column = _copied(own[column]) if column.ndim == 0 else _listed(own)[column]
            elif column.ndim == 0:
                column = column.item()
            found[name] = column
        return found

    def design(self, units: Any) -> NDArray[Any]:
        """The design (*shape) that is meant by one in the user's units: the inverse of `units`.

        Raises:
            ValueError: There is none.
        """
        if self.names is not None:
            if not isinstance(units, Mapping) or set(units) != set(self.names):
                raise ValueError(f"design: expected a dict with {list(self.names)}, got {units!r}")
            units = [units[name] for name in self.names]
        if self.choices is not None:
            for name, value, own in zip(self.names or (), units, self.choices, strict=True):
                if value not in own:
                    raise ValueError(f"design: expected {name} among {list(own)}, got {value!r}")
            units = [own.index(value) for own, value in zip(self.choices, units, strict=True)]
        found = np.atleast_1d(numbers(units))
        if found.shape != self.designs.shape:
            raise ValueError(f"design: expected {self.designs.shape[0]} numbers, got {units!r}")
        if self.bounds is not None:
            low, high = self.bounds
            if not ((found >= low) & (found <= high)).all():
                raise ValueError(
                    f"design: expected numbers from {low.tolist()} to {high.tolist()}, got {units}"
                )
            found = 2 * (found - low) / (high - low) - 1
        elif self.first is not None:
            found = found - self.first
        return found.astype(self.designs.dtype)


def _listed(choices: Sequence[Any]) -> NDArray[Any]:
    """Choices as an array (k,): of truth values, numbers or texts where all are, else of objects.

    Of objects too where an array of numbers or texts would hold others than those given.
    """
    found = np.empty(len(choices), object)
    for at, choice in enumerate(choices):
        found[at] = _copied(choice)
    for kinds in _KINDS:
        truths = sum(isinstance(choice, bool | np.bool_) for choice in choices)
        if all(isinstance(choice, kinds) for choice in choices) and truths in (0, len(choices)):
            plain = np.array(list(choices))
            return plain if plain.tolist() == list(choices) else found
    return found


def _copied(choice: Any) -> Any:
    return copy.deepcopy(choice) if isinstance(choice, list | dict | set) else choice


def own_space(space: Any) -> OwnSpace:
    """Reads a space.

    Args:
        space: One of what `EXPECTED` lists.

    Raises:
        ValueError: It is none of that, or not finite.
    """
    if isinstance(space, DesignSpace):
        return OwnSpace(space, single=isinstance(space, CandidateDesigns))
    if isinstance(space, spaces.Box):
        if len(space.shape) != 1 or 0 in space.shape or space.dtype.kind != "f":
            raise ValueError(
                "space: expected a Box of one dimension and of floats (a MultiDiscrete for whole "
                f"numbers), got {space}"
            )
        return _box(np.stack([space.low, space.high]).astype(np.float64), space)
    if isinstance(space, spaces.Discrete):
        first = np.array([space.start], np.int64)
        return OwnSpace(CategoricalDesigns([int(space.n)]), first=first, single=True)
    if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        if len(space.shape) != 1 or 0 in space.shape:
            raise ValueError(f"space: expected one dimension, got {space}")
        if isinstance(space, spaces.MultiBinary):
            return OwnSpace(CategoricalDesigns([2] * space.shape[0]))
        first = np.asarray(getattr(space, "start", np.zeros(space.shape)), np.int64)
        return OwnSpace(CategoricalDesigns(space.nvec.tolist()), first=first)
    if isinstance(space, Mapping) and space and all(isinstance(name, str) for name in space):
        return _named(space)
    if isinstance(space, list | tuple | np.ndarray):
        bounds = numbers(space)
        if bounds.ndim == 2 and bounds.shape[1] == 2 and len(bounds):
            return _box(bounds.T, space)
    raise ValueError(f"space: expected {EXPECTED}; got {space!r}")


def _box(bounds: NDArray[np.float64], given: Any, names: tuple[str, ...] | None = None) -> OwnSpace:
    if not np.isfinite(bounds).all() or not (bounds[0] < bounds[1]).all():
        raise ValueError(f"space: expected finite bounds with low < high, got {given}")
    return OwnSpace(BoxDesigns(bounds.shape[1]), bounds=bounds, names=names)


def _named(space: Mapping[str, Any]) -> OwnSpace:
    """Variables with names: tuples are ranges, lists are choices."""
    names = tuple(space)
    ranges = {name for name, values in space.items() if isinstance(values, tuple)}
    for name, values in space.items():
        if name in ranges:
            if len(values) != 2 or not all(map(is_number, values)):
                raise ValueError(
                    f"space: expected {name!r} to be a tuple (low, high) of numbers or a list of "
                    f"choices, got {values!r}"
                )
        elif isinstance(values, str) or not isinstance(values, Sequence) or len(values) < 2:
            raise ValueError(
                f"space: expected {name!r} to be a tuple (low, high) or a list of at least two "
                f"choices, got {values!r}"
            )
        elif any(isinstance(value, np.ndarray) for value in values):
            raise ValueError(
                f"space: expected choices of {name!r} that can be told apart by ==, got arrays; "
                "write them as tuples"
            )
        elif any(value in values[:i] for i, value in enumerate(values)):
            raise ValueError(f"space: expected the choices of {name!r} once each, got {values!r}")
    if len(ranges) == len(names):
        return _box(numbers(list(space.values())).T, dict(space), names)
    if ranges:
        others = [name for name in names if name not in ranges]
        raise ValueError(
            f"space: expected ranges only or choices only, got ranges for {sorted(ranges)} and "
            f"choices for {others}; write the ranges as lists of levels, such as "
            f"{sorted(ranges)[0]!r}: [0.1, 0.2, 0.5]"
        )
    choices = tuple(tuple(values) for values in space.values())
    labels = [[str(value) for value in values] for values in choices]
    designs = CategoricalDesigns([len(values) for values in choices], labels=labels)
    return OwnSpace(designs, names=names, choices=choices)
