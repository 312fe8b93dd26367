"""A real campaign: a sheet, a space, and what goes on the next plate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns import keeping
from ombo_agents.campaigns.advice.advice import Advice
from ombo_agents.campaigns.advice.advising import advised
from ombo_agents.campaigns.data import checking
from ombo_agents.campaigns.data.campaign_data import CampaignData, Sheet
from ombo_agents.campaigns.data.known import Known, observation_of
from ombo_agents.campaigns.data.reading import Rows
from ombo_agents.campaigns.data.settings import (
    Settings,
    parse_origin,
    parse_targets,
    parse_words,
)
from ombo_agents.campaigns.files.made_sheets import made_sheet
from ombo_agents.campaigns.files.sheets import read_sheet
from ombo_agents.campaigns.pictures.intervals import as_html, measured_figure
from ombo_agents.campaigns.plates.plate import Plate
from ombo_agents.campaigns.plates.suggesting import suggested
from ombo_agents.campaigns.space.encoding import Encoding
from ombo_agents.campaigns.space.factors import Floats
from ombo_agents.campaigns.space.space import Space
from ombo_agents.campaigns.space.space_file import read_space
from ombo_gym.spec import CampaignSpec, Observation, Repeats
from ombo_gym.spreadsheets.spreadsheet import Spreadsheet
from ombo_gym.surrogates.surrogate import make_surrogate
from ombo_gym.utilities import make_utility


class Campaign:
    """A campaign at the bench: what was measured, and what may be measured next.

    It is the one object with a state: `tell` adds rows, and nothing is ever taken away. Everything
    else is worked out from the sheets as they were given.

    Args:
        space: What designs may be: a space file, a dict of the same, or a `Space`.
        settings: Targets, words and columns.
        sheets: What is known, in order.
        advice: What `advise` has said so far, as the campaign's file keeps it.

    Raises:
        ValueError: A space or a sheet that is not as described; names the line or the row.

    Example:
        >>> campaign = Campaign.from_csv(
        ...     [{"T": 30, "yield": 12.5}, {"T": 60, "yield": 31}, {"T": 90, "yield": 20}],
        ...     {"T": {"range": [25, 110], "step": 5}},
        ...     target="yield",
        ... )
        >>> plate = campaign.suggest([4, 4])
        >>> len(plate.wells)
        4
    """

    def __init__(
        self,
        space: Any,
        settings: Settings,
        sheets: Sequence[Sheet],
        advice: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._data = CampaignData(read_space(space), settings, tuple(sheets))
        self.advice = tuple(advice)

    @classmethod
    def from_csv(
        cls,
        data: Any,
        space: Any,
        *,
        target: Any,
        goal: str = "max",
        origin: Any = "random",
        round_column: str | None = None,
        failed: Any = (),
        pending: Any = (),
        failed_value: float | None = None,
        block: str | None = None,
        cost: str | None = None,
        utility: Any = "best",
        delimiter: str | None = None,
        sheet: str | None = None,
        surrogate: Any = None,
    ) -> Self:
        """A campaign from a spreadsheet.

        Args:
            data: The path of a CSV file or an Excel workbook; a data frame or a list of dicts, too.
                Before the first plate it may have no result, no row, or be an empty list.
            space: The path of a space file, or the same as a dict.
            target: The column that is measured; of several, a dict of columns with a weight each,
                or with `weight`, `goal`, `low` and `high`: the sum of all is maximised, see
                `settings.formula`.
            goal: "max" or "min".
            origin: How the first designs were chosen: `{"kind": "random"}`, "space_filling",
                "listed" (by somebody), or `{"kind": "percentile", "percentile": 50}` (of all that
                was measured the lower half).
            round_column: Which round a row belongs to; rows of the lowest number are the start.
                None: all rows are.
            failed: Words for wells that failed, which count as the worst value or `failed_value`.
            pending: Words, beside empty cells, for wells that are not measured yet: they are not
                proposed again, and their values are taken for what is expected of them.
            failed_value: What a failed well is worth, in the target's units.
            block: Column of a block or plate, whose offset is estimated and taken out.
            cost: Column of what wells cost, for the report of `check`.
            utility: What the campaign is worth when it is over.
            delimiter: What separates cells; None: found out.
            sheet: Of a workbook, its name; None: the first that holds anything.
            surrogate: Recipe of the model that policies and predictions rest on, as environments
                take it: `{"kernel": "learned", "path": "priors/coupling"}` is a prior that was
                learnt from past campaigns, see the guide on learned priors. None: `fit`.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: Something is not as described; one sentence that names file and row.
        """
        settings = Settings(
            targets=parse_targets(target, goal),
            origin=parse_origin(origin),
            round_column=round_column,
            failed=parse_words("failed", failed),
            pending=parse_words("pending", pending),
            failed_value=failed_value,
            block=block,
            cost=cost,
            utility=make_utility(utility).config(),
            delimiter=delimiter,
            surrogate=surrogate,
        )
        read = read_space(space)
        if isinstance(data, list | tuple) and not data:
            table = _empty_sheet(read, settings)
        else:
            table = read_sheet(data, delimiter, rows_needed=False, sheet=sheet)
        found = cls(read, settings, [Sheet(table, 0)])
        if surrogate is not None:
            make_surrogate(found.spec([1]))  # refuses a recipe, or a prior of another space
        return found

    # --- what is known --------------------------------------------------------------------------

    @property
    def data(self) -> CampaignData:
        """All that is known, as a value that never changes."""
        return self._data

    @property
    def space(self) -> Space:
        """What designs may be."""
        return self._data.space

    @property
    def settings(self) -> Settings:
        """Targets, words and columns."""
        return self._data.settings

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """As they were given, in order."""
        return self._data.sheets

    @property
    def rows(self) -> Rows:
        """What is known, in the order of rounds."""
        return self._data.rows

    @property
    def values(self) -> Floats:
        """Scores (n,), maximised; NaN where a well is not measured yet."""
        return self._data.measured.values.copy()

    @property
    def noise_std(self) -> float | None:
        """Standard deviation of a measurement, from replicates and controls; None: unknown."""
        return self._data.measured.noise_std

    @property
    def block_offsets(self) -> dict[str, float]:
        """How much higher blocks are than others, in the score's units."""
        return dict(self._data.measured.offsets)

    def known(
        self,
        plates_left: Sequence[int],
        *,
        seed: int = 0,
        repeats: Repeats | str = Repeats.NEVER_AGAIN,
        encoding: Encoding | None = None,
        snap: bool = False,
    ) -> Known:
        """All that a policy is shown.

        Args:
            plates_left: Sizes of the plates to come, the next one first.
            seed: Of the designs that are looked at, where these are drawn.
            repeats: Whether measuring a design again may be worth it.
            encoding: The design space, where it is made already.
            snap: Whether wells between steps are taken for the nearest wherever they can be.

        Raises:
            ValueError: Plates that are none, or a space without designs.
        """
        return self._data.known(
            plates_left, seed=seed, repeats=repeats, encoding=encoding, snap=snap
        )

    def spec(self, plates_left: Sequence[int], **options: Any) -> CampaignSpec:
        """What a policy may know of the campaign; options as of `known`."""
        return self.known(plates_left, **options).spec

    def observation(self, plates_left: Sequence[int], **options: Any) -> Observation:
        """What a policy is shown: fields with a leading 1, of `spec(plates_left)`."""
        return observation_of(self.known(plates_left, **options), plates_left)

    # --- what is done ---------------------------------------------------------------------------

    def suggest(
        self,
        plates_left: Sequence[int] = (24,),
        *,
        policy: str = "auto",
        seed: int = 0,
        repeats: Repeats | str = Repeats.NEVER_AGAIN,
    ) -> Plate:
        """What goes on the next plate.

        Args:
            plates_left: Sizes of the plates to come, the next one first.
            policy: A name of `ombo_agents.names()`, with settings or without, or "auto", see
                `ombo_agents.campaigns.plates.choosing.chosen_policy`.
            seed: The same data, plates, policy and seed give the same plate.
            repeats: Whether measuring a design again may be worth it: "allowed" lets a policy.

        Raises:
            ValueError: Plates or a policy that are none, or fewer designs than wells.
        """
        return suggested(
            self._data, plates_left, policy=policy, seed=seed, repeats=repeats, advice=self.advice
        )

    def advise(
        self,
        plates_left: Sequence[int] = (24,),
        *,
        policies: Sequence[str] | None = None,
        simulations: int | None = None,
        worth: float | None = None,
        seed: int = 0,
        progress: bool | Callable[[int, int], object] = True,
    ) -> Advice:
        """Which policy to follow on the plates that are left, and what other plates would bring.

        Objectives are drawn given these data, from models that are mixed by how well they suit
        them, and each policy plays each objective to the end. What it chooses is kept: `suggest`
        follows it from now on. Where the data are too few, or do not look like data of the model,
        it says so and chooses a space-filling plate.

        Args:
            plates_left: Sizes of the plates to come, the next one first.
            policies: That are played, the first one being chosen unless another is above it; None:
                a few, see `ombo_agents.campaigns.advice.advising.POLICIES`.
            simulations: Objectives that are drawn; None: 200, fewer where rows or designs are many.
            worth: By how much, in the target's units, another plate has to better the outcome.
            seed: The same data, arguments and seed give the same advice.
            progress: Whether a bar is shown on a terminal once it takes long, or lines on stderr
                where there is none; or what is told how many steps are done, of how many.

        Raises:
            ValueError: Plates, policies, a number of simulations or a worth that are none.
            KeyboardInterrupt: Ctrl-C before enough was simulated; after that there is an answer
                from what was, which says so.
        """
        found = advised(
            self._data,
            plates_left,
            policies=policies,
            simulations=simulations,
            worth=worth,
            seed=seed,
            progress=progress,
        )
        self.advice = (*self.advice, found.to_dict())
        return found

    def tell(self, data: Any) -> None:
        """Adds what was measured: rows as in the sheet, of the round after the last.

        A row whose design is pending answers for it. Nothing changes where a row is refused.

        Args:
            data: As in `from_csv`; a plate's own table with its target filled in, for one.

        Raises:
            ValueError: A row that is not as the sheet's; names it.
        """
        self._data = self._data.told(read_sheet(data, self.settings.delimiter, usual="plate"))

    def check(self) -> str:
        """What was understood: columns, kinds, and counts of rows."""
        return checking.report(self._data)

    def understood(self) -> dict[str, str]:
        """What each column is taken for, by its name in the sheet, as `check` says it."""
        return checking.column_lines(self._data)

    def notes(self) -> list[str]:
        """What stands aside, and what may surprise, as `check` says it."""
        return checking.notes(self._data)

    def summary(self) -> str:
        """The first lines of `check`: how many rows are what, and which are controls."""
        return checking.summary(self._data)

    def pareto_front(self) -> NDArray[np.intp]:
        """Measured rows that no other is better than in all targets, by index."""
        return checking.pareto_front(self.rows, self.settings)

    # --- as a file ------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Writes the campaign as JSON.

        Raises:
            ValueError: The file holds something else than an earlier state of this campaign.
        """
        keeping.save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is no campaign.
        """
        space, settings, sheets, advice = keeping.load(Path(path))
        try:
            return cls(space, settings, [Sheet(table, number) for table, number in sheets], advice)
        except ValueError as error:
            raise ValueError(f"{path}: expected a campaign, got a damaged one: {error}") from None

    @property
    def figure(self) -> Any:
        """What was measured so far and the best of it, a figure of matplotlib.

        Raises:
            ValueError: Nothing was.
        """
        if not self._data.measured.any_result:
            raise ValueError("figure: expected a campaign with results, got one without")
        sign = self.settings.sign
        values, rounds = sign * self.values, self.rows.rounds.tolist()
        return measured_figure(values, rounds, self._data.measured_name, maximised=sign > 0)

    def _repr_html_(self) -> str:
        text = checking.report_html(self._data)
        any_result = self._data.measured.any_result
        return text + (as_html(self.figure, "what was measured") if any_result else "")


def _empty_sheet(space: Space, settings: Settings) -> Spreadsheet:
    """A sheet without rows that has all columns which the space and the settings name."""
    also = [settings.round_column, settings.block, settings.cost]
    targets = [target.column for target in settings.targets]
    header = [*space.columns, *targets, *(name for name in also if name is not None)]
    return made_sheet("rows", header, [], rows_needed=False)
