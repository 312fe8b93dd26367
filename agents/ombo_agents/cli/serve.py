"""`ombo serve`: a local page for a real campaign."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from ombo_agents.cli.campaign_arguments import (
    SheetArgs,
    is_campaign_file,
    read_campaign,
    surrogate_of,
    words_of,
)

if TYPE_CHECKING:
    from ombo_agents.campaigns.data.settings import Settings
    from ombo_agents.serve.workspace.workspaces import Workspace
    from ombo_gym.spreadsheets.spreadsheet import Spreadsheet


@dataclass(frozen=True)
class Args(SheetArgs):
    """Serves a page on this machine: a sheet, its columns, the next plate, and advice.

    For instance: ombo serve screen.csv --space space.yaml --target yield --maximise
    """

    screen: tyro.conf.Positional[Path | None] = None  # type: ignore[assignment]  # may come later
    """The spreadsheet to begin with, CSV or Excel (.xlsx), or a campaign's file (.json); the page
    takes others, too. Without --space the page guesses from the cells, without --maximise and
    --minimise high values are good."""
    plates: str = "24"
    """Wells of the plates to come, the next one first: 24,24,8."""
    policy: str = "auto"
    """Who chooses: a name that `ombo list` knows, or auto, which says its reason."""
    seed: int = 0
    """The same data, fields and seed give the same plate and the same advice."""
    repeats: tyro.conf.FlagCreatePairsOff[bool] = False
    """Let designs be measured again where the policy finds it worth it."""
    layout: int | None = None
    """Wells of the plate on the bench, 24, 48, 96 or 384: adds names as A1, and a map."""
    worth: float | None = None
    """By how much, in the target's units, another plate has to better the outcome."""
    policies: str | None = None
    """Of advice: names that `ombo list` knows, with commas between."""
    simulations: int | None = None
    """Of advice: objectives that are drawn."""
    port: int = 8765
    """Of the page; 0: one that is free."""
    host: str = "127.0.0.1"
    """Address to listen on, of this machine alone unless --allow-remote."""
    allow_remote: tyro.conf.FlagCreatePairsOff[bool] = False
    """Let other machines ask, where --host can be reached by them: there is no password."""
    open: tyro.conf.FlagCreatePairsOff[bool] = False
    """Open a browser."""


def main(args: Args) -> None:
    """Serves until Ctrl-C; prints the address.

    Raises:
        ValueError: A sheet or a space file that cannot be read, or an address that cannot or must
            not be listened on.
    """
    from ombo_agents.serve.server import check_address, serve

    check_address(args.host, args.port, allow_remote=args.allow_remote)
    workspace = workspace_of(args)

    def announce(address: str) -> None:
        print(
            f"{address}\nCtrl-C ends it; what is not saved from the page is gone then.", flush=True
        )

    serve(
        workspace.copy,
        host=args.host,
        port=args.port,
        allow_remote=args.allow_remote,
        opens=args.open,
        announce=announce,
    )


def workspace_of(args: Args) -> Workspace:
    """What a visitor begins with.

    Raises:
        ValueError: A file that cannot be read, or flags that do not go together. What is wrong
            with cells is said on the page.
    """
    from ombo_agents.campaigns import read_space
    from ombo_agents.campaigns.files.sheets import read_sheet
    from ombo_agents.serve.workspace.uploads import Book
    from ombo_agents.serve.workspace.workspaces import Workspace

    if args.maximise and args.minimise:
        raise ValueError("expected --maximise or --minimise, got both")
    asked = _asked(args)
    given = _given(args)
    if args.screen is None:
        if given:
            raise ValueError(f"expected a spreadsheet beside {', '.join(given)}, got none")
        return Workspace(asked=asked)
    if is_campaign_file(args.screen):
        return Workspace.of_campaign(read_campaign(args, goal_needed=False), asked)
    table = read_sheet(args.screen, sheet=args.sheet)
    lone = [flag for flag in given if flag not in ("--space", "--target", "--sheet")]
    if args.target is None and lone:
        raise ValueError(f"expected --target beside {', '.join(lone)}, --target yield say")
    settings = None if args.target is None else _settings(args, table)
    space = None if args.space is None else read_space(args.space)
    found = Workspace.beginning(table, space, settings, asked)
    found.book = Book.of_file(args.screen)
    _tell(found, args)
    return found


def _given(args: Args) -> list[str]:
    """Flags about the sheet that were given."""
    plain = Args()
    names = [each.name for each in fields(SheetArgs) if each.name != "screen"]
    differing = [name for name in names if getattr(args, name) != getattr(plain, name)]
    return [f"--{name.replace('_', '-')}" for name in differing]


def _settings(args: Args, table: Spreadsheet) -> Settings:
    """How the sheet is read."""
    from ombo_agents.campaigns.data.settings import Settings, Target, parse_origin
    from ombo_agents.campaigns.files.sheets import found_column

    assert args.target is not None
    found_column(table, args.target, "the target")
    for name in ("round_column", "block", "cost"):
        if (column := getattr(args, name)) is not None:
            found_column(table, column, f"--{name.replace('_', '-')}")
    if args.past is not None and args.space is None:
        raise ValueError("expected --space beside --past, --space space.yaml say")
    reading: dict[str, Any] = {
        "failed": tuple(words_of(args.failed)),
        "pending": tuple(words_of(args.pending)),
        "failed_value": args.failed_value,
        "block": args.block,
    }
    return Settings(
        (Target(args.target, "min" if args.minimise else "max"),),
        origin=parse_origin(args.origin),
        round_column=args.round_column,
        cost=args.cost,
        surrogate=surrogate_of(args, reading),
        **reading,
    )


def _tell(workspace: Workspace, args: Args) -> None:
    """Adds plates that are filled in by now."""
    from ombo_agents.campaigns.files.sheets import read_sheet

    if args.filled and workspace.campaign is None:
        if args.space is None or args.target is None:
            raise ValueError("expected --space and --target beside --filled")
        first = next(words for each in workspace.problems.values() for words in each)
        raise ValueError(f"--filled: expected a sheet that can be read before it, got: {first}")
    for plate in args.filled:
        try:
            workspace.tell(read_sheet(plate, usual="plate"), counted=False)
        except ValueError as error:
            named = "" if str(plate) in str(error) else f"{plate}: "
            raise ValueError(f"--filled: {named}{error}") from None


def _asked(args: Args) -> dict[str, str]:
    """The texts of fields of the pages of plates and advice.

    Raises:
        ValueError: No such plates, policy, seed or layout.
    """
    from ombo_agents.campaigns.plates.plate import LAYOUTS
    from ombo_agents.cli.arguments import parse_plates
    from ombo_agents.registry import names

    parse_plates(args.plates)
    if args.layout is not None and args.layout not in LAYOUTS:
        raise ValueError(f"--layout: expected one of {list(LAYOUTS)} wells, got {args.layout}")
    if args.policy != "auto" and args.policy not in names():
        raise ValueError(
            f"--policy: expected auto or a name that `ombo list` knows, got {args.policy!r}"
        )
    if args.seed < 0:
        raise ValueError(f"--seed: expected a whole number of at least 0, got {args.seed}")

    def text(value: object) -> str:
        return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

    return {
        "plates": ", ".join(part.strip() for part in args.plates.split(",")),
        "policy": args.policy,
        "seed": str(args.seed),
        "repeats": "yes" if args.repeats else "",
        "layout": text(args.layout),
        "worth": text(args.worth),
        "simulations": text(args.simulations),
        "policies": text(args.policies),
    }
