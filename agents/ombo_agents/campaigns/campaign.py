"""A real campaign: a sheet, a space, and what goes on the next plate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns import checking, keeping
from ombo_agents.campaigns.advice import Advice
from ombo_agents.campaigns.advising import advised
from ombo_agents.campaigns.encoding import Encoding, encoding_of
from ombo_agents.campaigns.factors import Floats
from ombo_agents.campaigns.known import Known, observation_of
from ombo_agents.campaigns.plate import Plate
from ombo_agents.campaigns.reading import Rows, kept_rows, read_rows, stacked
from ombo_agents.campaigns.rounds import check_new, unanswered, without_answered
from ombo_agents.campaigns.settings import Settings, parse_origin, parse_targets, parse_words
from ombo_agents.campaigns.sheets import read_sheet
from ombo_agents.campaigns.space import Space
from ombo_agents.campaigns.space_file import read_space
from ombo_agents.campaigns.suggesting import suggested
from ombo_agents.campaigns.values import (
    Measured,
    measured_values,
    posterior_of,
    predicted,
    with_bounds_met,
)
from ombo_gym.arguments import batch_sizes_of_plates
from ombo_gym.problems.own.spreadsheet import Spreadsheet
from ombo_gym.spec import CampaignSpec, Observation, Repeats
from ombo_gym.utilities import make_utility


@dataclass(frozen=True)
class Sheet:
    """A sheet that was read, or told later.

    Attributes:
        table: Its cells.
        round: Of its rows, where no column says it; 0: the start.
    """

    table: Spreadsheet
    round: int


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
        self.space: Space = read_space(space)
        self.settings = settings
        self.sheets = tuple(sheets)
        self.advice = tuple(advice)
        self._rows = self._read(self.sheets)
        self._checked = self._measured()

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
    ) -> Self:
        """A campaign from a spreadsheet.

        Args:
            data: The path of a CSV file or an Excel workbook; a data frame or a list of dicts, too.
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
        )
        read = read_space(space)
        return cls(read, settings, [Sheet(read_sheet(data, delimiter), 0)])

    # --- what is known --------------------------------------------------------------------------

    def _read(self, sheets: Sequence[Sheet]) -> Rows:
        """Rows of all sheets by round; rounds are numbered from 0, however a column counts them."""
        parts: list[Rows] = []
        numbers = np.zeros(0, np.int64)  # of the rounds so far, as the sheets count them
        for i, sheet in enumerate(sheets):
            last = int(numbers.max()) if len(numbers) else 0
            number = last + sheet.round - max(len(numbers) - 1, 0)
            first = i == 0 and self.settings.round_column is not None
            number_or_column = None if first else number
            rows = read_rows(sheet.table, self.space, self.settings, number_or_column, told=i > 0)
            numbers = np.union1d(numbers, rows.rounds)
            parts.append(rows)
        found = stacked(parts)
        found.rounds[:] = np.searchsorted(numbers, found.rounds)
        order = np.argsort(found.rounds, kind="stable")
        return without_answered(kept_rows(found, order))

    def _measured(self) -> Measured:
        features = self.space.features(self._rows.columns)
        source = str(self.sheets[0].table.path)
        return measured_values(self._rows, features, self.settings, source)

    @property
    def rows(self) -> Rows:
        """What is known, in the order of rounds."""
        return self._rows

    @property
    def values(self) -> Floats:
        """Scores (n,), maximised; NaN where a well is not measured yet."""
        return self._checked.values.copy()

    @property
    def noise_std(self) -> float | None:
        """Standard deviation of a measurement, from replicates and controls; None: unknown."""
        return self._checked.noise_std

    @property
    def block_offsets(self) -> dict[str, float]:
        """How much higher blocks are than others, in the score's units."""
        return dict(self._checked.offsets)

    def known(
        self,
        plates_left: Sequence[int],
        *,
        seed: int = 0,
        repeats: Repeats | str = Repeats.NEVER_AGAIN,
        encoding: Encoding | None = None,
    ) -> Known:
        """All that a policy is shown.

        Args:
            plates_left: Sizes of the plates to come, the next one first.
            seed: Of the designs that are looked at, where these are drawn.
            repeats: Whether measuring a design again may be worth it.
            encoding: The design space, where it is made already.

        Raises:
            ValueError: Plates that are none, or a space without designs.
        """
        plates = batch_sizes_of_plates("plates_left", plates_left)
        rows, values = self._rows, self._checked.values
        best_first = np.argsort(-np.where(np.isnan(values), -np.inf, values), kind="stable")
        best_first = best_first[: int(np.isfinite(values).sum())]
        encoding = encoding or encoding_of(self.space, rows.columns, best_first, seed)
        spec = self._spec(plates, encoding, repeats)
        designs = encoding.encode(rows.columns)
        done, started = np.isfinite(values), rows.rounds == 0
        num_done = int((started & done).sum())
        bounds = self._checked.bounds[done]
        known = with_bounds_met(spec, designs[done], values[done], bounds, num_done)
        filled = values.copy()
        filled[done] = known
        if not done.all():
            posterior = posterior_of(spec, designs[done], known, num_done)
            filled[~done] = predicted(posterior, spec, designs[~done])[0]
        return Known(encoding, spec, rows, designs, filled, self._checked, int(started.sum()))

    def _spec(self, plates: tuple[int, ...], encoding: Encoding, repeats: Any) -> CampaignSpec:
        counts = np.bincount(self._rows.rounds)
        played = [int(count) for count in counts[1:] if count]
        return CampaignSpec(
            encoding.design_space,
            plates=(*played, *plates),
            utility=self.settings.utility,
            repeats=repeats,
            noise_std=self._checked.noise_of_controls,
            start_capacity=int(counts[0]),
            start_origin=self.settings.origin,
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
                `ombo_agents.campaigns.suggesting.chosen_policy`.
            seed: The same data, plates, policy and seed give the same plate.
            repeats: Whether measuring a design again may be worth it: "allowed" lets a policy.

        Raises:
            ValueError: Plates or a policy that are none, or fewer designs than wells.
        """
        return suggested(self, plates_left, policy=policy, seed=seed, repeats=repeats)

    def advise(
        self,
        plates_left: Sequence[int] = (24,),
        *,
        policies: Sequence[str] | None = None,
        simulations: int | None = None,
        worth: float | None = None,
        seed: int = 0,
        progress: bool = True,
    ) -> Advice:
        """Which policy to follow on the plates that are left, and what other plates would bring.

        Objectives are drawn given these data, from models that are mixed by how well they suit
        them, and each policy plays each objective to the end. What it chooses is kept: `suggest`
        follows it from now on. Where the data are too few, or do not look like data of the model,
        it says so and chooses a space-filling plate.

        Args:
            plates_left: Sizes of the plates to come, the next one first.
            policies: That are played, the first one being chosen unless another is above it; None:
                a few, see `ombo_agents.campaigns.advising.POLICIES`.
            simulations: Objectives that are drawn; None: 200, fewer where rows are many.
            worth: By how much, in the target's units, another plate has to better the outcome.
            seed: The same data, arguments and seed give the same advice.
            progress: Whether a bar is shown on a terminal once it takes long.

        Raises:
            ValueError: Plates, policies, a number of simulations or a worth that are none.
        """
        found = advised(
            self,
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
        table = read_sheet(data, self.settings.delimiter)
        told = read_rows(table, self.space, self.settings, 0, told=True)
        if not told.status and told.control_places:
            raise ValueError(
                "tell: expected a row inside the space, got none "
                f"({told.control_places[0]}); correct it"
            )
        check_new(self._rows, told)
        rest = unanswered(self._rows, told)
        last = int(self._rows.rounds.max(initial=0))
        sheets = (*self.sheets, Sheet(table, last + 1 if rest else last))
        grown = Campaign(self.space, self.settings, sheets)
        self.sheets, self._rows, self._checked = grown.sheets, grown._rows, grown._checked

    def check(self) -> str:
        """What was understood: columns, kinds, and counts of rows."""
        return checking.report(self)

    def summary(self) -> str:
        """The first lines of `check`: how many rows are what, and which are controls."""
        return checking.summary(self)

    def pareto_front(self) -> NDArray[np.intp]:
        """Measured rows that no other is better than in all targets, by index."""
        return checking.pareto_front(self._rows, self.settings)

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

    def _repr_html_(self) -> str:
        return checking.report_html(self)
