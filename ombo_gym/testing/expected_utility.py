"""What finished campaigns are worth, straight from the definitions of the utilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.campaign import Campaigns
from ombo_gym.utilities import make_utility

Batches = list[NDArray[np.float64]]

# Of the best value by round and of the true values of the batches, 0 where a slot was wasted.
_DEFINITIONS: dict[str, Callable[[NDArray[np.float64], Batches], Any]] = {
    "best": lambda best, batches: best[-1] - best[0],
    "auc": lambda best, batches: np.mean(best[1:] - best[0]),
    "total": lambda best, batches: np.concatenate(batches).sum(),
    "last_max": lambda best, batches: batches[-1].max(),
    "last_median": lambda best, batches: np.median(batches[-1]),
    "last_mean": lambda best, batches: batches[-1].mean(),
    "last_quantile": lambda best, batches: np.quantile(batches[-1], 0.9),
}


def utilities() -> list[Any]:
    """Those that are known here, as arguments of an environment: all that need no posterior."""
    arguments = {"last_quantile": {"name": "last_quantile", "quantile": 0.9}}
    return [arguments.get(name, name) for name in sorted(_DEFINITIONS)]


def expected_utility(utility: Any, campaigns: Campaigns, batches: Batches) -> float:
    """Of the one finished campaign.

    Args:
        utility: One of `utilities`.
        campaigns: Its dataset has what was not wasted.
        batches: The true values of its proposals, round by round, 0 where a slot was wasted.
    """
    return float(_DEFINITIONS[make_utility(utility).name](_best_by_round(campaigns), batches))


def _best_by_round(campaigns: Campaigns) -> NDArray[np.float64]:
    """b0, and the best true value so far, b0 included, after each round, (N + 1,)."""
    n = int(campaigns.num_observed[0])
    values, rounds = campaigns.true_values[0, :n], campaigns.rounds[0, :n]
    start = values[rounds == 0]
    base = float(start.max()) if len(start) else float(campaigns.problem.reference)
    last = int(campaigns.round[0])
    return np.array([max([base, *values[rounds <= r]]) for r in range(last + 1)])
