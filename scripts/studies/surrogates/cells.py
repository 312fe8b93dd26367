"""Predictions that are kept: what a model says of all data sets of a setting of one size."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import gymnasium as gym
import numpy as np
import pandas as pd

from ombo_gym.evaluation.identity import Identities
from ombo_gym.files import write_atomically
from scripts.studies.surrogates import data_sets
from scripts.studies.surrogates.data_sets import DataSets, draw_data_sets
from scripts.studies.surrogates.models import Model
from scripts.studies.surrogates.prediction import Prediction
from scripts.studies.surrogates.quality import quality
from scripts.studies.surrogates.settings import DEAR, Setting

Arrays = Mapping[str, Any]


class Cell(NamedTuple):
    """What is fitted in one go, and kept together.

    Attributes:
        model: The model.
        setting: Problem and start.
        added: Random designs beside the start.
    """

    model: Model
    setting: Setting
    added: int


class Cells:
    """Data sets and predictions, kept in a folder by what made them.

    Args:
        folder: Of both.
        added: The most random designs beside a start.
        count: Data sets of each setting.
    """

    def __init__(self, folder: Path, *, added: int, count: int) -> None:
        self._folder, self._added, self._count = folder, added, count
        self._identities = Identities()
        self._drawn: dict[Setting, DataSets] = {}

    def read(self, cell: Cell) -> pd.DataFrame | None:
        """A row per data set, as `make` has them; None where nothing is kept.

        Data sets are drawn where they are not kept, but for simulators that take minutes.
        """
        data = self._data(cell.setting, draw=cell.setting.env not in DEAR)
        if data is None:
            return None
        file = self._predictions(cell, data)
        return _qualities(cell, data, _load(file)) if file.is_file() else None

    def make(self, cell: Cell) -> pd.DataFrame:
        """Predicts, unless that is kept; a row per data set, see `quality`."""
        data = self._data(cell.setting)
        assert data is not None
        file = self._predictions(cell, data)
        found = _kept(file, lambda: cell.model.predict(cell.setting, data.first(cell.added)))
        return _qualities(cell, data, found)

    def draw(self, setting: Setting) -> None:
        """Draws the data sets of a setting, unless they are kept."""
        self._data(setting)

    def _predictions(self, cell: Cell, data: DataSets) -> Path:
        key = cell.model.key(cell.setting, data.first(cell.added))
        return self._folder / "predictions" / f"{key}.npz"

    def _data(self, setting: Setting, *, draw: bool = True) -> DataSets | None:
        """The data sets of a setting; None where nothing is kept and nothing is to be drawn."""
        if setting not in self._drawn:
            file = self._folder / "data" / f"{self._data_key(setting)}.npz"
            if not draw and not file.is_file():
                return None
            asked = {"added": self._added, "count": self._count}
            found = _kept(file, lambda: draw_data_sets(setting.env, setting.env_kwargs, **asked))
            arrays = {**found, "start_size": int(found["start_size"])}
            self._drawn[setting] = DataSets(**arrays)
        return self._drawn[setting]

    def _data_key(self, setting: Setting) -> str:
        env = gym.make(setting.env, **setting.env_kwargs)
        sources = env.unwrapped.problem.sources  # type: ignore[attr-defined]
        env.close()
        kwargs = json.dumps(setting.env_kwargs, sort_keys=True)
        code = self._identities.fingerprint("random", setting.env, sources, env_kwargs=kwargs)
        drawing = Path(data_sets.__file__).read_text()
        asked = [code, drawing, setting.env, kwargs, self._added, self._count]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]


def _qualities(cell: Cell, data: DataSets, arrays: Arrays) -> pd.DataFrame:
    return quality(Prediction(**arrays), data).assign(
        model=cell.model.name,
        problem=cell.setting.problem,
        start=cell.setting.start,
        added=cell.added,
    )


def _kept(file: Path, make: Callable[[], DataSets | Prediction]) -> Arrays:
    """The arrays that a file keeps, or that are made and put there."""
    if file.is_file():
        return _load(file)
    made = make()
    arrays = made._asdict() if isinstance(made, Prediction) else asdict(made)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, partial(_save, arrays))
    return arrays


def _load(file: Path) -> Arrays:
    with np.load(file) as arrays:
        return dict(arrays)


def _save(arrays: Arrays, file: BinaryIO) -> None:
    np.savez_compressed(file, **arrays)
