"""Writes golden values down, for `test_golden_values.py`.

`python -m tests.golden.record` records those that are missing; with names, `fit` or `Gait`, all of
a problem, a simulator or a recipe anew, and `--all` everything. Whatever was recorded and is not
named stays as it is, so that nothing moves unseen. Do so where a value has changed on purpose, and
say in the change log what and why.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.golden.problems import PROBLEMS, first_campaign
from tests.golden.surrogates import believed, cases

FILE = Path(__file__).with_name("values.json")


def read() -> dict[str, dict[str, Any]]:
    """All values that are recorded: of `problems` and of `surrogates`, by name."""
    if not FILE.exists():
        return {"problems": {}, "surrogates": {}}
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text())
    return found


def surrogate_name(space: str, recipe: str, truncated: bool) -> str:
    """What a belief is called."""
    return f"{recipe}, {space}{', truncated start' if truncated else ''}"


def versions(*libraries: str) -> dict[str, str]:
    """Of numpy and of the libraries."""
    return {name: version(name) for name in ("numpy", *libraries)}


def record(names: set[str], everything: bool) -> list[str]:
    """Records what is missing or named; returns what it was.

    Raises:
        ValueError: A name that nothing has.
    """
    before = read()
    kept: dict[str, dict[str, Any]] = {"problems": {}, "surrogates": {}}
    recorded: list[str] = []
    known: set[str] = set()

    def wanted(kind: str, name: str, *groups: str) -> bool:
        known.update((name, *groups))
        again = everything or bool(names & {name, *groups})
        if not again and name in before[kind]:
            kept[kind][name] = before[kind][name]
            return False
        recorded.append(name)
        return True

    with tempfile.TemporaryDirectory() as folder:
        for name, case in PROBLEMS.items():
            if wanted("problems", name, case.name, *case.libraries):
                values = first_campaign(case, Path(folder))
                kept["problems"][name] = {**values, "versions": versions(*case.libraries)}
    for space, recipe, truncated in cases():
        name = surrogate_name(space, recipe, truncated)
        if wanted("surrogates", name, recipe):
            values = believed(space, recipe, truncated)
            kept["surrogates"][name] = {**values, "versions": versions()}
    if unknown := sorted(names - known):
        raise ValueError(f"expected names among {sorted(known)}, got {unknown}")
    FILE.write_text(_a_line_each(kept))
    return recorded


def _a_line_each(values: dict[str, dict[str, Any]]) -> str:
    """JSON in which each case is a line, so that differences can be read."""
    parts = []
    for kind, each in values.items():
        lines = ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(case)}" for name, case in each.items()
        )
        parts.append(f" {json.dumps(kind)}: {{\n{lines}\n }}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--all", action="store_true")
    given = parser.parse_args()
    print("\n".join(record(set(given.names), given.all)))


if __name__ == "__main__":
    main()
