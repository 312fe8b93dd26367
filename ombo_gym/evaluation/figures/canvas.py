"""What all pictures share: panels of one size, their dress, names beside lines, PNG and SVG.

Figures are made without global state (no pyplot). Every name is drawn as it is typed: no
mathematics between dollar signs.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from ombo_gym.evaluation.figure_style import LineStyle, Theme
from ombo_gym.evaluation.formats import one_line

NAME_LENGTH = 26  # longer names are cut in the middle; the tables hold them in full
TITLE_LENGTH = 56
NAME_WIDTH = 0.08  # inches of a letter of a name
FONT_SIZE = 9.0
LINE_HEIGHT = 0.175  # inches between two labels
DASHES = (0, (4, 2.5))
SHOWN_ONE = "every round that it is the last"


def png(figure: Figure, *, dpi: int = 150) -> bytes:
    """The figure as PNG bytes, the same on every call, with a palette: a quarter of the size."""
    drawn, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    Image.open(drawn).convert("RGB").quantize(256).save(packed, format="png", optimize=True)
    return packed.getvalue()


def svg(figure: Figure, *, title: str = "", salt: str = "", outlines: bool = True) -> str:
    """The figure as SVG text, the same on every call.

    Args:
        figure: What to draw.
        title: What it shows, for screen readers.
        salt: Makes the ids inside differ from those of other figures on one page.
        outlines: Draw letters as shapes, the same everywhere. Without, they stay text, smaller
            and in a font of the reader's.

    Returns:
        An SVG document.
    """
    file = io.StringIO()
    metadata = {"Date": None, "Creator": None, "Title": title}
    with matplotlib.rc_context():
        matplotlib.rcParams["svg.fonttype"] = "path" if outlines else "none"
        matplotlib.rcParams["svg.hashsalt"] = salt or "ombo"
        figure.savefig(file, format="svg", metadata=metadata)
    return file.getvalue()


@dataclass(frozen=True)
class Grid:
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
        """Rows of panels."""
        return -(-self.panels // self.columns)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the page."""
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


def new_figure(size: tuple[float, float], theme: Theme) -> Figure:
    """An empty figure, in inches."""
    figure = Figure(figsize=size, facecolor=theme.background)
    FigureCanvasAgg(figure)
    return figure


def title(ax: Axes, lines: Sequence[str], theme: Theme) -> None:
    """A panel's title, left; lines too long are cut in the middle."""
    ax.set_title(
        "\n".join(short(line, TITLE_LENGTH) for line in lines if line),
        loc="left",
        color=theme.ink,
        fontsize=FONT_SIZE + 1,
        weight="bold",
        parse_math=False,
    )


def footer(figure: Figure, lines: Sequence[str], theme: Theme) -> None:
    """Notes at the foot of the page, wrapped to its width."""
    letters = int((figure.get_figwidth() - 0.2) / (0.85 * NAME_WIDTH))
    lines = [part for line in lines for part in textwrap.wrap(line, letters)]
    figure.text(
        0.1 / figure.get_figwidth(),
        0.1 / figure.get_figheight(),
        "\n".join(lines),
        color=theme.faint,
        fontsize=FONT_SIZE - 1,
        va="bottom",
        parse_math=False,
    )


def short(text: str, length: int = NAME_LENGTH) -> str:
    """The text on one line, cut in the middle when long, without what cannot be printed."""
    name = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in one_line(text))
    if len(name) <= length:
        return name
    head = length // 2 - 1
    return f"{name[:head]}…{name[head + 1 - length :]}"


def end_labels(
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
            linewidth=1.4 if style.trained else 1.0,
            clip_on=False,
            zorder=1.5,
        )
        ax.text(
            1.0 + 0.2 / width,
            place,
            short(policy) + style.mark,
            transform=ax.transAxes,
            color=theme.ink,  # read more easily than in the line's colour, which leads to it
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


def sample_line(style: LineStyle, horizon_shown: str, theme: Theme) -> Line2D:
    """A line without points, as a policy that is shown this horizon has it: for legends."""
    hollow = horizon_shown == "one"
    return Line2D(
        [],
        [],
        color=style.colour(theme),
        linewidth=1.1 if hollow else style.width,
        linestyle=DASHES if hollow else "-",
        marker=style.marker,
        markersize=7 if style.trained and not hollow else 4.5,
        markerfacecolor=theme.background if hollow else style.colour(theme),
        markeredgecolor=style.colour(theme) if hollow else theme.background,
        markeredgewidth=0.8 if hollow else 0.6,
        clip_on=False,
    )


def legend(
    figure: Figure,
    players: Sequence[tuple[str, str]],
    styles: Mapping[str, LineStyle],
    theme: Theme,
) -> None:
    """A legend of (policy, horizon shown) at the foot of the page, above one line of notes."""
    drawn = figure.legend(
        [sample_line(styles[policy], horizon_shown, theme) for policy, horizon_shown in players],
        ["policy"] * len(players),  # named below: a legend leaves out names that begin with _
        loc="lower left",
        bbox_to_anchor=(0.05 / figure.get_figwidth(), 0.3 / figure.get_figheight()),
        frameon=False,
        fontsize=FONT_SIZE,
        handlelength=2.6,
        labelspacing=0.25,
        borderaxespad=0.0,
    )
    for text, (policy, horizon_shown) in zip(drawn.get_texts(), players, strict=True):
        text.set_parse_math(False)
        name = short(policy) + styles[policy].mark
        text.set_text(name + (f", told {SHOWN_ONE}" if horizon_shown == "one" else ""))
        text.set_color(theme.ink)


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
