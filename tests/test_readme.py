"""The README's code runs as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
RUNNABLE = [block for block in BLOCKS if "class " not in block]
FILES = {"valley.py": "class Valley", "middle.py": "class Middle"}


def run(arguments: list[str], folder: Path) -> str:
    """Runs Python in a folder, as a reader would, and returns what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


PLATES = """solvent,ligand,degrees,yield
DMF,XPhos,60,12.5
DMF,XPhos,60,14.0
DMF,SPhos,80,35.1
THF,XPhos,80,28.0
THF,SPhos,60,9.3
dioxane,SPhos,80,41.7
"""


@pytest.mark.parametrize("block", RUNNABLE)
def test_example_runs(block: str, tmp_path: Path) -> None:
    (tmp_path / "plates.csv").write_text(PLATES)
    run(["-c", block], tmp_path)


def test_own_problem_and_own_policy_are_evaluated_beside_ours(tmp_path: Path) -> None:
    for name, marker in FILES.items():
        (source,) = [block for block in BLOCKS if marker in block]
        (tmp_path / name).write_text(source)
    flags = "--policies middle:Middle,ucb,random --horizons 2 --campaigns 20 --out out".split()
    printed = run(["-m", "scripts.evaluate", "--env", "valley:My/Valley-v0", *flags], tmp_path)
    assert "middle:Middle" in printed
    assert (tmp_path / "out" / "report.html").is_file()
