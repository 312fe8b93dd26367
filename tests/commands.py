"""Starts the project's commands as a user types them, for tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PATH = f"{ROOT}{os.pathsep}{ROOT / 'agents'}"


def start(script: str, *arguments: Any, cwd: Path = ROOT, **environment: str) -> subprocess.Popen:
    """Starts `python -m scripts.NAME` in a process group of its own."""
    own = {"OMP_NUM_THREADS": "1", "PYTHONPATH": PATH, "COLUMNS": "200", **environment}
    return subprocess.Popen(
        [sys.executable, "-m", f"scripts.{script}", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, **own},
        start_new_session=True,
    )
