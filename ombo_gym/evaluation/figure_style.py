"""How policies look in figures: colours for a light and a dark page, markers, widths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ombo_gym.evaluation.formats import SEEN, SEEN_MEANS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Theme:
    """Colours of a picture: what it stands on, and those of trained and other policies."""

    background: str
    ink: str
    faint: str
    grid: str
    trained: tuple[str, ...]
    others: tuple[str, ...]


# Okabe and Ito's colours for the trained, Paul Tol's "muted" for the others (both distinguishable
# with colour-vision deficiencies), lightened or darkened until they stand off the background.
LIGHT = Theme(
    background="#ffffff",
    ink="#1f2328",
    faint="#636c76",
    grid="#e4e7eb",
    trained=("#d55e00", "#0072b2", "#009e73", "#b5398c"),
    others=(
        *("#332288", "#44aa99", "#999933", "#882255", "#4aa3d6"),
        *("#cc6677", "#117733", "#aa4499", "#bfa23a", "#777777"),
    ),
)
DARK = Theme(
    background="#161b22",
    ink="#e6edf3",
    faint="#9aa4af",
    grid="#2d333b",
    trained=("#ff8a3d", "#4db5f5", "#2fd3a5", "#f07fc3"),
    others=(
        *("#9a8cf0", "#44aa99", "#b5b34a", "#d66a93", "#88ccee"),
        *("#ee8899", "#5fbf6e", "#cc7fc0", "#ddcc77", "#aaaaaa"),
    ),
)
MARKERS = "osD^vPX<>p"


@dataclass(frozen=True)
class LineStyle:
    """How one policy is drawn, in every picture and theme."""

    index: int  # among the trained or among the others
    trained: bool
    seen: bool = False  # whether what is drawn is of problems that it has met in training

    @property
    def mark(self) -> str:
        """What stands behind the policy's name."""
        return f" ({SEEN})" if self.seen else ""

    @property
    def marker(self) -> str:
        """The matplotlib marker."""
        turns = self.index // len(LIGHT.trained if self.trained else LIGHT.others)
        return MARKERS[(self.index + turns) % len(MARKERS)]  # colours that come again: other ones

    @property
    def width(self) -> float:
        """Line width in points."""
        return 3.0 if self.trained else 1.3

    def colour(self, theme: Theme) -> str:
        """The line's colour on this theme's background."""
        colours = theme.trained if self.trained else theme.others
        return colours[self.index % len(colours)]


def is_trained(policy: str) -> bool:
    """Whether a `--policies` entry names a run's folder rather than a registered policy."""
    name = policy.partition(":")[0]
    return "/" in name or "\\" in policy


def policy_styles(policies: Iterable[str]) -> dict[str, LineStyle]:
    """One style per policy, in order of first appearance; pass it to all figures of a report."""
    styles: dict[str, LineStyle] = {}
    counts = {True: 0, False: 0}
    for policy in policies:
        if policy not in styles:
            trained = is_trained(policy)
            styles[policy] = LineStyle(counts[trained], trained)
            counts[trained] += 1
    return styles


def with_seen(
    styles: Mapping[str, LineStyle], rows: pd.DataFrame, column: str = "policy"
) -> dict[str, LineStyle]:
    """The styles with their mark where some row is of what the policy has met in training.

    Args:
        styles: By policy.
        rows: Of a table with `seen`; without that column nothing changes.
        column: Which names policies.
    """
    if "seen" not in rows.columns:
        return dict(styles)
    seen = set(rows.loc[rows["seen"].astype(bool), column])
    named = set(rows[column])
    return {
        name: replace(style, seen=name in seen) if name in named else style
        for name, style in styles.items()
    }


def seen_note(styles: Mapping[str, LineStyle]) -> list[str]:
    """What a picture's foot says of the mark; nothing where no name has it."""
    return [f"{SEEN}: {SEEN_MEANS}."] if any(style.seen for style in styles.values()) else []
