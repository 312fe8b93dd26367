"""Every picture of the page as a file of its own, PNG and SVG."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
from ombo_gym.evaluation.output import remove_other_pictures
from ombo_gym.evaluation.progress import tracked
from ombo_gym.evaluation.report.results import Results
from ombo_gym.files import write_atomically


def write_pictures(folder: Path, results: Results) -> None:
    """Writes `horizons.png` and `figures/*.png`, `figures/*.svg`; removes an earlier run's."""
    curves = horizon_curves(results.summary, styles=results.styles)
    write_atomically(folder / "horizons.png", png(curves))
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    written = []
    for name, title, figure in tracked(_pictures(results), "pictures"):
        write_atomically(figures / f"{name}.png", png(figure))
        write_atomically(figures / f"{name}.svg", svg(figure, title=title))
        written += [f"{name}.png", f"{name}.svg"]
    remove_other_pictures(figures, written)


def _pictures(results: Results) -> Iterator[tuple[str, str, Figure]]:
    """Names of files, titles and figures."""
    styles = results.styles
    planning = results.planning()
    for problem in results.problems():
        name, what = file_name(problem.number, problem.name), problem.name
        figure = horizon_curves(problem.rows, styles=styles)
        yield f"curves-{name}", f"Mean utility over the horizon, {what}", figure
        planned = problem.of(planning)
        if not planned.empty and planned["horizon"].max() > 1:
            figure = planning_curves(planned, styles=styles)
            yield f"planning-{name}", f"Value of planning, {what}", figure
    if not results.leaderboard.empty:
        figure = leaderboard_scores(results.leaderboard)
        yield "leaderboard", "Scores over all problems", figure
    if not results.profiles.empty:
        figure = performance_profiles(results.profiles, styles=styles)
        yield "profiles", "Share of campaigns above a score", figure
    if not results.exploration.empty:
        figure = exploration_schedule(results.exploration, styles=styles)
        yield "exploration", "Exploration weights, round by round", figure


def file_name(number: int, text: str) -> str:
    """A name for a file from any text: a number, then letters, digits and hyphens only."""
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return f"{number:02d}-{words[:60]}".rstrip("-")
