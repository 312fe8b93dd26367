"""What a study is: campaigns to play, and the page that they make in docs/results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import pandas as pd
from tqdm import tqdm

Writer = Callable[[Path], object]  # writes one file


@dataclass(frozen=True)
class Args:
    """What all studies take."""

    out: Path = Path("docs/results")
    """Folder of the page, of its tables and of its pictures."""
    runs: Path = Path("runs")
    """In its folder of the study's name finished campaigns are kept, and trained policies, which
    are not trained again where they are there."""
    jobs: int = 2
    """Processes."""
    resume: bool = False
    """Take what an earlier run into the same folder has finished; whatever the code that made it
    has changed since is played again."""
    command: str = ""
    """What the page says repeats it; empty: `make study NAME=...`."""


@dataclass(frozen=True)
class Page:
    """A page and what it stands on.

    Attributes:
        text: In Markdown, for `NAME.md`.
        files: Tables and pictures: what writes each of them.
    """

    text: str
    files: Mapping[Path, Writer]


A = TypeVar("A", bound=Args)
T = TypeVar("T")


@dataclass(frozen=True)
class Study(Generic[A, T]):
    """A study: `python -m scripts.studies NAME`.

    Attributes:
        name: Of its folder in scripts/studies, of its page and of its folder in `runs`.
        arguments: What it takes on the command line.
        plan: Plays, solves or trains what is not there yet, and returns what was found.
        page: What that says.
    """

    name: str
    arguments: type[A]
    plan: Callable[[A], T]
    page: Callable[[T, A], Page]

    def run(self, args: A) -> None:
        """Plays what is not there yet, and writes the page with its tables and pictures."""
        command = args.command or f"make study NAME={self.name}"
        args = replace(args, runs=args.runs / self.name, command=command)
        page = self.page(self.plan(args), args)
        files = {args.out / f"{self.name}.md": text(page.text), **page.files}
        for file, write in tqdm(files.items(), unit="file", desc="writing", disable=None):
            file.parent.mkdir(parents=True, exist_ok=True)
            write(file)
        print("\n".join(f"wrote {file}" for file in files))


def text(content: str) -> Writer:
    """What writes a text."""
    return partial(_write_text, content)


def csv(table: pd.DataFrame, *, digits: int | None = 6) -> Writer:
    """What writes a table as CSV, with so many significant digits; None: all of them."""
    return partial(_write_csv, table, None if digits is None else f"%.{digits}g")


def _write_csv(table: pd.DataFrame, float_format: str | None, file: Path) -> None:
    table.to_csv(file, index=False, float_format=float_format)


def _write_text(content: str, file: Path) -> None:
    file.write_text(content)
