"""What came of results that were added, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ombo_agents.campaigns.data.campaign_data import CampaignData
from ombo_agents.campaigns.data.reading import FAILED, MEASURED, PENDING


@dataclass(frozen=True)
class Added:
    """What came of results.

    Attributes:
        results: Wells with a result that had none before, failed ones among them.
        failed: Of these.
        pending: More wells without a result than before.
        best: The best value by now, of several targets the best score; None: there is none.
        best_place: Where it stands.
        better: Whether it is new.
        new_round: Whether they begin a round, so that there is one plate less to come.
    """

    results: int
    failed: int
    pending: int
    best: float | None
    best_place: str
    better: bool
    new_round: bool

    @property
    def words(self) -> str:
        """In a sentence: 24 results added, 2 failed, best now 93.1 (plate.csv, row 5)."""
        found = [f"{self.results} {'result' if self.results == 1 else 'results'} added"]
        if self.failed:
            found.append(f"{self.failed} failed")
        if self.pending > 0:
            found.append(f"{self.pending} still without a result")
        if self.best is not None:
            as_before = "" if self.better else ", as before"
            found.append(f"best now {self.best:.6g} ({self.best_place}){as_before}")
        return ", ".join(found)


def added_results(before: CampaignData, after: CampaignData) -> Added:
    """What came of a sheet that was told.

    Args:
        before: What was known.
        after: What is known now.
    """

    def more(status: str) -> int:
        return int(after.rows.mask(status).sum()) - int(before.rows.mask(status).sum())

    first, second = _best(before), _best(after)
    return Added(
        results=more(MEASURED) + more(FAILED),
        failed=more(FAILED),
        pending=more(PENDING),
        best=None if second is None else second[0] * after.settings.sign + 0.0,
        best_place="" if second is None else second[1],
        better=second is not None and (first is None or second[0] > first[0]),
        new_round=_rounds(after) > _rounds(before),
    )


def _best(data: CampaignData) -> tuple[float, str] | None:
    """The best that was measured, maximised, and where it stands.

    Of one target it is what stands in the sheet, with the offset of the block in it.
    """
    rows, settings = data.rows, data.settings
    values = data.measured.values if settings.scored else settings.sign * rows.targets[:, 0]
    done = rows.mask(MEASURED) & np.isfinite(values)  # (n,)
    if not done.any():
        return None
    at = int(np.argmax(np.where(done, values, -np.inf)))
    return float(values[at]), rows.places[at]


def _rounds(data: CampaignData) -> int:
    return int(data.rows.rounds.max(initial=-1)) + 1
