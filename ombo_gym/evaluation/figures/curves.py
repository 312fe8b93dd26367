"""Mean utility and the value of planning over the horizon."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ombo_gym.evaluation.figure_style import (
    LIGHT,
    LineStyle,
    Theme,
    is_trained,
    policy_styles,
    seen_note,
    with_seen,
)
from ombo_gym.evaluation.figures.canvas import (
    DASHES,
    LINE_HEIGHT,
    NAME_WIDTH,
    SHOWN_ONE,
    Grid,
    end_labels,
    footer,
    new_figure,
    short,
    title,
)
from ombo_gym.evaluation.figures.series import Series, all_series
from ombo_gym.evaluation.formats import problem_name
from ombo_gym.evaluation.tables import PROBLEM, check_horizon_shown

MANY = 6  # policies in a panel: above, the bands of those that are not trained are faint


class Points(NamedTuple):
    """One curve: means and the ends of their intervals by horizon, each of shape (horizons,)."""

    horizon: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]


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
    check_horizon_shown(summary)
    styles = policy_styles(summary["policy"]) if styles is None else styles
    figure, dashed = _draw_panels(summary, styles, theme, columns, for_page)
    for ax in figure.axes:
        ax.set_ylabel("mean utility of a campaign")
    if not for_page:
        footer(figure, [*_notes(summary, dashed), *seen_note(with_seen(styles, summary))], theme)
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
    figure, _ = _draw_panels(rows, styles, theme, columns, for_page, zero=True)
    for ax in figure.axes:
        ax.set_ylabel("value of planning (told N minus told 1)")
    if not for_page:
        words = f"Told 1: {SHOWN_ONE}. Same campaigns. 95% interval of the mean."
        footer(figure, [words, *seen_note(with_seen(styles, planning))], theme)
    return figure


def _draw_panels(
    rows: pd.DataFrame,
    styles: Mapping[str, LineStyle],
    theme: Theme,
    columns: int,
    for_page: bool,
    *,
    zero: bool = False,
) -> tuple[Figure, bool]:
    """A figure with a panel per problem, utility and series, and whether a line is dashed.

    Args:
        rows: As those of `summary.csv`.
        styles: As in `horizon_curves`, like the next three.
        theme: `LIGHT` or `DARK`.
        columns: Panels side by side.
        for_page: Narrow.
        zero: Whether a line marks 0.
    """
    panels = [
        (key, series)
        for key, group in rows.groupby([*PROBLEM, "utility"], sort=False)
        for series in all_series(group)
    ]
    marks = [style.mark for style in with_seen(styles, rows).values()]
    longest = max(map(len, marks), default=0)
    grid = _grid([series.rows for _, series in panels], columns, for_page, longest)
    figure = new_figure(grid.size, theme)
    dashed = False
    for ax, (key, series) in zip(grid.axes(figure, theme), panels, strict=True):
        if zero:
            ax.axhline(0, color=theme.faint, linewidth=1, zorder=1)
        dashed |= _draw_panel(ax, series, with_seen(styles, series.rows), theme)
        title(ax, _panel_title(key, series.title, for_page), theme)
    return figure, dashed


def _grid(panels: Sequence[pd.DataFrame], columns: int, for_page: bool, marks: int) -> Grid:
    names = max(len(short(policy)) for rows in panels for policy in rows["policy"]) + marks
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
    horizon_shown = (
        "how many rounds are left" if "true" in set(summary["told_horizon"]) else SHOWN_ONE
    )
    mark = "Dashed" if several else "Hollow"
    return [
        f"Each policy is told {horizon_shown}."
        + (
            f" {mark}: the same policy, told {SHOWN_ONE}."
            if dashed and horizon_shown != SHOWN_ONE
            else ""
        ),
        ("Band" if several else "Bar")
        + ": 95% interval of the mean."
        + (" Thick: trained." if any(map(is_trained, summary["policy"])) else ""),
    ]


def _lines(panel: pd.DataFrame) -> dict[tuple[str, str], Points]:
    """The curve of every (policy, horizon shown), in the order of their first row."""
    columns = ["policy", "told_horizon", "horizon", "mean", "ci_low", "ci_high"]
    found: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for policy, horizon_shown, *row in panel[columns].itertuples(index=False, name=None):
        found.setdefault((policy, horizon_shown), []).append(tuple(map(float, row)))
    return {player: Points(*np.array(sorted(rows)).T) for player, rows in found.items()}


def _shifts(lines: Mapping[tuple[str, str], Points]) -> dict[str, float]:
    """Policies with their shift along the axis: none over several horizons, side by side at one."""
    policies = list(dict.fromkeys(policy for policy, _ in lines))
    if len({n for points in lines.values() for n in points.horizon}) > 1:
        return dict.fromkeys(policies, 0.0)
    # The best at the right, where the labels are.
    policies.sort(key=lambda policy: _named(lines, policy).mean[-1])
    return {policy: (i + 0.5) / len(policies) - 0.5 for i, policy in enumerate(policies)}


def _named(lines: Mapping[tuple[str, str], Points], policy: str) -> Points:
    """The curve that a policy's name stands beside."""
    return lines[policy, "true"] if (policy, "true") in lines else lines[policy, "one"]


