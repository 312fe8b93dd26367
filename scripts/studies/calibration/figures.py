"""The picture of calibration.md: every function that is not synthetic, a panel a feature."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ombo_gym.evaluation.figure_style import LIGHT, MARKERS
from scripts.studies.pictures import save_picture

_COLUMNS = 4
_BANDS = ((0.05, 0.95, 0.35), (0.25, 0.75, 0.75))  # quantiles, how dark


def draw_features(
    real: pd.DataFrame, synthetic: pd.DataFrame, titles: Mapping[str, str], path: Path
) -> None:
    """Draws measured functions before the bands of synthetic ones.

    Args:
        real: A row per function, with `kind`.
        synthetic: Likewise, without.
        titles: What each feature that is shown is called.
        path: PNG to write.
    """
    import matplotlib.pyplot as plt

    kinds = list(dict.fromkeys(real["kind"]))
    height = -(-len(titles) // _COLUMNS)
    figure, axes = plt.subplots(
        height, _COLUMNS, figsize=(3.1 * _COLUMNS, 1.75 * height + 0.6), sharey=True
    )
    for ax, (feature, title) in zip(axes.flat, titles.items(), strict=False):
        known = synthetic[feature].dropna()
        for low, high, strength in _BANDS:
            ends = known.quantile([low, high])
            ax.axvspan(*ends, color=LIGHT.faint, alpha=0.4 * strength, linewidth=0)
        ax.axvline(known.median(), color=LIGHT.ink, linewidth=1)
        for row, kind in enumerate(kinds):
            values = real.loc[real["kind"] == kind, feature].to_numpy()
            apart = np.linspace(-0.3, 0.3, len(values)) if len(values) > 1 else np.zeros(1)
            ax.scatter(
                values,
                row + apart,
                s=9,
                color=LIGHT.others[row],
                marker=MARKERS[row],
                linewidths=0,
                alpha=0.8,
            )
        ax.set_title(title, fontsize=9, loc="left", color=LIGHT.ink)
        ax.set_yticks(range(len(kinds)), kinds)
        ax.tick_params(labelsize=8)
        ax.spines[["top", "right"]].set_visible(False)
    for ax in axes.flat[len(titles) :]:
        ax.set_visible(False)
    axes.flat[0].invert_yaxis()  # all share it
    figure.tight_layout()
    save_picture(figure, path)
