"""LCBench: 2,000 neural networks, each trained on 35 data sets."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import CandidateDesigns, Designs
from ombo_gym.problems.core.checks import one_of
from ombo_gym.problems.core.measured import Measured, Measurements
from ombo_gym.problems.data import load_table, table_file

HYPERPARAMETERS = {  # on which scale surrogates see them
    "batch_size": "log",
    "learning_rate": "log",
    "max_dropout": "linear",
    "max_units": "log",
    "momentum": "linear",
    "num_layers": "linear",
    "weight_decay": "linear",
}
# Test data sets are every third in alphabetical order, from the second on, but the last of all.
SPLITS: dict[str, tuple[str, ...]] = {
    "train": (
        *("APSFailure", "Australian", "Fashion_MNIST", "MiniBooNE", "adult", "albert"),
        *("bank_marketing", "car", "christine", "connect_4", "covertype", "dionis", "fabert"),
        *("higgs", "jannis", "jungle_chess_2pcs_raw_endgame_complete", "kc1", "mfeat_factors"),
        *("nomao", "phoneme", "segment", "sylvine", "vehicle", "volkert"),
    ),
    "test": (
        *("Amazon_employee_access", "KDDCup09_appetency", "airlines"),
        *("blood_transfusion_service_center", "cnae_9", "credit_g", "helena", "jasmine"),
        *("kr_vs_kp", "numerai28_6", "shuttle"),
    ),
}
SPLITS["all"] = tuple(sorted(SPLITS["train"] + SPLITS["test"]))


@cache
def accuracies(datasets: tuple[str, ...]) -> Measurements:
    """What was measured on some data sets, kept for the process."""
    table = load_table("lcbench")
    names = table["names"].tolist()
    chosen = [names.index(name) for name in datasets]
    return Measurements(table["accuracies"][chosen].astype(np.float64))


@cache
def pool() -> CandidateDesigns:
    """The networks that were trained."""
    configurations = load_table("lcbench")["configurations"].astype(np.float64)
    return CandidateDesigns(configurations, scale=list(HYPERPARAMETERS.values()))


class LCBench(Measured):
    """Neural networks to be tuned: 2,000 that were trained on each of 35 data sets.

    A design is one of 2,000 funnel-shaped multilayer perceptrons, an index into a pool that all
    data sets share: its batch size (16 to 511), learning rate (1e-4 to 0.1), largest dropout (0 to
    1) and width (64 to 1,024), momentum (0.1 to 0.99), number of layers (1 to 4) and weight decay
    (5e-5 to 0.1). Surrogates see batch size, learning rate and width by their logarithms;
    `to_units` gives all as they are.

    The value, maximised, is the accuracy on the validation set in per cent after the last epoch,
    without noise; `noise_std` adds to it. Data sets differ: the rank correlation of two is .43 in
    the median, and below 0 for a tenth of the pairs.

    Every design is feasible. `reference` is the lowest accuracy of the data sets that the problem
    draws from.

    A campaign draws its data set and starts with 4 random designs. Split "test" is every third data
    set in alphabetical order, 11 of them; "train" is the 24 others. The optimum, which is score 1,
    is the highest accuracy on the data set.

    Args:
        split: "all" data sets, "train" or "test" ones.
        dataset: A single one, instead of a split.

    Raises:
        ValueError: An unknown split or data set, or a split with a data set.

    References:
        Zimmer et al., Auto-PyTorch: Multi-Fidelity MetaLearning for Efficient and Robust AutoDL,
        IEEE Transactions on Pattern Analysis and Machine Intelligence 43, 2021.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/LCBench-v0", split="train")
        >>> observation, info = env.reset(seed=0)
        >>> env.unwrapped.problem.to_units([0]).round(4).tolist()
        [71.0, 0.0018, 0.0259, 293.0, 0.2133, 3.0, 0.0205]
    """

    domain: ClassVar[str] = "tuning"
    rounds: ClassVar[tuple[int, int]] = (1, 20)
    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 4}
    splits = ("all", "test", "train")
    sources = (table_file("lcbench"),)

    def __init__(self, *, split: str = "all", dataset: str | None = None) -> None:
        self._arguments = {"split": split, "dataset": dataset}
        self.datasets = SPLITS[one_of("split", split, self.splits)]
        if dataset is not None:
            if split != "all":
                raise ValueError(f"split: it goes without dataset, got {split!r} with {dataset!r}")
            self.datasets = (one_of("dataset", dataset, self.datasets),)
        super().__init__(tables=len(self.datasets))
        self.design_space = pool()

    def __reduce__(self) -> Any:
        """Pickles as its arguments: the pool is the process's."""
        return _rebuilt, (self._arguments,)

    @property
    def variables(self) -> tuple[str, ...]:
        """What the numbers of `to_units` are."""
        return tuple(HYPERPARAMETERS)

    def to_units(self, designs: Designs) -> NDArray[np.float64]:
        """The hyper-parameters of designs, (..., 1) -> (..., 7)."""
        configurations = load_table("lcbench")["configurations"].astype(np.float64)
        found: NDArray[np.float64] = configurations[self.design_space.encode(np.asarray(designs))]
        return found

    @override
    def load(self) -> Measurements:
        return accuracies(self.datasets)


def _rebuilt(arguments: dict[str, Any]) -> LCBench:
    return LCBench(**arguments)
