"""Sequences and mixtures as a space file writes them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np

from ombo_agents.campaigns.files.located import Located
from ombo_agents.campaigns.space.mixture import MixtureFactor
from ombo_agents.campaigns.space.sequence import SequenceFactor
from ombo_gym.arguments import shown
from ombo_gym.design_spaces.values import is_number

MIXTURE = ("mixture", "sum", "step", "bounds")  # keys

_LONGEST = 1000  # letters of a sequence
_MOST_PARTS = 100
_MOST_STEPS = 10**5


def sequence_of(name: str, written: Located) -> SequenceFactor:
    """Sequences, from the keys `alphabet` and `length`.

    Raises:
        ValueError: They are not written so; says the line.
    """
    check_keys(written, ("alphabet", "length"))
    entries = written.entries()
    alphabet = entries["alphabet"]
    letters = alphabet.plain
    if isinstance(letters, list) and all(isinstance(e, str) and len(e) == 1 for e in letters):
        letters = "".join(letters)
    if not isinstance(letters, str) or len(letters) < 2 or len(set(letters)) < len(letters):
        raise alphabet.error(
            f"{name!r}: expected at least two different letters as one text, such as ACGT, got "
            f"{shown(alphabet.plain)}"
        )
    if any(letter.isspace() for letter in letters):
        raise alphabet.error(f"{name!r}: expected letters without blanks, got {shown(letters)}")
    if "length" not in entries:
        raise written.error(f"{name!r}: expected a length, such as 9 or [7, 12], got none")
    given = entries["length"]
    ends = [given.plain] * 2 if not isinstance(given.value, list) else given.plain
    good = len(ends) == 2 and all(isinstance(e, int) and not isinstance(e, bool) for e in ends)
    if not good or not 1 <= ends[0] <= ends[1] <= _LONGEST:
        raise given.error(
            f"{name!r}: expected a length from 1 to {_LONGEST} or [shortest, longest], got "
            f"{shown(given.plain)}"
        )
    return SequenceFactor(name, letters, ends[0], ends[1])


def mixture_of(written: Located) -> MixtureFactor:
    """A mixture, from the keys `mixture`, `sum`, `step` and `bounds`.

    Raises:
        ValueError: They are not written so; says the line.
    """
    check_keys(written, MIXTURE)
    entries = written.entries()
    parts = entries["mixture"]
    names = [each.plain for each in parts.members()]
    texts = all(isinstance(name, str) and name for name in names)
    if not 2 <= len(names) <= _MOST_PARTS or not texts or len(set(names)) < len(names):
        raise parts.error(
            f"mixture: expected the names of 2 to {_MOST_PARTS} different columns, got "
            f"{shown(names)}"
        )
    total = _number(entries, "sum", 100.0)
    if not 0 < total < 1e12:
        raise entries["sum"].error(f"sum: expected a number above 0, got {total:g}")
    step = _number(entries, "step", None) if "step" in entries else None
    if step is not None and (not 0 < step <= total or total / step > _MOST_STEPS):
        raise entries["step"].error(
            f"step: expected a number above 0 and up to {total:g}, got {step:g}"
        )
    if step is not None and abs(total / step - round(total / step)) > 1e-6:
        raise entries["step"].error(
            f"step: expected one that {total:g} is a multiple of, got {step:g}"
        )
    low, high = _bounds(entries, names, total)
    factor = MixtureFactor(tuple(names), total, step, low, high)
    if sum(low) > total * (1 + 1e-9) or sum(high) < total * (1 - 1e-9) or factor.count == 0:
        raise written.error(
            f"mixture: expected parts that can sum to {total:g}, got bounds from {sum(low):g} "
            f"to {sum(high):g} in all{'' if step is None else f', in steps of {step:g}'}"
        )
    return factor


def _bounds(
    entries: Mapping[str, Located], names: list[str], total: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    bounds = dict.fromkeys(names, (0.0, total))
    given = entries["bounds"].entries() if "bounds" in entries else {}
    for name, each in given.items():
        if name not in bounds:
            raise each.error(f"bounds: expected parts among {names}, got {name!r}")
        ends = each.plain
        if not isinstance(ends, list) or len(ends) != 2 or not all(map(is_number, ends)):
            raise each.error(f"bounds: {name!r}: expected [low, high], got {shown(ends)}")
        if not 0 <= ends[0] <= ends[1] <= total:
            raise each.error(
                f"bounds: {name!r}: expected 0 <= low <= high <= {total:g}, got {shown(ends)}"
            )
        bounds[name] = float(ends[0]), float(ends[1])
    low, high = zip(*bounds.values(), strict=True)
    return low, high


def check_keys(written: Located, known: tuple[str, ...]) -> None:
    """Refuses keys that nobody knows.

    Raises:
        ValueError: There is one; says the line, and which may be meant.
    """
    for key, each in written.entries().items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise each.error(
                f"expected keys among {list(known)}, got {key!r}"
                + (f"; did you mean {near[0]!r}?" if near else "; leave it out")
            )


def _number(entries: Mapping[str, Located], key: str, default: float | None) -> Any:
    if key not in entries:
        return default
    given = entries[key]
    if not is_number(given.value) or not np.isfinite(given.value):
        raise given.error(f"{key}: expected a number, got {shown(given.plain)}")
    return float(given.value)
