"""What is known of a campaign: a space, how sheets are read, and the sheets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ombo_agents.campaigns.data.controls import NO_DESIGN
from ombo_agents.campaigns.data.filled_plates import (
    check_any_result,
    check_results_in_place,
    check_same_unit,
)
from ombo_agents.campaigns.data.known import Known
from ombo_agents.campaigns.data.reading import Rows, kept_rows, read_rows, stacked
from ombo_agents.campaigns.data.rounds import (
    check_new,
    unanswered,
    without_answered,
    without_repeated,
)
from ombo_agents.campaigns.data.settings import Settings
from ombo_agents.campaigns.data.unlikely import Unlikely, unlikely_wells
from ombo_agents.campaigns.data.values import (
    Measured,
    measured_values,
    posterior_of,
    predicted,
    with_bounds_met,
)
from ombo_agents.campaigns.files.sheets import found_column, match
from ombo_agents.campaigns.space.encoding import Encoding, encoding_of
from ombo_agents.campaigns.space.space import Space
from ombo_gym.arguments import batch_sizes_of_plates
from ombo_gym.spec import CampaignSpec, Repeats
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet


@dataclass(frozen=True)
class Sheet:
    """A sheet that was read, or told later.

    Attributes:
        table: Its cells.
        round: Of its rows, where no column says it; 0: the start.
    """

    table: Spreadsheet
    round: int


@dataclass(frozen=True)
class CampaignData:
    """What is known of a campaign; all else is worked out from the sheets as they were given.

    Attributes:
        space: What designs may be.
        settings: Targets, words and columns.
        sheets: In order.

    Raises:
        ValueError: A sheet that is not as described; names the row.
    """

    space: Space
    settings: Settings
    sheets: tuple[Sheet, ...]

    def __post_init__(self) -> None:
        _ = self.measured  # refuses what is not as described

    @cached_property
    def rows(self) -> Rows:
        """Rows of all sheets by round; rounds are numbered from 0, however a column counts them."""
        parts: list[Rows] = []
        numbers = np.zeros(0, np.int64)  # of the rounds so far, as the sheets count them
        for i, sheet in enumerate(self.sheets):
            last = int(numbers.max()) if len(numbers) else 0
            number = last + sheet.round - max(len(numbers) - 1, 0)
            first = i == 0 and self.settings.round_column is not None
            number_or_column = None if first else number
            rows = read_rows(sheet.table, self.space, self.settings, number_or_column, told=i > 0)
            if parts:
                rows = without_repeated(_in_order(stacked(parts)), rows)
            numbers = np.union1d(numbers, rows.rounds)
            parts.append(rows)
        found = stacked(parts)
        found.rounds[:] = np.searchsorted(numbers, found.rounds)
        return _in_order(found)

    @cached_property
    def measured(self) -> Measured:
        """Scores of the rows, before any model of them."""
        features = self.space.features(self.rows.columns)
        source = self.sheets[0].table.source
        return measured_values(self.rows, features, self.settings, source)

    @cached_property
    def unlikely(self) -> tuple[Unlikely, ...]:
        """Measured wells that are far from what the others say."""
        return unlikely_wells(self)

    @property
    def measured_name(self) -> str:
        """What predictions are of: the score, or the target as the user's own sheet calls it."""
        if self.settings.scored:
            return self.settings.measured_name
        return self.target_columns[0]

    @property
    def target_columns(self) -> tuple[str, ...]:
        """What the user's own sheet calls the targets."""
        return tuple(self._targets_of(self.sheets[0].table))

    @property
    def names_in_sheet(self) -> dict[str, str]:
        """What the user's own sheet calls the columns of the space."""
        header = self.sheets[0].table.header
        return {name: (match(header, name) or [name])[0] for name in self.space.columns}

    def known(
        self,
        plates_left: Sequence[int],
        *,
        seed: int = 0,
        repeats: Repeats | str = Repeats.NEVER_AGAIN,
        encoding: Encoding | None = None,
        snap: bool = False,
    ) -> Known:
        """All that a policy is shown; arguments and errors as `Campaign.known`."""
        plates = batch_sizes_of_plates("plates_left", plates_left)
        rows, values = self.rows, self.measured.values
        best_first = np.argsort(-np.where(np.isnan(values), -np.inf, values), kind="stable")
        best_first = best_first[: int(np.isfinite(values).sum())]
        if encoding is None:
            snap = snap or self.settings.learned  # a prior is of all the space
            learned = self.settings.learned
            encoding = encoding_of(
                self.space, rows.columns, best_first, seed, snap=snap, whole=learned
            )
        spec = self._spec(plates, encoding, repeats)
        designs = encoding.encode(rows.columns)
        done, started = np.isfinite(values), rows.rounds == 0
        num_done = int((started & done).sum())
        bounds = self.measured.bounds[done]
        known = with_bounds_met(spec, designs[done], values[done], bounds, num_done)
        filled = values.copy()
        filled[done] = known
        if not done.all():
            posterior = posterior_of(spec, designs[done], known, num_done)
            filled[~done] = predicted(posterior, spec, designs[~done])[0]
        return Known(encoding, spec, rows, designs, filled, self.measured, int(started.sum()))

    def _spec(self, plates: tuple[int, ...], encoding: Encoding, repeats: Any) -> CampaignSpec:
        counts = np.bincount(self.rows.rounds)
        played = [int(count) for count in counts[1:] if count]
        return CampaignSpec(
            encoding.design_space,
            surrogate=self.settings.surrogate or {"kernel": "fit"},
            plates=(*played, *plates),
            utility=self.settings.utility,
            repeats=repeats,
            noise_std=self.measured.noise_of_controls,
            start_capacity=int(counts[0]) if len(counts) else 0,
            start_origin=self.settings.origin,
        )

    def check_filled(self) -> None:
        """Refuses a last sheet that is a plate in which nothing was filled in.

        Raises:
            ValueError: It is.
        """
        table = self.sheets[-1].table
        check_any_result(table, self._targets_of(table), self.settings.pending)

    def _targets_of(self, table: Spreadsheet) -> list[str]:
        """Columns of the targets in a sheet."""
        return [found_column(table, t.column, "the target") for t in self.settings.targets]

    def told(self, table: Spreadsheet) -> CampaignData:
        """The same with a sheet more; as `Campaign.tell`."""
        told = read_rows(table, self.space, self.settings, 0, told=True)
        targets = self._targets_of(table)
        for column, name in zip(self.target_columns, targets, strict=True):
            check_same_unit(self.sheets[0].table, column, table, name)
        check_results_in_place(table, targets, symmetric=not self.settings.learned)
        places = [*told.control_places, *told.remark_places]
        if not told.status and places:
            reason = [*told.control_reasons, NO_DESIGN][0]
            raise ValueError(
                f"tell: expected a row inside the space, got none ({places[0]}: {reason}); "
                "correct it"
            )
        check_new(self.rows, told)
        rest = unanswered(self.rows, without_repeated(self.rows, told))
        last = int(self.rows.rounds.max(initial=0))
        sheets = (*self.sheets, Sheet(table, last + 1 if rest else last))
        return CampaignData(self.space, self.settings, sheets)


def _in_order(rows: Rows) -> Rows:
    """Rows by round, without those that ran and are answered."""
    return without_answered(kept_rows(rows, np.argsort(rows.rounds, kind="stable")))
