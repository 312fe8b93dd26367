"""`ombo serve`: a local page for a real campaign."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

if TYPE_CHECKING:
    from ombo_agents.serve.workspace.workspaces import Workspace


@dataclass(frozen=True)
class Args:
    """Serves a page on this machine: a sheet, its columns, the next plate, and advice.

    For instance: ombo serve screen.csv --space space.yaml --target yield --maximise
    """

    screen: tyro.conf.Positional[Path | None] = None
    """The spreadsheet to begin with, CSV or Excel (.xlsx); the page takes others, too."""
    space: Path | None = None
    """The space file, YAML or JSON; without it the page guesses from the cells."""
    target: str | None = None
    """The column that is measured."""
    maximise: tyro.conf.FlagCreatePairsOff[bool] = False
    """High values of the target are good, which is taken for granted."""
    minimise: tyro.conf.FlagCreatePairsOff[bool] = False
    """Low values of the target are good."""
    failed: tuple[str, ...] = ()
    """Words in the target column for wells that failed (failed n.d., or failed,n.d.)."""
    plates: str = "24"
    """Wells of the plates to come, the next one first: 24,24,8."""
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
    from ombo_agents.campaigns.data.settings import Settings, Target, parse_words
    from ombo_agents.campaigns.files.sheets import found_column, read_sheet
    from ombo_agents.cli.arguments import parse_plates
    from ombo_agents.serve.workspace.workspaces import Workspace

    if args.maximise and args.minimise:
        raise ValueError("expected --maximise or --minimise, got both")
    given = (args.space, args.target) != (None, None) or args.failed
    if args.screen is None:
        if given:
            raise ValueError(
                "expected a spreadsheet beside --space, --target and --failed, got none"
            )
        return Workspace(asked=_asked(args))
    sheet = read_sheet(args.screen)
    settings = None
    if args.target is not None:
        found_column(sheet, args.target, "the target")
        target = Target(args.target, "min" if args.minimise else "max")
        settings = Settings((target,), failed=parse_words("failed", ",".join(args.failed)))
    space = None if args.space is None else read_space(args.space)
    parse_plates(args.plates)
    return Workspace.beginning(sheet, space, settings, asked=_asked(args))


def _asked(args: Args) -> dict[str, str]:
    return {"plates": ", ".join(args.plates.split(","))}
