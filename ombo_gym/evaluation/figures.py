"""The evaluation's pictures, as matplotlib figures without global state (no pyplot).

Policies keep one colour and marker over all pictures of a report (`policy_styles`). Trained
policies, recognised by a path separator in their name, are drawn thick. Every name is drawn as it
is typed: no mathematics between dollar signs.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

try:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.ticker import NullLocator
    from PIL import Image
except ImportError as error:
    raise ImportError(
        "ombo_gym.evaluation.figures needs pandas and matplotlib: "
        'pip install "ombo-gym[evaluation]"'
    ) from error

from ombo_gym.evaluation.figure_style import LIGHT, LineStyle, Theme, is_trained, policy_styles
from ombo_gym.evaluation.statistics import GROUP, check_told

NAME_LENGTH = 26  # longer names are cut in the middle; the tables hold them in full
FONT_SIZE = 9.0
LINE_HEIGHT = 0.175  # inches between two labels
TOLD_ONE = "every round that it is the last"


def horizon_curves(
    summary: pd.DataFrame,
    *,
    styles: Mapping[str, LineStyle] | None = None,
    theme: Theme = LIGHT,
    columns: int = 2,
    for_page: bool = False,
) -> Figure:
    """Mean utility over the horizon, a panel per environment, utility and batch size.

    A solid line per policy told the true horizon, with the 95% interval of its mean as a band,
    named at its right end; a dashed line in the same colour where the same policy, told every
    round that it is the last, scores differently. With a single horizon the policies stand side
    by side with error bars.

    Args:
        summary: The frame of `summary.csv`.
        styles: Colours and markers by policy (default: `policy_styles` of the frame).
        theme: `LIGHT` or `DARK`.
        columns: Panels side by side.
        for_page: Narrow and without the note on how to read it, for a page that says it in text
            and may be read on a phone.

    Returns:
        A figure of its own; save it with `savefig` or `png`.

    Raises:
        ValueError: The frame has no rows, or `told_horizon` is not text.
    """
    if summary.empty:
        raise ValueError("summary has no rows: there is nothing to draw")
    check_told(summary)
    styles = policy_styles(summary["policy"]) if styles is None else styles
    panels = list(summary.groupby(GROUP, sort=False))
    names = max(len(_short(policy)) for policy in summary["policy"])
    policies = max(panel["policy"].nunique() for _, panel in panels)
    grid = _Grid(
        panels=len(panels),
        columns=columns,
        width=2.5 if for_page else 3.5,
        height=max(3.0, LINE_HEIGHT * policies + 0.2),
        left=0.75,
        right=0.08 * names + 0.3,
        top=0.45,
        bottom=0.6,
        footer=0.0 if for_page else 0.5,
    )
    figure = _figure(grid.size, theme)
    dashed = False
    for ax, ((env, utility, batch_size), panel) in zip(
        grid.axes(figure, theme), panels, strict=True
    ):
        dashed |= _draw_horizons(ax, panel, styles, theme)
        _title(ax, f"{utility}  ·  {env}, q = {batch_size}", theme)
        ax.set_ylabel("mean utility of a campaign")
        ax.set_xlabel("horizon N (rounds in the campaign)")
    if for_page:
        return figure
    several = summary["horizon"].nunique() > 1
    told = "how many rounds are left" if "true" in set(summary["told_horizon"]) else TOLD_ONE
    mark = "Dashed" if several else "Hollow"
    notes = [
        f"Each policy is told {told}."
        + (f" {mark}: the same policy, told {TOLD_ONE}." if dashed and told != TOLD_ONE else ""),
        ("Band" if several else "Bar")
        + ": 95% interval of the mean."
        + (" Thick: trained." if any(map(is_trained, summary["policy"])) else ""),
    ]
    _footer(figure, notes, theme)
    return figure


def exploration_schedule(
    exploration: pd.DataFrame,
    *,
    styles: Mapping[str, LineStyle] | None = None,
    theme: Theme = LIGHT,
    columns: int = 2,
) -> Figure:
    """Exploration weights round by round, a panel per horizon (and environment and utility).

    A line per policy: the weight averaged over the slots of a batch and over campaigns; the
    shading spans the first to the last slot of the batch. Dashed lines are policies told every
    round that it is the last.

    Args:
        exploration: The frame of `exploration.csv`.
        styles: Colours and markers by policy (default: `policy_styles` of the frame).
        theme: `LIGHT` or `DARK`.
        columns: Panels side by side.

    Returns:
        A figure of its own; save it with `savefig` or `png`.

    Raises:
        ValueError: The frame has no rows, or `told_horizon` is not text.
    """
    if exploration.empty:
        raise ValueError("exploration has no rows: there is nothing to draw")
    check_told(exploration)
    styles = policy_styles(exploration["policy"]) if styles is None else styles
    setting = [key for key in ("env", "utility") if exploration[key].nunique() > 1]
    panels = list(exploration.groupby([*setting, "horizon"], sort=False))
    players = list(exploration.groupby(["policy", "told_horizon"], sort=False).groups)
    grid = _Grid(
        panels=len(panels),
        columns=min(columns, len(panels)),
        width=2.7,
        height=2.1,
        left=0.65,
        right=0.15,
        top=0.4,
        bottom=0.55,
        footer=0.45 + 0.2 * len(players),
    )
    figure = _figure(grid.size, theme)
    top = 1.08 * float(exploration[["weight_first", "weight_last", "weight_mean"]].max().max())
    for ax, (key, panel) in zip(grid.axes(figure, theme), panels, strict=True):
        for player, rows in panel.groupby(["policy", "told_horizon"], sort=False):
            _draw_schedule(ax, player, rows.sort_values("round"), styles, theme)
        horizon = int(key[-1])
        _title(ax, ", ".join([f"N = {horizon}", *map(str, key[:-1])]), theme)
        ax.set_ylim(0, top if top > 0 else 1)
        ax.set_xlim(0.7, horizon + 0.3)
        ax.set_xticks(range(1, horizon + 1, math.ceil(horizon / 10)))
        ax.set_xlabel("round")
        ax.set_ylabel("exploration weight")
    _legend(figure, players, styles, theme)
    note = "Line: mean over the batch and over campaigns. Shading: first to last slot of the batch."
    _footer(figure, [note], theme)
    return figure


def png(figure: Figure, *, dpi: int = 150) -> bytes:
    """The figure as PNG bytes, the same on every call, with a palette: a quarter of the size."""
    drawn, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    Image.open(drawn).convert("RGB").quantize(256).save(packed, format="png", optimize=True)
    return packed.getvalue()


@dataclass(frozen=True)
class _Grid:
    """Panels of one size on a page, in inches, so that labels beside a panel can be counted on."""

    panels: int
    columns: int
    width: float  # of a panel's axes
    height: float
    left: float  # around each panel
    right: float
    top: float
    bottom: float
    footer: float  # below all

    @property
    def rows(self) -> int:
        return -(-self.panels // self.columns)

    @property
    def size(self) -> tuple[float, float]:
        columns = min(self.columns, self.panels)
        return (
            columns * (self.left + self.width + self.right),
            self.rows * (self.top + self.height + self.bottom) + self.footer,
        )

    def axes(self, figure: Figure, theme: Theme) -> Iterator[Axes]:
        """The panels' axes, row by row."""
        width, height = self.size
        for i in range(self.panels):
            row, column = divmod(i, self.columns)
            x = column * (self.left + self.width + self.right) + self.left
            y = height - (row + 1) * (self.top + self.height + self.bottom) + self.bottom
            ax = figure.add_axes((x / width, y / height, self.width / width, self.height / height))
            _dress(ax, theme)
            yield ax


