"""Columns that say when, by whom and under which number a well was run, and nothing of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ombo_gym.spreadsheets.cells import clean

_MOSTLY = 0.6  # of the cells that hold anything, from which a column is one of dates
_LARGEST_GAP = 10  # between numbers that count rows, some of which were left out

# Words of a header that no parameter has. They stand alone: "update" is none of them.
_ASIDE = frozenset(
    "date dates day datum operator analyst chemist scientist experimenter technician author "
    "initials bearbeiter comment comments remark remarks note notes observation observations "
    "bemerkung bemerkungen kommentar notiz notizen anmerkung anmerkungen".split()
)
# Likewise where no other word stands beside them: "plate temperature" is a parameter.
_PLACES = frozenset("plate platte batch well wells".split())
_COUNTS = frozenset(
    "no nr num number run exp expt experiment entry id index sample well row nummer".split()
)

_MONTH = r"(?:jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-z]*\.?"
_TIME = r"(?:[T ,]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[ap]\.?m\.?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_DATE = re.compile(
    rf"(?:(?P<year>\d{{4}})(?P<a>[-/.])(?P<m1>\d{{1,2}})(?P=a)(?P<d1>\d{{1,2}})"
    rf"|(?P<x>\d{{1,2}})(?P<b>[-/.]) ?(?P<y>\d{{1,2}})(?P=b) ?(?:\d{{4}}|\d{{2}})"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?[ -]{_MONTH}(?:[ -]'?\d{{2,4}})?"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?"
    rf"|\d{{4}}[ -]{_MONTH}[ -]\d{{1,2}}){_TIME}",
    re.IGNORECASE,
)


def is_aside(header: str, cells: Sequence[str]) -> bool:
    """Whether a column holds dates, or its header says that it is about no design.

    Args:
        header: Of the column.
        cells: Those that hold anything.
    """
    words = _words(header)
    is_place = bool(words & _PLACES) and words <= _PLACES | _COUNTS
    return bool(words & _ASIDE) or is_place or _hold_dates(cells)


def counts_rows(header: str, numbers: NDArray[np.float64]) -> bool:
    """Whether numbers (n,) count rows: 1, 2, 3, or with gaps where the header says so."""
    gaps = np.diff(numbers)
    if len(numbers) > 2 and bool((gaps == 1).all()):
        return True
    whole = bool((numbers == np.round(numbers)).all()) and bool((gaps >= 1).all())
    close = len(gaps) > 0 and bool((gaps <= _LARGEST_GAP).all())
    return whole and close and bool(_words(header) & _COUNTS)


def is_date(cell: str) -> bool:
    """Whether a cell is a day, with or without a time, in a way that laboratories write it.

    Example:
        >>> [is_date(cell) for cell in ("03.11.2025", "2025-11-03 00:00:00", "3-Nov-25", "1.5")]
        [True, True, True, False]
    """
    found = _DATE.fullmatch(clean(cell))
    if found is None:
        return False
    if found["year"]:
        return _may_be(found["m1"], 12) and _may_be(found["d1"], 31)
    if found["x"]:  # the month is the first of the two, or the second
        small, large = sorted((int(found["x"]), int(found["y"])))
        return 1 <= small <= 12 and large <= 31
    return True


def _may_be(text: str, most: int) -> bool:
    return 1 <= int(text) <= most


def _hold_dates(cells: Sequence[str]) -> bool:
    return bool(cells) and sum(map(is_date, cells)) >= _MOSTLY * len(cells)


def _words(header: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", clean(header).casefold()))
