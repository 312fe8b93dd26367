"""What the commands about a real campaign share: a sheet, a space, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

if TYPE_CHECKING:
    from ombo_agents.campaigns import Campaign


@dataclass(frozen=True)
class SheetArgs:
    """A spreadsheet and how it is read."""

    screen: tyro.conf.Positional[Path]
    """The spreadsheet, CSV or Excel (.xlsx), with names of columns in its first row."""
    space: Path
    """The space file, YAML or JSON, which says what designs may be."""
    target: str
    """The column that is measured, with or without its unit."""
    maximise: tyro.conf.FlagCreatePairsOff[bool] = False
    """High values of the target are good."""
    minimise: tyro.conf.FlagCreatePairsOff[bool] = False
    """Low values of the target are good."""
    failed: tuple[str, ...] = ()
    """Words in the target column for wells that failed (failed n.d., or failed,n.d.)."""
    pending: tuple[str, ...] = ()
    """Words, beside empty cells, for wells that are not measured yet."""
    failed_value: float | None = None
    """What a failed well is worth; as the worst one, unless it is given."""
    origin: str = "random"
    """How the first wells were chosen: random, space_filling, listed, or percentile:50."""
    round_column: str | None = None
    """The column with the number of the round; without it all rows are the start."""
    block: str | None = None
    """The column that names blocks or plates, whose offsets are taken out."""
    cost: str | None = None
    """The column of what wells cost."""


def read_campaign(args: SheetArgs, *, goal_needed: bool, data: Any = None) -> Campaign:
    """The campaign that the flags describe.

    Args:
        args: The flags.
        goal_needed: Whether one of --maximise and --minimise has to be given.
        data: What is read in place of the sheet's file, where it was read already.

    Raises:
        ValueError: Both goals, or none where one is needed; or what `Campaign.from_csv` refuses.
    """
    from ombo_agents.campaigns import Campaign

    if args.maximise and args.minimise:
        raise ValueError("expected --maximise or --minimise, got both")
    if goal_needed and not (args.maximise or args.minimise):
        raise ValueError(
            "expected --maximise or --minimise, got neither; say which values are good"
        )
    return Campaign.from_csv(
        args.screen if data is None else data,
        args.space,
        target=args.target,
        goal="min" if args.minimise else "max",
        origin=args.origin,
        round_column=args.round_column,
        failed=_words(args.failed),
        pending=_words(args.pending),
        failed_value=args.failed_value,
        block=args.block,
        cost=args.cost,
    )


def _words(given: tuple[str, ...]) -> list[str]:
    """Words that stand apart, or with commas between."""
    return [word.strip() for each in given for word in each.split(",") if word.strip()]
