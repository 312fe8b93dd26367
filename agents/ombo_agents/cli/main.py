"""The command `ombo`, and what `python -m scripts.NAME` runs of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import tyro

from ombo_agents.cli import advise, check, evaluate, exact, list, serve, suggest, train
from ombo_agents.cli.arguments import report_errors
from ombo_agents.cli.stray_values import stray_values

COMMANDS: dict[str, Any] = {
    "train": train,
    "evaluate": evaluate,
    "exact": exact,
    "list": list,
    "check": check,
    "suggest": suggest,
    "advise": advise,
    "serve": serve,
}

Subcommand = (
    Annotated[train.Args, tyro.conf.subcommand("train")]
    | Annotated[evaluate.Args, tyro.conf.subcommand("evaluate")]
    | Annotated[exact.Args, tyro.conf.subcommand("exact")]
    | Annotated[list.Args, tyro.conf.subcommand("list")]
    | Annotated[check.Args, tyro.conf.subcommand("check")]
    | Annotated[suggest.Args, tyro.conf.subcommand("suggest")]
    | Annotated[advise.Args, tyro.conf.subcommand("advise")]
    | Annotated[serve.Args, tyro.conf.subcommand("serve")]
)


def main() -> None:
    """Runs `ombo NAME`; `ombo --tyro-print-completion bash` (or zsh) prints shell completion."""
    if sys.argv[1:2] and sys.argv[1] in COMMANDS:  # flags that it has not are no misplaced ones
        run(sys.argv[1], prog=f"ombo {sys.argv[1]}", flags=sys.argv[2:])
        return
    arguments: Any = tyro.cli(
        Subcommand,
        prog="ombo",
        description="Sequential design under a budget: train policies, evaluate them, solve small "
        "campaigns exactly, suggest the next plate of a real one, advise on those that follow, "
        "serve a page that does both.",
    )
    with report_errors():
        next(each for each in COMMANDS.values() if each.Args is type(arguments)).main(arguments)


def run(command: str, *, prog: str | None = None, flags: Sequence[str] | None = None) -> None:
    """Runs one subcommand, as `python -m scripts.NAME` does.

    Args:
        command: Of `COMMANDS`.
        prog: What its help calls it; None: the file that is run.
        flags: Its arguments; None: those of the command line.
    """
    module = COMMANDS[command]
    with report_errors():
        try:
            arguments = tyro.cli(module.Args, prog=prog, args=flags)
        except SystemExit as refused:
            if refused.code and (meant := stray_values(module.Args, flags or sys.argv[1:])):
                print(f"one value each: write {' and '.join(meant)}", file=sys.stderr)
            raise
        module.main(arguments)
