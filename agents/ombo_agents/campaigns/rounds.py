"""What told rows are: answers to wells that ran, a new round, or the whole sheet again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from ombo_agents.campaigns.reading import PENDING, Rows, kept_rows
from ombo_agents.campaigns.space import keys_of, taken

_WHOLE_SHEET = 3  # known rows, from which the same rows told again are no replicates


def without_answered(rows: Rows) -> Rows:
    """Rows without those that were pending and are answered by a later row, in order of rounds.

    An answer belongs to the round that its design was proposed in.
    """
    keys = keys_of(rows.columns)
    waiting: dict[Any, list[int]] = {}
    rounds, dropped = rows.rounds.copy(), set()
    for row, key in enumerate(keys):
        if rows.status[row] == PENDING:
            waiting.setdefault(key, []).append(row)
        elif waiting.get(key):
            answered = waiting[key].pop(0)
            rounds[row] = rounds[answered]
            dropped.add(answered)
    if not dropped:
        return rows
    keep = [row for row in range(len(keys)) if row not in dropped]
    keep.sort(key=lambda row: int(rounds[row]))
    return replace(kept_rows(rows, np.array(keep, np.intp)), rounds=rounds[keep])


def check_new(rows: Rows, told: Rows) -> None:
    """Refuses a sheet that is told again: every row of it would count as a replicate.

    Replicates that happen to agree are few, or hold one value, 0 say.
    """
    known, new = (
        Counter(zip(keys_of(each.columns), map(str, each.targets.tolist()), strict=True))
        for each in (rows, told)
    )
    if len(rows.status) >= _WHOLE_SHEET and not known - new:
        raise ValueError(
            f"tell: expected new rows, got all {len(rows.status)} that are known, too; take these "
            "out, or make the campaign anew by from_csv"
        )
    values = {value for _, value in new}
    agree = len(values) == 1 and any(status != PENDING for status in told.status)
    if len(told.status) >= _WHOLE_SHEET and not new - known and not agree:
        raise ValueError(
            f"tell: expected new rows, got {len(told.status)} that are all known, with the same "
            "values; tell what is new alone"
        )


def unanswered(rows: Rows, told: Rows) -> bool:
    """Whether some told rows are no answers to pending ones: they are a new round."""
    waiting = keys_of(taken(rows.columns, np.flatnonzero(rows.mask(PENDING))))
    return any(key not in waiting for key in keys_of(told.columns)) or not len(told.status)
