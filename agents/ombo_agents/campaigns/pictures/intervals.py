"""Intervals one below the other, and measurements one after the other, as figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ombo_agents.campaigns.space.factors import Floats

_WIDTH = 7.0  # inches
_ROW = 0.26  # inches of an interval
_AROUND = 0.9  # inches above and below all intervals
_LONGEST = 44  # characters of a label


@dataclass(frozen=True)
class Bar:
    """An interval.

    Attributes:
        label: What it is of.
        low, high: Its ends.
        middle: The estimate.
        kind: Of what sort it is: each has a colour.
    """

    label: str
    low: float
    high: float
    middle: float
    kind: str = ""


def intervals_figure(
    bars: Sequence[Bar], axis: str, *, line: float | None = None, line_name: str = ""
) -> Any:
    """A figure of intervals, the first on top.

    Args:
        bars: One at least.
        axis: What they are of.
        line: A value to compare them with; None: there is none.
        line_name: What the line is.

    Returns:
        A figure of matplotlib.
    """
    from ombo_gym.evaluation.figure_style import LIGHT

    figure, ax = _panel(len(bars) * _ROW + _AROUND)
    kinds = list(dict.fromkeys(bar.kind for bar in bars))
    for row, bar in enumerate(bars):
        color = LIGHT.others[kinds.index(bar.kind) % len(LIGHT.others)]
        name = bar.kind if bar.kind not in [each.kind for each in bars[:row]] else ""
        ax.plot([bar.low, bar.high], [row, row], color=color, linewidth=2.0)
        ax.plot([bar.middle], [row], "o", color=color, markersize=5, label=name or None)
    if line is not None:
        ax.axvline(line, color=LIGHT.faint, linewidth=1.0, linestyle="--", label=line_name or None)
    ax.set_yticks(range(len(bars)))
    ax.set_yticklabels([_short(bar.label) for bar in bars], parse_math=False)
    ax.set_ylim(len(bars) - 0.4, -0.6)
    ax.set_xlabel(axis, parse_math=False)
    ax.grid(axis="x", color=LIGHT.grid, linewidth=0.8)
    if line is not None or any(kinds):
        ax.legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3)
    return figure


def measured_figure(values: Floats, rounds: Sequence[int], axis: str, *, maximised: bool) -> Any:
    """A figure of what was measured, in order, and the best of it so far.

    Args:
        values: (n,) in the user's units; NaN where a well runs.
        rounds: (n,) 0: the start.
        axis: What they are of.
        maximised: Whether high values are good.

    Returns:
        A figure of matplotlib.
    """
    from ombo_gym.evaluation.figure_style import LIGHT

    figure, ax = _panel(2.6)
    n = np.arange(1, len(values) + 1)
    for each in sorted(set(rounds)):
        some = np.array(rounds) == each
        color = LIGHT.others[each % len(LIGHT.others)]
        name = "start" if each == 0 else f"plate {each}"
        ax.plot(n[some], values[some], "o", color=color, markersize=4, label=name)
    best = np.fmax.accumulate(values) if maximised else np.fmin.accumulate(values)
    ax.step(n, best, where="post", color=LIGHT.ink, linewidth=1.0, label="best so far")
    ax.set_xlabel("well")
    ax.set_ylabel(axis, parse_math=False)
    ax.grid(axis="y", color=LIGHT.grid, linewidth=0.8)
    ax.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def as_html(figure: Any, title: str) -> str:
    """The figure inside a page, as SVG.

    Args:
        figure: Of matplotlib.
        title: What it shows, for screen readers; it makes ids differ on one page, too.
    """
    from ombo_gym.evaluation.figures import svg

    text = svg(figure, title=title, salt=title, outlines=False)
    return text[text.index("<svg") :]


def _panel(height: float) -> tuple[Any, Axes]:
    """An empty figure of a height in inches, and its axes."""
    from matplotlib.figure import Figure

    from ombo_gym.evaluation.figure_style import LIGHT

    figure = Figure(figsize=(_WIDTH, height), facecolor=LIGHT.background, layout="constrained")
    ax = figure.add_subplot()
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(labelsize=8)
    return figure, ax


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
