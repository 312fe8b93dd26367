"""What the commands about a real campaign share: a sheet, a space, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from ombo_agents.cli.arguments import parse_json
from ombo_agents.cli.kept_flags import disagreeing
from ombo_gym.arguments import shown

if TYPE_CHECKING:
    from ombo_agents.campaigns import Campaign


@dataclass(frozen=True)
class SheetArgs:
    """A spreadsheet and how it is read."""

    screen: tyro.conf.Positional[Path]
    """The spreadsheet, CSV or Excel (.xlsx), with names of columns in its first row; or a
    campaign's file (.json), which says all that the flags about the sheet do."""
    space: Path | None = None
    """The space file, YAML or JSON, which says what designs may be."""
    target: str | None = None
    """The column that is measured, with or without its unit."""
    maximise: tyro.conf.FlagCreatePairsOff[bool] = False
    """High values of the target are good."""
    minimise: tyro.conf.FlagCreatePairsOff[bool] = False
    """Low values of the target are good."""
    failed: tuple[str, ...] = ()
    """Words in the target column for wells that failed because of their conditions, which count as
    the worst one (failed exploded, or failed,exploded)."""
    pending: tuple[str, ...] = ()
    """Words, beside empty cells, for wells that are not measured yet, or whose result was lost
    (n.d. waiting, or n.d.,waiting)."""
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
    filled: tuple[Path, ...] = ()
    """Plates that suggest wrote and that are filled in by now, in the order of rounds."""
    surrogate: str | None = None
    """The recipe of the model: the folder of a learned prior (priors/coupling), the name of one
    that comes with the package (tf_binding), or any recipe as JSON ({"kernel": "isotropic"})."""
    past: Path | None = None
    """A folder of earlier campaigns, a spreadsheet each: a prior is learnt from them and used."""
    sheet: str | None = None
    """The sheet of a workbook, by its name; without it the first one that holds anything."""


def read_campaign(args: SheetArgs, *, goal_needed: bool, data: Any = None) -> Campaign:
    """The campaign that the flags describe.

    Args:
        args: The flags.
        goal_needed: Whether one of --maximise and --minimise has to be given.
        data: What is read in place of the sheet's file, where it was read already.

    Raises:
        ValueError: Both goals, or none where one is needed, flags beside a campaign's file, or a
            sheet without what is needed; or what `Campaign.from_csv` and `tell` refuse.
    """
    if is_campaign_file(args.screen):
        campaign = _kept_campaign(args)
    else:
        campaign = _campaign_of_sheet(args, goal_needed, args.screen if data is None else data)
    for plate in args.filled:
        try:
            campaign.tell(plate)
            campaign.data.check_filled()
        except ValueError as error:
            words = str(error).removeprefix("tell: ")
            named = "" if str(plate) in words else f"{plate}: "
            raise ValueError(f"--filled: {named}{words}") from None
    return campaign


def is_campaign_file(path: Path) -> bool:
    """Whether a file is what `Campaign.save` wrote, and no sheet."""
    return path.suffix.lower() == ".json"


def _kept_campaign(args: SheetArgs) -> Campaign:
    """The campaign of a file, to which flags may only add plates, or agree."""
    from ombo_agents.campaigns import Campaign

    plain = SheetArgs(args.screen)
    names = [field.name for field in fields(SheetArgs) if field.name not in ("screen", "filled")]
    given = [name for name in names if getattr(args, name) != getattr(plain, name)]
    campaign = Campaign.load(args.screen)
    values = {name: getattr(args, name) for name in given}
    for name in {"failed", "pending"} & set(values):
        values[name] = words_of(values[name])
    if "surrogate" in values:
        values["surrogate"] = _recipe(values["surrogate"])
    if differing := disagreeing(values, campaign):
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in differing)
        raise ValueError(
            f"{flags}: {args.screen} is a campaign's file, which says otherwise and stays as it "
            "is; leave the flag out, or give the spreadsheet"
        )
    return campaign


def _campaign_of_sheet(args: SheetArgs, goal_needed: bool, data: Any) -> Campaign:
    """The campaign of a spreadsheet."""
    from ombo_agents.campaigns import Campaign

    for name, example in (("space", "space.yaml"), ("target", "yield")):
        if getattr(args, name) is None:
            raise ValueError(f"expected --{name} beside a spreadsheet, --{name} {example} say")
    if args.maximise and args.minimise:
        raise ValueError("expected --maximise or --minimise, got both")
    if goal_needed and not (args.maximise or args.minimise):
        raise ValueError(
            "expected --maximise or --minimise, got neither; say which values are good"
        )
    reading: dict[str, Any] = {
        "failed": words_of(args.failed),
        "pending": words_of(args.pending),
        "failed_value": args.failed_value,
        "block": args.block,
    }
    return Campaign.from_csv(
        data,
        args.space,
        sheet=args.sheet,
        target=args.target,
        goal="min" if args.minimise else "max",
        origin=args.origin,
        round_column=args.round_column,
        cost=args.cost,
        surrogate=surrogate_of(args, reading),
        **reading,
    )


def surrogate_of(args: SheetArgs, reading: Mapping[str, Any]) -> dict[str, Any] | None:
    """The recipe that --surrogate writes, or that of the prior of past campaigns.

    Args:
        args: The flags.
        reading: How past campaigns are read: `failed`, `pending`, `failed_value` and `block`.

    Raises:
        ValueError: Both flags, a recipe that is none, or past campaigns that nothing is learnt of.
    """
    if args.surrogate is not None and args.past is not None:
        raise ValueError("expected --surrogate or --past, got both; --past learns a prior itself")
    if args.surrogate is not None:
        return _recipe(args.surrogate)
    if args.past is None:
        return None
    from ombo_agents.learned.priors.folders import prior_of_past

    path = prior_of_past(
        args.past,
        space=args.space,
        target=args.target,
        minimise=args.minimise,
        leave_out=args.screen,
        **reading,
    )
    return {"kernel": "learned", "path": str(path)}


def _recipe(text: str) -> dict[str, Any]:
    """The recipe that a text stands for: JSON, a folder, or the name of a shipped prior."""
    if text.lstrip().startswith("{"):
        return parse_json("--surrogate", text)
    if text and Path(text).is_dir():
        return {"kernel": "learned", "path": text}
    from ombo_agents.learned.priors.shipped import shipped_prior, shipped_prior_names

    names = shipped_prior_names()
    if text not in names:
        raise ValueError(
            '--surrogate: expected a JSON object such as {"kernel": "isotropic"}, the folder of a '
            f"learned prior, or one of those that come with the package, {names}, got {shown(text)}"
        )
    return {"kernel": "learned", "path": shipped_prior(text)}


def words_of(given: tuple[str, ...]) -> list[str]:
    """Words that stand apart, or with commas between."""
    return [word.strip() for each in given for word in each.split(",") if word.strip()]
