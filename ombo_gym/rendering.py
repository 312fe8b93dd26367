"""Pictures of campaigns, drawn by matplotlib (extra `render`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns

if TYPE_CHECKING:
    from ombo_gym.campaign import Campaigns

RENDER_MODES = ("rgb_array", "human")
_GRID = 64  # pixels a side of a landscape
_TICKS = (-1, -0.5, 0, 0.5, 1)


def check_render_mode(mode: str | None) -> str | None:
    """Returns the mode.

    Raises:
        ValueError: An unknown one; lists the known ones.
    """
    if mode is not None and mode not in RENDER_MODES:
        raise ValueError(f"render_mode: expected None or one of {list(RENDER_MODES)}, got {mode!r}")
    return mode


def _figure(size: tuple[float, float]) -> tuple[Any, Any]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('rendering needs matplotlib: pip install "ombo-gym[render]"') from error
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    return figure, FigureCanvasAgg(figure)


def draw_campaign(campaigns: Campaigns, row: int) -> NDArray[np.uint8]:
    """Draws one campaign: value against round, and in up to two dimensions the landscape.

    Returns:
        An RGB picture, (height, width, 3) uint8.

    Raises:
        ResetNeeded: The campaign was never begun.
    """
    if not campaigns.horizon[row]:
        raise ResetNeeded(f"campaign {row} is not begun: call reset() before render()")
    space = campaigns.problem.design_space
    landscape = isinstance(space, BoxDesigns) and space.dim <= 2
    figure, canvas = _figure((9.6, 4.8) if landscape else (6.4, 4.8))
    axes = figure.subplots(1, 2 if landscape else 1, squeeze=False)[0]
    _draw_history(axes[0], campaigns, row)
    if landscape:
        _draw_landscape(axes[1], campaigns, row)
    figure.suptitle(_title(campaigns, row))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _title(campaigns: Campaigns, row: int) -> str:
    """How far the campaign is and, where designs are strings or numbers, the best one."""
    horizon, played = int(campaigns.horizon[row]), int(campaigns.round[row])
    title = f"round {played} of {horizon}, {horizon - played} left"
    space, count = campaigns.problem.design_space, campaigns.count[row]
    if isinstance(space, CategoricalDesigns) and count:
        best = campaigns.designs[row, campaigns.values[row, :count].argmax()]
        title += f"; best measured: {space.text(best)}"
    return title


def _round_colours(campaigns: Campaigns, row: int) -> dict[str, Any]:
    """Colours of the designs, from dark for the start to bright for the last round."""
    rounds = campaigns.rounds[row, : campaigns.count[row]]
    return {"c": rounds, "cmap": "plasma", "vmin": 0, "vmax": campaigns.horizon[row]}


def _draw_history(axes: Any, campaigns: Campaigns, row: int) -> None:
    """Measured values by round, and the best true value so far."""
    from matplotlib.ticker import MaxNLocator

    count, horizon = campaigns.count[row], campaigns.horizon[row]
    rounds, values = campaigns.rounds[row, :count], campaigns.values[row, :count]
    # The designs of a round stand beside each other, in their order.
    first, size = np.searchsorted(rounds, rounds), np.bincount(rounds, minlength=1)[rounds]
    beside = (np.arange(count) - first + 0.5) / size - 0.5
    colours = _round_colours(campaigns, row)
    axes.scatter(rounds + 0.5 * beside, values, s=20, label="measured", zorder=2, **colours)
    true_values = campaigns.true_values[row, :count]
    played = np.arange(campaigns.round[row] + 1)
    best = np.array([true_values[rounds <= r].max(initial=-np.inf) for r in played])
    best[np.isinf(best)] = np.nan
    edges = np.append(played - 0.5, played[-1] + 0.5)
    axes.stairs(best, edges, baseline=None, color="0.2", label="best true value")
    if not np.isnan(campaigns.optimum[row]):
        axes.axhline(campaigns.optimum[row], color="0.5", linestyle=":", label="optimum")
    axes.set_xlim(-0.5, horizon + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=11, integer=True))
    axes.set_xlabel("round (0: the start)")
    axes.set_ylabel("value")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, borderaxespad=0)


def _draw_landscape(axes: Any, campaigns: Campaigns, row: int) -> None:
    """The objective behind the designs, coloured by round."""
    count, dim = campaigns.count[row], campaigns.problem.design_space.shape[0]
    designs = campaigns.designs[row, :count]
    side = np.linspace(-1, 1, _GRID if dim == 2 else 4 * _GRID, dtype=np.float32)
    grid = np.stack(np.meshgrid(*[side] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    instance = {name: array[row : row + 1] for name, array in campaigns.instances.items()}
    values, _ = campaigns.problem.true_values(instance, grid[None])
    dots = {**_round_colours(campaigns, row), "edgecolors": "w", "s": 40, "clip_on": False}
    if dim == 1:
        axes.plot(side, values[0], color="0.6", zorder=0)
        axes.scatter(designs[:, 0], campaigns.values[row, :count], **dots)
        axes.set_ylabel("value")
    else:
        shown = values[0].reshape(_GRID, _GRID).T
        behind = {"extent": (-1, 1, -1, 1), "origin": "lower", "interpolation": "bilinear"}
        image = axes.imshow(shown, cmap="Greys_r", **behind)
        axes.figure.colorbar(image, ax=axes, label="true value", shrink=0.8)
        axes.scatter(designs[:, 0], designs[:, 1], zorder=2, **dots)
        axes.set_yticks(_TICKS)
        axes.set_ylabel("second coordinate")
    axes.set_xticks(_TICKS)
    axes.set_xlabel("first coordinate")
    axes.set_title("designs, dark first", fontsize="medium")


class Window:
    """Shows frames in a matplotlib window; with a backend that has none, it shows nothing."""

    def __init__(self) -> None:
        import matplotlib.pyplot as plt

        self._plt = plt
        self._figure = plt.figure(figsize=(9.6, 4.8))
        self._axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._image: Any = None

    def show(self, frame: NDArray[np.uint8]) -> None:
        """Replaces the picture."""
        canvas = self._figure.canvas
        opens = self._image is None
        if opens:
            self._image = self._axes.imshow(frame)
        self._image.set_data(frame)
        canvas.draw_idle()
        if canvas.required_interactive_framework is None:
            return
        if opens:
            self._figure.show()
        if self._plt.fignum_exists(self._figure.number):  # until the user closes it
            canvas.flush_events()

    def close(self) -> None:
        """Closes the window."""
        self._plt.close(self._figure)
