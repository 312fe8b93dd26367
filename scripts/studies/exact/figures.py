"""Pictures of exactly solved campaigns: value against N, and what is lost to the optimum."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ombo_gym.evaluation.figure_style import LIGHT

_INK = LIGHT.ink
_LINES = {  # column -> label, colour, line style, marker
    "optimum": ("optimum", _INK, "-", "o"),
    "rolling_2_uniform": ("2-step, rolling", LIGHT.trained[1], "-", "s"),
    "one_step_uniform": ("1-step (band: ties)", LIGHT.trained[0], "-", "D"),
    "rollout": ("rollout", LIGHT.others[2], ":", "x"),
    "thompson": ("Thompson", LIGHT.others[1], "--", "^"),
    "ucb": ("ucb", LIGHT.others[3], "--", "v"),
}
_BAND = ("one_step_worst", "one_step_best")


def draw_case(table: pd.DataFrame, file: Path) -> None:
    """Draws one problem.

    Args:
        table: A row per horizon: horizon, optimum and policies' values; NaN where not known.
        file: PNG to write.
    """
    figure = Figure(figsize=(9.0, 3.3), dpi=110, layout="constrained", facecolor=LIGHT.background)
    canvas = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    optimum = table["optimum"]
    _draw(left, table, lambda values: values)
    left.set_ylabel("expected utility")
    _draw(right, table, lambda values: 100 * (optimum - values) / optimum.abs())
    right.set_ylabel("lost to the optimum, %")
    right.set_ylim(bottom=min(0.0, right.get_ylim()[0]), top=max(0.5, right.get_ylim()[1]))
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside upper center", ncols=7, fontsize=8
    )
    canvas.print_png(file)  # type: ignore[no-untyped-call]


def _draw(axes: Axes, table: pd.DataFrame, shown: Callable[[pd.Series], pd.Series]) -> None:
    horizon = table["horizon"]
    low, high = (shown(table[column]) for column in _BAND)
    axes.fill_between(horizon, low, high, color=LIGHT.trained[0], alpha=0.2, linewidth=0)
    for column, (label, colour, style, marker) in _LINES.items():
        if table[column].notna().any():
            axes.plot(
                horizon,
                shown(table[column]),
                color=colour,
                linestyle=style,
                marker=marker,
                markersize=4,
                linewidth=1.5,
                label=label,
            )
    seeds = [column for column in table if str(column).startswith("trained_")]
    for number, column in enumerate(seeds):
        axes.plot(
            horizon,
            shown(table[column]),
            linestyle="none",
            marker="*",
            markersize=11,
            markerfacecolor=LIGHT.trained[3],
            markeredgecolor="white",
            zorder=3,
            label="trained (3 seeds)" if number == 0 and table[column].notna().any() else None,
        )
    axes.set_xlabel("rounds N")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color=LIGHT.grid)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.margins(x=0.03)
    if np.ptp(horizon) == 0:
        axes.set_xticks(horizon)
