"""Panel of categorical designs: sequences, recipes, bit strings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.rendering.view import CampaignView

_BEST, _LATEST = 6, 9  # rows of the two lists
_MOST_LETTERS = 32  # positions that have room for letters


def draw_sequences(
    figure: Any, place: tuple[float, float, float, float], view: CampaignView
) -> None:
    """The best designs so far and those of the last batch: a coloured letter a position."""
    left, bottom, width, height = place
    share = 0.68  # of the letters
    cells = figure.add_axes((left, bottom, share * width, height))
    bars = figure.add_axes(
        ((left + (share + 0.02) * width), bottom, (0.98 - share) * width, height)
    )
    now = view.rounds == view.round
    latest = _ranked(view, np.flatnonzero(now), _LATEST, distinct=False)
    best = _ranked(view, np.arange(len(view.values)), _BEST, distinct=True)
    name = f"batch of round {view.round}" if view.round else "the start"
    shown = f", best {len(latest)} of {now.sum()}" if len(latest) < now.sum() else ""
    _draw_rows(cells, bars, view, best, 0, "best measured")
    _draw_rows(cells, bars, view, latest, _BEST + 1.5, name + shown)
    cells.set_xlim(0, view.problem.design_space.shape[0])
    for axes in (cells, bars):
        axes.set_ylim(_BEST + _LATEST + 1.5, -1)
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
    cells.set_xticks([])
    bars.set_xlim(view.limits)
    bars.set_xlabel("measured value")


def _ranked(
    view: CampaignView, indices: NDArray[np.intp], most: int, *, distinct: bool
) -> list[int]:
    """The rows with the largest values, best first; of equal designs the best measured one."""
    found: dict[Any, int] = {}
    for row in indices[np.argsort(-view.values[indices], kind="stable")].tolist():
        found.setdefault(view.designs[row].tobytes() if distinct else row, row)
        if len(found) == most:
            break
    return list(found.values())


def _draw_rows(
    cells: Any, bars: Any, view: CampaignView, indices: list[int], top: float, heading: str
) -> None:
    space: Any = view.problem.design_space
    cells.text(0, top - 0.2, heading, fontsize="small", va="bottom")
    if not indices:
        return
    designs = view.designs[indices]  # (k, L)
    cells.imshow(
        _palette(int(space.categories.max()))[designs],
        extent=(0, space.length, top + len(indices), top),
        aspect="auto",
        interpolation="nearest",
    )
    middle = top + np.arange(len(indices)) + 0.5
    if space.length <= _MOST_LETTERS:
        for y, design in zip(middle, designs, strict=True):
            for x, category in enumerate(design):
                letter = space.letter(x, int(category))
                cells.text(x + 0.5, y, letter, ha="center", va="center", fontsize="small")
    cells.hlines(top + np.arange(len(indices) + 1), 0, space.length, color="w", linewidth=2)
    low = view.limits[0]
    values = view.values[indices]
    bars.barh(middle, values - low, 0.8, low, color=view.colours(view.rounds[indices]), alpha=0.4)
    for y, value in zip(middle, values, strict=True):
        bars.text(low, y, f" {value:.3g}", va="center", fontsize="small")


def _palette(categories: int) -> NDArray[np.float64]:
    """Pale colours, on which letters are read, (categories, 3)."""
    from matplotlib import colormaps

    if categories <= 10:
        colours = colormaps["tab10"](np.arange(categories))
    else:
        colours = colormaps["turbo"](np.linspace(0, 1, categories))
    pale: NDArray[np.float64] = 0.45 + 0.55 * colours[:, :3]
    return pale
