"""Answers requests for plates, a line of JSON each: `python answering.py with_baybe`.

It runs where a tool is installed, and imports nothing of ours but the module that asks the tool. A
request holds `parameters` as in a space file, `mixture` (names of parts that sum to 100), `target`,
`rows` (a dict of every parameter and the target each), `plates_left` and `seed`; the answer holds
`designs`, `seconds` (CPU time of the suggestion, the reading of the data included and the start of
the program not) and `versions`. Every request holds all data: nothing is remembered.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import warnings
from importlib import import_module
from importlib.metadata import version
from typing import Any


def answer(tool: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The answer of one request.

    Args:
        tool: A module with `suggest(request)` and `PACKAGES`.
        request: As above.
    """
    random.seed(request["seed"])
    for name in ("numpy.random", "torch"):  # tools that draw without a seed of their own
        if name in sys.modules:
            seed = "seed" if name == "numpy.random" else "manual_seed"
            getattr(sys.modules[name], seed)(request["seed"])
    begun = time.process_time()
    designs = tool.suggest(request)
    seconds = time.process_time() - begun
    plain = [{name: _plain(value) for name, value in design.items()} for design in designs]
    versions = {package: version(package) for package in tool.PACKAGES}
    return {"designs": plain, "seconds": seconds, "versions": versions}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def main() -> None:
    """Answers until there are no more lines."""
    # Whatever a tool prints must not come between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    warnings.simplefilter("ignore")
    tool = import_module(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(answer(tool, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
