"""What random search comes to on HPO-B, without playing it: an oracle for the whole protocol."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scripts.studies.hpob.published import published
from scripts.studies.hpob.starts import SIZE, accuracies, level_of


def expected_regrets(task: str, trials: Sequence[int]) -> NDArray[np.float64]:
    """Expected regrets of random search from the published incumbents, (seeds, trials).

    Without repeats, t of the m configurations beyond the start miss the i best of these with
    probability (m - t) / m times (m - t - 1) / (m - 1), and so on, i factors.

    Args:
        task: `SPACE_DATASET`, one that is packed.
        trials: Configurations beyond the start, at most as many as the pool has.
    """
    shares = np.sort(accuracies(task))[::-1]  # (n,) the best first
    left = len(shares) - SIZE
    found = np.empty((len(published("Random", task)), len(trials)))
    for seed, incumbent in enumerate(published("Random", task)[:, 0]):
        level = level_of(incumbent, shares)
        better = shares[shares > level]  # (b,)
        rest = left - np.arange(len(better))  # (b,) m, m - 1, ...
        factors = np.maximum(rest - np.array(trials)[:, None], 0) / rest  # (trials, b)
        missed = np.cumprod(np.insert(factors, 0, 1.0, axis=1), axis=1)  # (trials, b + 1)
        regrets = 1 - np.append(better, level)  # (b + 1,)
        first = np.append(missed[:, :-1] - missed[:, 1:], missed[:, -1:], axis=1)
        found[seed] = first @ regrets
    return found
