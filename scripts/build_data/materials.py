"""Five materials-science data sets, from bocode."""

from __future__ import annotations

import dataclasses
from pathlib import PurePosixPath

import numpy as np

from ombo_gym.problems.data import Array
from scripts.build_data.data_set import DataSet, csv_rows, expect


@dataclasses.dataclass(frozen=True)
class Pool:
    """What a file should hold.

    Attributes:
        name: In the table.
        columns: Its header.
        varied: How many of the columns, from the left, are the design.
        rows: Number of measurements.
        designs: Number of different designs.
    """

    name: str
    columns: tuple[str, ...]
    varied: int
    rows: int
    designs: int


POOLS = {
    "Crossed barrel_dataset.csv": Pool(
        "crossed_barrel", ("n", "theta", "r", "t", "toughness"), 4, 1800, 600
    ),
    "AgNP_dataset.csv": Pool(
        "agnp",
        ("QAgNO3(%)", "Qpva(%)", "Qtsc(%)", "Qseed(%)", "Qtot(uL/min)", "loss"),
        *(5, 3295, 164),
    ),
    "P3HT_dataset.csv": Pool(
        "p3ht",
        (
            "P3HT content (%)",
            "D1 content (%)",
            "D2 content (%)",
            "D6 content (%)",
            "D8 content (%)",
            "Conductivity (measured) (S/cm)",
        ),
        *(5, 233, 178),
    ),
    "Perovskite_dataset.csv": Pool(
        "perovskite", ("CsPbI", "FAPbI", "MAPbI", "Instability index"), 3, 139, 94
    ),
    "HOIP_dataset.csv": Pool(
        "hoip", ("site_A", "site_B", "site_X", "source", "binding_energy"), 3, 480, 480
    ),
}


def pack(files: dict[str, bytes]) -> dict[str, Array]:
    """Packs the five data sets.

    Args:
        files: By path, a measurement a row.

    Returns:
        For each data set, by its name in `POOLS`:

        - `NAME_designs`: float64 (n, k), the different designs, in ascending order;
        - `NAME_rows`: uint16 (m,), which design each measurement is of, in the file's order;
        - `NAME_values`: float64 (m,), what was measured, with the source's sign.

    Raises:
        BuildError: If a file is not as described in `POOLS`.
    """
    arrays: dict[str, Array] = {}
    for path, file in files.items():
        pool = POOLS[PurePosixPath(path).name]
        numbers = np.array(csv_rows(file, pool.columns), np.float64)
        expect(f"{pool.name}: measurements", pool.rows, len(numbers))
        expect(f"{pool.name}: all are numbers", True, bool(np.isfinite(numbers).all()))
        designs, rows = np.unique(numbers[:, : pool.varied], axis=0, return_inverse=True)
        expect(f"{pool.name}: designs", pool.designs, len(designs))
        arrays[f"{pool.name}_designs"] = designs
        arrays[f"{pool.name}_rows"] = rows.reshape(-1).astype(np.uint16)
        arrays[f"{pool.name}_values"] = numbers[:, -1]
    expect("data sets", 3 * len(POOLS), len(arrays))
    return arrays


MATERIALS = DataSet(
    name="materials",
    title="Five materials: crossed barrel, AgNP, P3HT/CNT, perovskite stability, HOIP",
    requirement="bocode==1.0.1",
    archive="bocode-1.0.1-py3-none-any.whl",
    sha256="4d911ebc0f5bc11a64523e83780e3d658b39310d53f3cb0f63dc7da303d14eb7",
    members=tuple(f"bocode/opt_problems/materials/data/{name}" for name in POOLS),
    licence="MIT License, Copyright 2025 Rosen Ting-Ying Yu",
    citation=(
        "Crossed barrel: Gongora, A. E., Xu, B., Perry, W., et al. (2020). A Bayesian "
        "experimental autonomous researcher for mechanical design. Science Advances 6(15), "
        "eaaz1708. doi:10.1126/sciadv.aaz1708. "
        "AgNP: Mekki-Berrada, F., Ren, Z., Huang, T., et al. (2021). Two-step machine learning "
        "enables optimized nanoparticle synthesis. npj Computational Materials 7, 55. "
        "doi:10.1038/s41524-021-00520-w. "
        "P3HT: Bash, D., Cai, Y., Chellappan, V., et al. (2021). Multi-fidelity high-throughput "
        "optimization of electrical conductivity in P3HT-CNT composites. Advanced Functional "
        "Materials 31, 2102606. doi:10.1002/adfm.202102606. "
        "Perovskite: Sun, S., Tiihonen, A., Oviedo, F., et al. (2021). A data fusion approach to "
        "optimize compositional stability of halide perovskites. Matter 4(4), 1305-1322. "
        "doi:10.1016/j.matt.2021.01.008. "
        "These four as collected by Liang, Q., Gongora, A. E., Ren, Z., et al. (2021). "
        "Benchmarking the performance of Bayesian optimization across multiple experimental "
        "materials science domains. npj Computational Materials 7, 188. "
        "doi:10.1038/s41524-021-00656-9. "
        "HOIP, as bocode cites it: "
        "Yousefpour, A., Zanjani Foumani, Z., Shishehbor, M., Mora, C., Bostanabad, R. "
        "(2024). GP+: a Python library for kernel-based learning via Gaussian processes. "
        "Advances in Engineering Software. https://github.com/Bostanabad-Research-Group/GP-Plus; "
        "and Kim, C., Huan, T. D., Krishnan, S., Ramprasad, R. (2017). A hybrid organic-inorganic "
        "perovskite dataset. Scientific Data 4, 170057. doi:10.1038/sdata.2017.57, whose 16 "
        "organic cations, 3 metals and 4 halides do not match the file's 10 x 3 x 16 categories"
    ),
    changes=(
        "Values are kept exactly; designs are listed once and numbered. HOIP's column `source`, "
        "which is constant, is left out."
    ),
    build=pack,
)
