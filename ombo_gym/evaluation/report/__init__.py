"""The report: pictures and one self-contained page from the tables of an evaluation.

`write_report` reads the folder that an evaluation has written and adds `horizons.png`, `figures/`
and `report.html`, a page that asks nothing from outside and opens from a file. A section of the
page is one function from the `Results` to HTML; a new section is a new function in
`page.SECTIONS`. Everything that comes from outside is escaped.
"""

from __future__ import annotations

from pathlib import Path

from ombo_gym.evaluation.report.page import render
from ombo_gym.evaluation.report.pictures import write_pictures
from ombo_gym.evaluation.report.results import Results, read_results
from ombo_gym.files import write_atomically

__all__ = ["Results", "read_results", "render", "write_report"]


def write_report(folder: str | Path) -> Path:
    """Draws the pictures and writes the page for a finished evaluation.

    Args:
        folder: Holds `summary.csv`, `paired.csv` and `config.json`; what else an evaluation leaves
            (`ranks.csv`, `leaderboard.csv`, `profiles.csv`, `improvement.csv`,
            `training_seeds.csv`, `exploration.csv`, `errors.csv`, `replays.json`) is shown where it
            is there.

    Returns:
        The path of `report.html`; `horizons.png` and `figures/` lie beside it.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: `summary.csv` has no rows.
    """
    folder = Path(folder)
    results = read_results(folder)
    write_pictures(folder, results)
    file = folder / "report.html"
    write_atomically(file, render(results).encode("utf-8", "replace"))
    return file
