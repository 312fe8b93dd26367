"""Settings of policies as they are given: the text of a command line, and what a constructor says.

A setting of a policy of one's own is held to the annotation of the argument that it goes to or,
where there is none, to its default; annotations with other classes in them are left alone.
"""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import numpy as np

from ombo_gym.arguments import shown
from ombo_gym.problems.core.checks import is_number, is_whole

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_CONSTANTS = ("true", "false", "null")
_SEVERAL = (tuple, list, Sequence, Collection, Iterable)


class _Kind(NamedTuple):
    """What an annotation asks for: in words, and whether a value is of it."""

    words: str
    holds: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


_SCALARS: dict[Any, _Kind] = {
    bool: _Kind("true or false", _is_truth),
    int: _Kind("a whole number", is_whole),
    float: _Kind("a number", is_number),
    str: _Kind("a word", _is_text),
    types.NoneType: _Kind("null", lambda value: value is None),
}


def parse_settings(text: str) -> dict[str, Any]:
    """Settings of `key=value;key=value`: values are JSON, words, or numbers with '/' between.

    Raises:
        ValueError: A value that is none of these; says what was expected.
    """
    settings: dict[str, Any] = {}
    for part in filter(None, text.split(";")):
        key, separator, value = part.partition("=")
        if not separator:
            raise ValueError(
                f"policy settings: expected key=value;key=value, in quotes in a shell, got {text!r}"
            )
        try:
            settings[key] = _parse_value(value)
        except ValueError:
            raise ValueError(
                f"policy settings: expected a number, a word, or numbers with '/' between, got "
                f"{part!r}; several settings have ';' between: 'NAME:key=value;key=value', in "
                "quotes in a shell"
            ) from None
    return settings


def _parse_value(value: str) -> Any:
    """A tuple of the numbers with '/' between, a number, a word, or else what JSON makes of it."""
    if "/" in value:
        return tuple(_parse_number(number) for number in value.split("/"))
    if _NUMBER.fullmatch(value):
        return _parse_number(value)
    if value.isidentifier() and value not in _CONSTANTS:
        return value
    return json.loads(value, parse_constant=_parse_number)  # which refuses infinities


def _parse_number(text: str) -> float:
    """A number; a whole one where it is written as one.

    Raises:
        ValueError: It is none.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"expected a number, got {text!r}")
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def settings_taken(build: Callable[..., Any]) -> list[str] | None:
    """What a policy can be given beside the spec; None: whatever it says itself."""
    parameters = _parameters(build)
    if parameters is None or any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return [p.name for p in parameters[1:]]


def check_settings(source: str, build: Callable[..., Any], settings: Mapping[str, Any]) -> None:
    """Refuses settings that a policy of one's own cannot take, by annotation or default.

    Args:
        source: The policy; messages begin with it.
        build: Its class, or a function; called with a spec and the settings.
        settings: By name.

    Raises:
        ValueError: A value of another type; says which setting, what was expected, and what came.
    """
    annotations = _annotations(build)
    for parameter in _parameters(build) or ():
        name = parameter.name
        if name not in settings:
            continue
        given = settings[name]
        if name in annotations:
            annotation = annotations[name]
            kind, why = _kind(annotation), f"annotated {inspect.formatannotation(annotation)}"
        else:
            kind, why = _kind_of_default(parameter.default, given)
        if kind is not None and not kind.holds(given):
            raise ValueError(f"{source}: {name}: expected {kind.words}, got {shown(given)}; {why}")


def _parameters(build: Callable[..., Any]) -> list[inspect.Parameter] | None:
    try:
        return list(inspect.signature(build).parameters.values())
    except (TypeError, ValueError):  # of compiled code
        return None


def _annotations(build: Callable[..., Any]) -> dict[str, Any]:
    """Those that can be read, of a class those of its constructor."""
    annotated: Any = build
    if isinstance(build, type):
        annotated = annotated.__init__
    found: dict[str, Any] = {}
    for name, annotation in getattr(annotated, "__annotations__", {}).items():
        alone = types.SimpleNamespace(__annotations__={name: annotation})
        try:
            found |= get_type_hints(alone, annotated.__globals__)
        except Exception:  # names that are there for type checkers only
            continue
    return found


def _kind(annotation: Any) -> _Kind | None:
    """What an annotation asks for; None where that is not known."""
    if isinstance(annotation, type) and annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if origin is Literal:
        return _Kind(f"one of {list(arguments)}", lambda value: value in arguments)
    if origin in (Union, types.UnionType):
        kinds = [_kind(each) for each in arguments]
        known = [kind for kind in kinds if kind is not None]
        if len(known) < len(kinds):
            return None
        words = " or ".join(kind.words for kind in known)
        return _Kind(words, lambda value: any(kind.holds(value) for kind in known))
    if origin in _SEVERAL:
        return _several(_kind(arguments[0]) if arguments else None)
    return None


def _several(member: _Kind | None) -> _Kind:
    """Several values; on a command line numbers with '/' between, or a list in JSON."""
    numbers = member in (_SCALARS[int], _SCALARS[float])
    words = "several, as [a, b]" if member is None else f"several, each {member.words}"

    def holds(value: Any) -> bool:
        several = isinstance(value, tuple | list | np.ndarray)
        return several and (member is None or all(member.holds(each) for each in value))

    return _Kind(f"{words}, as 3/1/0 or [3]" if numbers else words, holds)


def _kind_of_default(default: Any, given: Any) -> tuple[_Kind | None, str]:
    """What a default asks of a text; of anything else it is not known what will do."""
    if not _is_text(given) or _is_text(default):
        return None, ""
    kinds = (bool, float)  # a whole number as a default does not say that others will not do
    kind = next((_SCALARS[each] for each in kinds if _SCALARS[each].holds(default)), None)
    return kind, f"its default is {shown(default)}"
