"""Parameters of a design by name, as people write them down, and designs in their units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.design_spaces.choices import Choices, Fixed
from ombo_gym.design_spaces.numeric import Integers, Levels, Number, Range
from ombo_gym.design_spaces.own_kinds import check_own_kind, column_of, has_own_units, units_of
from ombo_gym.design_spaces.parameter import PARAMETERS, SETTINGS, Parameter
from ombo_gym.design_spaces.scales import between, warn_of_wide_spans
from ombo_gym.design_spaces.values import (
    all_numbers,
    check_writable,
    finite,
    from_json,
    is_number,
    is_real,
    numbers,
    same,
)

__all__ = [
    "NOTATION",
    "Choices",
    "Fixed",
    "Integers",
    "Levels",
    "Number",
    "Parameter",
    "Parameters",
    "Range",
    "parse_parameter",
    "parse_parameters",
]

NOTATION = (
    '(low, high) or {"range": [low, high], "step": s, "scale": "log"}; {"integer": [low, high], '
    '"scale": "log"}; a list of numbers or {"levels": [...], "scale": "log"}; any other list or '
    '{"choices": [...], "descriptors": {name: [...]}}; or a single value'
)

_FORMS = ("dict", "array", "single")
_ENDS = "name both ends, whose decimals have a point"
_MOST_VALUES = 2**23  # that can be counted, of all parameters
_BYTES = 100  # of a value, as an object, as a coordinate and in tables


@dataclass(frozen=True, eq=False)
class Parameters:
    """Parameters in the order of a design's numbers.

    Attributes:
        each: By name.
        form: What one design is in the user's units: a "dict" by name, an "array" of its values, or
            its "single" value.
    """

    each: Mapping[str, Parameter]
    form: str = "dict"

    def __post_init__(self) -> None:
        object.__setattr__(self, "each", dict(self.each))
        if self.form not in _FORMS:
            raise ValueError(f"form: expected one of {list(_FORMS)}, got {self.form!r}")
        if (values := sum(each.count or 0 for each in self.each.values())) > _MOST_VALUES:
            raise ValueError(
                f"parameters: expected at most {_MOST_VALUES:,} values in all of them together, "
                f"got {values:,}, which take about {_BYTES * values / 2**30:,.1f} GiB; write some "
                "as ranges without steps"
            )

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Parameters)
            and list(self.each.items()) == list(other.each.items())  # their order counts
            and self.form == other.form
        )

    def __hash__(self) -> int:
        return hash((tuple(self.each), self.form))

    def __getstate__(self) -> dict[str, Any]:
        """Pickles without what was worked out on the way."""
        return {"each": self.each, "form": self.form}

    @cached_property
    def varying(self) -> dict[str, Parameter]:
        """Those that a design holds: without the fixed ones.

        Of a design that is a dict, a parameter with a single value is fixed, however written.
        """
        fixed = {
            name
            for name, each in self.each.items()
            if isinstance(each, Fixed) or (each.count == 1 and self.form == "dict")
        }
        return {name: each for name, each in self.each.items() if name not in fixed}

    def units(self, columns: Sequence[NDArray[Any]]) -> Any:
        """Designs in the user's units: the caller's own, to be written into.

        Args:
            columns: Coordinates or codes of each varying parameter, () for one design or (n,).

        Returns:
            A dict by name, an array (d,) or a value; of n designs, arrays (n,) in place of values.
        """
        units: dict[str, Any] = {}
        varying = list(self.varying.values())
        ranges = [i for i, each in enumerate(varying) if not has_own_units(each)]
        of_ranges = self._units_of_ranges([columns[i] for i in ranges]) if ranges else None
        if self.form == "array" and of_ranges is not None and len(ranges) == len(columns):
            return of_ranges
        for i, (name, each) in enumerate(self.varying.items()):
            if has_own_units(each):
                units[name] = units_of(each, columns[i])
            else:
                assert of_ranges is not None
                column = of_ranges[..., ranges.index(i)]
                units[name] = column.item() if column.ndim == 0 else np.ascontiguousarray(column)
        if self.form == "single":
            return next(iter(units.values()))
        if self.form == "array":
            return np.stack(list(units.values()), axis=-1)
        zeros = np.zeros(np.shape(columns[0]), np.intp)
        return {
            name: units[name] if name in units else each.units(zeros)
            for name, each in self.each.items()
        }

    def _units_of_ranges(self, columns: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
        """Values of the ranges without steps, all at once, (..., k)."""
        low, high, log = self._ends
        return between(np.stack(columns, axis=-1), low, high, log)

    @cached_property
    def _ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        varying = self.varying.values()
        found = [each for each in varying if isinstance(each, Range) and not has_own_units(each)]
        low, high = (np.array([getattr(each, end) for each in found]) for end in ("low", "high"))
        return low, high, np.array([each.scale == "log" for each in found])

    def columns(self, units: Any) -> list[float | int]:
        """Coordinates or codes of one design in the user's units: the inverse of `units`.

        Args:
            units: As `units` returns it; fixed parameters may be left out.

        Raises:
            ValueError: It is no design; names the parameter and says what was expected.
        """
        given = self._by_name(units)
        for name, each in self.each.items():
            if name not in self.varying and name in given and not same(given[name], each.units(_0)):
                raise ValueError(
                    f"design: {name!r}: expected {each.units(_0)!r}, which is fixed, got "
                    f"{given[name]!r}"
                )
        found = []
        for name, each in self.varying.items():
            try:
                found.append(column_of(each, given[name]))
            except ValueError as error:
                where = {"dict": f"{name!r}: ", "array": f"entry {name}: ", "single": ""}[self.form]
                raise ValueError(f"design: {where}{error}") from None
        return found

    def _by_name(self, units: Any) -> Mapping[str, Any]:
        if self.form == "dict":
            if not isinstance(units, Mapping):
                raise ValueError(
                    f"design: expected a dict with {list(self.each)}, got {shown(units)}"
                )
            if missing := [name for name in self.varying if name not in units]:
                raise ValueError(f"design: expected {list(self.each)}, {missing} missing")
            if unknown := [name for name in units if name not in self.each]:
                raise ValueError(f"design: expected {list(self.each)}, got {unknown} too")
            return units
        values = numbers(units)
        shape = () if self.form == "single" else (len(self.each),)
        if values.shape != shape:
            expected = "a number" if self.form == "single" else f"{len(self.each)} numbers"
            raise ValueError(f"design: expected {expected}, got {shown(units)}")
        return dict(zip(self.each, values.reshape(-1), strict=True))

    def text(self, units: Any) -> str:
        """One design in print; what is fixed goes without saying."""
        if self.form == "single":
            return next(iter(self.each.values())).text(units)
        if self.form == "array":
            pairs = zip(self.each.values(), units.tolist(), strict=True)
            return ", ".join(each.text(value) for each, value in pairs)
        return ", ".join(f"{name}={each.text(units[name])}" for name, each in self.varying.items())

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; `from_dict` is the inverse."""
        return {"form": self.form, "each": [[name, p.to_dict()] for name, p in self.each.items()]}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls({name: _from_dict(each) for name, each in given["each"]}, given["form"])


