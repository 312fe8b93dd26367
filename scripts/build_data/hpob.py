"""Accuracies of 45 meta-test tasks of HPO-B, from bocode."""

from __future__ import annotations

import io

import numpy as np

from ombo_gym.problems.data import Array
from ombo_gym.problems.tuning.hpob import PACKED
from scripts.build_data.data_set import DataSet, expect


def pack(files: dict[str, bytes]) -> dict[str, Array]:
    """Packs the 45 tasks of the nine search spaces whose tasks are small.

    Args:
        files: One archive of arrays by path: of each task, `SPACE_DATASET`, (n, d + 1) single
            precision, the normalised hyper-parameters of a configuration and its accuracy.

    Returns:
        `SPACE_DATASET`: float32 (n, d + 1), as in the source.

    Raises:
        BuildError: If a task is not there, or its hyper-parameters are outside of [0, 1].
    """
    (file,) = files.values()
    with np.load(io.BytesIO(file), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in PACKED}
    for name, task in arrays.items():
        inside = (task[:, :-1] >= 0) & (task[:, :-1] <= 1)
        expect(f"{name}: in [0, 1]", True, bool(inside.all()))
        expect(f"{name}: accuracies", True, bool(np.isfinite(task[:, -1]).all()))
    expect("configurations", 93_394, sum(map(len, arrays.values())))
    return arrays


HPOB = DataSet(
    name="hpob",
    title="Hyper-parameters of five kinds of models on OpenML data sets (HPO-B)",
    requirement="bocode==1.0.1",
    archive="bocode-1.0.1-py3-none-any.whl",
    sha256="4d911ebc0f5bc11a64523e83780e3d658b39310d53f3cb0f63dc7da303d14eb7",
    members=("bocode/opt_problems/hpo/data/hpob_data.npz",),
    licence=(
        "MIT License, Copyright 2025 Rosen Ting-Ying Yu; HPO-B itself: MIT License; the "
        "evaluations are from OpenML, under CC BY 4.0"
    ),
    citation=(
        "Pineda Arango, S., Jomaa, H. S., Wistuba, M., Grabocka, J. (2021). HPO-B: a large-scale "
        "reproducible benchmark for black-box HPO based on OpenML. NeurIPS Datasets and "
        "Benchmarks. arXiv:2106.06257. Vanschoren, J., van Rijn, J. N., Bischl, B., Torgo, L. "
        "(2013). OpenML: networked science in machine learning. SIGKDD Explorations 15(2), 49-60"
    ),
    changes="Of the meta-test tasks, those of the nine search spaces with the fewest rows.",
    build=pack,
)
