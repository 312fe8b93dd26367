"""Along which lines the table of a rule is searched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ombo_agents.learned.meta.context import KINDS, PAYS, STARTS


class Line(NamedTuple):
    """Steps that are compared with each other, and with none.

    Attributes:
        name: What is changed, in words.
        steps: Each what it adds to entries of a kind's row.
        least_horizon: Of the campaigns that show a difference.
    """

    name: str
    steps: tuple[Mapping[str, float], ...]
    least_horizon: int = 1


def _together(when: str, sizes: tuple[float, ...]) -> tuple[Mapping[str, float], ...]:
    return tuple({f"{when}_first": size, f"{when}_last": size} for size in sizes)


_WEIGHTS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
_FROM_ZERO = (0.25, 0.5, 1.0)  # where the rule begins at weight 0
_LAST = (-1.0, 1.0)
_QUALITY = (-2.0, 2.0)
_SHARES = (-0.25, -0.5, -0.75, -1.0)


def lines_of(kind: int) -> list[Line]:
    """The lines of a kind of campaign, in the order of the search."""
    last_pays, by_value = PAYS[1] in KINDS[kind], STARTS[1] in KINDS[kind]
    designed = tuple({"designed_share": size} for size in _SHARES)
    lines = [
        Line("designed share of the first plate", designed, 2 if last_pays else 1),
        Line("weights with rounds to come", _together("earlier", _WEIGHTS), 2),
        Line(
            "weights in the last round", _together("final", _FROM_ZERO if last_pays else _WEIGHTS)
        ),
        Line("last slot with rounds to come", tuple({"earlier_last": s} for s in _LAST), 2),
        Line("last slot in the last round", tuple({"final_last": s} for s in _LAST)),
        Line("weights by quality of the model", tuple({"by_quality": s} for s in _QUALITY)),
    ]
    return lines if by_value else lines[1:]
