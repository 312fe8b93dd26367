"""Numbers that were measured, beside what they should be."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

SENSES: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda measured, target: measured >= target,
    "<=": lambda measured, target: measured <= target,
    "<": lambda measured, target: measured < target,
}


@dataclasses.dataclass(frozen=True)
class Row:
    """A number that was measured, and what it should be."""

    name: str
    measured: float
    unit: str = ""
    target: float | None = None
    sense: str = ">="
    aim: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        return None if self.target is None else bool(SENSES[self.sense](self.measured, self.target))


class Stopwatch:
    """CPU seconds spent inside the methods that it is put around."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, owner: Any, method: str) -> Stopwatch:
        """Times a method of one object from now on."""
        function = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            begun = process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += process_time() - begun

        setattr(owner, method, timed)
        return self

    def lap(self) -> float:
        """The seconds since the last lap."""
        seconds, self.seconds = self.seconds, 0.0
        return seconds


def format_rows(rows: Sequence[Row]) -> str:
    """A plain table: what was measured, and the target beside it."""
    lines = [("", "measured", "", "target", "")]
    for row in rows:
        target = "" if row.target is None else f"{row.sense} {row.target:,g}"
        target += "" if row.aim is None else f" (aim {row.aim:g})"
        verdict = "" if row.met is None else "met" if row.met else "MISSED"
        lines.append((row.name, format_number(row.measured), row.unit, target, verdict))
    a, b, c, d, _ = (max(map(len, column)) for column in zip(*lines, strict=True))
    return "\n".join(
        f"{name:<{a}}  {measured:>{b}} {unit:<{c}}  {target:<{d}}  {met}".rstrip()
        for name, measured, unit, target, met in lines
    )


def format_number(number: float) -> str:
    """Three significant digits, and no fewer than the whole part has."""
    if not math.isfinite(number) or number == 0:
        return f"{number:g}"
    return f"{number:,.{max(0, 2 - math.floor(math.log10(abs(number))))}f}"


def verdict(rows: Sequence[Row]) -> str:
    """One line on which targets are missed."""
    missed = [row.name for row in rows if row.met is False]
    return f"MISSED: {'; '.join(missed)}" if missed else "every target is met"