_0 = np.array(0)  # the code of what is fixed

Unscaled = dict[str, tuple[float, float]]


def parse_parameters(given: Any, *, argument: str = "parameters") -> Parameters:
    """Reads parameters as people write them.

    Args:
        given: A dict of name: `NOTATION`. A tuple of two numbers is a range, of which every number
            will do or, with a step, those that steps from the lower end come to; the step must lead
            to the upper end. A list of numbers is levels with an order, and any other list
            categories; truth values are no numbers. Numbers that differ by less than a billionth
            are one.
        argument: What messages call it.

    Raises:
        ValueError: What is not written so; names the parameter, and says what to do.

    Warns:
        UserWarning: Positive numbers span more than 3 decades, and no scale is written.

    Example:
        >>> parameters = parse_parameters({"T": (20, 100), "pH": [5, 7, 9], "base": ["A", "B"]})
        >>> parameters.each["pH"]
        Levels(values=(5, 7, 9), scale='linear')
    """
    parameters, unscaled = read_parameters(given, argument)
    warn_of_unscaled(unscaled, argument)
    return parameters


def read_parameters(given: Any, argument: str) -> tuple[Parameters, Unscaled]:
    """As `parse_parameters`, without a warning.

    Returns:
        The parameters, and the ends by name of those that no scale was chosen for.

    Raises:
        ValueError: As `parse_parameters`.
    """
    if isinstance(given, Parameters):
        return given, {}
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"{argument}: expected a dict of name: {NOTATION}; got {shown(given)}")
    found, unscaled = {}, {}
    for name, written in given.items():
        if not isinstance(name, str) or not name:
            raise ValueError(f"{argument}: expected texts as names of parameters, got {name!r}")
        check_writable(f"{argument}: name of a parameter", name)
        try:
            found[name] = each = parse_parameter(written)
        except ValueError as error:
            raise ValueError(f"{argument}: {name!r}: {error}") from None
        chosen = isinstance(written, Parameter) or (
            isinstance(written, Mapping) and "scale" in written
        )
        if isinstance(each, Number) and not chosen:
            unscaled[name] = each.low, each.high
    parameters = Parameters(found)
    if not parameters.varying:
        raise ValueError(f"{argument}: expected a parameter that is not fixed, got {shown(given)}")
    return parameters, unscaled


