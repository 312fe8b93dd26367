"""What all parameters of a design share."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.design_spaces.values import as_array, copied, same, shortened

Floats = NDArray[np.float64]

PARAMETERS: dict[str, type[Parameter]] = {}  # by kind, filled by subclassing

SETTINGS: dict[str, tuple[str, ...]] = {  # of a parameter of this package, written as a dict
    "range": ("step", "scale"),
    "integer": ("scale",),
    "levels": ("scale",),
    "choices": ("descriptors",),
    "fixed": (),
}


class Parameter(ABC):
    """What one parameter of a design may be.

    A design holds it as a number from -1 to 1, its *coordinate*, where there is no end of values;
    else as a code, which numbers the values.

    A subclass with a `kind` can be written as `{KIND: {field: value, ...}}` from then on, in Python
    and in JSON. It is a frozen dataclass, of numbers, texts and tuples; lists become tuples. With
    `values` it has `coordinates`, or is a `category`; without an end of them it has `units` and
    `column`, each the inverse of the other.

    Attributes:
        kind: The key that it is written with.
        category: Whether its values have no order.
        values: All of them by code; None: every number between two ends.
    """

    kind: ClassVar[str]
    category: ClassVar[bool] = False
    values: tuple[Any, ...] | None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Makes the kind known to `parse_parameters`.

        Raises:
            ValueError: A kind that is no word, or that other parameters are written with.
        """
        super().__init_subclass__(**kwargs)
        if "kind" not in cls.__dict__:
            return
        if not isinstance(cls.kind, str) or not cls.kind:
            raise ValueError(f"kind: expected a word as the kind of {cls.__name__}, got {cls.kind}")
        before = PARAMETERS.get(cls.kind)
        where = cls.__module__, cls.__qualname__
        another = before is not None and (before.__module__, before.__qualname__) != where
        if another or cls.kind in SETTINGS or any(cls.kind in each for each in SETTINGS.values()):
            raise ValueError(
                f"kind: expected one that is not taken, got {cls.kind!r}; choose another word for "
                f"{cls.__name__}"
            )
        PARAMETERS[cls.kind] = cls

    def __post_init__(self) -> None:
        """Makes tuples of lists and arrays, as `from_dict` does."""
        for each in fields(self):  # type: ignore[arg-type]
            given = getattr(self, each.name, None)
            if isinstance(given, list | tuple | np.ndarray):
                object.__setattr__(self, each.name, _tuples(given))

    def __getstate__(self) -> dict[str, Any]:
        """Pickles without what was worked out on the way."""
        return {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; `from_dict` is the inverse."""
        return {self.kind: self.__getstate__()}

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> Self:
        """From what `to_dict` gave, or somebody wrote: lists are tuples.

        Raises:
            ValueError: Other fields than it has, or fewer; lists them. Or it is no dataclass.
        """
        if not is_dataclass(cls):
            raise ValueError(no_dataclass(cls))
        inside = written[cls.kind]
        known = [each.name for each in fields(cls) if each.init]
        form = ", ".join(f'"{name}": ...' for name in known)
        expected = f'expected {{"{cls.kind}": {{{form}}}}}, got {shown(dict(written))}'
        if not isinstance(inside, Mapping) or set(inside) - set(known) or len(written) > 1:
            raise ValueError(expected)
        try:
            return cls(**{name: _tuples(value) for name, value in inside.items()})
        except TypeError as error:  # a field is missing, or of another type than it should be
            raise ValueError(f"{expected} ({error})") from error

    @property
    def count(self) -> int | None:
        """How many values there are; None: no end of them."""
        return None if self.values is None else len(self.values)

    @property
    def coordinates(self) -> Floats | None:
        """(n,) of values with an order, ascending from -1 to 1; None: there is none, or no end."""
        return None

    @property
    def weights(self) -> Floats | None:
        """(n,) how often values are drawn; None: each as often as others."""
        return None

    def column(self, value: Any) -> float | int:
        """The coordinate or code of a value.

        Raises:
            ValueError: It is none of this parameter; says what was expected.
        """
        assert self.values is not None
        if (key := _key(value)) is not None and key in self._codes:
            return self._codes[key]
        for code, known in enumerate(self.values):
            if same(value, known):
                return code
        raise ValueError(f"expected one of {shortened(self.values)}, got {value!r}")

    def units(self, codes: NDArray[Any]) -> Any:
        """The value of a code () or an array of the values of codes (n,): the caller's own."""
        assert self.values is not None
        return copied(self.values[int(codes)]) if codes.ndim == 0 else self._array[codes]

    @cached_property
    def _codes(self) -> dict[tuple[bool, Any], int]:
        """Codes of the values that have a hash."""
        found: dict[tuple[bool, Any], int] = {}
        for code, value in enumerate(self.values or ()):
            if (key := _key(value)) is not None:
                found.setdefault(key, code)
        return found

    @cached_property
    def _array(self) -> NDArray[Any]:
        assert self.values is not None
        return as_array(self.values)

    @cached_property
    def table(self) -> Floats:
        """(n, k) what a surrogate sees of the values: coordinates, or categories one-hot."""
        if self.category:
            one_hot: Floats = np.sqrt(0.5) * np.eye(self.count or 0)
            return one_hot
        assert self.coordinates is not None
        return self.coordinates[:, None]

    @property
    def plain(self) -> bool:
        """Whether `table` is as it stands here, so that designs themselves hold the features."""
        return type(self).table is Parameter.table

    def features(self, column: NDArray[Any]) -> Floats:
        """What a surrogate sees of coordinates or codes, (...,) -> (..., k)."""
        if self.values is None:
            return np.asarray(column, np.float64)[..., None]
        if self.plain and self.category:  # a table of many categories would be too large
            hot = np.arange(self.count or 0) == np.asarray(column)[..., None]
            return np.where(hot, np.sqrt(0.5), 0.0)
        found: Floats = self.table[column]
        return found

    def text(self, value: Any) -> str:
        """A value in print."""
        return f"{value:.6g}" if isinstance(value, float) else str(value)


def no_dataclass(kind: type[Parameter]) -> str:
    """Says that a kind of one's own is no dataclass, and what to do."""
    return (
        f"expected a dataclass as a kind of parameter, got {kind.__name__}; write "
        "@dataclass(frozen=True) above the class"
    )


def _tuples(value: Any) -> Any:
    """A value with tuples in place of lists, which JSON cannot tell from tuples."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        return value
    # What is simple already, a million levels for instance, is not copied value by value.
    kinds = set(map(type, value))
    return tuple(value) if kinds <= {int, float, str, bool} else tuple(map(_tuples, value))


def _key(value: Any) -> tuple[bool, Any] | None:
    """By which values are looked up, where they have a hash: truth values are no numbers."""
    try:
        hash(value)
    except TypeError:
        return None
    return isinstance(value, bool | np.bool_), value
