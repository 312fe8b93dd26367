"""A plate as it lies on the bench: in each well what tells it from the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ombo_agents.campaigns import Plate, Well
from ombo_agents.campaigns.plates.plate import LAYOUTS
from ombo_agents.campaigns.plates.plate_map import named_value, shared_value

_MOST_LINES = 6  # of a well; what is left out stands in the table
_LONGEST = 28  # characters of a line


@dataclass(frozen=True)
class Place:
    """A place of a plate.

    Attributes:
        name: Such as A1, or 1.
        well: That goes there; None: it is free.
        lines: What tells it from the other wells, and at last its role where these differ.
        words: All of its design.
    """

    name: str
    well: Well | None
    lines: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True)
class DrawnPlate:
    """A plate as it lies on the bench.

    Attributes:
        rows: Each with its letter, "" where wells are numbered, and its places.
        shared: What all wells have in common, in words.
    """

    rows: tuple[tuple[str, tuple[Place, ...]], ...]
    shared: tuple[str, ...]


def plate_map(plate: Plate, layout: int | None) -> DrawnPlate | None:
    """The map of a plate; None where no plate is as large.

    Args:
        plate: What goes there.
        layout: Wells of the plate; None: the smallest that holds them, without names as A1.
    """
    size = layout or next((each for each in LAYOUTS if each >= len(plate)), None)
    if size is None:
        return None
    width = LAYOUTS[size][1]
    height = LAYOUTS[size][0] if layout else math.ceil(len(plate) / width)
    changing = [name for name in plate.names if _differ(plate, name)]
    roles = list(dict.fromkeys(well.role for well in plate.wells))
    rows = []
    for r in range(height):
        letter = chr(ord("A") + r) if layout else ""
        places = []
        for c in range(width):
            i = r * width + c
            name = f"{letter}{c + 1}" if layout else str(i + 1)
            well = plate.wells[i] if i < len(plate) else None
            places.append(_place(plate, name, well, changing, with_role=len(roles) > 1))
        rows.append((letter, tuple(places)))
    design = plate.wells[0].design
    shared = [
        shared_value(header, design[name])
        for name, header in plate.names.items()
        if name not in changing
    ]
    return DrawnPlate(tuple(rows), (*shared, *(roles if len(roles) == 1 else ())))


def _differ(plate: Plate, name: str) -> bool:
    return any(well.design[name] != plate.wells[0].design[name] for well in plate.wells)


def _place(
    plate: Plate, name: str, well: Well | None, changing: Sequence[str], *, with_role: bool
) -> Place:
    if well is None:
        return Place(name, None)
    lines = [_cut(named_value(plate.names[each], well.design[each])) for each in changing]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], "…"]
    if with_role:
        lines.append(well.role)
    words = ", ".join(f"{plate.names[each]} {value}" for each, value in well.design.items())
    return Place(name, well, tuple(lines), words)


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
