"""Which settings make one curve: those that share a batch size, or those that share a budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from ombo_gym.evaluation.formats import NBSP
from ombo_gym.evaluation.plates import batch_words


@dataclass(frozen=True)
class Series:
    """Rows of a summary that are drawn as curves over the horizon, all of one problem and utility.

    Attributes:
        title: What its settings share: `q = 4`, `N x q = 64` or, of one setting alone, both N
            and q, round by round where batches differ.
        budget: Whether they share N x q, so that batches shrink as rounds are added.
        rows: The rows.
    """

    title: str
    budget: bool
    rows: pd.DataFrame


def all_series(rows: pd.DataFrame) -> Iterator[Series]:
    """Splits the rows of one problem and utility into curves.

    Every batch size with two horizons or more is a curve, every budget N x q with two horizons or
    more is a curve (*adaptivity at a fixed budget*: the same number of designs, measured in more
    and more rounds), and what is in neither stands alone.

    Args:
        rows: Of a frame with the columns `horizon` and `batch_size`; where `env_kwargs` lays down
            plates, there is one setting only.

    Yields:
        The curves: batch sizes, then budgets, then settings alone.
    """
    env_kwargs = str(rows["env_kwargs"].iloc[0]) if "env_kwargs" in rows else "{}"
    alone = pd.Series(True, index=rows.index)
    budgets = rows["horizon"] * rows["batch_size"]
    for shared, name in ((rows["batch_size"], "q"), (budgets, "N × q")):  # noqa: RUF001
        for value, group in rows.groupby(shared, sort=True):
            if group["horizon"].nunique() > 1:
                yield Series(f"{name}{NBSP}={NBSP}{value}", name != "q", group)
                alone[group.index] = False
    for (horizon, size), group in rows[alone].groupby(["horizon", "batch_size"], sort=True):
        words = batch_words(env_kwargs, int(size))
        yield Series(f"N{NBSP}={NBSP}{horizon}, q{NBSP}={NBSP}{words}", False, group)
