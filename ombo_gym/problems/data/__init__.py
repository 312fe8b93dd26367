"""The packed tables behind the measured problems, and how to read them.

Each table is one compressed `.npz` beside this file, written by `python -m scripts.build_data` in
a checkout of the repository; NOTICE says where each comes from. Integers of 2 or 4 bytes are stored
byte by byte, which compresses a quarter better than as they are: `NAME.planes`, uint8 (4, *shape),
holds the bytes of `array - least`, the least significant first, and `NAME.least` is what to add, of
the array's own dtype. `load_table` puts them together again.
"""

from __future__ import annotations

import functools
import zipfile
import zlib
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]

TABLES = (
    "tf_binding",
    "reactions",
    "mpsa",
    "antibody",
    "materials",
    "hpobench",
    "nasbench201",
    "lcbench",
    "hpob",
    "optics",
    "molecules",
)
"""The names that `load_table` knows."""

DIRECTORY = Path(__file__).parent

REMEDY = "reinstall ombo-gym or, in a checkout of it, run `python -m scripts.build_data`"
"""What to do about a file that is not there or damaged."""


def load_table(name: str) -> dict[str, Array]:
    """Returns the arrays of a table, read once per process.

    What is in a table is told by the file of `scripts/build_data` that packs it, of the same name.

    Args:
        name: One of `TABLES`.

    Returns:
        Read-only arrays by name, in a dict of the caller's own.

    Raises:
        ValueError: If there is no such table, or its file is damaged.
        FileNotFoundError: If its file is not installed.

    Example:
        >>> table = load_table("tf_binding")
        >>> table["scores"].shape
        (41, 32896)
    """
    if name not in TABLES:
        raise ValueError(f"name: expected one of {', '.join(TABLES)}, got {name!r}")
    return dict(_read(table_file(name)))


def table_file(name: str) -> Path:
    """Where a table is."""
    return DIRECTORY / f"{name}.npz"


@functools.cache
def _read(path: Path) -> dict[str, Array]:
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: {REMEDY}")
    try:
        if not zipfile.is_zipfile(path):  # numpy would offer to unpickle it
            raise zipfile.BadZipFile("it is no archive of arrays")
        # Opened here because numpy leaves a file that it cannot read open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = _join_planes(dict(stored))
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): {REMEDY}") from error
    for array in arrays.values():
        array.setflags(write=False)
    return arrays


def _join_planes(stored: dict[str, Array]) -> dict[str, Array]:
    """Undoes the byte-by-byte storage that the module's docstring describes."""
    arrays = {}
    for key, array in stored.items():
        name, _, form = key.partition(".")
        if form == "planes":
            above = np.ascontiguousarray(np.moveaxis(array, 0, -1)).view("<u4")[..., 0]
            smallest = stored[f"{name}.least"]
            arrays[name] = above.astype(smallest.dtype) + smallest
        elif not form:
            arrays[name] = array
    return arrays