def _figure(size: tuple[float, float], theme: Theme) -> Figure:
    figure = Figure(figsize=size, facecolor=theme.background)
    FigureCanvasAgg(figure)
    return figure


def _dress(ax: Axes, theme: Theme) -> None:
    ax.set_facecolor(theme.background)
    ax.grid(axis="y", color=theme.grid, linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(theme.faint)
    ax.tick_params(colors=theme.faint, labelcolor=theme.ink, labelsize=FONT_SIZE)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set_color(theme.ink)
        label.set_fontsize(FONT_SIZE)


def _title(ax: Axes, text: str, theme: Theme) -> None:
    ax.set_title(
        text, loc="left", color=theme.ink, fontsize=FONT_SIZE + 1, weight="bold", parse_math=False
    )


def _footer(figure: Figure, lines: Sequence[str], theme: Theme) -> None:
    figure.text(
        0.1 / figure.get_figwidth(),
        0.1 / figure.get_figheight(),
        "\n".join(lines),
        color=theme.faint,
        fontsize=FONT_SIZE - 1,
        va="bottom",
        parse_math=False,
    )


def _draw_horizons(
    ax: Axes, panel: pd.DataFrame, styles: Mapping[str, LineStyle], theme: Theme
) -> bool:
    """Draws one panel; whether it has a dashed line."""
    horizons = sorted(int(n) for n in panel["horizon"].unique())
    single = len(horizons) == 1
    policies = list(dict.fromkeys(panel["policy"]))
    if single:  # side by side, the best at the right, where the labels are
        ranked = panel.sort_values(["told_horizon", "mean"], ascending=[False, True])
        policies = list(dict.fromkeys(ranked["policy"]))
    dashed = False
    labels: list[tuple[str, float, float]] = []
    for i, policy in enumerate(policies):
        style = styles[policy]
        rows = panel[panel["policy"] == policy].sort_values("horizon")
        told_true, told_one = (rows[rows["told_horizon"] == told] for told in ("true", "one"))
        shift = (i + 0.5) / len(policies) - 0.5 if single else 0.0
        if not told_true.empty:
            _draw_curve(ax, told_true, shift, style, theme, single=single)
        if not told_one.empty and not _same_curve(told_true, told_one):
            dashed = True
            ax.plot(
                told_one["horizon"] + shift,
                told_one["mean"],
                color=style.colour(theme),
                linewidth=1.1,
                linestyle=(0, (4, 2.5)),
                marker=style.marker,
                markersize=4,
                markerfacecolor=theme.background,
                zorder=2.5 + 2 * style.trained,
            )
        last = (told_true if not told_true.empty else told_one).iloc[-1]
        labels.append((policy, float(last["horizon"]) + shift, float(last["mean"])))
    _horizon_axis(ax, horizons)
    _end_labels(ax, labels, styles, theme)
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
    both = told_one.merge(told_true, on="horizon", suffixes=("_one", "_true"))
    return len(both) == len(told_one) and bool(np.allclose(both["mean_one"], both["mean_true"]))


def _horizon_axis(ax: Axes, horizons: Sequence[int]) -> None:
    if horizons[-1] >= 12 * horizons[0]:
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
    if len(horizons) == 1:
        ax.set_xlim(horizons[0] - 0.6, horizons[0] + 0.6)
    ax.set_xticks(horizons, [str(n) for n in horizons])


def _end_labels(
    ax: Axes,
    labels: Sequence[tuple[str, float, float]],
    styles: Mapping[str, LineStyle],
    theme: Theme,
) -> None:
    """Names right of the panel in the order of the lines' ends, pushed apart, with leaders."""
    labels = [label for label in labels if math.isfinite(label[2])]
    if not labels:
        return
    ax.set_xlim(ax.get_xlim())
    ax.set_ylim(ax.get_ylim())
    low, high = ax.get_ylim()
    height = ax.get_position().height * float(ax.get_figure().get_figheight())  # type: ignore[union-attr]
    wanted = np.array([(y - low) / (high - low) for _, _, y in labels])
    places = spread(wanted, LINE_HEIGHT / height)
    width = ax.get_position().width * float(ax.get_figure().get_figwidth())  # type: ignore[union-attr]
    for (policy, x, y), place in zip(labels, places, strict=True):
        style = styles[policy]
        colour = style.colour(theme)
        start = ax.transAxes.inverted().transform(ax.transData.transform((x, y)))
        ax.plot(
            [start[0] + 0.06 / width, 1.0 + 0.02 / width, 1.0 + 0.16 / width],
            [start[1], place, place],
            transform=ax.transAxes,
            color=colour,
            linewidth=0.7,
            alpha=0.7,
            clip_on=False,
            zorder=1.5,
        )
        ax.text(
            1.0 + 0.2 / width,
            place,
            _short(policy),
            transform=ax.transAxes,
            color=colour,
            fontsize=FONT_SIZE - 0.5,
            weight="bold" if style.trained else "normal",
            va="center",
            parse_math=False,
        )


def spread(wanted: npt.NDArray[np.float64], gap: float) -> npt.NDArray[np.float64]:
    """Places as near as possible (least squares) to the wanted ones, in order, `gap` apart.

    Places stay inside [0, 1] where that many gaps fit.

    Args:
        wanted: Any numbers, shape (n,).
        gap: The least distance between two places.

    Returns:
        The places, shape (n,), in the order of `wanted`.
    """
    order = np.argsort(wanted, kind="stable")
    offsets = gap * np.arange(len(wanted))
    pools: list[tuple[float, int]] = []  # isotonic regression by pooling adjacent violators
    for value in wanted[order] - offsets:
        pool = (float(value), 1)
        while pools and pools[-1][0] >= pool[0]:
            mean, size = pools.pop()
            total = size + pool[1]
            pool = ((mean * size + pool[0] * pool[1]) / total, total)
        pools.append(pool)
    level = np.repeat([mean for mean, _ in pools], [size for _, size in pools])
    places = np.empty(len(wanted))
    places[order] = np.clip(level, 0.0, max(0.0, 1.0 - offsets[-1])) + offsets
    return places


def _draw_schedule(
    ax: Axes,
    player: tuple[str, str],
    rows: pd.DataFrame,
    styles: Mapping[str, LineStyle],
    theme: Theme,
) -> None:
    policy, told = player
    style = styles[policy]
    colour = style.colour(theme)
    ends = rows[["weight_first", "weight_last"]]
    x = rows["round"].to_numpy(float)
    low, high = ends.min(axis=1).to_numpy(float), ends.max(axis=1).to_numpy(float)
    zorder = 3 + 2 * style.trained
    if told == "true" and len(rows) == 1:
        ax.vlines(x, low, high, color=colour, alpha=0.4, linewidth=4, zorder=zorder - 1)
    elif told == "true":
        ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0, zorder=zorder - 1)
    line = _line(style, told, theme)
    line.set_data(x, rows["weight_mean"].to_numpy(float))
    line.set_zorder(zorder)
    ax.add_line(line)


