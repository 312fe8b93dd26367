"""The picture of adaptivity.md: mean score over the problems by N, a panel a family."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ombo_gym.evaluation.figure_style import LIGHT
from scripts.studies.adaptivity.families import FAMILIES
from scripts.studies.pictures import save_picture

_MARKERS = "osD^vPX*<"


def draw_families(scores: pd.DataFrame, path: Path) -> None:
    """Draws the methods of each family, before those of all others in grey.

    Args:
        scores: A row per problem, horizon and method.
        path: PNG to write.
    """
    import matplotlib.pyplot as plt

    means = scores.groupby(["method", "horizon"])["score"].mean().unstack()
    present = {
        family: [name for name in names if name in means.index]
        for family, names in FAMILIES.items()
    }
    families = {family: names for family, names in present.items() if names}
    figure, axes = plt.subplots(
        1, len(families), figsize=(3.2 * len(families), 4.6), sharey=True, squeeze=False
    )
    positions = range(len(means.columns))
    for ax, (family, names) in zip(axes[0], families.items(), strict=True):
        for other in means.index.difference(names):
            ax.plot(positions, means.loc[other], color=LIGHT.grid, linewidth=1, zorder=1)
        for i, name in enumerate(names):
            colour = LIGHT.others[i % len(LIGHT.others)]
            ax.plot(positions, means.loc[name], color=colour, marker=_MARKERS[i], label=name)
        ax.set_xticks(positions, [str(n) for n in means.columns])
        ax.set_title(family, fontsize=9, loc="left", color=LIGHT.ink)
        ax.set_xlabel("rounds N")
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.16), fontsize=7.5, frameon=False, ncols=2
        )
    axes[0, 0].set_ylabel("mean score over problems")
    figure.tight_layout()
    save_picture(figure, path)
