"""What told rows are: answers to wells that ran, a new round, or the whole sheet again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from ombo_agents.campaigns.data.reading import PENDING, Rows, kept_rows
from ombo_agents.campaigns.space.space import keys_of, taken

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


def without_repeated(rows: Rows, told: Rows) -> Rows:
    """Told rows without those that only say again what is known, where a plate is told in parts.

    Where some told rows answer wells that ran, the sheet is that of a plate which was told before:
    rows of the same round with the same values are the same measurements, and no replicates; wells
    that still run are the same wells.

    Args:
        rows: What is known.
        told: Rows of a sheet.
    """
    keys, told_keys = keys_of(rows.columns), keys_of(told.columns)
    running = {key for key, status in zip(keys, rows.status, strict=True) if status == PENDING}
    is_answer = [
        key in running and status != PENDING
        for key, status in zip(told_keys, told.status, strict=True)
    ]
    if not any(is_answer):
        return told
    answered = {key for key, found in zip(told_keys, is_answer, strict=True) if found}
    rounds = {
        int(rows.rounds[row])
        for row, key in enumerate(keys)
        if key in answered and rows.status[row] == PENDING
    }
    known = Counter(
        (key, rows.status[row], str(rows.targets[row].tolist()))
        for row, key in enumerate(keys)
        if int(rows.rounds[row]) in rounds
    )
    keep = []
    for row, key in enumerate(told_keys):
        same = (key, told.status[row], str(told.targets[row].tolist()))
        if not is_answer[row] and known[same] > 0:
            known[same] -= 1
        else:
            keep.append(row)
    return kept_rows(told, np.array(keep, np.intp))


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
            "out, or begin again with this sheet alone"
        )
    values = {value for _, value in new}
    agree = len(values) == 1 and any(status != PENDING for status in told.status)
    if len(told.status) >= _WHOLE_SHEET and not new - known and not agree:
        raise ValueError(
            f"tell: expected new rows, got {len(told.status)} that are all known, with the same "
            "values; a plate whose rows stand in the sheet, or that was given before, is not given "
            "again"
        )


def unanswered(rows: Rows, told: Rows) -> bool:
    """Whether some told rows are no answers to pending ones: they are a new round."""
    waiting = keys_of(taken(rows.columns, np.flatnonzero(rows.mask(PENDING))))
    return any(key not in waiting for key in keys_of(told.columns)) or not len(told.status)
