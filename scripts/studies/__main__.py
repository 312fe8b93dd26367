"""Makes a result page: `python -m scripts.studies planning --jobs 2 --resume`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import tyro

from ombo_agents.cli.arguments import report_errors
from scripts.studies.study import Study


def names() -> list[str]:
    """All studies: every folder here that holds a plan and a page."""
    return sorted(file.parent.name for file in Path(__file__).parent.glob("*/plan.py"))


def study(name: str) -> Study[Any, Any]:
    """A study by its name."""
    found: Study[Any, Any] = import_module(f"scripts.studies.{name}").STUDY
    return found


def main() -> None:
    """Reads the command line and makes the page."""
    studies = {name: study(name) for name in names()}
    chosen = {each.arguments: each for each in studies.values()}
    args = tyro.extras.subcommand_cli_from_dict(
        {name: each.arguments for name, each in studies.items()},
        prog="python -m scripts.studies",
        description=__doc__,
    )
    chosen[type(args)].run(args)


if __name__ == "__main__":
    with report_errors():
        main()
