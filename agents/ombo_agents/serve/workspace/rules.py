"""Rules one by one: the names that they use for columns, and what is wrong with each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import yaml

from ombo_agents.campaigns import Space
from ombo_agents.campaigns.files.near_columns import bare
from ombo_gym.spreadsheets.spreadsheet import listed

KEYS = ("constraints", "exclude")  # of a space file, whose values are rules

_QUOTED = re.compile(r"""("[^"\\]*"|'[^'\\]*')""")
_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_WORDS = frozenset(["and", "or", "not", "in", "if", "else", "true", "false"])
_SINGLE = re.compile(r"(?<![<>=!])=(?![=<>])")
_TURNED = re.compile(r"=[<>]")


def other_names(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What else columns may be called, in small letters, where it means one of them alone.

    Args:
        names: Of each column, what the space calls it and what the sheet does.

    Returns:
        Names of the space by such words: the header, and both without their unit.

    Example:
        >>> other_names([("Temp. (°C)", "Temp. (°C)")])["temp."]
        'Temp. (°C)'
    """
    meant: dict[str, set[str]] = {}
    for name, header in names:
        for each in filter(None, (name, header)):
            short = (each, bare(each), _BRACKETS.sub("", each))
            for word in {*short, *(part.rstrip(" .:") for part in short)}:
                meant.setdefault(word.casefold(), set()).add(name)
    return {
        word: next(iter(several))
        for word, several in meant.items()
        if len(several) == 1 and any(map(str.isalpha, word))
    }


def with_space_names(rule: str, others: Mapping[str, str]) -> str:
    """A rule with columns as the space calls them; words of rules mean none without backquotes.

    Args:
        rule: As it was written.
        others: As `other_names` gives them.
    """
    words = sorted(set(others) - _WORDS, key=len, reverse=True)
    alternatives = "|".join(map(re.escape, words)) or "(?!)"
    pattern = re.compile(rf"`([^`]+)`|(?<!\w)({alternatives})(?!\w)", re.IGNORECASE)

    def put(found: re.Match[str]) -> str:
        word = (found[1] or found[2]).casefold()
        return f"`{others[word]}`" if word in others else found[0]

    parts = _QUOTED.split(rule)
    parts[::2] = [pattern.sub(put, part) for part in parts[::2]]
    return "".join(parts)


def with_rules_understood(
    written: Mapping[str, Any], others: Mapping[str, str], read: Callable[[Any], Space]
) -> dict[str, Any]:
    """A space file of which the rules that are refused as they stand are put in the space's names.

    Args:
        written: As data.
        others: As `other_names` gives them.
        read: Makes a space of such data; raises a ValueError where it cannot.
    """
    found = dict(written)
    for key in KEYS:
        if key in found:
            found[key] = [
                rule
                if _wrong(found, key, rule, read) is None
                else with_space_names(str(rule), others)
                for rule in _rules_in(found, key)
            ]
    return found


def wrong_rules(text: str, read: Callable[[Any], Space]) -> list[str]:
    """What is wrong with each rule of a space file; nothing where the rest of it is wrong, too.

    Args:
        text: The file.
        read: As in `with_rules_understood`.
    """
    written = yaml.safe_load(text)
    try:
        names = read(_without_rules(written)).columns
    except (ValueError, OSError):
        return []
    found = []
    for key in KEYS:
        for rule in _rules_in(written, key):
            if (error := _wrong(written, key, rule, read)) is not None:
                found.append(f"{error}{_hint(str(rule), error, names)}")
    return found


def _wrong(
    written: Mapping[str, Any], key: str, rule: Any, read: Callable[[Any], Space]
) -> str | None:
    try:
        read({**_without_rules(written), key: [rule]})
    except (ValueError, OSError) as error:
        return str(error)
    return None


def _hint(rule: str, error: str, names: Iterable[str]) -> str:
    """What may help beside what was expected."""
    plain = " ".join(_QUOTED.split(rule)[::2])
    hint = ""
    if _TURNED.search(plain):
        hint += "; at most is <=, and at least is >="
    elif _SINGLE.search(plain):
        hint += "; for what is equal write two signs, =="
    if "expected names among" not in error:
        hint += f"; the names are {listed(list(names))}"
    return hint if rule in error else f"{hint}; the rule is {rule}"


def _without_rules(written: Mapping[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in written.items() if key not in KEYS}


def _rules_in(written: Mapping[str, Any], key: str) -> list[Any]:
    rules = written.get(key) or []
    return list(rules) if isinstance(rules, list) else [rules]
