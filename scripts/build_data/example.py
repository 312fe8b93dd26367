"""The example of `Ombo/Table-v0`: a file of bocode as it is."""

from __future__ import annotations

import dataclasses

from scripts.build_data.materials import MATERIALS

EXAMPLE = dataclasses.replace(
    MATERIALS,
    name="example.csv",
    title="Example of a spreadsheet: conductivity of P3HT/CNT composites",
    members=("bocode/opt_problems/materials/data/P3HT_dataset.csv",),
    citation=(
        "Bash, D., Cai, Y., Chellappan, V., et al. (2021). Multi-fidelity high-throughput "
        "optimization of electrical conductivity in P3HT-CNT composites. Advanced Functional "
        "Materials 31, 2102606. doi:10.1002/adfm.202102606. As collected by Liang, Q., Gongora, "
        "A. E., Ren, Z., et al. (2021). Benchmarking the performance of Bayesian optimization "
        "across multiple experimental materials science domains. npj Computational Materials 7, "
        "188. doi:10.1038/s41524-021-00656-9"
    ),
    changes="The file is copied as it is, under another name.",
    build=None,
)
