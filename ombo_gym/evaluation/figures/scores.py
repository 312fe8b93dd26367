"""Methods over all settings: scores with their intervals, and performance profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ombo_gym.evaluation.figure_style import (
    LIGHT,
    LineStyle,
    Theme,
    policy_styles,
    seen_note,
    with_seen,
)
from ombo_gym.evaluation.figures.canvas import (
    FONT_SIZE,
    LINE_HEIGHT,
    NAME_WIDTH,
    Grid,
    footer,
    new_figure,
    short,
    title,
)


def performance_profiles(
    profiles: pd.DataFrame,
    *,
    styles: Mapping[str, LineStyle] | None = None,
    theme: Theme = LIGHT,
    columns: int = 2,
    for_page: bool = False,
) -> Figure:
    """The share of campaigns above a score, over the score: a panel per start and utility.

    Args:
        profiles: The frame of `profiles.csv`.
        styles: Colours and markers by method (default: `policy_styles` of the frame).
        theme: `LIGHT` or `DARK`.
        columns: Panels side by side.
        for_page: Narrow and without the note on how to read it.

    Returns:
        A figure of its own; names stand right of a panel, the largest area first.

    Raises:
        ValueError: The frame has no rows.
    """
    if profiles.empty:
        raise ValueError("profiles has no rows: there is nothing to draw")
    styles = policy_styles(profiles["method"]) if styles is None else styles
    panels = list(profiles.groupby(["start", "utility"], sort=False))
    grid = Grid(
        panels=len(panels),
        columns=columns,
        width=2.5 if for_page else 3.5,
        height=max(2.8, LINE_HEIGHT * profiles["method"].nunique() + 0.2),
        left=0.75,
        right=NAME_WIDTH * max(len(short(n) + styles[n].mark) for n in profiles["method"]) + 0.3,
        top=0.4,
        bottom=0.6,
        footer=0.0 if for_page else 0.35,
    )
    figure = new_figure(grid.size, theme)
    for ax, ((start, utility), panel) in zip(grid.axes(figure, theme), panels, strict=True):
        areas = []
        for i, (method, rows) in enumerate(panel.groupby("method", sort=False)):
            _draw_profile(ax, rows.sort_values("score"), styles[method], theme, first_mark=i % 6)
            areas.append((float(rows["share"].mean()), method))
        ax.set_ylim(-0.02, 1.02)
        title(ax, [f"start: {start}, utility: {utility}"], theme)
        ax.set_xlabel("score")
        ax.set_ylabel("share of campaigns above it")
        _names_beside(ax, [method for _, method in sorted(areas, reverse=True)], styles, theme)
    if not for_page:
        words = "Band: 95% interval. Higher is better; names: largest area first."
        footer(figure, [words, *seen_note(styles)], theme)
    return figure


def _draw_profile(
    ax: Axes, rows: pd.DataFrame, style: LineStyle, theme: Theme, *, first_mark: int
) -> None:
    """One method's shares over the score, with a marker at every sixth point."""
    x, share = rows["score"].to_numpy(float), rows["share"].to_numpy(float)
    low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)
    colour, zorder = style.colour(theme), 3 + 2 * style.trained
    ax.fill_between(x, low, high, color=colour, alpha=0.12, linewidth=0, zorder=zorder - 1)
    ax.plot(
        x,
        share,
        color=colour,
        linewidth=style.width,
        marker=style.marker,
        markevery=(first_mark, 6),
        markersize=6 if style.trained else 4,
        markeredgecolor=theme.background,
        markeredgewidth=0.5,
        zorder=zorder,
    )


