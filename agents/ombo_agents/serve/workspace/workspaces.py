"""What visitors have: a sheet, a space, settings, and what was worked out of them."""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ombo_agents.campaigns import Advice, Campaign, Plate, Space
from ombo_agents.campaigns.data.campaign_data import Sheet
from ombo_agents.campaigns.data.settings import Settings
from ombo_agents.campaigns.files.sheets import match
from ombo_agents.serve.workspace.calculations import Calculation
from ombo_agents.serve.workspace.drafts import Draft, draft_of, with_settings
from ombo_agents.serve.workspace.guessing import guessed, with_guessed_target, with_guesses
from ombo_agents.serve.workspace.numbers import without_first
from ombo_agents.serve.workspace.replacing import Waiting, losses
from ombo_agents.serve.workspace.results import Added, added_results
from ombo_agents.serve.workspace.understanding import (
    RULES,
    Problems,
    as_text,
    campaign_of,
    place_of,
    read_fields,
    read_text,
    settings_of,
    written_space,
)
from ombo_agents.serve.workspace.uploads import Book
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet

MOST_TABLES = 20  # files that a space file names


@dataclass
class Workspace:
    """What one visitor has. Nothing of it is kept in a file.

    Attributes:
        sheets: As they were sent, in order; none yet.
        book: The workbook with several sheets that the first one is of, or that was sent last.
        space: What may be varied; None: not said yet.
        text: The space file.
        tables: Files that it names.
        settings: How sheets are read; None: not said yet.
        campaign: Of all these; None: they are not understood yet.
        problems: Why not, by place.
        kept: Advice of campaigns with these columns before this one.
        asked: What was last asked of plates and advice, as the texts of fields.
        plate: That was suggested last.
        advice: That was given last, since the file of a campaign keeps less of it.
        added: What came of the results that were added last, as long as nothing else changes.
        calculation: That goes on, or ended last.
        waiting: What was sent while this is open.
        lock: Held while anything of this changes.
    """

    sheets: tuple[Sheet, ...] = ()
    book: Book | None = None
    space: Space | None = None
    text: str = ""
    tables: dict[str, Any] = field(default_factory=dict)
    settings: Settings | None = None
    campaign: Campaign | None = None
    problems: dict[str, list[str]] = field(default_factory=dict)
    kept: tuple[Mapping[str, Any], ...] = ()
    asked: dict[str, str] = field(default_factory=dict)
    plate: Plate | None = None
    advice: Advice | None = None
    added: Added | None = None
    calculation: Calculation | None = None
    waiting: Waiting | None = None
    lock: Any = field(default_factory=threading.RLock)

    @classmethod
    def beginning(
        cls,
        sheet: Spreadsheet,
        space: Space | None,
        settings: Settings | None,
        asked: Mapping[str, str],
    ) -> Workspace:
        """What a visitor begins with who is given files.

        Args:
            sheet: That was read.
            space: What may be varied; None: not said.
            settings: How the sheet is read; None: not said.
            asked: Texts of fields.
        """
        found = cls((Sheet(sheet, 0),), settings=settings, asked=dict(asked))
        if space is not None:
            found.space, found.tables = space, dict(space.tables)
            found.text = as_text(space.written)
        found._understand()
        return found

    @classmethod
    def of_campaign(cls, campaign: Campaign, asked: Mapping[str, str]) -> Workspace:
        """What a visitor begins with who is given a campaign that was kept.

        Args:
            campaign: That was read.
            asked: Texts of fields.
        """
        found = cls(asked=dict(asked))
        found.take_campaign(campaign)
        return found

    def copy(self) -> Workspace:
        """The same for another visitor; what one does with it the other does not see."""
        campaign = (
            None if self.campaign is None else copy.copy(self.campaign)
        )  # whose data are frozen
        return replace(
            self,
            campaign=campaign,
            asked=dict(self.asked),
            calculation=None,
            waiting=None,
            lock=threading.RLock(),
        )

    def offer(self, other: Workspace, endpoint: str) -> bool:
        """Takes the place of what is here, or waits where something that was entered would be gone.

        Args:
            other: With what was sent.
            endpoint: Of the page that is shown once it is open.

        Returns:
            Whether it is here now.
        """
        if gone := losses(self, other):
            self.waiting = Waiting(other, endpoint, gone)
            return False
        self.become(other)
        return True

    def become(self, other: Workspace) -> None:
        """Takes all that another has, in place of what is here."""
        self.drop()
        for each in fields(self):
            if each.name != "lock":
                setattr(self, each.name, getattr(other, each.name))

    @property
    def sheet(self) -> Spreadsheet | None:
        """The first sheet, whose columns are asked about."""
        return self.sheets[0].table if self.sheets else None

    @property
    def busy(self) -> bool:
        """Whether something is being worked out."""
        return self.calculation is not None and self.calculation.running

    # --- what is sent ---------------------------------------------------------------------------

    def take_sheet(self, table: Spreadsheet) -> None:
        """A sheet in place of all before; what was said of its columns stays where they are."""
        known = self.space is not None and self.settings is not None
        if not (known and self._has_columns(table)):
            self.space, self.text, self.tables, self.settings = None, "", {}, None
            self.campaign, self.kept = None, ()
        self.sheets = (Sheet(table, 0),)
        self._understand()

    def take_text(self, text: str) -> None:
        """A space file in place of that before.

        Raises:
            Problems: It is none; nothing has changed.
        """
        self.space, self.text = read_text(text, self.tables), text
        self._understand()

    def take_draft(self, draft: Draft) -> None:
        """Fields of the page of columns.

        Raises:
            Problems: One is not as it should be; nothing has changed.
        """
        problems = Problems()
        text, space, settings = self.text, self.space, self.settings
        try:
            settings = settings_of(draft, self.settings)
        except Problems as found:
            problems.by_place |= found.by_place
        try:
            written = written_space(draft, space)
            if space is None or written != written_space(self.draft(), space):
                text, space = read_fields(draft, written, self.tables)
        except Problems as found:
            problems.by_place |= found.by_place | self._wrong_rules(draft, found)
        problems.check()
        assert space is not None and settings is not None
        campaign = campaign_of(space, settings, self.sheets, self._kept_advice)
        self.space, self.text, self.settings = space, text, settings
        self._replace_campaign(campaign)

    def _wrong_rules(self, draft: Draft, problems: Problems) -> dict[str, list[str]]:
        """What is wrong with rules where columns are, too: these are taken as they were, then."""
        before = self.draft().columns
        columns = [
            before[i] if place_of(i) in problems.by_place else each
            for i, each in enumerate(draft.columns)
        ]
        whole = replace(draft, columns=tuple(columns))
        try:
            read_fields(whole, written_space(whole, self.space), self.tables)
        except Problems as found:
            return {place: each for place, each in found.by_place.items() if place == RULES}
        return {}

    def take_table(self, name: str, table: Mapping[str, Any]) -> None:
        """A file that a space file names.

        Raises:
            ValueError: There are too many.
        """
        if name not in self.tables and len(self.tables) >= MOST_TABLES:
            raise ValueError(
                f"tables: expected at most {MOST_TABLES}, got one more; leave out what is not used"
            )
        self.tables = {**self.tables, name: dict(table)}

    def take_campaign(self, campaign: Campaign) -> None:
        """A campaign that was kept."""
        self.sheets, self.settings = tuple(campaign.sheets), campaign.settings
        self.space, self.tables = campaign.space, dict(campaign.space.tables)
        self.text = as_text(campaign.space.written)
        self._replace_campaign(campaign)

    def tell(self, table: Spreadsheet, *, counted: bool = True) -> None:
        """A plate with its results.

        Args:
            table: As it was filled in.
            counted: Whether it was one of the plates left.

        Raises:
            ValueError: A row that is not as the sheet's, or no result; nothing has changed.
        """
        assert self.campaign is not None
        before, told = self.campaign.data, copy.copy(self.campaign)
        told.tell(table)
        told.data.check_filled()
        self.sheets = tuple(told.sheets)
        self._replace_campaign(told)
        self.added = added_results(before, told.data)
        if counted and self.added.new_round and "plates" in self.asked:
            self.asked["plates"] = without_first(self.asked["plates"])

    def drop(self) -> None:
        """Stops what goes on."""
        if self.calculation is not None:
            self.calculation.stop()

    # --- what is understood ---------------------------------------------------------------------

    def draft(self) -> Draft:
        """Fields of the page of columns, as things are."""
        assert self.sheet is not None
        if self.space is None:
            draft = guessed(self.sheet, self.settings)
            return draft if self.settings is None else with_settings(draft, self.settings)
        draft = with_guesses(draft_of(self.sheet, self.space, self.settings), self.sheet)
        return draft if self.settings is not None else with_guessed_target(draft, self.sheet)

    def finished(self) -> None:
        """Takes the result of a calculation that has ended."""
        with self.lock:
            calculation, campaign = self.calculation, self.campaign
            if calculation is None or calculation.state != "done" or calculation.result is None:
                return
            result, calculation.result = calculation.result, None
            if campaign is None or calculation.campaign is not campaign:
                return
            if calculation.what == "suggest":
                self.plate = result
            else:
                self.advice = result
                campaign.advice = (*campaign.advice, result.to_dict())

    def saved(self) -> bytes:
        """The campaign's file."""
        assert self.campaign is not None
        with TemporaryDirectory(prefix="ombo-") as folder:
            path = Path(folder) / "campaign.json"
            self.campaign.save(path)
            return path.read_bytes()

    @property
    def _kept_advice(self) -> tuple[Mapping[str, Any], ...]:
        return self.kept if self.campaign is None else self.campaign.advice

    def _understand(self) -> None:
        """Makes the campaign anew; says why where that cannot be."""
        self._replace_campaign(None)
        if not self.sheets or self.space is None or self.settings is None:
            return
        try:
            self.campaign = campaign_of(self.space, self.settings, self.sheets, self.kept)
        except Problems as problems:
            self.problems = problems.by_place

    def _replace_campaign(self, campaign: Campaign | None) -> None:
        """Takes a campaign; what was worked out of another goes."""
        self.drop()
        self.kept = self._kept_advice
        self.campaign, self.problems = campaign, {}
        self.plate = self.advice = self.calculation = self.added = self.waiting = None

    def _has_columns(self, table: Spreadsheet) -> bool:
        """Whether a sheet has all columns that something was said of."""
        assert self.space is not None and self.settings is not None and self.sheet is not None
        names = [name for name in self.space.columns if match(self.sheet.header, name)]
        names += [target.column for target in self.settings.targets]
        return all(match(table.header, name) for name in names)


class Workspaces:
    """Those of all visitors, of which the ones that were used last are kept.

    Args:
        first: Makes what a visitor begins with.
        most: How many are kept.
    """

    def __init__(self, first: Callable[[], Workspace], most: int = 8) -> None:
        self._first, self._most = first, most
        self._kept: OrderedDict[str, Workspace] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> Workspace:
        """A visitor's, or what it would begin with, which is not kept."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        return self._first()

    def keep(self, key: str, workspace: Workspace) -> None:
        """Keeps a visitor's; the one that was not used for longest may have to go."""
        with self._lock:
            self._kept[key] = workspace
            self._kept.move_to_end(key)
            gone = [self._kept.popitem(last=False)[1] for _ in range(len(self._kept) - self._most)]
        for each in gone:
            each.drop()

    def forget(self, key: str) -> None:
        """Takes a visitor's away."""
        with self._lock:
            gone = self._kept.pop(key, None)
        if gone is not None:
            gone.drop()

    def running(self) -> int:
        """Calculations that go on."""
        with self._lock:
            return sum(each.busy for each in self._kept.values())

    def drop_all(self) -> None:
        """Stops everything."""
        for each in list(self._kept.values()):
            each.drop()
