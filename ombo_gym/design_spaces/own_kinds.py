"""Kinds of parameters of one's own: checked where they come in, so that no space is built of them.

What is wrong with one would otherwise be a traceback from far away, or numbers of another range.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.design_spaces.numeric import Range
from ombo_gym.design_spaces.parameter import PARAMETERS, Parameter, no_dataclass
from ombo_gym.design_spaces.values import check_writable, first_repeated, is_number, plain

_PACKAGE = "ombo_gym.design_spaces."
_PROBES = np.array([-0.5, 0.0, 0.5])  # (3,) coordinates at which units and their inverse are asked
_ROOM = 0.01  # of a coordinate, that numbers which are rounded may be off
_NOISE = 1e-6  # of a coordinate, beyond its ends

Kind = TypeVar("Kind", bound=Parameter)


def has_own_units(parameter: Parameter) -> bool:
    """Whether it turns columns into values by itself: all but ranges without steps do."""
    is_range = isinstance(parameter, Range) and type(parameter).units is Parameter.units
    return not is_range or parameter.values is not None


def units_of(parameter: Parameter, column: NDArray[Any]) -> Any:
    """Values by the parameter's own `units`, of codes or coordinates () or (n, ...).

    Raises:
        ValueError: Of coordinates, no numbers of that shape.
    """
    if parameter.values is not None:
        return parameter.units(column)
    given = parameter.units(np.asarray(column, np.float64))
    found = np.asarray(given)
    if found.dtype.kind not in "iuf" or found.shape != np.shape(column):
        raise ValueError(
            f"{type(parameter).__name__}.units: expected numbers of shape {np.shape(column)}, that "
            f"of the coordinates, got {shown(given)}"
        )
    return found.item() if found.ndim == 0 else np.ascontiguousarray(found)


def column_of(parameter: Parameter, value: Any) -> float | int:
    """The code or coordinate of a value, by the parameter's own `column`.

    Raises:
        ValueError: It is none of the parameter's, or has a coordinate beyond -1 and 1.
    """
    own = parameter.values is None and not isinstance(parameter, Range)  # which says so itself
    if own and not is_number(value):
        raise ValueError(f"expected a number, got {value!r}")
    column = parameter.column(value)
    if parameter.values is not None:
        return column
    column = plain(np.asarray(column)[()])
    if not is_number(column) or not abs(column) <= 1 + _NOISE:
        raise ValueError(f"expected a value with a coordinate from -1 to 1, got {value!r}")
    return float(np.clip(column, -1, 1))


def check_own_kind(parameter: Kind) -> Kind:
    """The parameter, if a design can hold it, a surrogate see it and JSON keep it.

    Those of this package have checked themselves.

    Raises:
        ValueError: Says what is missing or odd, and what to write.
    """
    kind = type(parameter)
    if kind.__module__.startswith(_PACKAGE):
        return parameter
    if not is_dataclass(kind):
        raise ValueError(no_dataclass(kind))
    if not kind.__dataclass_params__.frozen:
        raise ValueError(
            f"expected a frozen dataclass as a kind of parameter, as spaces are compared and kept "
            f"by it, got {kind.__name__}, which can change; write @dataclass(frozen=True) above it"
        )
    if getattr(parameter, "values", parameter) is parameter:
        raise ValueError(
            f"expected `values` of {kind.__name__}, a tuple of all values (or None, where every "
            "number between two ends is one), got none"
        )
    try:
        if parameter.values is None:
            _check_endless(parameter)
        else:
            _check_values(parameter)
            _check_arrays(parameter, len(parameter.values))
        _check_json(parameter)
    except ValueError:
        raise
    except Exception as error:  # of the kind's own code, which its writer has to look at
        raise ValueError(
            f"expected {kind.__name__} to work out what it is seen by, got "
            f"{type(error).__name__}: {error}, of {shown(parameter)}"
        ) from error
    return parameter


def _check_endless(parameter: Parameter) -> None:
    """Every number between two ends is a value: the kind says which, and is seen by coordinates."""
    kind = type(parameter)
    base: type[Parameter] = Range if isinstance(parameter, Range) else Parameter
    bare = [name for name in ("units", "column") if getattr(kind, name) is getattr(Parameter, name)]
    if bare and base is Parameter:
        raise ValueError(
            f"expected methods `units` (coordinates from -1 to 1 -> numbers) and `column` (a "
            f"number -> its coordinate) of {kind.__name__}, whose values have no end, got none "
            f"called {' or '.join(bare)}; or list all `values` in a tuple"
        )
    seen = ("table", "features", "weights")
    odd = [name for name in seen if getattr(kind, name) is not getattr(base, name)]
    if kind.category or odd or parameter.coordinates is not None:
        what = "a category" if kind.category else f"`{odd[0]}`" if odd else "`coordinates`"
        raise ValueError(
            f"expected {kind.__name__}, whose values have no end, to be seen by the coordinates "
            f"of its numbers, got {what}; list all `values` in a tuple, or leave it out"
        )
    if not has_own_units(parameter):
        return
    values = units_of(parameter, _PROBES)
    for coordinate, value in zip(_PROBES.tolist(), values.tolist(), strict=True):
        alone = units_of(parameter, np.array(coordinate))
        back = column_of(parameter, alone)
        if not np.isclose(alone, value, rtol=1e-9, atol=0) or abs(back - coordinate) > _ROOM:
            raise ValueError(
                f"expected `column` of {kind.__name__} to be the inverse of `units`, got the "
                f"number {alone:g} of coordinate {coordinate:g} (and {value:g} among others), and "
                f"of that number coordinate {back:g}"
            )


def _check_values(parameter: Parameter) -> None:
    kind, values = type(parameter).__name__, parameter.values
    if not isinstance(values, Sequence) or isinstance(values, str | bytes) or not len(values):
        raise ValueError(
            f"expected `values` of {kind} in a tuple, at least one, got {shown(values)}"
        )
    for value in values:
        check_writable(f"values of {kind}", value)
    if (pair := first_repeated(values)) is not None:
        raise ValueError(f"expected each of `values` of {kind} once, got {pair[0]!r}, {pair[1]!r}")


def _check_arrays(parameter: Parameter, n: int) -> None:
    """Coordinates, what a surrogate sees, and weights of n values."""
    kind = type(parameter)
    coordinates, name = parameter.coordinates, kind.__name__
    if coordinates is None and not kind.category:
        raise ValueError(
            f"expected `coordinates` of {name}, an array of {n} numbers from -1 to 1, ascending, "
            "in which searches move, got none; where values have no order, set category = True"
        )
    if coordinates is not None:
        good = _is_array(coordinates, (n,)) and bool((np.abs(coordinates) <= 1).all())
        if not good or (np.diff(coordinates) < 0).any():
            raise ValueError(
                "expected coordinates from -1 to 1, ascending, one a value in an array of "
                f"{n}, got {shown(coordinates)}"
            )
    if not parameter.plain:
        table = parameter.table
        shape = (n, *(table.shape[1:] if isinstance(table, np.ndarray) else ()))
        if len(shape) != 2 or not _is_array(table, shape) or not np.isfinite(table).all():
            raise ValueError(
                f"expected `table` of {name} as an array of finite numbers ({n}, k), k of each "
                f"value, got {shown(table)}"
            )
    weights = parameter.weights
    if weights is not None and not (
        _is_array(weights, (n,)) and (weights >= 0).all() and np.isclose(weights.sum(), 1)
    ):
        raise ValueError(
            f"expected `weights` of {name} as an array of {n} numbers of at least 0 whose sum is "
            f"1, got {shown(weights)}"
        )


def _check_json(parameter: Parameter) -> None:
    kind = type(parameter)
    word = getattr(kind, "kind", None)
    if word is None:
        raise ValueError(
            f"expected a kind of {kind.__name__}, the word that it is written with, got none; "
            f'write kind = "{kind.__name__.lower()}" in the class'
        )
    try:
        again = PARAMETERS[word].from_dict(json.loads(json.dumps(parameter.to_dict())))
        same = bool(again == parameter)
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(
            f"expected fields of {kind.__name__} that JSON holds, numbers, texts and tuples of "
            f"them, and a kind of its own where it is a subclass, got {shown(parameter)} ({error})"
        ) from error
    if not same:
        raise ValueError(
            f"expected {kind.__name__} to come back from JSON as it was, {shown(parameter)}, got "
            f"{shown(again)}; fields are numbers, texts and tuples, and a subclass needs a kind of "
            "its own"
        )


def _is_array(given: Any, shape: tuple[int, ...]) -> bool:
    """Whether it is an array of numbers of that shape, with at least one number."""
    numbers = isinstance(given, np.ndarray) and given.dtype.kind in "iuf"
    return numbers and given.shape == shape and given.size > 0
