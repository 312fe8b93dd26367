"""Pictures of campaigns, drawn by matplotlib (extra `render`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import BoxDesigns, CategoricalDesigns

if TYPE_CHECKING:
    from ombo_gym.campaign import Campaigns

RENDER_MODES = ("rgb_array", "human")
_GRID = 64  # pixels a side of a landscape


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
    """
    space = campaigns.problem.design_space
    landscape = isinstance(space, BoxDesigns) and space.dim <= 2
    figure, canvas = _figure((9.6, 4.8) if landscape else (6.4, 4.8))
    axes = figure.subplots(1, 2 if landscape else 1, squeeze=False)[0]
    _draw_history(axes[0], campaigns, row)
    if landscape:
        _draw_landscape(axes[1], campaigns, row)
    left = int(campaigns.horizon[row] - campaigns.round[row])
    figure.suptitle(f"round {campaigns.round[row]} of {campaigns.horizon[row]}, {left} left")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw_history(axes: Any, campaigns: Campaigns, row: int) -> None:
    """Measured values by round, and the best true value so far."""
    count = campaigns.count[row]
    rounds, values = campaigns.rounds[row, :count], campaigns.values[row, :count]
    axes.scatter(rounds, values, c=rounds, cmap="viridis", vmin=0, vmax=campaigns.horizon[row])
    true_values = campaigns.true_values[row, :count]
    played = np.arange(campaigns.round[row] + 1)
    best = [true_values[rounds <= r].max(initial=-np.inf) for r in played]
    axes.step(
        played, np.where(np.isinf(best), np.nan, best), "k-", where="post", label="best so far"
    )
    axes.set_xlim(-0.5, campaigns.horizon[row] + 0.5)
    axes.set_xticks(np.arange(campaigns.horizon[row] + 1))
    axes.set_xlabel("round (0: the start)")
    axes.set_ylabel("measured value")
    axes.legend(loc="lower right")
    space = campaigns.problem.design_space
    if isinstance(space, CategoricalDesigns) and count:
        at = int(values.argmax())
        axes.set_title(
            f"best measured: {space.text(campaigns.designs[row, at])}", family="monospace"
        )


def _draw_landscape(axes: Any, campaigns: Campaigns, row: int) -> None:
    """The objective behind the designs, coloured by round."""
    count, dim = campaigns.count[row], campaigns.problem.design_space.shape[0]
    designs, rounds = campaigns.designs[row, :count], campaigns.rounds[row, :count]
    side = np.linspace(-1, 1, _GRID if dim == 2 else 4 * _GRID, dtype=np.float32)
    grid = np.stack(np.meshgrid(*[side] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    instance = {name: array[row : row + 1] for name, array in campaigns.instances.items()}
    values, _ = campaigns.problem.true_values(instance, grid[None])
    colours = {"c": rounds, "cmap": "viridis", "vmin": 0, "vmax": campaigns.horizon[row]}
    if dim == 1:
        axes.plot(side, values[0], color="0.6", zorder=0)
        axes.scatter(designs[:, 0], campaigns.values[row, :count], edgecolors="k", **colours)
    else:
        shown = values[0].reshape(_GRID, _GRID).T
        axes.imshow(shown, extent=(-1, 1, -1, 1), origin="lower", cmap="Greys")
        axes.scatter(designs[:, 0], designs[:, 1], edgecolors="k", **colours)
        axes.set_ylabel("second coordinate")
    axes.set_xlabel("first coordinate")
    axes.set_title("designs by round (dark first), landscape behind")


class Window:
    """Shows frames in a matplotlib window; where a backend has no windows, nothing is seen."""

    def __init__(self) -> None:
        import matplotlib.pyplot as plt

        self._plt = plt
        self._figure, axes = plt.subplots(num="ombo_gym campaign", figsize=(9.6, 4.8))
        axes.set_axis_off()
        self._axes = axes
        self._image: Any = None

    def show(self, frame: NDArray[np.uint8]) -> None:
        """Replaces the picture."""
        if self._image is None:
            self._image = self._axes.imshow(frame)
        self._image.set_data(frame)
        self._figure.canvas.draw_idle()
        self._figure.canvas.flush_events()
        if self._plt.isinteractive():
            self._plt.pause(0.001)

    def close(self) -> None:
        """Closes the window."""
        self._plt.close(self._figure)
