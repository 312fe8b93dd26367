"""`ombo suggest`: what goes on the next plate of a real campaign."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from ombo_agents.cli.arguments import parse_plates
from ombo_agents.cli.campaign_arguments import SheetArgs, read_campaign


@dataclass(frozen=True)
class Args(SheetArgs):
    """Suggests the next plate from a spreadsheet and a space file.

    For instance: ombo suggest screen.csv --space space.yaml --target yield --maximise --plates 24,8
    """

    plates: str = "24"
    """Wells of the plates to come, the next one first: 24,24,8."""
    policy: str = "auto"
    """Who chooses: a name that `ombo list` knows, or auto, which says its reason."""
    seed: int = 0
    """The same files, flags and seed give the same plate."""
    repeats: tyro.conf.FlagCreatePairsOff[bool] = False
    """Let designs be measured again where the policy finds it worth it."""
    layout: int | None = None
    """Wells of the plate on the bench, 24, 48, 96 or 384: adds names as A1, and a map."""
    out: Path = Path("plate.csv")
    """The file to write, .csv or .xlsx; beside another plate there, plate-2.csv is written."""
    if_last: Path | None = None
    """Another file, for the plate that it would be if it were the last one."""


def main(args: Args) -> None:
    """Suggests from the command line."""
    plates = parse_plates(args.plates)
    from ombo_agents.campaigns.plates.plate_file import check_place

    for path in (args.out, args.if_last):  # before anything is worked out
        if path is not None:
            check_place(path)
    campaign = read_campaign(args, goal_needed=True)
    print(campaign.summary())
    plate = campaign.suggest(
        plates,
        policy=args.policy,
        seed=args.seed,
        repeats="allowed" if args.repeats else "never_again",
    )
    file = plate.write(args.out, layout=args.layout, rename=True)
    print(f"{plate.reason}\n{len(plate)} wells: {file}")
    if file != args.out:
        print(f"{args.out} holds another plate, or results, and stays as it is")
    for note in plate.notes:
        print(note)
    if words := plate.if_last_words:
        more = "" if args.if_last else "; --if-last FILE writes that plate"
        print(f"{words}: column 'if last'{more}")
    if args.if_last is not None:
        other = plate.write_if_last(args.if_last, layout=args.layout, rename=True)
        print(f"the plate if it were the last: {other}")
