"""Validation accuracy of 2,000 neural networks on 35 data sets, from bocode."""

from __future__ import annotations

import io

import numpy as np

from ombo_gym.problems.data import Array
from scripts.build_data.data_set import DataSet, expect

COLUMNS = (
    "batch_size",
    "learning_rate",
    "max_dropout",
    "max_units",
    "momentum",
    "num_layers",
    "weight_decay",
)


def pack(files: dict[str, bytes]) -> dict[str, Array]:
    """Packs configurations, which all data sets share, and accuracies.

    Args:
        files: One archive of arrays by path: of each data set (2000, 8) single precision, a
            network's `COLUMNS` and its accuracy.

    Returns:
        - `names`: str (35,), the data sets, sorted;
        - `configurations`: float32 (2000, 7), the networks in the source's order;
        - `accuracies`: float32 (35, 2000), in per cent.

    Raises:
        BuildError: If data sets do not share their networks, or an accuracy is no percentage.
    """
    (file,) = files.values()
    with np.load(io.BytesIO(file), allow_pickle=False) as stored:
        by_name = {name: stored[name] for name in sorted(stored.files)}
    expect("data sets", 35, len(by_name))
    tables = np.stack(list(by_name.values()))  # (35, 2000, 8)
    expect("tables", (35, 2000, 1 + len(COLUMNS)), tables.shape)
    expect("networks in common", True, bool((tables[..., :-1] == tables[:1, :, :-1]).all()))
    accuracies = tables[..., -1]
    expect("per cent", True, bool(((accuracies >= 0) & (accuracies <= 100)).all()))
    return {
        "names": np.array(list(by_name)),
        "configurations": tables[0, :, :-1],
        "accuracies": accuracies,
    }


LCBENCH = DataSet(
    name="lcbench",
    title="Hyper-parameters of neural networks on 35 data sets (LCBench)",
    requirement="bocode==1.0.1",
    archive="bocode-1.0.1-py3-none-any.whl",
    sha256="4d911ebc0f5bc11a64523e83780e3d658b39310d53f3cb0f63dc7da303d14eb7",
    members=("bocode/opt_problems/hpo/data/lcbench_data.npz",),
    licence="MIT License, Copyright 2025 Rosen Ting-Ying Yu; LCBench itself: Apache License 2.0",
    citation=(
        "Zimmer, L., Lindauer, M., Hutter, F. (2021). Auto-PyTorch: multi-fidelity metalearning "
        "for efficient and robust AutoDL. IEEE Transactions on Pattern Analysis and Machine "
        "Intelligence 43(9), 3079-3090. doi:10.1109/TPAMI.2021.3067763"
    ),
    changes="The networks, which all data sets share, are kept once.",
    build=pack,
)
