"""A user's YAML or JSON as data, with the line of every value, so that errors can name it.

YAML is read as JSON's kinds and nothing else: `NO`, `on` and `12:30` are texts, 1e-3 is a number,
and there are no tags, aliases or keys that stand twice.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

from ombo_gym.arguments import shown

_LARGEST = 2**24  # bytes of a file
_DEEPEST = 100  # brackets in brackets
_LONGEST_NAME = 2**16  # characters of JSON
_BRACKETS = re.compile(r"[\[\]{}]")
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")  # of UTF-16
_WHOLE = re.compile(r"[+-]?\d{1,300}")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_LETTER_LOCANT = re.compile(r"[NOSPC][\'\u2032]?")  # of N,N-dimethylacetamide
_AFTER_LOCANT = re.compile(r"(?:\d+[\'\u2032]*|[NOSPC][\'\u2032]?)-[^\W_]|\d+\(|\d+[HN]?-\(")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True)
class Located:
    """A value of a file, and where it stands.

    Attributes:
        value: A text, a number, a truth value, None; or a list or dict of further located values.
        line: In the file, from 1.
        name: Of the file, for messages.
        key_lines: Of a dict: the lines of the keys.
    """

    value: Any
    line: int
    name: str
    key_lines: Mapping[str, int] | None = None

    def error(self, words: str) -> ValueError:
        """The error that says where, and what to do."""
        remedy = "" if ";" in words else "; correct it there"
        return ValueError(f"{self.name}, line {self.line}: {words}{remedy}")

    def entries(self) -> Mapping[str, Located]:
        """Of a mapping.

        Raises:
            ValueError: It is none.
        """
        if not isinstance(self.value, dict):
            raise self.error(f"expected names with values ('name: value'), got {shown(self.plain)}")
        return self.value

    def members(self) -> Sequence[Located]:
        """Of a list.

        Raises:
            ValueError: It is none.
        """
        if not isinstance(self.value, list):
            raise self.error(f"expected a list, [...], got {shown(self.plain)}")
        return self.value

    @property
    def plain(self) -> Any:
        """The value without lines, as JSON holds it."""
        if isinstance(self.value, dict):
            return {key: each.plain for key, each in self.value.items()}
        if isinstance(self.value, list):
            return [each.plain for each in self.value]
        return self.value


def check_commas(name: str, members: Sequence[Located]) -> None:
    """Refuses a list in which a comma has cut a name in two, as 1,4-dioxane and N,N-DMA are.

    Args:
        name: Of the parameter, for messages.
        members: Of the list.

    Raises:
        ValueError: It holds halves of a name.
    """
    for left, right in pairwise(members):
        first, second = left.value, right.value
        if not isinstance(second, str) or not isinstance(first, str | int | float):
            continue
        locant = not isinstance(first, str) or _LETTER_LOCANT.fullmatch(first)
        halves = locant and _AFTER_LOCANT.match(second)
        if halves or (isinstance(first, str) and _opened(first) and _opened(second) < 0):
            raise right.error(
                f"{name!r}: expected names that have a comma in quotes, got {first!r} and "
                f'{second!r}; write "{first},{second}" if that is one name, each in quotes if not'
            )


def _opened(text: str) -> int:
    """Brackets that are open at its end; below 0 where more are closed."""
    return sum(text.count(each) for each in "([") - sum(text.count(each) for each in ")]")


def read_located(path: Path) -> Located:
    """Reads a file whose name ends in .yaml, .yml or .json.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It cannot be read, is too large, or is no YAML or JSON; says the line.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: expected a space file, there is none")
    if not path.is_file():
        raise ValueError(f"{path}: expected a space file in YAML or JSON, got a folder or a device")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or error})") from None
    if len(content) > _LARGEST:
        raise ValueError(
            f"{path}: expected a space file of at most {_LARGEST >> 20} MiB, got {len(content):,} "
            "bytes; lists of thousands go into a CSV file, candidates: library.csv"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {line}: expected UTF-8 text, got other bytes; save it as UTF-8"
        ) from None
    return parse_located(text, str(path), is_json=path.suffix.lower() == ".json")


def parse_located(text: str, name: str, *, is_json: bool = False) -> Located:
    """Parses a text.

    Args:
        text: YAML, or JSON, which is nearly a kind of YAML.
        name: Of the file, for messages.
        is_json: Whether it has to be JSON.

    Raises:
        ValueError: It is none; says the line.
    """
    if is_json:
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"{name}, line {error.lineno}: expected JSON: {error.msg}; correct it there"
            ) from None
        except (RecursionError, ValueError) as error:
            raise ValueError(f"{name}: expected JSON: {_one_line(error)}") from None
        text = text.replace("\t", "  ")  # which stands between values only, and YAML refuses
        text = _PAIR.sub(lambda pair: json.loads(f'"{pair[0]}"'), text)
    if _depth(text) > _DEEPEST:
        raise ValueError(f"{name}: expected a space, got one that is nested too deeply")
    node = _composed(text, name, is_json=is_json)
    if node is None:
        raise ValueError(
            f"{name}: expected names of parameters and what they may be, got nothing; write a line "
            "for each"
        )
    try:
        return _located(node, name, set())
    except RecursionError:
        raise ValueError(f"{name}: expected a space, got one that is nested too deeply") from None


