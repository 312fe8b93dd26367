"""What a round, or a reset, brings to some of B campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = slice | NDArray[np.intp]  # which campaigns; a slice avoids copies where all are meant
Infos = dict[
    str, tuple[NDArray[Any], NDArray[np.bool_]]
]  # name -> values (R, ...), which rows have it (R,)

ALL = slice(None)


@dataclass(frozen=True)
class Outcome:
    """What a round brought to R campaigns."""

    rewards: NDArray[np.float64]  # (R,)
    finished: NDArray[np.bool_]  # (R,)
    infos: Infos


def together(outcomes: list[Outcome], order: list[Any]) -> Outcome:
    """Outcomes of groups of rows as one, in the order of all R rows."""
    rows = sum(len(outcome.rewards) for outcome in outcomes)

    def scattered(parts: list[NDArray[Any]]) -> NDArray[Any]:
        whole = np.zeros((rows, *parts[0].shape[1:]), parts[0].dtype)
        for at, part in zip(order, parts, strict=True):
            whole[at] = part
        return whole

    infos: Infos = {}
    for name in dict.fromkeys(name for outcome in outcomes for name in outcome.infos):
        like = next(o.infos[name] for o in outcomes if name in o.infos)
        parts = [
            outcome.infos.get(
                name,
                (
                    np.zeros((len(outcome.rewards), *like[0].shape[1:]), like[0].dtype),
                    np.zeros(len(outcome.rewards), bool),
                ),
            )
            for outcome in outcomes
        ]
        infos[name] = scattered([part[0] for part in parts]), scattered([part[1] for part in parts])
    return Outcome(
        scattered([outcome.rewards for outcome in outcomes]),
        scattered([outcome.finished for outcome in outcomes]),
        infos,
    )
