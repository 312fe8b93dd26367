"""Panels of finitely many candidates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.rendering.view import CampaignView

_MOST_BARS = 100  # of a pool; larger ones are sorted into a curve


def draw_pool(figure: Any, place: tuple[float, float, float, float], view: CampaignView) -> None:
    """Measured values at their candidates, before the true landscape.

    The index of a candidate among few may mean something, its index among many does not: they
    stand by their true value.
    """
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_axes(place)
    assert view.listing is not None
    size, known = len(view.listing), bool(view.landscape.size)
    order = np.arange(size)
    sorted_by_value = known and size > _MOST_BARS
    if sorted_by_value:
        order = view.landscape.argsort(kind="stable")
    position = np.empty(size, np.int64)
    position[order] = np.arange(size)
    if known:
        axes.fill_between(
            np.append(np.arange(size) - 0.5, size - 0.5),
            np.append(view.landscape[order], view.landscape[order[-1]]),
            view.limits[0],
            step="post",
            color="0.88",
            label="true value",
        )
    if view.posterior_means is not None:
        _draw_expected(axes, position, view.posterior_means)
    view.scatter(axes, position[view.designs[:, 0]], view.values)
    axes.set_xlim(-0.5, size - 0.5)
    axes.set_ylim(view.limits)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    axes.set_xlabel("candidates, the best last" if sorted_by_value else "candidate")
    axes.set_ylabel("value")
    if axes.get_legend_handles_labels()[1]:
        _legend(axes, 2)


def draw_arms(figure: Any, place: tuple[float, float, float, float], view: CampaignView) -> None:
    """What is known of each arm, and below it its successes and failures."""
    from matplotlib.ticker import MaxNLocator

    if view.posterior_means is None:  # noise on top: no successes to count
        draw_pool(figure, place, view)
        return
    left, bottom, width, height = place
    above = figure.add_axes((left, bottom + 0.42 * height, width, 0.58 * height))
    below = figure.add_axes((left, bottom, width, 0.34 * height), sharex=above)
    size = len(view.landscape)
    arms = np.arange(size)
    pulled, succeeded = view.designs[:, 0], view.values == 1
    successes = np.bincount(pulled[succeeded], minlength=size)  # (K,)
    pulls = np.bincount(pulled, minlength=size)
    newest = np.bincount(pulled[view.newest], minlength=size)

    above.bar(arms, view.landscape, width=0.8, color="0.88", label="true value")
    _draw_expected(above, arms, view.posterior_means)
    tried = pulls > 0
    shares = successes[tried] / pulls[tried]
    above.plot(
        arms[tried],
        shares,
        "o",
        markersize=max(2, min(6, 260 / size)),
        color="tab:purple",
        label="share of successes",
        clip_on=False,
    )
    above.set_ylim(0, 1)
    above.set_ylabel("probability")
    above.tick_params(labelbottom=False)
    _legend(above, 3)

    below.bar(arms, successes, width=0.8, color="tab:blue", label="successes")
    below.bar(
        arms,
        pulls - successes,
        bottom=successes,
        width=0.8,
        color="tab:orange",
        alpha=0.5,
        label="failures",
    )
    below.legend(loc="upper right", ncols=2, frameon=False, fontsize="x-small", borderaxespad=0)
    if size <= 12:
        for arm in arms:
            new = f", {newest[arm]} new" if newest[arm] else ""
            text = f"{successes[arm]} of {pulls[arm]}{new}"
            size_of = "small" if size <= 6 else "xx-small"
            below.text(arm, pulls[arm], text, ha="center", va="bottom", fontsize=size_of)
    below.set_xlim(-0.6, size - 0.4)
    below.set_ylim(0, 1.5 * max(4, pulls.max(initial=0)))
    for axis in (below.xaxis, below.yaxis):
        axis.set_major_locator(
            MaxNLocator(nbins=12 if axis is below.xaxis else 4, integer=True, min_n_ticks=1)
        )
    below.set_xlabel("arm")
    below.set_ylabel("pulls")


def _draw_expected(axes: Any, position: NDArray[np.int64], means: NDArray[np.float64]) -> None:
    """A mark at the posterior mean of each candidate."""
    mark = {"color": "tab:green", "marker": "_", "linestyle": "", "markeredgewidth": 2}
    axes.plot(position, means, markersize=max(3, min(20, 260 / len(means))), **mark)
    axes.plot([], [], markersize=9, label="expected value", **mark)


def _legend(axes: Any, columns: int) -> None:
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.03, 1),
        ncols=columns,
        frameon=False,
        fontsize="small",
        columnspacing=1,
        handletextpad=0.4,
        borderaxespad=0.1,
    )