class _JsonLoader(yaml.SafeLoader):  # type: ignore[misc]
    """Of JSON, whose names may be longer than YAML's 1,024 characters: one of them escaped is 6."""

    @override
    def stale_possible_simple_keys(self) -> None:
        """Forgets what began too far back to be a name; JSON has no other ends of names."""
        for level, key in list(self.possible_simple_keys.items()):
            if self.index - key.index > _LONGEST_NAME:
                del self.possible_simple_keys[level]


def _composed(text: str, name: str, *, is_json: bool) -> Any:
    """The node of the one document in a YAML text; None of an empty one."""
    try:
        loader = _JsonLoader(text) if is_json else yaml.SafeLoader(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark is not None else ""
        words = error.problem or error.context or "it is not well formed"
        raise ValueError(
            f"{name}{where}: expected YAML: {words}; put texts with : # [ ] {{ }} , in quotes, and "
            "indent with blanks"
        ) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ValueError(
            f"{name}, line {line}: expected text, got the character {chr(error.character)!r}; "
            "save the file as UTF-8 text"
        ) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"{name}: expected YAML: {_one_line(error)}") from None


def relocated(plain: Any, name: str) -> Located:
    """A plain value as if it stood in line 1 of a file: for spaces given in Python."""
    if isinstance(plain, Mapping):
        inside = {str(key): relocated(each, name) for key, each in plain.items()}
        return Located(inside, 1, name, dict.fromkeys(inside, 1))
    if isinstance(plain, list | tuple):
        return Located([relocated(each, name) for each in plain], 1, name)
    return Located(plain, 1, name)


def _depth(text: str) -> int:
    """How many brackets are open at once, at most."""
    deepest = depth = 0
    for mark in _BRACKETS.findall(text):
        depth += 1 if mark in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _located(node: Any, name: str, seen: set[int]) -> Located:
    line = node.start_mark.line + 1
    if id(node) in seen:
        raise ValueError(f"{name}, line {line}: expected no aliases (*name); write the value out")
    seen.add(id(node))
    if not node.tag.startswith("tag:yaml.org,2002:") or "python" in node.tag:
        raise ValueError(f"{name}, line {line}: expected no tags, got {node.tag}; leave it out")
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Located] = {}
        lines: dict[str, int] = {}
        before: Any = None
        for key, value in _keys(node, name):
            if key.isdecimal() and value.value == "" and isinstance(before, int):  # step: 0,5
                raise _with_a_point(value, name, str(before), key)
            if key in found:
                raise ValueError(
                    f"{name}, line {value.start_mark.line + 1}: {shown(key)} stands there twice; "
                    "keep one"
                )
            found[key] = _located(value, name, seen)
            before = found[key].value
            lines[key] = value.start_mark.line + 1
        return Located(found, line, name, lines)
    if isinstance(node, yaml.SequenceNode):
        _check_decimal_commas(node, name)
        return Located([_located(each, name, seen) for each in node.value], line, name)
    value = node.value if node.style is not None else _scalar(node.value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name}, line {line}: expected a finite number, got {node.value}")
    return Located(value, line, name)


def _check_decimal_commas(node: Any, name: str) -> None:
    """Refuses a list such as [1,5, 2,05], whose numbers are not those that were meant."""
    plain = [each for each in node.value if isinstance(each, yaml.ScalarNode) and not each.style]
    if len(plain) < len(node.value) or not all(_NUMBER.fullmatch(each.value) for each in plain):
        return
    pairs = list(pairwise(plain))
    tight = [
        (left.value, right.value)
        for left, right in pairs
        if right.start_mark.index == left.end_mark.index + 1
        and _WHOLE.fullmatch(left.value)
        and right.value.isdecimal()
    ]
    if len(tight) == len(pairs):  # no comma has a blank behind it: 1,05 has a zero too many then
        tight = [pair for pair in tight if len(pair[1]) > 1 and pair[1].startswith("0")]
    if tight:
        raise _with_a_point(node, name, *tight[0])


def _with_a_point(node: Any, name: str, left: str, right: str) -> ValueError:
    return ValueError(
        f"{name}, line {node.start_mark.line + 1}: expected numbers whose decimals have a point, "
        f"got {left},{right}; write {left}.{right} if that is one number, a blank behind each "
        "comma if not"
    )


def _keys(node: Any, name: str) -> Iterator[tuple[str, Any]]:
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ValueError(
                f"{name}, line {key.start_mark.line + 1}: expected a name before the colon, got a "
                "list or a mapping"
            )
        yield key.value, value


def _scalar(text: str) -> Any:
    """What is meant by a text without quotes."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
