"""Writes docs/results/adaptivity.md: the same measurements in fewer or more rounds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from ombo_agents.cli.arguments import report_errors
from ombo_gym.evaluation.grid import read_grid
from ombo_gym.evaluation.problem_scores import problem_scores
from ombo_gym.evaluation.tables import PROBLEM
from scripts.adaptivity_page import write_page
from scripts.played import played
from scripts.score_tables import short_name


@dataclass(frozen=True)
class Args:
    """Plays the campaigns that are not there yet, and writes the page."""

    grid: Path = Path("grids/adaptivity.yaml")
    """What is played."""
    out: Path = Path("docs/results")
    """Folder for adaptivity.md, adaptivity.csv and adaptivity.png."""
    runs: Path = Path("runs/adaptivity")
    """Folder where finished campaigns are kept."""
    jobs: int = 2
    """Processes."""
    resume: bool = False
    """Take what an earlier run into the same folder has finished."""
    command: str = "make adaptivity-table"
    """What the page says repeats it."""


def main(args: Args) -> None:
    """Writes the page."""
    plans = read_grid(args.grid)
    campaigns = played(plans, args.runs, jobs=args.jobs, resume=args.resume)
    scored = problem_scores(campaigns)
    scored["problem"] = [short_name(*names) for names in scored[PROBLEM].itertuples(index=False)]
    args.out.mkdir(parents=True, exist_ok=True)
    write_page(scored, args.out, args.command)
    print(f"page    {args.out / 'adaptivity.md'}\ntable   {args.out / 'adaptivity.csv'}")


if __name__ == "__main__":
    with report_errors():
        main(tyro.cli(Args))
