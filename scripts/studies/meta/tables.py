"""What the suite says of the meta-policy, cell by cell of start, utility and horizon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ombo_gym.evaluation.statistics import mean_interval

CELL = ["start", "utility", "horizon"]
PROBLEM = ["env", "env_kwargs"]
CLOSE = 0.005  # of the highest score, within which the meta-policy counts as level with it
MARGIN = 0.01


def by_cell(scores: pd.DataFrame, meta: str, baselines: Sequence[str]) -> pd.DataFrame:
    """The meta-policy beside the best of all others, and beside the best baseline.

    Args:
        scores: A row per problem, cell and method, of problems that weigh alike.
        meta: Name of the meta-policy.
        baselines: What it is compared with.

    Returns:
        A row per cell: `score` of the meta-policy, `best` and `best_score` of all others that
        played every problem, `baseline` (the best of those in this cell), and the difference to it
        with the 95% interval over problems (`difference`, `low`, `high`).
    """
    rows = []
    for cell, part in scores.groupby(CELL, sort=False):
        wide = wide_scores(part)
        means = wide.mean()
        others = means.drop(meta)
        baseline = means[list(baselines)].idxmax()
        found = mean_interval((wide[meta] - wide[baseline]).to_numpy())
        best = str(others.idxmax())
        rows.append((*cell, means[meta], best, others[best], baseline, *found, len(wide)))
    columns = [*CELL, "score", "best", "best_score", "baseline", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=[*columns, "problems"])


def wide_scores(part: pd.DataFrame) -> pd.DataFrame:
    """Scores of one cell, a row a problem and a column a method that played all of them."""
    return part.pivot(index=PROBLEM, columns="method", values="score").dropna(axis=1)


def strongest(scores: pd.DataFrame, meta: str, baselines: Sequence[str]) -> tuple[str, pd.Series]:
    """The baseline of the highest mean over all cells, and the differences to it by problem.

    Args:
        scores: As in `by_cell`.
        meta: Name of the meta-policy.
        baselines: What it is compared with.
    """
    means = [_over_cells(scores, name) for name in baselines]
    best = int(np.argmax([each.mean() for each in means]))
    differences = _over_cells(scores, meta) - means[best]
    return baselines[best], differences.sort_values()


def _over_cells(scores: pd.DataFrame, method: str) -> pd.Series:
    """Mean over cells of a method's scores, by problem."""
    own = scores[scores["method"] == method]
    found: pd.Series = own.groupby(PROBLEM)["score"].mean()
    return found
