"""Parameters without an order: categories, and what is the same in all designs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces.category_features import check_number_of_categories
from ombo_gym.design_spaces.feature_scaling import distinct_columns, from_minus_one_to_one
from ombo_gym.design_spaces.parameter import Parameter
from ombo_gym.design_spaces.values import (
    check_writable,
    finite,
    first_repeated,
    plain,
    same,
    to_json,
)

Floats = NDArray[np.float64]

_APART = 1e-6  # standardised descriptors that are nearer are the same


@dataclass(frozen=True)
class Choices(Parameter):
    """Categories: values without an order.

    Attributes:
        values: Anything that `==` tells apart; numbers, texts and lists of them can be written to
            files.
        descriptors: Columns of numbers by name, one a value, which say what values have in common:
            a surrogate sees them in place of the values, on one scale. Those that are the same for
            all values, or copies of others, change nothing.

    Raises:
        ValueError: Values that cannot be told apart, or descriptors that do not tell them apart.
    """

    category: ClassVar[bool] = True

    values: tuple[Any, ...]
    descriptors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.values):
            raise ValueError("expected at least one choice, got none")
        check_number_of_categories("choices", [len(self.values)])
        values = tuple(plain(value) for value in self.values)
        if any(isinstance(value, np.ndarray) for value in values):
            raise ValueError(
                "expected choices that can be told apart by ==, got arrays; write them as tuples"
            )
        for value in values:
            if not isinstance(value, str) and not same(value, value):
                raise ValueError(f"expected choices that equal themselves, got {value!r}")
            check_writable("choice", value)
        if (pair := first_repeated(values)) is not None:
            raise ValueError(f"expected each choice once, got {pair[0]!r} and {pair[1]!r}")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "descriptors", _checked(self.descriptors, len(values)))

    def __hash__(self) -> int:
        return hash(len(self.values))

    @cached_property
    @override
    def table(self) -> Floats:
        """(n, k) features of the values, whose mean squared distance is (n - 1) / n."""
        if not self.descriptors:
            one_hot: Floats = super().table
            return one_hot
        n = len(self.values)
        table = _standardised(self.descriptors)
        scaled: Floats = table * np.sqrt((n - 1) / (2 * n * table.shape[1]))
        return scaled

    @property
    @override
    def plain(self) -> bool:
        return not self.descriptors

    @override
    def to_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"choices": [to_json(value) for value in self.values]}
        if self.descriptors:
            found["descriptors"] = {name: list(each) for name, each in self.descriptors.items()}
        return found


@dataclass(frozen=True)
class Fixed(Parameter):
    """A parameter that is the same in all designs: no number of a design holds it."""

    value: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", plain(self.value))
        check_writable("value", self.value)

    @property
    @override
    def values(self) -> tuple[Any, ...]:  # type: ignore[override]
        return (self.value,)

    @override
    def features(self, column: NDArray[Any]) -> Floats:
        return np.zeros((*np.shape(column), 0))

    @override
    def to_dict(self) -> dict[str, Any]:
        return {"fixed": to_json(self.value)}


def _checked(descriptors: Any, count: int) -> dict[str, tuple[float, ...]]:
    """Columns of numbers that tell so many values apart."""
    if not isinstance(descriptors, Mapping):
        raise ValueError(
            f"descriptors: expected a dict of name: numbers, one a choice, got {descriptors!r}"
        )
    found = {}
    for name, given in descriptors.items():
        if not isinstance(name, str):
            raise ValueError(f"descriptors: expected texts as names, got {name!r}")
        check_writable("descriptors", name)
        numbers = given.tolist() if isinstance(given, np.ndarray) else given
        if not isinstance(numbers, list | tuple) or len(numbers) != count:
            raise ValueError(
                f"descriptors: expected {count} numbers for {name!r}, one a choice, got {given!r}"
            )
        found[name] = tuple(float(finite(f"descriptors: {name!r}", each)) for each in numbers)
    if found:
        standard = _standardised(found)
        if not standard.size:
            name, values = next(iter(found.items()))
            raise ValueError(
                f"descriptors: expected numbers that differ for {name!r}, got {list(values)}"
            )
        rounded = np.round(standard / _APART)
        if len(np.unique(rounded, axis=0)) < count:
            raise ValueError(
                "descriptors: expected them to tell all choices apart, got two with the same "
                "numbers; add another descriptor"
            )
    return found


def _standardised(descriptors: Mapping[str, tuple[float, ...]]) -> Floats:
    """Columns of mean 0 and variance 1 (n, k), without those that tell nothing new."""
    given = list(descriptors.values())
    kept = distinct_columns(from_minus_one_to_one(np.array(given).T))
    columns = np.array([given[i] for i in kept]).T  # (n, k)
    if not len(kept):
        return np.zeros((len(given[0]), 0))
    standard: Floats = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    return standard
