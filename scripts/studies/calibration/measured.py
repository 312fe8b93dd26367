"""Measured tables that no test is played on (`measured.zip`), for calibration alone.

From the repository of Olympus (github.com/aspuru-guzik-group/olympus, commit 440b6b58), under the
MIT License, Copyright (c) 2020 Aspuru-Guzik group: tables of `src/olympus/datasets`, without those
that are problems of this package. Numbers have five significant digits, and long names of
categories are numbered. `python -m scripts.studies.calibration.measured CLONE` packs them anew.

Reference:
    Haese, F., et al., Olympus: a benchmarking framework for noisy optimization and experiment
    planning, Machine Learning: Science and Technology 2, 2021. Hickman, R., et al., Olympus,
    enhanced: benchmarking mixed-parameter and multi-objective optimization in chemistry and
    materials science, ChemRxiv, 2023.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

ARCHIVE = Path(__file__).with_name("measured.zip")
COMMIT = "440b6b58ebfcaa2391cff7e94b570fb4fda98d68"
TARGET = "value"
_LONGEST = 12  # characters of a category's name that is kept


@dataclass(frozen=True)
class Measured:
    """A table.

    Attributes:
        name: Of the data set.
        minimise: Whether low values are good.
        outcome: Which of the columns behind the parameters is looked at.
        ordinal: Outcomes in words, worst first; empty: they are numbers.
    """

    name: str
    minimise: bool = False
    outcome: int = 0
    ordinal: tuple[str, ...] = ()


_CRYSTALS = ("clear_solution", "fine_powder", "small_crystallites", "large_crystallites")
TABLES = (
    Measured("suzuki_edbo"),
    Measured("suzuki"),
    Measured("suzuki_i"),
    Measured("suzuki_iii"),
    Measured("alkox"),
    Measured("benzylation", minimise=True),
    Measured("fullerenes"),
    Measured("hplc"),
    Measured("colors_bob", minimise=True),
    Measured("colors_n9", minimise=True),
    Measured("photo_pce10", minimise=True),
    Measured("photo_wf3", minimise=True),
    Measured("oer_plate_3496", minimise=True),
    Measured("oer_plate_3851", minimise=True),
    Measured("liquid_water", minimise=True),
    Measured("liquid_toluene", minimise=True),
    Measured("lnp3", outcome=1),
    Measured("redoxmers", minimise=True),
    Measured("dye_lasers"),
    Measured("mmli_opv"),
    Measured("vapdiff_crystal", ordinal=_CRYSTALS),
    Measured("autoam"),
)


def write_table(table: Measured, folder: Path) -> Path:
    """Unpacks a table as CSV, with the column `TARGET`."""
    file = folder / f"{table.name}.csv"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(ARCHIVE) as packed:
        file.write_bytes(packed.read(file.name))
    return file


def arguments(table: Measured, folder: Path) -> dict[str, Any]:
    """What `Ombo/Table-v0` takes to play a table."""
    return {
        "csv": str(write_table(table, folder)),
        "value": TARGET,
        "minimise": table.minimise,
    }


def column_widths(file: Path) -> list[int]:
    """How many features each parameter of an unpacked table has: 1 of numbers, else its words."""
    rows = pd.read_csv(file).drop(columns=TARGET)
    return [
        1 if pd.api.types.is_numeric_dtype(column) else column.nunique()
        for _, column in rows.items()
        if column.nunique() > 1
    ]


def _packed(clone: Path, table: Measured) -> str:
    """A table of a clone as CSV."""

    def shown(name: str) -> str:
        path = f"{COMMIT}:src/olympus/datasets/dataset_{table.name}/{name}"
        command = ["git", "-C", str(clone), "show", path]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    parameters = [each["name"] for each in json.loads(shown("config.json"))["parameters"]]
    rows = pd.read_csv(StringIO(shown("data.csv").split("\n", 1)[1]), header=None)
    found = rows.iloc[:, : len(parameters)].set_axis(parameters, axis=1)
    for name in parameters:
        if not pd.api.types.is_numeric_dtype(found[name]):
            found[name] = _short(name, found[name])
    outcome = rows.iloc[:, len(parameters) + table.outcome]
    if table.ordinal:
        outcome = outcome.map({word: number for number, word in enumerate(table.ordinal)})
    complete = found.assign(**{TARGET: outcome}).dropna()
    packed: str = complete.to_csv(index=False, float_format="%.5g")
    return packed


def _short(name: str, column: pd.Series) -> pd.Series:
    words = list(dict.fromkeys(column))
    if max(map(len, words)) <= _LONGEST:
        return column
    return column.map({word: f"{name}{number}" for number, word in enumerate(words)})


def main(given: Sequence[str]) -> None:
    """Packs all tables of a clone of the repository."""
    (clone,) = given
    with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED) as packed:
        for table in TABLES:
            info = zipfile.ZipInfo(f"{table.name}.csv", date_time=(2023, 8, 13, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, _packed(Path(clone), table))


if __name__ == "__main__":
    main(sys.argv[1:])
