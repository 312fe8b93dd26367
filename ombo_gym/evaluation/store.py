"""Finished cells on disk: one file each, so that runs can be stopped, resumed and mixed."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from ombo_gym.evaluation.cells import COLUMNS, Cell, Played

_LEFT_OVER = 3600.0  # seconds after which a half-written file is nobody's


class Store:
    """A folder of finished cells, keyed by their hash.

    Files appear whole or not at all, and what a cell's file holds follows from its key. So any
    number of runs may share a folder, and one that dies leaves what it had finished.

    Args:
        folder: Made when the first cell is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, cell: Cell) -> Played | None:
        """A finished cell; None where there is none, or only a damaged file: it is played again."""
        try:
            kept = json.loads((self._folder / f"{cell.key}.json").read_text(encoding="utf-8"))
            columns = {name: np.array(column, float) for name, column in kept["columns"].items()}
            instances = np.array(kept["instances"], np.int64)
            weights = np.array(kept["weights"], np.int64).reshape(-1, 3)
            whole = set(columns) == set(COLUMNS) and all(
                column.shape == (cell.campaigns,) for column in (instances, *columns.values())
            )
            return Played(columns, instances, weights, list(kept["replays"])) if whole else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return None

    def write(self, cell: Cell, played: Played) -> None:
        """Keeps a finished cell."""
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = {
            "columns": {name: column.tolist() for name, column in played.columns.items()},
            "instances": played.instances.tolist(),
            "weights": played.weights.tolist(),
            "replays": played.replays,
        }
        write_whole(self._folder / f"{cell.key}.json", json.dumps(kept).encode())

    def sweep(self) -> None:
        """Removes what killed runs were writing."""
        for file in self._folder.glob("*.tmp"):
            try:
                if time.time() - file.stat().st_mtime > _LEFT_OVER:
                    file.unlink()
            except FileNotFoundError:  # another run was faster
                continue


def write_whole(file: Path, content: bytes) -> None:
    """Writes a file in one step: whoever reads it finds the old content or the new."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.stem, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
