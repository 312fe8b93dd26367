"""The entry point of the command `ombo`, which says what is missing where its extras are."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ombo_gym.interrupts import ctrl_c_pressed, ending_on_ctrl_c

_MAIN = "ombo_agents.cli.main"  # which stands on this package, and needs the extras


def main() -> None:
    """Runs the command; modules of one's own are found in the folder that it is called from.

    Raises:
        SystemExit: Extras are not installed; names them. Or Ctrl-C.
    """
    sys.path.insert(0, os.getcwd())  # as `python -m` does
    with ending_on_ctrl_c():
        module = _commands()
        with until_nobody_reads():
            module.main()


def run(name: str) -> None:
    """Runs one subcommand, as `python -m scripts.NAME` does.

    Raises:
        SystemExit: As `main`.
    """
    with ending_on_ctrl_c():
        _commands().run(name)


def _commands() -> Any:
    """The module of the commands, which takes seconds to import."""
    try:
        return importlib.import_module(_MAIN)
    except ImportError as error:
        if ctrl_c_pressed():
            raise
        sys.exit(f'error: ombo needs the extras of ombo-gym: pip install "ombo-gym[all]" ({error})')


@contextmanager
def until_nobody_reads() -> Iterator[None]:
    """Ends quietly where what is printed goes to `head`, which has seen enough."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:  # nothing more is to be written at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
