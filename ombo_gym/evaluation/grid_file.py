"""The YAML of a grid, as data and nothing else: no tags, no tricks, the kinds that JSON has."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ombo_gym.arguments import shown

try:
    import yaml
except ImportError as error:
    raise ImportError(
        'ombo_gym.evaluation needs PyYAML: pip install "ombo-gym[evaluation]"'
    ) from error

_LARGEST = 2**20  # bytes of a file
_MOST = 100_000  # keys and values, with those that stand behind aliases counted at each place
_LONGEST = 1000  # characters of a message
_MERGE = "tag:yaml.org,2002:merge"
_WHOLE = "tag:yaml.org,2002:int"
_OTHERS = re.compile(r"[+-]?(?:0[\dxb]|\d+[:_])")  # of base 8, 16, 2 and 60, and with underscores


def read_yaml(file: Path) -> Any:
    """Reads a small YAML file of JSON's kinds.

    Raises:
        ValueError: It is no file, too large, not YAML, says a key twice, or holds a value that is
            no text, finite number, truth value, null, list or mapping; says where.
        OSError: It cannot be read.
    """
    if file.exists() and not file.is_file():  # nothing is waited for at the end of a pipe
        raise ValueError(f"{file}: expected a YAML file, got a folder or a device")
    if (size := file.stat().st_size) > _LARGEST:
        raise ValueError(f"{file}: expected a grid of at most {_LARGEST} bytes, got {size}")
    try:
        content = _content(file.read_bytes())
        _check_kinds(content, "")
    except RecursionError as error:
        raise ValueError(f"{file}: expected a grid, got one that is nested too deeply") from error
    except yaml.YAMLError as error:
        words = " ".join(short(error).replace('in "<byte string>", ', "at ").split())
        raise ValueError(f"{file}: expected YAML: {words}") from error
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        # Also of what YAML makes of texts: dates that are none, numbers of 5,000 digits.
        raise ValueError(f"{file}: {short(error)}") from error
    return content


def short(error: Exception) -> str:
    """The words of an error, cut where the file has names of thousands of letters."""
    words = str(error)
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} ..."


def _content(text: bytes) -> Any:
    """What the one document in a text holds, which is looked at before anything is built of it."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise ValueError("expected keys and values, got an empty file")
        _expanded_size(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _expanded_size(node: Any, sizes: dict[int, int]) -> int:
    """How many keys and values a node comes to, with aliases written out.

    Raises:
        ValueError: More than a grid can need, a node inside itself, a key that stands twice, or a
            number that is not the one that it looks like.
    """
    if id(node) in sizes:
        if not sizes[id(node)]:
            raise ValueError(f"{_place(node)}: expected no alias to what it stands in")
        return sizes[id(node)]
    _check_number(node)
    sizes[id(node)] = 0  # until it is known
    size = 1
    for child in _children(node):
        size += _expanded_size(child, sizes)
        if size > _MOST:
            raise ValueError(
                f"{_place(node)}: expected at most {_MOST} keys and values, aliases written out"
            )
    sizes[id(node)] = size
    return size


def _check_number(node: Any) -> None:
    """Refuses a number that YAML takes for another one: 010 for 8, 1:30 for 90."""
    if isinstance(node, yaml.ScalarNode) and node.tag == _WHOLE and _OTHERS.match(node.value):
        raise ValueError(
            f"{_place(node)}: expected whole numbers in decimal digits, got {shown(node.value)}; "
            "write them without leading zeros, colons and underscores, or texts in quotes"
        )


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    if isinstance(node, yaml.MappingNode):
        seen: set[tuple[str, str]] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                if (key.tag, key.value) in seen:
                    raise ValueError(f"{_place(key)}: {shown(key.value)} stands there twice")
                seen.add((key.tag, key.value))
            yield from (key, value)


def _place(node: Any) -> str:
    return f"line {node.start_mark.line + 1}"


def _check_kinds(value: Any, place: str) -> None:
    """Raises a ValueError where a value is of no kind that JSON has."""
    if isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                raise ValueError(
                    f"{place or 'the file'}: expected names as keys, got {shown(key)}; put it in "
                    "quotes"
                )
            _check_kinds(each, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for i, each in enumerate(value, start=1):
            _check_kinds(each, f"{place}[{i}]")
    elif not (
        value is None
        or isinstance(value, str | bool | int)
        or (isinstance(value, float) and math.isfinite(value))
    ):
        raise ValueError(
            f"{place}: expected a text, a finite number, true, false, null, a list or keys with "
            f"values, got {shown(value)}; put texts in quotes"
        )
