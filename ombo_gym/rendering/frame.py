"""A frame: what was measured by round, and beside it a panel for the kind of designs there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.arguments import shown
from ombo_gym.priors import BernoulliArms
from ombo_gym.rendering.boxes import draw_box
from ombo_gym.rendering.pools import draw_arms, draw_pool
from ombo_gym.rendering.sequences import draw_sequences
from ombo_gym.rendering.view import CampaignView

if TYPE_CHECKING:
    from ombo_gym.campaign import Campaigns


class RenderModes(list[str]):
    """Render modes that refuse what is no text.

    `gymnasium.make` looks a mode up here before it builds an environment, and has no words for a
    number.
    """

    @override
    def __contains__(self, mode: object) -> bool:
        if mode is not None and not isinstance(mode, str):
            raise ValueError(
                f"render_mode: expected None or one of {list(self)}, got {shown(mode)}"
            )
        return super().__contains__(mode)


RENDER_MODES = RenderModes(["rgb_array", "human"])
RENDER_FPS = 1  # a round is a lot to look at

# Where axes are is fixed: nothing jumps from frame to frame, and all frames are of one size (even
# numbers, as video encoders want them).
_SIZE = (9.6, 4.8)  # inches of 100 pixels
_LEFT = (0.08, 0.12, 0.38, 0.70)  # left, bottom, width, height of the axes, in shares
_RIGHT = (0.55, 0.12, 0.42, 0.74)
_WHOLE = (0.08, 0.12, 0.89, 0.70)  # without a panel
_LONG = 42  # characters that a line of the larger size has room for

Panel = Callable[[Any, tuple[float, float, float, float], CampaignView], None]

# By kind of design space; others have no panel. Arms of a bandit have one of their own.
PANELS: dict[str, Panel] = {"pool": draw_pool, "categorical": draw_sequences, "box": draw_box}


def check_render_mode(mode: str | None) -> str | None:
    """Returns the mode.

    Raises:
        ValueError: An unknown one; lists the known ones.
    """
    if mode is not None and mode not in RENDER_MODES:
        raise ValueError(
            f"render_mode: expected None or one of {list(RENDER_MODES)}, got {shown(mode)}"
        )
    return mode


def draw_campaign(campaigns: Campaigns, row: int) -> NDArray[np.uint8]:
    """Draws one campaign: values by round, and the designs in a panel of their kind.

    Returns:
        An RGB picture, (480, 960, 3) uint8.

    Raises:
        ResetNeeded: The campaign was never begun.
        ImportError: There is no matplotlib; names the extra.
    """
    if not campaigns.horizon[row]:
        raise ResetNeeded(f"campaign {row} is not begun: call reset() before render()")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('rendering needs matplotlib: pip install "ombo-gym[render]"') from error
    figure = Figure(figsize=_SIZE, dpi=100)
    canvas: Any = FigureCanvasAgg(figure)
    view = CampaignView.of(campaigns, row)
    panel = PANELS.get(view.problem.design_space.kind)
    if isinstance(view.problem.prior, BernoulliArms):
        panel = draw_arms
    _draw_history(figure.add_axes(_LEFT if panel else _WHOLE), view)
    if panel is not None:
        panel(figure, _RIGHT, view)
    figure.text(_LEFT[0], 0.94, _progress(view), fontsize="large", fontweight="bold")
    standing = _standing(view)
    size = "large" if len(standing) <= _LONG else "medium"
    figure.text(_RIGHT[0], 0.94, standing, fontsize=size)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _progress(view: CampaignView) -> str:
    left = view.horizon - view.round
    ending = f"{left} left" if left else "over"
    return f"{type(view.problem).__name__}: round {view.round} of {view.horizon}, {ending}"


def _standing(view: CampaignView) -> str:
    """The best true value, that of the start, and the optimum where it is known."""
    if not len(view.true_values):
        return "nothing measured yet"
    best = view.true_values.max()
    text = f"best {_number(best)}"
    if (start := view.true_values[view.rounds == 0]).size:
        text += f" (the start's {_number(start.max())})"
    if not np.isnan(view.optimum):
        text += f", optimum {_number(view.optimum)}"
    return text


def _number(value: float) -> str:
    """Three digits, or a whole number of up to six."""
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"


def _draw_history(axes: Any, view: CampaignView) -> None:
    """Measured values by round, and the best true value so far."""
    from matplotlib.ticker import MaxNLocator

    count, rounds = len(view.values), view.rounds
    # The designs of a round stand beside each other, in their order.
    first, size = np.searchsorted(rounds, rounds), np.bincount(rounds, minlength=1)[rounds]
    beside = (np.arange(count) - first + 0.5) / size - 0.5
    view.scatter(axes, rounds + 0.7 * beside, view.values)
    played = np.arange(view.round + 1)
    best = np.array([view.true_values[rounds <= r].max(initial=-np.inf) for r in played])
    best[np.isinf(best)] = np.nan
    edges = np.append(played - 0.5, played[-1] + 0.5)
    axes.stairs(best, edges, baseline=None, color="0.2", label="best true value")
    if not np.isnan(view.optimum):
        axes.axhline(view.optimum, color="0.5", linestyle=":", label="optimum")
    axes.scatter([], [], s=36, c="0.6", edgecolors="w", label="measured")
    axes.scatter([], [], s=36, c="0.6", edgecolors="k", linewidths=1.2, label="last batch")
    axes.set_xlim(-0.5, view.horizon + 0.5)
    axes.set_ylim(view.limits)
    if max(map(abs, view.limits)) >= 1e6:  # a power of ten on top would be where the legend is
        axes.yaxis.set_major_formatter("{x:.2g}")
        axes.tick_params(axis="y", labelsize="small")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=11, integer=True))
    axes.set_xlabel("round (0: the start)")
    axes.set_ylabel("value")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.03, 1),
        ncols=4,
        frameon=False,
        fontsize="small",
        columnspacing=1,
        handletextpad=0.4,
    )
