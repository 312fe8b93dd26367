"""HPO-B's average: over seeds, over the tasks of a search space, over search spaces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ombo_gym.evaluation.statistics import Interval, mean_interval
from ombo_gym.problems.tuning.hpob import PACKED
from scripts.studies.hpob.published import published


def published_regrets(method: str, tasks: Sequence[str] = PACKED) -> NDArray[np.float64]:
    """Mean regrets over the published seeds, (T, 101); NaN where the method was not run.

    Raises:
        KeyError: A method of which nothing is published.
    """
    return np.stack([1 - published(method, task).mean(axis=0) for task in tasks])


def weights(tasks: Sequence[str]) -> NDArray[np.float64]:
    """What each task counts, (T,): spaces count alike, and so do the tasks of a space; sum 1."""
    spaces = [task.partition("_")[0] for task in tasks]
    sizes = np.array([spaces.count(space) for space in spaces])
    found: NDArray[np.float64] = 1 / (len(set(spaces)) * sizes)
    return found


def average(by_task: NDArray[np.float64], tasks: Sequence[str] = PACKED) -> Interval:
    """HPO-B's average of a number per task, with its 95% interval over tasks.

    Tasks are the clusters, whose seeds count together. The interval is Student's t of the
    linearised weighted mean: tasks of a small search space weigh more.

    Args:
        by_task: Of each task the mean over its seeds, (T,).
        tasks: Their names, (T,).
    """
    weight = weights(tasks)
    mean = float(weight @ by_task)
    return mean_interval(mean + len(tasks) * weight * (by_task - mean))
