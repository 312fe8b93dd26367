"""Finished cells on disk: one file each, so that runs can be stopped, resumed and mixed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ombo_gym.evaluation.cells import COLUMNS, Cell, Played, check_played
from ombo_gym.files import write_atomically

T = TypeVar("T")
_LEFT_OVER = 3600.0  # seconds after which a half-written file is nobody's
_LARGEST = 2**28  # bytes of a file
_FIELDS = {"key", "checksum", "columns", "instances", "weights", "replays", "seconds"}
_VALUE_FIELDS = {"key", "checksum", "values"}


class Store:
    """A folder of finished cells, one file each, by the hash of what was played.

    Files appear whole or not at all. Each holds the key of its cell and a checksum, so that what is
    read is what was written for that very cell; everything else is as if it were not there. So any
    number of runs may share a folder, and one that dies leaves what it had finished.

    Attributes:
        refused: Why files were not taken, by their names.

    Args:
        folder: Made when the first cell is written.

    Raises:
        ValueError: The folder is a symbolic link, or no folder.
    """

    def __init__(self, folder: Path) -> None:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise ValueError(
                f"{folder}: expected a folder for finished cells, got "
                f"{'a symbolic link' if folder.is_symlink() else 'a file'}; move it away"
            )
        self._folder = folder
        self.refused: dict[str, str] = {}

    def read(self, cell: Cell) -> Played | None:
        """A finished cell; None where there is none, or what is there is not to be trusted."""
        return self._read(cell.key, lambda kept: _played(kept, cell))

    def write(self, cell: Cell, played: Played) -> None:
        """Keeps a finished cell; not where a folder has its name."""
        kept = {
            "key": cell.key,
            "columns": {
                name: None if np.isnan(column).all() else column.tolist()
                for name, column in played.columns.items()
            },
            "instances": played.instances.tolist(),
            "weights": played.weights.tolist(),
            "replays": played.replays,
            "seconds": played.seconds,
        }
        self._write(kept)

    def read_values(self, key: str, count: int) -> NDArray[np.float64] | None:
        """Numbers that were kept under a key, (count,); None as in `read`."""
        return self._read(key, lambda kept: _values(kept, key, count))

    def write_values(self, key: str, values: NDArray[np.float64]) -> None:
        """Keeps finite numbers, NaN where there is none."""
        numbers = [None if np.isnan(value) else value for value in values.tolist()]
        self._write({"key": key, "values": numbers})

    def sweep(self) -> None:
        """Removes what killed runs, of this version or an earlier one, were writing."""
        for file in self._folder.glob("*.tmp"):
            with contextlib.suppress(OSError):  # another run was faster, or it is a folder
                if time.time() - file.stat().st_mtime > _LEFT_OVER:
                    file.unlink()

    def _read(self, key: str, parse: Callable[[Any], T]) -> T | None:
        file = self._folder / f"{key}.json"
        try:
            return parse(_contents(file)) if file.exists() else None
        except RecursionError:
            self.refused[file.name] = "it is nested too deeply"
        except (OSError, ValueError, ArithmeticError, MemoryError) as error:
            self.refused[file.name] = " ".join(str(error).split())[:200]
        return None

    def _write(self, kept: dict[str, Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{kept['key']}.json"
        if file.is_dir():
            self.refused[file.name] = "it is a folder"
            return
        write_atomically(file, json.dumps({**kept, "checksum": _checksum(kept)}, allow_nan=False))


def _contents(file: Path) -> Any:
    """What a file holds.

    Raises:
        ValueError: It is no file, or not JSON of finite numbers.
        OSError: It cannot be read.
    """
    if not file.is_file():  # nothing is waited for at the end of a pipe
        raise ValueError("it is no file")
    if (size := file.stat().st_size) > _LARGEST:
        raise ValueError(f"it has {size} bytes")
    return json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse)


def _refuse(word: str) -> float:
    raise ValueError(f"expected finite numbers, got {word}")


def _checksum(kept: dict[str, Any]) -> str:
    text = json.dumps(kept, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _played(kept: Any, cell: Cell) -> Played:
    """The cell that a file's contents are.

    Raises:
        ValueError: They are not what was written for this cell.
    """
    _check_kept(kept, _FIELDS, cell.key)
    columns, absent = kept["columns"], [None] * cell.campaigns
    if not isinstance(columns, dict) or set(columns) != set(COLUMNS):
        raise ValueError(f"expected the columns {list(COLUMNS)}")
    lists = {name: absent if column is None else column for name, column in columns.items()}
    for name, column in lists.items():
        _check_numbers(name, column, (int, float, type(None)), cell.campaigns)
    _check_numbers("instances", kept["instances"], (int,), cell.campaigns)
    rows = kept["weights"]
    if not isinstance(rows, list) or len(rows) not in (0, cell.horizon):
        raise ValueError(f"weights: expected {cell.horizon} rows or none")
    for row in rows:
        _check_numbers("weights", row, (int,), 3)
    played = Played(
        {name: np.array(column, float) for name, column in lists.items()},
        np.array(kept["instances"], np.int64),
        np.array(rows, np.int64).reshape(-1, 3),
        kept["replays"],
        _seconds(kept["seconds"]),
    )
    check_played(cell, played)
    return played


def _seconds(given: Any) -> float:
    if type(given) is not float or not 0 <= given < 1e9:
        raise ValueError(f"seconds: expected a number, got {str(given)[:50]!r}")
    return given


def _values(kept: Any, key: str, count: int) -> NDArray[np.float64]:
    """(count,) numbers.

    Raises:
        ValueError: They are not what was written under this key.
    """
    _check_kept(kept, _VALUE_FIELDS, key)
    _check_numbers("values", kept["values"], (int, float, type(None)), count)
    return np.array(kept["values"], float)


def _check_kept(kept: Any, names: set[str], key: str) -> None:
    """Raises a ValueError where a file does not hold these fields of that key; takes a field."""
    if not isinstance(kept, dict) or set(kept) != names:
        raise ValueError(f"expected the fields {sorted(names)}")
    if kept["key"] != key:
        raise ValueError("it holds another cell")
    if kept.pop("checksum") != _checksum(kept):
        raise ValueError("its checksum does not fit what it holds")


def _check_numbers(name: str, given: Any, kinds: tuple[type, ...], count: int) -> None:
    """Raises a ValueError where it is no list of so many numbers of these kinds."""
    if not isinstance(given, list) or len(given) != count:
        raise ValueError(f"{name}: expected a list of {count} numbers")
    if others := [each for each in given if type(each) not in kinds]:
        raise ValueError(f"{name}: expected numbers, got {str(others[0])[:50]!r}")
