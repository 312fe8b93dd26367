"""Every picture of the page as a file of its own, PNG and SVG."""

from __future__ import annotations

import re
from pathlib import Path

from matplotlib.figure import Figure

from ombo_gym.evaluation.figures import (
    exploration_schedule,
    horizon_curves,
    leaderboard_scores,
    performance_profiles,
    planning_curves,
    png,
    svg,
)
from ombo_gym.evaluation.report.results import Results


def write_pictures(folder: Path, results: Results) -> None:
    """Writes `horizons.png` and `figures/*.png`, `figures/*.svg`; removes an earlier run's."""
    (folder / "horizons.png").write_bytes(
        png(horizon_curves(results.summary, styles=results.styles))
    )
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    for earlier in [*figures.glob("*.png"), *figures.glob("*.svg")]:
        earlier.unlink()
    for name, title, figure in _pictures(results):
        (figures / f"{name}.png").write_bytes(png(figure))
        text = svg(figure, title=title)
        (figures / f"{name}.svg").write_text(text, encoding="utf-8")


def _pictures(results: Results) -> list[tuple[str, str, Figure]]:
    """Names of files, titles and figures."""
    styles = results.styles
    found = []
    planning = results.planning()
    for problem in results.problems():
        name, what = file_name(problem.number, problem.name), problem.name
        figure = horizon_curves(problem.rows, styles=styles)
        found.append((f"curves-{name}", f"Mean utility over the horizon, {what}", figure))
        own = problem.of(planning)
        if not own.empty and own["horizon"].max() > 1:
            figure = planning_curves(own, styles=styles)
            found.append((f"planning-{name}", f"Value of planning, {what}", figure))
    if not results.leaderboard.empty:
        figure = leaderboard_scores(results.leaderboard, styles=styles)
        found.append(("leaderboard", "Scores over all settings", figure))
    if not results.profiles.empty:
        figure = performance_profiles(results.profiles, styles=styles)
        found.append(("profiles", "Share of campaigns above a score", figure))
    if not results.exploration.empty:
        figure = exploration_schedule(results.exploration, styles=styles)
        found.append(("exploration", "Exploration weights, round by round", figure))
    return found


def file_name(number: int, text: str) -> str:
    """A name for a file from any text: a number, then letters, digits and hyphens only."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return f"{number:02d}-{words[:60]}".rstrip("-")
