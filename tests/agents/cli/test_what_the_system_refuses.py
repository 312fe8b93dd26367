"""Folders that may not be written to, files that may not be read, full disks: one line, no loss."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ombo_agents.cli.arguments import report_errors
from tests.commands import PATH

# Who is root may write everywhere, unless the right to that is given up.
WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


def ombo(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command of somebody whom the rights of files bind."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root needs setpriv to give its rights up")
        prefix = WITHOUT_RIGHTS
    command = [*prefix, sys.executable, "-m", f"scripts.{words[0]}", *words[1:]]
    env = {**os.environ, "PYTHONPATH": PATH, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


EVALUATE = ("--env", "Ombo/GP-v0", "--horizons", "1", "--campaigns", "2", "--told", "true")
TRAIN = ("--env", "Ombo/GP-v0", "--agent", "exploration", "--horizon", "1", "--steps", "8")


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", *EVALUATE, "--policies", "random", "--out", "locked/run"),
        pytest.param(("train", *TRAIN, "--out", "locked/run"), marks=pytest.mark.slow),
    ],
    ids=lambda words: words[0],
)
def test_a_folder_that_may_not_be_written_to_is_one_line_and_stays_as_it_was(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    (locked / "mine.txt").write_text("mine")
    locked.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        ended = ombo(*words, cwd=tmp_path)
        held = [path.name for path in locked.iterdir()]
    finally:
        locked.chmod(stat.S_IRWXU)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("error: ") and "Permission denied: 'locked/run'" in last
    assert last.endswith("give a path that you may read and write")
    assert held == ["mine.txt"] and (locked / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "give a path that you may read and write"),
        (errno.EROFS, "give a path that you may read and write"),
        (errno.ENOSPC, "make room and repeat the command"),
    ],
)
def test_what_the_system_refuses_ends_with_what_to_do(number: int, remedy: str) -> None:
    with pytest.raises(SystemExit) as ended, report_errors():
        raise OSError(number, os.strerror(number), "runs/mine")
    said = str(ended.value.code)
    assert said == f"error: [Errno {number}] {os.strerror(number)}: 'runs/mine'; {remedy}"


def test_words_of_our_own_stay_as_they_are() -> None:
    with pytest.raises(SystemExit, match=r"^error: expected the folder of a run$"), report_errors():
        raise FileNotFoundError("expected the folder of a run")


def test_the_design_that_was_noted_beside_an_error_is_said() -> None:
    error = ValueError("no signal")
    error.add_note("raised by the objective at {'pH': 7.5}")
    expected = r"^error: no signal \(raised by the objective at \{'pH': 7\.5\}\)$"
    with pytest.raises(SystemExit, match=expected), report_errors():
        raise error
