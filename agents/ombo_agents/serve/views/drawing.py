"""What the page draws of predictions and outcomes: intervals on a common axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ombo_agents.campaigns import Advice, Campaign, Plate
from ombo_agents.campaigns.data.reading import MEASURED

_ROOM = 0.04  # of the axis, at either end


@dataclass(frozen=True)
class Bar:
    """An interval on an axis from 0 to 100.

    Attributes:
        label: What it is of.
        words: The same as numbers.
        low, high: Ends of the wide interval.
        middle: The estimate.
        inner: Ends of an interval within; None: there is none.
        kind: Of what sort it is, for its colour.
    """

    label: str
    words: str
    low: float
    high: float
    middle: float
    inner: tuple[float, float] | None = None
    kind: str = "plain"


@dataclass(frozen=True)
class Chart:
    """Intervals on a common axis.

    Attributes:
        bars: From top to bottom.
        left, right: What stands at the ends of the axis.
        mark: Where a line is drawn through all, 0 to 100; None: nowhere.
        mark_words: What the line is.
    """

    bars: tuple[Bar, ...]
    left: str
    right: str
    mark: float | None = None
    mark_words: str = ""


def short(number: float) -> str:
    """A number with four digits."""
    return f"{number + 0.0:.4g}"


def plate_chart(plate: Plate, campaign: Campaign, names: Sequence[str]) -> Chart | None:
    """What is expected of each well, beside the best that was measured.

    Args:
        plate: Whose wells.
        campaign: What is known.
        names: Of the wells.
    """
    known = [
        (well.low, well.mean, well.high)
        for well in plate.wells
        if well.low is not None and well.mean is not None and well.high is not None
    ]
    if not known or len(known) < len(plate):
        return None
    sign = campaign.settings.sign
    values = campaign.values[campaign.rows.mask(MEASURED)]
    values = values[np.isfinite(values)]
    best = float(sign * values.max()) if len(values) else None
    axis = _Axis([*chain(*known), *([] if best is None else [best])])
    bars = tuple(
        Bar(
            name,
            f"{short(mean)} ({short(low)} to {short(high)}), {well.role}",
            axis.at(low),
            axis.at(high),
            axis.at(mean),
            kind=well.role,
        )
        for name, well, (low, mean, high) in zip(names, plate.wells, known, strict=True)
    )
    mark = None if best is None else axis.at(best)
    words = "" if best is None else f"dashed: best measured so far: {short(best)}"
    return Chart(bars, short(axis.low), short(axis.high), mark, words)


def policy_chart(advice: Advice) -> Chart | None:
    """Where the campaign ends up with each policy."""
    if not advice.policies:
        return None
    axis = _Axis([each for p in advice.policies for each in (p.low, p.high)])
    bars = tuple(
        Bar(
            each.policy,
            f"{short(each.outcome.estimate)}, 80% from {short(each.low)} to {short(each.high)}",
            axis.at(each.low),
            axis.at(each.high),
            axis.at(each.outcome.estimate),
            (axis.at(each.outcome.low), axis.at(each.outcome.high)),
            "chosen" if each is advice.policies[0] else "plain",
        )
        for each in advice.policies
    )
    return Chart(bars, short(axis.low), short(axis.high))


def scenario_chart(advice: Advice) -> Chart | None:
    """How much better or worse other plates are."""
    others = advice.scenarios[1:]
    if not others:
        return None
    axis = _Axis([0.0, *(end for each in others for end in (each.gain.low, each.gain.high))])
    bars = tuple(
        Bar(
            each.scenario,
            f"{short(each.gain.estimate)} [{short(each.gain.low)}, {short(each.gain.high)}]",
            axis.at(each.gain.low),
            axis.at(each.gain.high),
            axis.at(each.gain.estimate),
        )
        for each in others
    )
    return Chart(bars, short(axis.low), short(axis.high), axis.at(0.0), "dashed: as planned")


class _Axis:
    """From the least to the largest of some numbers, and a little more."""

    def __init__(self, numbers: Sequence[float]) -> None:
        finite = [each for each in numbers if math.isfinite(each)] or [0.0]
        low, high = min(finite), max(finite)
        room = (high - low) * _ROOM or 0.5 * abs(low) or 0.5
        self.low, self.high = low - room, high + room

    def at(self, number: float) -> float:
        """Where it is, from 0 to 100."""
        if not math.isfinite(number):
            return 50.0
        return round(100 * (number - self.low) / (self.high - self.low), 2)
