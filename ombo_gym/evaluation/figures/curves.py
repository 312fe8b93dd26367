"""Mean utility and the value of planning over the horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ombo_gym.evaluation.figure_style import LIGHT, LineStyle, Theme, is_trained, policy_styles
from ombo_gym.evaluation.figures.canvas import (
    DASHES,
    LINE_HEIGHT,
    NAME_WIDTH,
    TOLD_ONE,
    Grid,
    end_labels,
    footer,
    new_figure,
    short,
    title,
)
from ombo_gym.evaluation.figures.series import all_series
from ombo_gym.evaluation.formats import problem_name
from ombo_gym.evaluation.tables import PROBLEM, check_told


def horizon_curves(
    summary: pd.DataFrame,
    *,
    styles: Mapping[str, LineStyle] | None = None,
    theme: Theme = LIGHT,
    columns: int = 2,
    for_page: bool = False,
) -> Figure:
    """Mean utility over the horizon, a panel per problem, utility and series.

    A solid line per policy told the true horizon, with the 95% interval of its mean as a band,
    named at its right end; a dashed line in the same colour where the same policy, told every
    round that it is the last, scores differently. With a single horizon the policies stand side
    by side with error bars.

    Args:
        summary: The frame of `summary.csv`.
        styles: Colours and markers by policy (default: `policy_styles` of the frame).
        theme: `LIGHT` or `DARK`.
        columns: Panels side by side.
        for_page: Narrow, without the problem's name and the note on how to read it, for a page
            that says so in text and may be read on a phone.

    Returns:
        A figure of its own; save it with `savefig`, `png` or `svg`.

    Raises:
        ValueError: The frame has no rows, or `told_horizon` is not text.
    """
    if summary.empty:
        raise ValueError("summary has no rows: there is nothing to draw")
    check_told(summary)
    styles = policy_styles(summary["policy"]) if styles is None else styles
    panels = [
        (key, series)
        for key, group in summary.groupby([*PROBLEM, "utility"], sort=False)
        for series in all_series(group)
    ]
    grid = _grid([series.rows for _, series in panels], columns, for_page)
    figure = new_figure(grid.size, theme)
    dashed = False
    for ax, (key, series) in zip(grid.axes(figure, theme), panels, strict=True):
        dashed |= _draw_panel(ax, series.rows, styles, theme)
        _horizon_axis(ax, series.rows, budget=series.budget)
        _name_ends(ax, series.rows, styles, theme)
        title(ax, _panel_title(key, series.title, for_page), theme)
        ax.set_ylabel("mean utility of a campaign")
    if not for_page:
        footer(figure, _notes(summary, dashed), theme)
    return figure


def planning_curves(
    planning: pd.DataFrame,
    *,
    styles: Mapping[str, LineStyle] | None = None,
    theme: Theme = LIGHT,
    columns: int = 2,
    for_page: bool = False,
) -> Figure:
    """The value of planning over the horizon: each policy told N minus itself told 1.

    Args:
        planning: `env`, `env_kwargs`, `utility`, `horizon`, `batch_size`, `policy`, `difference`
            and its interval `ci_low`, `ci_high`: rows of `paired.csv` of a policy against itself.
        styles: Colours and markers by policy (default: `policy_styles` of the frame).
        theme: `LIGHT` or `DARK`.
        columns: Panels side by side.
        for_page: As in `horizon_curves`.

    Returns:
        A figure of its own, a panel per problem, utility and series.

    Raises:
        ValueError: The frame has no rows.
    """
    if planning.empty:
        raise ValueError("planning has no rows: there is nothing to draw")
    styles = policy_styles(planning["policy"]) if styles is None else styles
    rows = planning.assign(mean=planning["difference"], told_horizon="true")
    panels = [
        (key, series)
        for key, group in rows.groupby([*PROBLEM, "utility"], sort=False)
        for series in all_series(group)
    ]
    grid = _grid([series.rows for _, series in panels], columns, for_page)
    figure = new_figure(grid.size, theme)
    for ax, (key, series) in zip(grid.axes(figure, theme), panels, strict=True):
        ax.axhline(0, color=theme.faint, linewidth=1, zorder=1)
        _draw_panel(ax, series.rows, styles, theme)
        _horizon_axis(ax, series.rows, budget=series.budget)
        _name_ends(ax, series.rows, styles, theme)
        title(ax, _panel_title(key, series.title, for_page), theme)
        ax.set_ylabel("value of planning (told N minus told 1)")
    if not for_page:
        footer(figure, [f"Told 1: {TOLD_ONE}. Same campaigns. 95% interval of the mean."], theme)
    return figure


def _grid(panels: Sequence[pd.DataFrame], columns: int, for_page: bool) -> Grid:
    names = max(len(short(policy)) for rows in panels for policy in rows["policy"])
    policies = max(rows["policy"].nunique() for rows in panels)
    return Grid(
        panels=len(panels),
        columns=columns,
        width=2.5 if for_page else 3.5,
        height=max(2.8 if for_page else 3.0, LINE_HEIGHT * policies + 0.2),
        left=0.75,
        right=NAME_WIDTH * names + 0.3,
        top=0.4 if for_page else 0.6,
        bottom=0.75,
        footer=0.0 if for_page else 0.5,
    )


def _panel_title(key: Sequence[str], series: str, for_page: bool) -> list[str]:
    env, env_kwargs, utility = key
    return [series] if for_page else [problem_name(env, env_kwargs), f"{utility}  ·  {series}"]


def _notes(summary: pd.DataFrame, dashed: bool) -> list[str]:
    several = summary["horizon"].nunique() > 1
    told = "how many rounds are left" if "true" in set(summary["told_horizon"]) else TOLD_ONE
    mark = "Dashed" if several else "Hollow"
    return [
        f"Each policy is told {told}."
        + (f" {mark}: the same policy, told {TOLD_ONE}." if dashed and told != TOLD_ONE else ""),
        ("Band" if several else "Bar")
        + ": 95% interval of the mean."
        + (" Thick: trained." if any(map(is_trained, summary["policy"])) else ""),
    ]


def _told(rows: pd.DataFrame, told: str) -> pd.DataFrame:
    return rows[rows["told_horizon"] == told].sort_values("horizon")


def _places(panel: pd.DataFrame) -> dict[str, float]:
    """Policies with their shift along the axis: none over several horizons, side by side at one."""
    policies = list(dict.fromkeys(panel["policy"]))
    if panel["horizon"].nunique() > 1:
        return dict.fromkeys(policies, 0.0)
    ranked = panel.sort_values(["told_horizon", "mean"], ascending=[False, True])
    policies = list(dict.fromkeys(ranked["policy"]))  # the best at the right, where the labels are
    return {policy: (i + 0.5) / len(policies) - 0.5 for i, policy in enumerate(policies)}


def _draw_panel(
    ax: Axes, panel: pd.DataFrame, styles: Mapping[str, LineStyle], theme: Theme
) -> bool:
    """Draws the lines of one panel; whether one of them is dashed."""
    dashed = False
    for policy, shift in _places(panel).items():
        style = styles[policy]
        rows = panel[panel["policy"] == policy]
        told_true, told_one = _told(rows, "true"), _told(rows, "one")
        if not told_true.empty:
            _draw_curve(ax, told_true, shift, style, theme, single=panel["horizon"].nunique() == 1)
        if not told_one.empty and not _same_curve(told_true, told_one):
            dashed = True
            ax.plot(
                told_one["horizon"] + shift,
                told_one["mean"],
                color=style.colour(theme),
                linewidth=1.1,
                linestyle=DASHES,
                marker=style.marker,
                markersize=4,
                markerfacecolor=theme.background,
                zorder=2.5 + 2 * style.trained,
            )
    return dashed


def _draw_curve(
    ax: Axes, rows: pd.DataFrame, shift: float, style: LineStyle, theme: Theme, *, single: bool
) -> None:
    x = rows["horizon"].to_numpy(float) + shift
    mean, low, high = (rows[name].to_numpy(float) for name in ("mean", "ci_low", "ci_high"))
    colour = style.colour(theme)
    zorder = 3 + 2 * style.trained
    if single:
        ax.vlines(x, low, high, color=colour, linewidth=style.width, zorder=zorder)
    else:
        ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0, zorder=zorder - 1)
    ax.plot(
        x,
        mean,
        color=colour,
        linewidth=style.width,
        marker=style.marker,
        markersize=7 if style.trained else 4.5,
        markeredgecolor=theme.background,
        markeredgewidth=0.6,
        zorder=zorder,
    )


def _same_curve(told_true: pd.DataFrame, told_one: pd.DataFrame) -> bool:
    """Whether being told 1 changes nothing, so that a second line would only hide the first."""
    both = told_one.merge(told_true, on=["horizon", "batch_size"], suffixes=("_one", "_true"))
    return len(both) == len(told_one) and bool(np.allclose(both["mean_one"], both["mean_true"]))


def _horizon_axis(ax: Axes, rows: pd.DataFrame, *, budget: bool) -> None:
    settings = rows[["horizon", "batch_size"]].drop_duplicates().sort_values("horizon")
    horizons = [int(n) for n in settings["horizon"]]
    labels = [str(n) for n in horizons]
    if budget:
        labels = [f"{n}\n× {q}" for n, q in zip(labels, settings["batch_size"], strict=True)]  # noqa: RUF001
    if horizons[-1] >= 12 * horizons[0]:
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
    if len(horizons) == 1:
        ax.set_xlim(horizons[0] - 0.6, horizons[0] + 0.6)
    ax.set_xticks(horizons, labels)
    ax.set_xlabel("rounds N × batch size q" if budget else "horizon N (rounds in the campaign)")  # noqa: RUF001


def _name_ends(
    ax: Axes, panel: pd.DataFrame, styles: Mapping[str, LineStyle], theme: Theme
) -> None:
    labels = []
    for policy, shift in _places(panel).items():
        rows = panel[panel["policy"] == policy]
        told_true = _told(rows, "true")
        last = (_told(rows, "one") if told_true.empty else told_true).iloc[-1]
        labels.append((policy, float(last["horizon"]) + shift, float(last["mean"])))
    end_labels(ax, labels, styles, theme)
