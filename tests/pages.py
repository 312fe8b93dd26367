"""The code and the commands on pages of Markdown, and a way to run them as a reader would."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests import commands

ROOT = Path(__file__).parents[1]
GENERATED = ("environments", "results", "api", "policies.md")  # made by commands, or without code
PAGES = [
    ROOT / "README.md",
    *sorted(
        path
        for path in (ROOT / "docs").rglob("*.md")
        if path.relative_to(ROOT / "docs").parts[0] not in GENERATED
    ),
]
_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
_GOES_ON = "<!-- goes on with the block before -->\n"
_NEEDS = re.compile(r"<!-- needs ([\w.]+) -->\n\Z")  # a module that not every reader has
_FILE = re.compile(r"In\s+`(\w+\.py)`:\s*\Z")  # what stands before a block that is a file
_COMMAND = re.compile(r"^    (ombo (?:.*\\\n)*.*)$", re.MULTILINE)

PLATES = """solvent,ligand,degrees,yield
DMF,XPhos,60,12.5
DMF,XPhos,60,14.0
DMF,SPhos,80,35.1
THF,XPhos,80,28.0
THF,SPhos,60,9.3
dioxane,SPhos,80,41.7
"""


@dataclass(frozen=True)
class Page:
    """What a page holds.

    Attributes:
        files: Code by file name, of blocks after "In `name.py`:".
        scripts: Blocks that are run; one that goes on with the block before it holds that, too.
        optional: The module that a block needs, which may be absent, and the block.
        commands: Words of each command `ombo ...`, without comments.
    """

    files: dict[str, str]
    scripts: list[str]
    optional: list[tuple[str, str]]
    commands: list[list[str]]


def read(path: Path) -> Page:
    """Takes a page apart."""
    text = path.read_text(encoding="utf-8")
    files: dict[str, str] = {}
    scripts: list[str] = []
    optional: list[tuple[str, str]] = []
    for match in _BLOCK.finditer(text):
        code = match["code"]
        if name := _FILE.search(text[: match.start()]):
            files[name[1]] = code
        elif needed := _NEEDS.search(text[: match.start()]):
            optional.append((needed[1], code))
        elif text[: match.start()].endswith(_GOES_ON):
            scripts[-1] += code
        else:
            scripts.append(code)
    lines = [found.replace("\\\n", " ") for found in _COMMAND.findall(text)]
    commands = [shlex.split(line, comments=True) for line in lines]
    return Page(files, scripts, optional, commands)


def write_files(page: Page, folder: Path) -> None:
    """Puts the files that a page defines, and a table that some ask for, into a folder."""
    (folder / "plates.csv").write_text(PLATES)
    for name, code in page.files.items():
        (folder / name).write_text(code)


def run(arguments: list[str], folder: Path) -> str:
    """Runs Python in a folder and returns what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": f"{commands.PATH}{os.pathsep}{folder}",
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
