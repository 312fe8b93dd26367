"""Which column somebody may have meant by a name that no column has."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from ombo_gym.spreadsheets.cells import clean, split_header, unit_key, unit_of_header

_LIKE = 0.75  # likeness of names, from which a slip of the pen is likely
_BEGINNING = 3  # letters that an abbreviation has at least
_WORD = re.compile(r"[^\W_]+")


def bare(name: str) -> str:
    """A name without its unit, in small letters."""
    text, _ = split_header(clean(name))
    return " ".join(text.replace("_", " ").split()).casefold()


def near_column(header: Sequence[str], name: str, unit: str = "") -> str | None:
    """The column that is most likely meant; None: no guess is good.

    An abbreviation ("Temp. (°C)" for temperature) or a shared word ("Yield HPLC" for LCAP yield)
    goes before a likeness of letters, and a shared unit decides between several or stands alone;
    columns in another unit are not meant.

    Args:
        header: Columns to choose from.
        name: As it was written.
        unit: Of what is meant, where the name does not say it; "": unknown.

    Example:
        >>> near_column(["Operator", "Temp. (°C)", "Time (h)"], "temperature")
        'Temp. (°C)'
    """
    asked = unit_of_header(name) or unit_key(unit)
    best, found = 0.0, None
    for column in header:
        there = unit_of_header(column)
        if asked and there and there != asked:
            continue
        score = _likeness(bare(name), bare(column))
        same_unit = bool(asked) and there == asked
        score += 0.5 * same_unit if score else 0.25 * (same_unit and _alone(header, asked))
        if score > best:
            best, found = score, column
    return found


def _alone(header: Sequence[str], unit: str) -> bool:
    """Whether one column only has a unit."""
    return sum(unit_of_header(each) == unit for each in header) == 1


def _likeness(name: str, column: str) -> float:
    """How alike two names without units are: 3 abbreviated, 2 a shared word, below 1 by letters."""
    words, others = _WORD.findall(name), _WORD.findall(column)
    if not words or not others:
        return 0.0
    first, second = "".join(words), "".join(others)
    if first == second:
        return 4.0
    letters = difflib.SequenceMatcher(None, first, second).ratio()
    if min(len(first), len(second)) >= _BEGINNING and (
        first.startswith(second) or second.startswith(first)
    ):
        return 3.0 + letters
    shared = {word for word in words if len(word) >= _BEGINNING} & set(others)
    if shared:
        return 2.0 + letters
    begun = any(_begins(a, b) for a in words for b in others)
    if begun:
        return 1.0 + letters
    return letters if letters >= _LIKE else 0.0


def _begins(word: str, other: str) -> bool:
    """Whether one word is the beginning of the other, and no mere letter or two."""
    short, long = sorted((word, other), key=len)
    return len(short) >= _BEGINNING and long.startswith(short)
