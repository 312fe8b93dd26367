"""The picture of misspecification.md: value by model, a panel a utility and horizon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ombo_gym.evaluation.figure_style import LIGHT, MARKERS
from scripts.studies.misspecification.plan import FITTED, OWN
from scripts.studies.pictures import save_picture


def with_model(losses: pd.DataFrame) -> list[str]:
    """Policies that were played with more than one model."""
    counts = losses.groupby("policy", sort=False)["model"].nunique()
    return list(counts.index[counts > 1])


def draw_values(losses: pd.DataFrame, path: Path) -> None:
    """Draws the mean value by model, a line a policy.

    Args:
        losses: A row per utility, horizon, policy and model.
        path: PNG to write.
    """
    import matplotlib.pyplot as plt

    wrong = [name for name in dict.fromkeys(losses["model"]) if name not in (OWN, FITTED)]
    half = len(wrong) // 2
    models = [*wrong[:half], OWN, *wrong[half:], FITTED]
    utilities = list(dict.fromkeys(losses["utility"]))
    horizons = sorted(losses["horizon"].unique())
    figure, panels = plt.subplots(
        len(utilities),
        len(horizons),
        figsize=(3.6 * len(horizons), 3 * len(utilities) + 0.8),
        squeeze=False,
        sharey="row",
    )
    for row, utility in zip(panels, utilities, strict=True):
        for ax, horizon in zip(row, horizons, strict=True):
            part = losses[(losses["utility"] == utility) & (losses["horizon"] == horizon)]
            _draw_panel(ax, part, models, with_model(losses))
            ax.set_title(f"{utility}, N = {horizon}", fontsize=9, loc="left", color=LIGHT.ink)
        row[0].set_ylabel("value / sd of the functions")
    for ax in panels[-1]:
        ax.set_xlabel("lengthscale told / own")
    handles, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="lower center", ncols=7, frameon=False, fontsize=8)
    figure.tight_layout(rect=(0, 0.05, 1, 1))
    save_picture(figure, path)


def _draw_panel(ax: Any, losses: pd.DataFrame, models: list[str], policies: list[str]) -> None:
    """A line a policy over the lengthscales, and a mark apart for the fitted model."""
    positions = [*range(len(models) - 1), len(models) - 0.5]
    for i, policy in enumerate(policies):
        values = losses[losses["policy"] == policy].set_index("model").loc[models]
        style = {"color": LIGHT.others[i], "marker": MARKERS[i], "markersize": 4}
        ax.plot(positions[:-1], values["value"].iloc[:-1], label=policy, linewidth=1.3, **style)
        ax.plot(positions[-1:], values["value"].iloc[-1:], **style)
        low, high = values["low"].iloc[:-1], values["high"].iloc[:-1]
        ax.fill_between(positions[:-1], low, high, color=LIGHT.others[i], alpha=0.08, linewidth=0)
    labels = [name.removeprefix("lengthscale ") for name in models]
    ax.set_xticks(positions, labels, fontsize=8)
    ax.grid(axis="y", color=LIGHT.grid)
    ax.spines[["top", "right"]].set_visible(False)
