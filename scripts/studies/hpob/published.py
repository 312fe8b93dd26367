"""What other methods found in HPO-B's published runs (`published.npz`).

From the repositories of HPO-B and of NAP, both under the MIT License: by method, of 86 tasks of the
meta-test split and 5 seeds, the best accuracy after 0 to 100 trials beyond the 5 configurations of
the start, as a share of the task's range.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

METHODS = (
    *("Random", "GP", "DNGO", "BOHAMIANN", "DGP"),  # from scratch
    *("RGPE", "TAF", "TST", "FSBO"),  # trained on the meta-train split
    *("NAP", "OptFormer"),  # likewise, on 23 tasks
)


@cache
def _runs() -> dict[str, NDArray[np.generic]]:
    with np.load(Path(__file__).with_name("published.npz"), allow_pickle=False) as stored:
        return dict(stored)


def published(method: str, task: str) -> NDArray[np.float64]:
    """Best accuracies so far, (5, 101), NaN where a method was not run.

    Args:
        method: One of `METHODS`.
        task: `SPACE_DATASET`.

    Raises:
        ValueError: Another task.
        KeyError: Another method.
    """
    runs = _runs()
    row = runs["tasks"].tolist().index(task)
    found: NDArray[np.float64] = runs[method][row].astype(np.float64)
    return found
