"""Exploration weights, round by round."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ombo_gym.evaluation.figure_style import LIGHT, LineStyle, Theme, policy_styles
from ombo_gym.evaluation.figures.canvas import (
    Grid,
    footer,
    legend,
    new_figure,
    sample_line,
    title,
)
from ombo_gym.evaluation.formats import problem_name
from ombo_gym.evaluation.plates import batch_words
from ombo_gym.evaluation.tables import PROBLEM, SETTING, check_horizon_shown


def exploration_schedule(
    exploration: pd.DataFrame,
    *,
    styles: Mapping[str, LineStyle] | None = None,
    theme: Theme = LIGHT,
    columns: int = 2,
) -> Figure:
    """Exploration weights round by round, a panel per setting.

    A line per policy: the weight averaged over the slots of a batch and over campaigns; the
    shading spans the first to the last slot of the batch. Dashed lines are policies told every
    round that it is the last.

    Args:
        exploration: The frame of `exploration.csv`.
        styles: Colours and markers by policy (default: `policy_styles` of the frame).
        theme: `LIGHT` or `DARK`.
        columns: Panels side by side.

    Returns:
        A figure of its own; save it with `savefig`, `png` or `svg`.

    Raises:
        ValueError: The frame has no rows, or `told_horizon` is not text.
    """
    if exploration.empty:
        raise ValueError("exploration has no rows: there is nothing to draw")
    check_horizon_shown(exploration)
    styles = policy_styles(exploration["policy"]) if styles is None else styles
    panels = list(exploration.groupby(SETTING, sort=False))
    players = list(exploration.groupby(["policy", "told_horizon"], sort=False).groups)
    several_problems = len(exploration[PROBLEM].drop_duplicates()) > 1
    grid = Grid(
        panels=len(panels),
        columns=min(columns, len(panels)),
        width=2.7,
        height=2.1,
        left=0.65,
        right=0.15,
        top=0.55 if several_problems else 0.4,
        bottom=0.55,
        footer=0.45 + 0.2 * len(players),
    )
    figure = new_figure(grid.size, theme)
    top = 1.08 * float(exploration[["weight_first", "weight_last", "weight_mean"]].max().max())
    for ax, (key, panel) in zip(grid.axes(figure, theme), panels, strict=True):
        for player, rows in panel.groupby(["policy", "told_horizon"], sort=False):
            _draw_schedule(ax, player, rows.sort_values("round"), styles, theme)
        horizon = key[SETTING.index("horizon")]
        title(ax, _titles(key, exploration, several_problems), theme)
        ax.set_ylim(0, top if top > 0 else 1)
        ax.set_xlim(0.7, horizon + 0.3)
        ax.set_xticks(range(1, horizon + 1, math.ceil(horizon / 10)))
        ax.set_xlabel("round")
        ax.set_ylabel("exploration weight")
    legend(figure, players, styles, theme)
    note = "Line: mean over the batch and over campaigns. Shading: first to last slot of the batch."
    footer(figure, [note], theme)
    return figure


def _titles(key: tuple[Any, ...], exploration: pd.DataFrame, several_problems: bool) -> list[str]:
    """The lines above a panel: what its setting does not share with all others."""
    env, env_kwargs, horizon, batch_size, utility = key
    words = [f"N = {horizon}"]
    if exploration["batch_size"].nunique() > 1:
        words.append(f"q = {batch_words(env_kwargs, batch_size)}")
    if exploration["utility"].nunique() > 1:
        words.append(utility)
    problem = [problem_name(env, env_kwargs)] if several_problems else []
    return [*problem, ", ".join(words)]


def _draw_schedule(
    ax: Axes,
    player: tuple[str, str],
    rows: pd.DataFrame,
    styles: Mapping[str, LineStyle],
    theme: Theme,
) -> None:
    policy, horizon_shown = player
    style = styles[policy]
    colour = style.colour(theme)
    ends = rows[["weight_first", "weight_last"]]
    x = rows["round"].to_numpy(float)
    low, high = ends.min(axis=1).to_numpy(float), ends.max(axis=1).to_numpy(float)
    zorder = 3 + 2 * style.trained
    if horizon_shown == "true" and len(rows) == 1:
        ax.vlines(x, low, high, color=colour, alpha=0.4, linewidth=4, zorder=zorder - 1)
    elif horizon_shown == "true":
        ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0, zorder=zorder - 1)
    line = sample_line(style, horizon_shown, theme)
    line.set_data(x, rows["weight_mean"].to_numpy(float))
    line.set_zorder(zorder)
    ax.add_line(line)
