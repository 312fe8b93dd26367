"""Panels of continuous designs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ombo_gym.rendering.view import SIDE, CampaignView

_TICKS = (-1, -0.5, 0, 0.5, 1)


def draw_box(figure: Any, place: tuple[float, float, float, float], view: CampaignView) -> None:
    """The landscape with the designs in it or, in more dimensions, a line for every design."""
    axes = figure.add_axes(place)
    dim = view.problem.design_space.shape[0]
    if dim == 1:
        _draw_line(axes, view)
    elif dim == 2:
        _draw_square(axes, view)
    else:
        _draw_coordinates(axes, view)


def _draw_line(axes: Any, view: CampaignView) -> None:
    if view.landscape.size:
        assert view.listing is not None
        axes.plot(view.listing[:, 0], view.landscape, color="0.6", zorder=0)
    view.scatter(axes, view.designs[:, 0], view.values)
    axes.set_ylim(view.limits)
    axes.set_ylabel("value")
    axes.set_xticks(_TICKS)
    axes.set_xlabel("coordinate")
    if not view.landscape.size:
        axes.set_xlim(-1.04, 1.04)
    shown = "measured designs" + " and the objective" * bool(view.landscape.size)
    axes.set_title(shown, fontsize="small")


def _draw_square(axes: Any, view: CampaignView) -> None:
    title = "designs, dark ones first"
    if view.landscape.size:
        shown = view.landscape.reshape(SIDE, SIDE).T
        behind = {"extent": (-1, 1, -1, 1), "origin": "lower", "interpolation": "bilinear"}
        image = axes.imshow(shown, cmap="Greys_r", **behind)
        axes.figure.colorbar(image, ax=axes, label="true value")
        assert view.listing is not None
        best = view.listing[view.landscape.argmax()]
        axes.plot(*best, "x", color="k", markersize=8, clip_on=False)
        title += "; cross: best there is"
    else:
        axes.set(xlim=(-1.04, 1.04), ylim=(-1.04, 1.04), aspect="equal")
    view.scatter(axes, view.designs[:, 0], view.designs[:, 1], 50)
    axes.set_xticks(_TICKS)
    axes.set_yticks(_TICKS)
    axes.set_xlabel("first coordinate")
    axes.set_ylabel("second coordinate")
    axes.set_title(title, fontsize="small")


def _draw_coordinates(axes: Any, view: CampaignView) -> None:
    """Parallel coordinates: the start faint, late rounds bright, the best design black."""
    from matplotlib.collections import LineCollection
    from matplotlib.ticker import MaxNLocator

    count, dim = len(view.designs), view.designs.shape[-1]
    coordinates = np.arange(1, dim + 1)
    indices = view.drawn
    lines = np.stack(
        [
            np.broadcast_to(coordinates, (len(indices), dim)),
            view.designs[indices].reshape(len(indices), dim),
        ],
        axis=-1,
    )  # (k, d, 2)
    colours = view.colours(view.rounds[indices])
    colours[:, 3] = np.where(
        view.newest[indices], 0.9, np.where(view.rounds[indices] > 0, 0.4, 0.15)
    )
    widths = np.where(view.newest[indices], 1.8, 1.0)
    axes.add_collection(LineCollection(list(lines), colors=colours, linewidths=widths))
    if count:
        best = view.designs[view.values.argmax()]
        axes.plot(coordinates, best, color="k", linewidth=2, marker="o", markersize=4, zorder=3)
    axes.set_xlim(0.7, dim + 0.3)
    axes.set_ylim(-1.04, 1.04)
    axes.set_yticks(_TICKS)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=11, integer=True))
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    axes.set_xlabel("coordinate")
    axes.set_title(
        "a line for each design, dark ones first; black: best measured", fontsize="small"
    )
