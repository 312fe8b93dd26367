"""The columns that a plate has beside those of the user's sheet."""

from __future__ import annotations

from collections.abc import Sequence

WELL = "well"
PREDICTED = "predicted "  # and what: the target, or the score
LOW, HIGH = "low 80%", "high 80%"
OF_WELLS = (LOW, HIGH, "role", "explore share", "nearest well", "its value", "if last")
RENAMED = "plate: "  # before each, where the user's sheet has a column of that name


def is_plate(header: Sequence[str]) -> bool:
    """Whether a table is a plate that `Plate.write` wrote, filled in or not."""
    names = {name.removeprefix(RENAMED) for name in header}
    return {LOW, HIGH} <= names and any(name.startswith(PREDICTED) for name in names)


def users_columns(header: Sequence[str]) -> list[str]:
    """The columns of a table without those that a plate adds."""
    if not is_plate(header):
        return list(header)
    own = {WELL, *OF_WELLS}
    return [
        name for name in header if name not in own and not name.startswith((PREDICTED, RENAMED))
    ]