def warn_of_unscaled(unscaled: Unscaled, argument: str) -> None:
    """Warns of what `read_parameters` returned, where it is wide; once a space is complete."""
    warn_of_wide_spans(
        unscaled,
        argument=argument,
        remedy=(
            'write {"range": [low, high], "scale": "log"} (or of "integer" or "levels" such a '
            'scale), or "scale": "linear" if differences matter'
        ),
    )


def parse_parameter(written: Any) -> Parameter:
    """Reads one parameter; see `parse_parameters`.

    Raises:
        ValueError: It is not written so.
    """
    if isinstance(written, Parameter):
        return check_own_kind(written)
    if isinstance(written, Mapping):
        return _of_dict(written)
    if isinstance(written, tuple):
        return Range(*_two_numbers(written, "(low, high)", "a list of choices has brackets, [...]"))
    if isinstance(written, str) and written in PARAMETERS:
        raise ValueError(
            f"expected the kind {written!r} with its fields, {{{written!r}: {{...}}}}, or a text "
            f'that is fixed, {{"fixed": {written!r}}}, got {written!r}'
        )
    if isinstance(written, str | bool | np.bool_ | np.str_):
        return Fixed(written)
    if is_number(written):
        return Fixed(finite("value", written))
    if isinstance(written, Sequence | np.ndarray) and not isinstance(written, bytes):
        values = _listed(written)
        return Levels(values) if all_numbers(values) else Choices(values)
    if isinstance(written, type) and issubclass(written, Parameter):
        raise ValueError(f"expected an object, {written.__name__}(...), got its class; call it")
    raise ValueError(f"expected {NOTATION}; got {shown(written)}")


def _of_dict(written: Mapping[Any, Any]) -> Parameter:
    known_kinds = [*SETTINGS, *PARAMETERS]
    kinds = [kind for kind in known_kinds if kind in written]
    if len(kinds) != 1:
        raise ValueError(
            f"expected one of the keys {known_kinds}, got {shown(dict(written))}; a kind of your "
            "own is known once its module is imported, as by --env module:ID on a command line"
        )
    (kind,) = kinds
    if kind in PARAMETERS:
        return check_own_kind(PARAMETERS[kind].from_dict(written))
    settings = {key: value for key, value in written.items() if key != kind}
    if unknown := [key for key in settings if key not in SETTINGS[kind]]:
        known = [kind, *SETTINGS[kind]]
        raise ValueError(f"expected the keys {known}, got {unknown} in {shown(dict(written))}")
    inside = written[kind]
    if kind == "range":
        return Range(*_two_numbers(inside, '{"range": [low, high]}', _ENDS), **settings)
    if kind == "integer":
        ends = _two_numbers(inside, '{"integer": [low, high]}', _ENDS)
        return Integers(*ends, **settings)
    if kind == "levels":
        return Levels(_listed(inside), **settings)
    if kind == "choices":
        return Choices(_listed(inside), **settings)
    return Fixed(inside)


def _two_numbers(given: Any, form: str, remedy: str) -> tuple[Any, Any]:
    values = given.tolist() if isinstance(given, np.ndarray) else given
    if not isinstance(values, list | tuple) or len(values) != 2 or not all(map(is_real, values)):
        raise ValueError(f"expected {form}, two numbers, got {shown(given)}; {remedy}")
    return values[0], values[1]


def _listed(given: Any) -> tuple[Any, ...]:
    if isinstance(given, np.ndarray) and given.ndim == 1:
        given = given.tolist()
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise ValueError(f"expected a list, got {shown(given)}")
    if len(given) < 2:
        raise ValueError(
            f"expected at least two choices, got {shown(given)}; a value that is fixed has no "
            "brackets"
        )
    return tuple(given)


def _from_dict(given: Mapping[str, Any]) -> Parameter:
    """A parameter from `Parameter.to_dict`."""
    settings = dict(given)
    if "range" in settings:
        return Range(*settings.pop("range"), **settings)
    if "integer" in settings:
        return Integers(*settings.pop("integer"), **settings)
    if "levels" in settings:
        return Levels(tuple(settings.pop("levels")), **settings)
    if "choices" in settings:
        values = tuple(from_json(value) for value in settings["choices"])
        return Choices(values, settings.get("descriptors", {}))
    if "fixed" in settings:
        return Fixed(from_json(settings["fixed"]))
    return _of_dict(settings)
