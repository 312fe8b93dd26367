"""Splicing at 5' splice sites (a massively parallel splicing assay), from mavenn."""

from __future__ import annotations

import gzip

import numpy as np

from ombo_gym.problems.data import Array
from scripts.build_data.data_set import DataSet, csv_rows, expect

LETTERS = "ACGU"


def pack(files: dict[str, bytes]) -> dict[str, Array]:
    """Packs log10 PSI by splice site, NNN/GYNNNN with Y = C or U.

    Args:
        files: The one file, by path.

    Returns:
        - `codes`: uint16 (4, 4, 4, 2, 4, 4, 4, 4), by the letters A, C, G, U = 0 to 3 before, the
          GU or GC = 0 or 1 at, and the letters after the splice site: 0 where a site was not
          measured, else one more than the index of its value in
        - `levels`: float64 (7585,), ascending, the values exactly as published.

    Raises:
        BuildError: If there are not 30,483 different splice sites of that form.
    """
    (file,) = files.values()
    rows = csv_rows(gzip.decompress(file), ("set", "tot_ct", "ex_ct", "y", "x"))
    sites = [row[4] for row in rows]
    expect("splice sites", 30_483, len(set(sites)))
    expect("rows", len(sites), len(rows))
    expect("letters 4 and 5", {"GU", "GC"}, {site[3:5] for site in sites})
    free = np.array([[LETTERS.index(letter) for letter in s[:3] + s[5:]] for s in sites])
    expect("free letters", (len(rows), 7), free.shape)
    cytosine = np.array([site[4] == "C" for site in sites])
    letters = (*free[:, :3].T, cytosine.astype(np.int64), *free[:, 3:].T)
    levels, index = np.unique([float(row[3]) for row in rows], return_inverse=True)
    codes = np.zeros((4, 4, 4, 2, 4, 4, 4, 4), np.uint16)
    codes[letters] = index + 1
    return {"codes": codes, "levels": levels}


MPSA = DataSet(
    name="mpsa",
    title="Splicing of 30,483 5' splice sites",
    requirement="mavenn==1.1.4",
    archive="mavenn-1.1.4-py3-none-any.whl",
    sha256="b54077ee40a94892ace26b609b1b6778bc906e14483d7e74f8258c9731871e57",
    members=("mavenn/examples/datasets/mpsa_data.csv.gz",),
    licence="MIT License, Copyright 2020 Ammar Tareen, Justin B. Kinney",
    citation=(
        "Wong, M. S., Kinney, J. B., Krainer, A. R. (2018). Quantitative activity profile and "
        "context dependence of all human 5' splice sites. Molecular Cell 71(6), 1012-1026. "
        "doi:10.1016/j.molcel.2018.07.033. As published by Tareen, A., et al. (2022). MAVE-NN: "
        "learning genotype-phenotype maps from multiplex assays of variant effect. "
        "Genome Biology 23, 98. doi:10.1186/s13059-022-02661-7"
    ),
    changes=(
        "The values y are kept exactly, as indices into the list of different values; the read "
        "counts and the division into training, validation and test sets are left out."
    ),
    build=pack,
)
