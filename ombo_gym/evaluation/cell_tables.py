"""From finished cells to tables."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ombo_gym.evaluation.cells import COLUMNS, WEIGHT, Cell, Played
from ombo_gym.evaluation.failures import Failed, failure_of
from ombo_gym.evaluation.methods import methods
from ombo_gym.evaluation.plates import measurements
from ombo_gym.evaluation.seen import SeenByTraining
from ombo_gym.scores import score

_SETTING = ("env", "env_kwargs", "policy", "told_horizon", "horizon", "batch_size", "utility")
_FIELDS = {"told_horizon": "horizon_shown"}  # of a cell, where columns have other names
CAMPAIGN_COLUMNS = [
    *("env", "env_kwargs", "policy", "method", "told_horizon", "horizon", "batch_size", "utility"),
    *("start", "campaign", "seed", "instance", *COLUMNS, "best_known", "score", "seen"),
]
EXPLORATION_COLUMNS = [*_SETTING, "round", "weight_first", "weight_last", "weight_mean"]
ERROR_COLUMNS = [*_SETTING, "first", "campaigns", "error", "traceback"]


class Part(NamedTuple):
    """A cell's place in the tables."""

    cell: Cell  # with the horizon shown that the tables name
    key: str  # of the cell that was played for it
    derived: bool  # from the cell of the other horizon shown, which stands in the tables too
    start: str  # kind of the start's origin, as players are told it


def setting_of(cell: Cell) -> tuple[Any, ...]:
    """The cell's values of the columns `_SETTING`."""
    return tuple(getattr(cell, _FIELDS.get(name, name)) for name in _SETTING)


def campaign_table(
    parts: Sequence[Part], played: dict[str, Any], best: dict[Cell, NDArray[np.float64]]
) -> pd.DataFrame:
    """A row per campaign: the frame of `campaigns.csv`.

    Args:
        parts: The rows' cells, in order.
        played: What came of them, by key.
        best: Best values known of each cell's campaigns, (campaigns,).
    """
    if not parts:
        return pd.DataFrame(columns=CAMPAIGN_COLUMNS)
    cells = [part.cell for part in parts]
    sizes = [cell.campaigns for cell in cells]
    method = methods(dict.fromkeys(cell.policy for cell in cells))
    columns: dict[str, Any] = {
        name: np.repeat(np.array(values), sizes)
        for name, values in zip(_SETTING, zip(*map(setting_of, cells), strict=True), strict=True)
    }
    columns["method"] = np.repeat(np.array([method[cell.policy] for cell in cells]), sizes)
    numbers = [np.arange(cell.first, cell.first + cell.campaigns) for cell in cells]
    columns["campaign"] = np.concatenate(numbers)
    columns["seed"] = columns["campaign"] + np.repeat([cell.seed for cell in cells], sizes)
    columns["start"] = np.repeat(np.array([part.start for part in parts]), sizes)
    for name in COLUMNS:
        columns[name] = np.concatenate([played[part.key].columns[name] for part in parts])
    columns["best_known"] = np.concatenate([best[cell] for cell in cells])
    columns["score"] = np.concatenate(_scores(parts, played, best))
    instances = np.concatenate([played[part.key].instances for part in parts])
    seen = SeenByTraining()
    columns["seen"] = np.concatenate(
        [seen.campaigns(part.cell, played[part.key].instances) for part in parts]
    )
    # Whole numbers; nothing where the problem is no collection.
    columns["instance"] = pd.array(instances, dtype="Int64")
    columns["instance"][instances < 0] = pd.NA
    return pd.DataFrame(columns)[CAMPAIGN_COLUMNS]


def _scores(
    parts: Sequence[Part], played: dict[str, Any], best: dict[Cell, NDArray[np.float64]]
) -> list[NDArray[np.float64]]:
    """How far campaigns came from the start's best value to the best one known, (campaigns,) each.

    A utility of one's own that raises has no scores, and a line on the terminal says so: what was
    played is not lost by it.
    """
    scores: list[NDArray[np.float64]] = []
    raised: dict[str, str] = {}
    for cell, key, *_ in parts:
        value, base = (played[key].columns[name] for name in ("value", "start_best"))
        proposed = measurements(cell.env_kwargs, cell.horizon, cell.batch_size)
        try:
            found = score(cell.utility, value, base, best[cell], measurements=proposed)
            scores.append(np.broadcast_to(found, value.shape))
        except Exception as unexpected:
            raised[cell.utility] = failure_of(unexpected).error
            scores.append(np.full(value.shape, np.nan))
    for utility, error in raised.items():
        print(f"no scores of utility {utility}: {error}", file=sys.stderr)
    return scores


def timing_table(parts: Sequence[Part], played: dict[str, Any]) -> pd.DataFrame:
    """CPU seconds of policies by setting, and milliseconds a round of a campaign."""
    rows = [
        (*setting_of(part.cell), part.cell.campaigns, played[part.key].seconds)
        for part in parts
        if not part.derived
    ]
    frame = pd.DataFrame(rows, columns=[*_SETTING, "campaigns", "cpu_seconds"])
    if frame.empty:
        return frame.assign(ms_per_round=[])
    total = frame.groupby(list(_SETTING), sort=False, as_index=False).sum()
    rounds = total["campaigns"] * total["horizon"]
    return total.assign(ms_per_round=1e3 * total["cpu_seconds"] / rounds)


def exploration_table(parts: Sequence[Part], played: dict[str, Any]) -> pd.DataFrame:
    """Mean exploration weights by round, from sums over the campaigns of each cell."""
    rows = [
        (*setting_of(part.cell), number, part.cell.campaigns, *sums)
        for part in parts
        if not part.derived
        for number, sums in enumerate(played[part.key].weights, start=1)
    ]
    weights = EXPLORATION_COLUMNS[-3:]
    sums = pd.DataFrame(rows, columns=[*EXPLORATION_COLUMNS[:-3], "campaigns", *weights])
    if sums.empty:
        return sums[EXPLORATION_COLUMNS]
    total = sums.groupby(EXPLORATION_COLUMNS[:-3], sort=False, as_index=False).sum()
    total[weights] = WEIGHT * total[weights].div(total["campaigns"], axis=0)
    return total[EXPLORATION_COLUMNS]


def error_table(cells: Sequence[Cell], played: Mapping[str, Played | Failed]) -> pd.DataFrame:
    """A row per cell that failed: the frame of `errors.csv`."""
    rows = [error_row(cell, played[cell.key]) for cell in cells]  # type: ignore[arg-type]
    return pd.DataFrame(rows, columns=ERROR_COLUMNS)


def error_row(cell: Cell, failed: Failed) -> dict[Hashable, Any]:
    """The row of `errors.csv` of a cell that failed."""
    row = (*setting_of(cell), cell.first, cell.campaigns, *failed)
    return dict(zip(ERROR_COLUMNS, row, strict=True))


def plays(parts: Sequence[Part], played: dict[str, Any]) -> list[dict[str, Any]]:
    """The first campaigns of every setting, round by round."""
    return [
        {
            **dict(zip(_SETTING, setting_of(part.cell), strict=True)),
            "campaign": number,
            "value": float(played[part.key].columns["value"][number]),
            **replay,
        }
        for part in parts
        if not part.derived
        for number, replay in enumerate(played[part.key].replays)
    ]
