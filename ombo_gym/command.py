"""The entry point of the command `ombo`, which says what is missing where its extras are."""

from __future__ import annotations

import importlib
import sys

_MAIN = "ombo_agents.cli.main"  # which stands on this package, and needs the extras


def main() -> None:
    """Runs the command.

    Raises:
        SystemExit: Extras are not installed; names them.
    """
    try:
        module = importlib.import_module(_MAIN)
    except ImportError as error:
        sys.exit(f'error: ombo needs the extras of ombo-gym: pip install "ombo-gym[all]" ({error})')
    module.main()
