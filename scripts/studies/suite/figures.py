"""Pictures of suite.md: score over N for every problem, and mean rank over N."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ombo_gym.evaluation.figure_style import LIGHT, policy_styles
from scripts.studies.pictures import save_picture
from scripts.studies.suite.policies import SHOWN

PANELS = 5  # side by side


def draw_scores(table: pd.DataFrame, path: Path) -> None:
    """A panel a problem: score over N, a line a policy."""
    import matplotlib.pyplot as plt

    problems = list(table["problem"].unique())
    rows = -(-len(problems) // PANELS)
    figure, axes = plt.subplots(
        rows, PANELS, figsize=(2.7 * PANELS, 2.1 * rows + 0.9), squeeze=False, sharex=True
    )
    horizons = sorted(table["horizon"].unique())
    for ax, problem in zip(axes.flat, problems, strict=False):
        _lines(ax, table[table["problem"] == problem], "score", horizons)
        ax.set_title(problem, fontsize=8, loc="left", color=LIGHT.ink)
    for ax in axes.flat[len(problems) :]:
        ax.set_axis_off()
    for ax in axes[:, 0]:
        ax.set_ylabel("score", fontsize=8)
    _finish(figure, axes.flat[0], path)


def draw_ranks(ranks: pd.DataFrame, path: Path) -> None:
    """Mean rank over N, the best on top."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7, 4.6))
    _lines(ax, ranks, "rank", sorted(ranks["horizon"].unique()))
    ax.invert_yaxis()
    ax.set_ylabel("mean rank over problems")
    ax.set_xlabel("horizon N")
    _finish(figure, ax, path)


def _lines(ax: Any, table: pd.DataFrame, column: str, horizons: list[int]) -> None:
    styles = policy_styles(SHOWN)
    for name in SHOWN:
        part = table[table["method"] == name].sort_values("horizon")
        if part.empty:
            continue
        style = styles[name]
        positions = [horizons.index(n) for n in part["horizon"]]
        colour = style.colour(LIGHT)
        ax.fill_between(positions, part["low"], part["high"], color=colour, alpha=0.1, linewidth=0)
        ax.plot(
            positions,
            part[column],
            color=colour,
            marker=style.marker,
            markersize=4,
            linewidth=style.width * 0.8,
            label=name,
        )
    ax.set_xticks(range(len(horizons)), [str(n) for n in horizons])
    ax.tick_params(labelsize=8)
    ax.grid(axis="y", color=LIGHT.grid)
    ax.spines[["top", "right"]].set_visible(False)


def _finish(figure: Any, labelled: Any, path: Path) -> None:
    handles, labels = labelled.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=5, frameon=False, fontsize=8)
    height = figure.get_size_inches()[1]
    figure.tight_layout(rect=(0, 0.55 / height, 1, 1))
    save_picture(figure, path)