def _line(style: LineStyle, told: str, theme: Theme) -> Line2D:
    hollow = told == "one"
    return Line2D(
        [],
        [],
        color=style.colour(theme),
        linewidth=1.1 if hollow else style.width,
        linestyle=(0, (4, 2.5)) if hollow else "-",
        marker=style.marker,
        markersize=7 if style.trained and not hollow else 4.5,
        markerfacecolor=theme.background if hollow else style.colour(theme),
        markeredgecolor=style.colour(theme) if hollow else theme.background,
        markeredgewidth=0.8 if hollow else 0.6,
        clip_on=False,
    )


def _legend(
    figure: Figure,
    players: Sequence[tuple[str, str]],
    styles: Mapping[str, LineStyle],
    theme: Theme,
) -> None:
    legend = figure.legend(
        [_line(styles[policy], told, theme) for policy, told in players],
        ["policy"] * len(players),  # named below: a legend leaves out names that begin with _
        loc="lower left",
        bbox_to_anchor=(0.05 / figure.get_figwidth(), 0.3 / figure.get_figheight()),
        frameon=False,
        fontsize=FONT_SIZE,
        handlelength=2.6,
        labelspacing=0.25,
        borderaxespad=0.0,
    )
    for text, (policy, told) in zip(legend.get_texts(), players, strict=True):
        text.set_parse_math(False)
        text.set_text(_short(policy) + (f", told {TOLD_ONE}" if told == "one" else ""))
        text.set_color(theme.ink)


def _short(policy: str) -> str:
    """The name on one line, cut in the middle when long."""
    name = " ".join(policy.split())
    if len(name) <= NAME_LENGTH:
        return name
    head = NAME_LENGTH // 2 - 1
    return f"{name[:head]}…{name[head + 1 - NAME_LENGTH :]}"
