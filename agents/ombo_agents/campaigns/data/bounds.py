"""Cells that say how much a value is at most, or at least."""

from __future__ import annotations

_SIGNS = {-1: ("<", "≤", "⩽"), 1: (">", "≥", "⩾")}


def bound_in(cell: str) -> tuple[int, str]:
    """What a cell bounds a value by: -1 and 5 of "<5", 1 and 5 of ">= 5", 0 and itself of others.

    Args:
        cell: Of a target.
    """
    for sign, written in _SIGNS.items():
        if cell.startswith(written):
            rest = cell[1:].lstrip("= ")
            if rest[:1].isdigit() or rest[:1] in "-.":
                return sign, rest
    return 0, cell
