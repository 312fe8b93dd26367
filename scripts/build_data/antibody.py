"""Affinity of 2^11 antibodies between CR6261 and its germline, from ewht."""

from __future__ import annotations

import numpy as np

from ombo_gym.problems.data import Array
from scripts.build_data.data_set import DataSet, csv_rows, expect

# Mature residues by place in the heavy chain, counted from 1; the germline's are in the file.
MATURE = dict(
    zip((28, 30, 58, 59, 62, 74, 75, 76, 77, 79, 104), "P R T K P D F A G V V".split(), strict=True)
)


def pack(files: dict[str, bytes]) -> dict[str, Array]:
    """Packs -log10 Kd to hemagglutinin H1 of the complete library.

    Args:
        files: The one file, by path.

    Returns:
        - `sites`: int64 (11,), places in the heavy chain, counted from 1;
        - `residues`: str (11, 2), the germline's and the mature antibody's residue there;
        - `values`: float64, eleven axes of length 2, exactly as published: 0 germline, 1 mature;
        - `estimated`: bool, likewise: values that the source marks as estimates.

    Raises:
        BuildError: If the file's sequences are not all combinations of the eleven mutations.
    """
    (file,) = files.values()
    header = ("mutant", "mutated_sequence", "fitness", "estimated_fitness")
    rows = csv_rows(file, header)
    expect("rows", 2**11, len(rows))
    (germline,) = (row[1] for row in rows if row[0] == "WT")
    sites = {site: (germline[site - 1], residue) for site, residue in MATURE.items()}
    values, estimated = np.full((2,) * 11, np.nan), np.zeros((2,) * 11, bool)
    for mutant, sequence, value, estimate in rows:
        bits = tuple(int(sequence[site - 1] == residue) for site, residue in MATURE.items())
        named = [
            f"{old}{site}{new}"
            for bit, (site, (old, new)) in zip(bits, sites.items(), strict=True)
            if bit
        ]
        expect("mutations", ";".join(named) or "WT", mutant)
        differing = sum(a != b for a, b in zip(germline, sequence, strict=True))
        expect(f"{mutant}: residues that differ", sum(bits), differing)
        values[bits], estimated[bits] = float(value), estimate == "1"
    expect("values", 2**11, np.count_nonzero(~np.isnan(values)))
    expect("estimates", 161, np.count_nonzero(estimated))
    return {
        "sites": np.array(list(sites)),
        "residues": np.array(list(sites.values())),
        "values": values,
        "estimated": estimated,
    }


ANTIBODY = DataSet(
    name="antibody",
    title="Affinity of the antibody CR6261 and its precursors to influenza hemagglutinin H1",
    requirement="ewht==0.0.1.post1",
    archive="ewht-0.0.1.post1-py3-none-any.whl",
    sha256="6a9b0ee13446b258dc6a7b29532e97a89c6d3e38e5eca798e50761285fa6f229",
    members=("ewht/example_data/cr6261_h1_mean.csv",),
    licence="MIT License, Copyright 2026 the eWHT team",
    citation=(
        "Phillips, A. M., Lawrence, K. R., Moulana, A., et al. (2021). Binding affinity "
        "landscapes constrain the evolution of broadly neutralizing anti-influenza antibodies. "
        "eLife 10, e71393. doi:10.7554/eLife.71393"
    ),
    changes="Values are kept exactly, as a table with one axis per mutation.",
    build=pack,
)