def leaderboard_scores(
    leaderboard: pd.DataFrame, *, theme: Theme = LIGHT, columns: int = 2
) -> Figure:
    """Each method's score at every horizon, best mean first: a panel per start and utility.

    Args:
        leaderboard: The frame of `leaderboard.csv`.
        theme: `LIGHT` or `DARK`.
        columns: Panels side by side.

    Returns:
        A figure of its own.

    Raises:
        ValueError: The frame has no rows.
    """
    if leaderboard.empty:
        raise ValueError("leaderboard has no rows: there is nothing to draw")
    styles = with_seen(policy_styles(leaderboard["method"]), leaderboard, "method")
    panels = list(leaderboard.groupby(["start", "utility"], sort=False))
    grid = Grid(
        panels=len(panels),
        columns=columns,
        width=3.0,
        height=0.24 * max(rows["method"].nunique() for _, rows in panels) + 0.15,
        left=NAME_WIDTH * max(len(short(n) + styles[n].mark) for n in styles) + 0.2,
        right=0.25,
        top=0.4,
        bottom=0.55,
        footer=0.65,
    )
    figure = new_figure(grid.size, theme)
    horizons = sorted(leaderboard["horizon"].unique())
    for ax, ((start, utility), panel) in zip(grid.axes(figure, theme), panels, strict=True):
        names = panel.groupby("method")["score"].mean().sort_values().index
        for i, name in enumerate(names):
            _draw_scores(ax, i, panel[panel["method"] == name], horizons, theme)
        shown = [short(name) + styles[name].mark for name in names]
        ax.set_yticks(range(len(names)), shown, parse_math=False)
        ax.set_ylim(-0.6, len(names) - 0.4)
        ax.grid(axis="y", visible=False)
        ax.grid(axis="x", color=theme.grid, linewidth=0.8)
        _keep_the_bulk(ax, panel)
        title(ax, [f"start: {start}, utility: {utility}"], theme)
        ax.set_xlabel("score: 0 the start's best value, 1 the best known")
    marks = ", ".join(f"{mark} N = {n}" for n, mark in zip(horizons, _words(horizons), strict=True))
    words = "Bar: 95% interval over problems or, of one problem, over its campaigns."
    notes = [marks, words, "Hollow: did not play every problem.", *seen_note(styles)]
    footer(figure, notes, theme)
    return figure


_MARKS = (
    ("o", "circle"),
    ("s", "square"),
    ("^", "triangle"),
    ("D", "diamond"),
    ("v", "turned triangle"),
)


def _words(horizons: Sequence[int]) -> list[str]:
    return [_MARKS[i % len(_MARKS)][1] for i in range(len(horizons))]


def _draw_scores(
    ax: Axes, place: int, rows: pd.DataFrame, horizons: Sequence[int], theme: Theme
) -> None:
    """One method's scores in its line, a mark a horizon, the largest N strongest."""
    for row in rows.to_dict("records"):
        i = list(horizons).index(row["horizon"])
        strength = 0.35 + 0.65 * (i + 1) / len(horizons)
        colour, y = theme.ink, place + 0.12 * ((len(horizons) - 1) / 2 - i)
        ax.hlines(y, row["score_low"], row["score_high"], color=colour, alpha=0.35 * strength)
        ax.plot(
            row["score"],
            y,
            marker=_MARKS[i % len(_MARKS)][0],
            color=colour,
            alpha=strength,
            markersize=4.5,
            markerfacecolor=colour if row["complete"] else theme.background,
        )


def _keep_the_bulk(ax: Axes, rows: pd.DataFrame) -> None:
    """Cuts the axis where intervals of a few problems would squeeze everything together."""
    low, high = rows["score"].min(), rows["score"].max()
    room = max(high - low, 1e-3)
    ax.set_xlim(
        max(rows[["score_low", "score"]].min().min(), low - 0.6 * room) - 0.04 * room,
        min(rows[["score_high", "score"]].max().max(), high + 0.6 * room) + 0.04 * room,
    )


def _names_beside(
    ax: Axes, names: Sequence[str], styles: Mapping[str, LineStyle], theme: Theme
) -> None:
    """Names with their markers right of the panel, from the top."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches() * ax.get_position().size
    for i, name in enumerate(names):
        style, y = styles[name], 1 - (i + 0.5) * LINE_HEIGHT / height
        colour = style.colour(theme)
        ax.plot(
            [1 + 0.1 / width],
            [y],
            transform=ax.transAxes,
            marker=style.marker,
            markersize=5,
            color=colour,
            clip_on=False,
        )
        ax.text(
            1 + 0.2 / width,
            y,
            short(name) + style.mark,
            transform=ax.transAxes,
            color=theme.ink,
            fontsize=FONT_SIZE - 0.5,
            weight="bold" if style.trained else "normal",
            va="center",
            parse_math=False,
        )
