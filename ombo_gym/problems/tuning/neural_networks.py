"""Measured accuracy of neural networks: hyper-parameters and architectures."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import CategoricalDesigns
from ombo_gym.problems.core.checks import one_of
from ombo_gym.problems.core.measured import Measured, Measurements
from ombo_gym.problems.data import load_table, table_file

HYPERPARAMETERS: dict[str, tuple[float, ...]] = {
    "alpha": (
        *(1e-8, 7.742637e-8, 5.994842e-7, 4.641589e-6, 3.5938137e-5),
        *(2.7825593e-4, 2.1544348e-3, 1.6681006e-2, 1.2915497e-1, 1),
    ),
    "batch_size": (4, 6, 10, 16, 25, 40, 64, 101, 161, 256),
    "depth": (1, 2, 3),
    "learning_rate_init": (
        *(1e-5, 3.5938137e-5, 1.2915497e-4, 4.641589e-4, 1.6681006e-3),
        *(5.9948424e-3, 2.1544347e-2, 7.742637e-2, 2.7825594e-1, 1),
    ),
    "width": (16, 25, 40, 64, 101, 161, 256, 406, 645, 1024),
}
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("0>1", "0>2", "1>2", "0>3", "1>3", "2>3")

# No data set of HPOBench shares more than a tenth of its best 1% of networks with one from the
# other side.
SPLITS: dict[str, dict[str, tuple[str, ...]]] = {
    "hpobench": {
        "train": ("blood_transfusion", "kc1", "phoneme", "segment", "vehicle"),
        "test": ("australian", "credit_g"),
    },
    "nasbench201": {"train": ("cifar10", "cifar100"), "test": ("imagenet",)},
}
for _split in SPLITS.values():
    _split["all"] = tuple(sorted(_split["train"] + _split["test"]))

_SPACES = {
    "hpobench": CategoricalDesigns(
        [len(levels) for levels in HYPERPARAMETERS.values()],
        labels=[[f"{level:.4g}" for level in levels] for levels in HYPERPARAMETERS.values()],
        ordinal=True,
    ),
    "nasbench201": CategoricalDesigns(
        [len(OPERATIONS)] * len(EDGES), labels=[OPERATIONS] * len(EDGES)
    ),
}


@cache
def accuracies(benchmark: str, datasets: tuple[str, ...]) -> Measurements:
    """What was measured on some data sets, kept for the process."""
    table = load_table(benchmark)
    chosen = [table["names"].tolist().index(name) for name in datasets]
    by_seed = _by_level(table, chosen) if benchmark == "hpobench" else _by_image(table, chosen)
    return Measurements.of_replicates(np.moveaxis(by_seed, 1, 2))


def _by_level(table: dict[str, NDArray[Any]], chosen: list[int]) -> NDArray[np.floating[Any]]:
    """Accuracies of HPOBench, (T, seeds, size)."""
    before = np.cumsum(table["counts"]).reshape(table["counts"].shape) - table["counts"]
    codes = table["codes"].reshape(*before.shape, -1)[chosen]
    accuracies: NDArray[np.floating[Any]] = table["levels"][before[chosen, :, None] + codes]
    return accuracies


def _by_image(table: dict[str, NDArray[Any]], chosen: list[int]) -> NDArray[np.floating[Any]]:
    """Accuracies of NAS-Bench-201 in per cent, (T, seeds, size), NaN where a seed is missing."""
    correct = table["correct"].reshape(*table["correct"].shape[:2], -1)[chosen].astype(np.float64)
    return np.where(correct < 0, np.nan, 100 * correct / table["images"][chosen, None, None])


class Tuning(Measured):
    """Neural networks to be tuned: hyper-parameters or an architecture, on a data set each draws.

    Of "hpobench" a design is a multilayer perceptron, 10 x 10 x 3 x 10 x 10 = 30,000 in all: the
    strength of its L2 penalty alpha (1e-8 to 1), its batch size (4 to 256), depth (1, 2 or 3
    layers), initial learning rate (1e-5 to 1) and width (16 to 1,024), each on a logarithmic grid,
    smallest first. Surrogates see the levels as numbers, in order. Data sets are seven
    classification tasks of OpenML.

    Of "nasbench201" a design is the cell of a convolutional network, 5^6 = 15,625 in all: which
    operation is on each of the edges 0>1, 0>2, 1>2, 0>3, 1>3, 2>3 between its four nodes: none,
    skip_connect, nor_conv_1x1, nor_conv_3x3 or avg_pool_3x3. Data sets are the images of CIFAR-10,
    CIFAR-100 and ImageNet-16-120.

    The value, maximised, is the accuracy on the validation set: of "hpobench" a fraction, balanced
    over the classes; of "nasbench201" per cent. The true value is the mean over the seeds that a
    network was trained with, 5 of "hpobench", 2 or 3 of "nasbench201"; a measurement is one of
    them, drawn at random. `noise_std` adds to it.

    Every design is feasible. `reference` is the lowest true value of the data sets that the problem
    draws from.

    A campaign draws its data set and starts with 16 designs among the half with the lowest values.
    Split "test" is australian and credit_g of "hpobench", imagenet of "nasbench201"; "train" is the
    others. The three of "nasbench201" are nearly one problem: any two of them share 49% to 60% of
    their best hundredth of networks, and imagenet 61% with the two others together, so that its
    split says little about what is new; of "hpobench" no test data set shares more than a tenth
    with one for training. The optimum, which is score 1, is the highest true value of the data set:
    of "hpobench" 0.945 (australian), 0.747 (blood_transfusion), 0.885 (credit_g), 0.852 (kc1),
    0.944 (phoneme), 0.969 (segment), 0.952 (vehicle); of "nasbench201" 91.61 (cifar10), 73.49
    (cifar100), 46.73 (imagenet).

    Args:
        benchmark: "hpobench" or "nasbench201".
        split: "all" data sets, "train" or "test" ones.
        dataset: A single one, instead of a split.

    Raises:
        ValueError: An unknown benchmark, split or data set, or a split with a data set.

    References:
        Eggensperger et al., HPOBench: A Collection of Reproducible Multi-Fidelity Benchmark
        Problems for HPO, NeurIPS Datasets and Benchmarks, 2021.

        Dong and Yang, NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture
        Search, ICLR, 2020.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/Tuning-v0", split="train")
        >>> observation, info = env.reset(seed=0)
        >>> env.unwrapped.design_space.text([0, 9, 2, 5, 9])
        '1e-08 | 256 | 3 | 0.005995 | 1024'
    """

    domain: ClassVar[str] = "tuning"
    rounds: ClassVar[tuple[int, int]] = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "percentile", "percentile": 50, "size": 16}
    splits = ("all", "test", "train")

    def __init__(
        self, *, benchmark: str = "hpobench", split: str = "all", dataset: str | None = None
    ) -> None:
        self.benchmark = one_of("benchmark", benchmark, SPLITS)
        self.datasets = SPLITS[benchmark][one_of("split", split, self.splits)]
        if dataset is not None:
            if split != "all":
                raise ValueError(f"split: it goes without dataset, got {split!r} with {dataset!r}")
            self.datasets = (one_of("dataset", dataset, self.datasets),)
        super().__init__(tables=len(self.datasets))
        self.design_space = _SPACES[benchmark]
        self.sources = (table_file(benchmark),)

    @override
    def load(self) -> Measurements:
        return accuracies(self.benchmark, self.datasets)