def _draw_panel(ax: Axes, series: Series, styles: Mapping[str, LineStyle], theme: Theme) -> bool:
    """Draws one panel; whether one of its lines is dashed."""
    lines = _lines(series.rows)
    shifts = _shifts(lines)
    single = series.rows["horizon"].nunique() == 1
    dashed = False
    for policy, shift in shifts.items():
        style = styles[policy]
        told_true, as_last_round = lines.get((policy, "true")), lines.get((policy, "one"))
        if told_true is not None:
            _draw_curve(ax, told_true, shift, style, theme, single=single, faint=len(shifts) > MANY)
        if as_last_round is not None and not _same_curve(told_true, as_last_round):
            dashed = True
            ax.plot(
                as_last_round.horizon + shift,
                as_last_round.mean,
                color=style.colour(theme),
                linewidth=1.1,
                linestyle=DASHES,
                marker=style.marker,
                markersize=4,
                markerfacecolor=theme.background,
                zorder=2.5 + 2 * style.trained,
            )
    _horizon_axis(ax, series)
    named = {policy: _named(lines, policy) for policy in shifts}
    ends = [
        (policy, points.horizon[-1] + shifts[policy], points.mean[-1])
        for policy, points in named.items()
    ]
    end_labels(ax, ends, styles, theme)
    return dashed


def _draw_curve(
    ax: Axes,
    points: Points,
    shift: float,
    style: LineStyle,
    theme: Theme,
    *,
    single: bool,
    faint: bool,
) -> None:
    x = points.horizon + shift
    colour = style.colour(theme)
    zorder = 3 + 2 * style.trained
    if single:
        ax.vlines(x, points.low, points.high, color=colour, linewidth=style.width, zorder=zorder)
    else:
        ax.fill_between(
            x,
            points.low,
            points.high,
            color=colour,
            alpha=0.18 if style.trained or not faint else 0.08,
            linewidth=0,
            zorder=zorder - 1,
        )
    ax.plot(
        x,
        points.mean,
        color=colour,
        linewidth=style.width,
        marker=style.marker,
        markersize=7 if style.trained else 4.5,
        markeredgecolor=theme.background,
        markeredgewidth=0.6,
        zorder=zorder,
    )


def _same_curve(told_true: Points | None, as_last_round: Points) -> bool:
    """Whether being told 1 changes nothing, so that a second line would only hide the first."""
    if told_true is None:
        return False
    true = dict(zip(told_true.horizon, told_true.mean, strict=True))
    return all(
        math.isclose(true.get(n, math.nan), mean, rel_tol=1e-5, abs_tol=1e-8)
        for n, mean in zip(as_last_round.horizon, as_last_round.mean, strict=True)
    )


def _horizon_axis(ax: Axes, series: Series) -> None:
    settings = series.rows[["horizon", "batch_size"]].drop_duplicates().sort_values("horizon")
    horizons = [int(n) for n in settings["horizon"]]
    labels = [str(n) for n in horizons]
    if series.budget:
        labels = [f"{n}\n× {q}" for n, q in zip(labels, settings["batch_size"], strict=True)]  # noqa: RUF001
    if horizons[-1] >= 12 * horizons[0]:
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
    if len(horizons) == 1:
        ax.set_xlim(horizons[0] - 0.6, horizons[0] + 0.6)
    ax.set_xticks(horizons, labels)
    several = "rounds N × batch size q"  # noqa: RUF001
    ax.set_xlabel(several if series.budget else "horizon N (rounds in the campaign)")
