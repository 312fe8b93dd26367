"""The picture of learning.md: gain over random actions as training goes on."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from ombo_gym.evaluation.figure_style import LIGHT
from scripts.studies.pictures import save_picture

_COLUMNS = 5


def draw_curves(curves: pd.DataFrame, path: Path) -> None:
    """Draws a panel a setting, a line a seed.

    Args:
        curves: A row per setting, seed and point of the curve.
        path: PNG to write.
    """
    import matplotlib.pyplot as plt

    settings = list(curves.groupby(["problem", "control", "utility", "reward"], sort=False))
    rows = math.ceil(len(settings) / _COLUMNS)
    figure, panels = plt.subplots(
        rows, _COLUMNS, figsize=(2.6 * _COLUMNS, 2.1 * rows + 0.4), squeeze=False, sharex=True
    )
    for ax in panels.flat[len(settings) :]:
        ax.set_visible(False)
    for ax, ((problem, control, utility, reward), part) in zip(panels.flat, settings, strict=False):
        for colour, (_, curve) in zip(LIGHT.trained, part.groupby("seed"), strict=False):
            low, middle, high = (
                curve[name] / curve["spread"].replace(0.0, 1.0)  # where nobody gets anything
                for name in ("gain_low", "gain", "gain_high")
            )
            ax.plot(curve["rounds"], middle, color=colour, linewidth=1.2, marker="o", markersize=2)
            ax.fill_between(curve["rounds"], low, high, color=colour, alpha=0.12, linewidth=0)
        ax.axhline(0, color=LIGHT.faint, linewidth=0.8)
        title = f"{problem}, {control}\n{utility}, {reward}"
        ax.set_title(title, fontsize=8, loc="left", color=LIGHT.ink)
        ax.tick_params(labelsize=7)
        ax.grid(axis="y", color=LIGHT.grid)
        ax.spines[["top", "right"]].set_visible(False)
    for ax in panels[:, 0]:
        ax.set_ylabel("gain / sd", fontsize=8)
    figure.supxlabel("rounds played in training", fontsize=9)
    figure.tight_layout()
    save_picture(figure, path)
