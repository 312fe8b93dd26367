"""An evaluation's folder when the disk is full, nothing may be written, or somebody stops it."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from ombo_gym.evaluation import evaluate as evaluate_module
from ombo_gym.evaluation.evaluate import evaluate
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.output import staged
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.report import write_report
from ombo_gym.files import write_atomically
from tests import commands

PLAN = EvaluationPlan("Ombo/GP-v0", ["random", "greedy"], [1], campaigns=2, told=["true"])


@pytest.fixture(autouse=True)
def light(monkeypatch):
    """Two tables and a page that takes no time."""

    def tables(campaigns):
        return {"campaigns": campaigns, "summary": campaigns[["policy", "value"]]}

    def write_report(folder):
        (folder / "figures").mkdir()
        for name in ("report.html", "horizons.png", "figures/curves-01.png"):
            evaluate_module.write_atomically(folder / name, (folder / "summary.csv").read_text())

    monkeypatch.setattr(evaluate_module, "tables", tables)
    monkeypatch.setattr(evaluate_module, "write_report", write_report)


def play(out, plan=PLAN, resume=False):
    return evaluate(plan, out=out, launch=Launch(), command="", resume=resume)


def contents(out):
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.parent.name != "cells"
    }


@pytest.fixture
def out(light, tmp_path):
    """A finished evaluation, to be spoilt."""
    play(tmp_path / "out")
    return tmp_path / "out"


OTHER = replace(PLAN, seed=5)


@pytest.mark.parametrize("which", ["summary.parquet", "config.json", "report.html"])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_what_was_there_stays_whole_when_writing_goes_wrong_on_the_way(
    which, error, out, monkeypatch
):
    before = contents(out)

    def failing(file, content):
        if file.name == which:
            raise error
        write_atomically(file, content)

    with monkeypatch.context() as patched, pytest.raises(type(error)):
        patched.setattr(evaluate_module, "write_atomically", failing)
        play(out, OTHER)
    assert contents(out) == before
    play(out, OTHER, resume=True)
    assert json.loads((out / "config.json").read_text())["seed"] == 5
    assert contents(out).keys() == before.keys()


def test_a_cell_that_does_not_fit_on_the_disk_stops_the_run_and_leaves_what_was_there(
    out, monkeypatch
):
    before, cells = contents(out), {file.name for file in (out / "cells").iterdir()}

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*cells"):
        play(out, OTHER)
    assert contents(out) == before
    assert {file.name for file in (out / "cells").iterdir()} == cells


@pytest.mark.slow
def test_a_real_limit_of_the_size_of_files_is_one_line_and_costs_nothing(out):
    """The system's own limit, by which every file that is written ends in the middle."""
    before = contents(out)
    words = "--policies random --horizons 1 --campaigns 40 --seed 9 --told true"
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500));"
        "from ombo_agents.cli.main import run; run('evaluate')"
    )
    process = subprocess.run(
        [
            *(sys.executable, "-B", "-c", limited, *words.split()),
            *("--backend", "sequential", "--out", out),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{commands.ROOT}:{commands.ROOT / 'agents'}"},
    )
    assert process.returncode == 1
    assert process.stderr.splitlines()[-1].startswith("error: [Errno 27] File too large: ")
    assert contents(out) == before and resource.getrlimit(resource.RLIMIT_FSIZE)[0] < 0


def test_a_folder_that_cannot_be_written_to_is_said_before_anything_is_played(
    out, monkeypatch, tmp_path
):
    def played(*arguments, **more):
        raise AssertionError("played")

    def denied(*arguments, **more):
        raise PermissionError(errno.EACCES, "Permission denied", str(out))

    monkeypatch.setattr(evaluate_module, "run", played)
    with monkeypatch.context() as patched, pytest.raises(PermissionError, match="denied"):
        patched.setattr("tempfile.NamedTemporaryFile", denied)  # as for who is not root
        play(out)
    (tmp_path / "a file").write_text("")
    for wrong in (tmp_path / "a file", tmp_path / "a file" / "inside"):
        with pytest.raises(OSError, match="a file"):
            play(wrong)


@pytest.mark.parametrize("name", ["cells", "figures", ".lock"])
def test_a_link_that_leads_out_of_the_folder_is_refused(name, tmp_path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    if name == ".lock":
        elsewhere.write_text("precious")
    else:
        elsewhere.mkdir()
        (elsewhere / "precious.png").write_text("precious")
    (out / name).symlink_to(elsewhere)
    with pytest.raises(ValueError, match=f"{name}: expected .*, got a symbolic link; move it away"):
        play(out)
    kept = elsewhere if name == ".lock" else elsewhere / "precious.png"
    assert kept.read_text() == "precious"


@pytest.mark.parametrize("name", ["summary.csv", "config.json", "report.html", "horizons.png"])
def test_a_link_in_place_of_a_file_is_replaced_and_not_followed(name, out, tmp_path):
    (tmp_path / "precious").write_text("precious")
    (out / name).unlink()
    (out / name).symlink_to(tmp_path / "precious")
    play(out, resume=True)
    assert (tmp_path / "precious").read_text() == "precious"
    assert not (out / name).is_symlink() and (out / name).stat().st_size > 20


def test_what_a_killed_run_had_written_is_swept_up_and_pictures_of_other_problems_go(out):
    (out / ".draft-dead" / "figures").mkdir(parents=True)
    (out / ".draft-dead" / "summary.csv").write_text("half")
    (out / "figures" / "curves-07-old.png").write_text("old")
    (out / "figures" / "notes.txt").write_text("mine")
    (out / "notes.txt").write_text("mine")
    before = set(contents(out))
    play(out, resume=True)
    gone = {".draft-dead/summary.csv", "figures/curves-07-old.png"}
    assert gone < before
    assert set(contents(out)) == before - gone
    assert not list(out.glob(".draft-*"))


def test_an_error_inside_leaves_no_draft(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.png").write_text("old")
    with pytest.raises(ZeroDivisionError), staged(tmp_path) as draft:
        (draft / "a").write_text("new")
        raise ZeroDivisionError
    with staged(tmp_path):
        pass  # nothing was written: nothing changes
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*"))] == [
        *("figures", "figures/a.png"),
    ]


def test_a_report_that_is_drawn_anew_replaces_what_was_there(tmp_path, results_in, campaigns_of):
    campaigns = campaigns_of(("random",), horizons=(1,), utilities=("best",), campaigns=3)
    out = results_in(tmp_path, campaigns)
    page = write_report(out).read_bytes()
    (out / "report.html").write_text("old")
    (out / "figures" / "old.svg").write_text("old")
    assert write_report(out).read_bytes() == page
    assert not (out / "figures" / "old.svg").exists()


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_a_run_leaves_whole_tables_and_finished_cells(out):
    before = contents(out)
    process = commands.start(
        *("evaluate", "--policies", "random,ucb", "--horizons", "1,2,3", "--campaigns", 4000),
        *("--block", 20, "--backend", "loky", "--jobs", 2, "--out", out),
    )
    first = len(list((out / "cells").iterdir()))
    while len(list((out / "cells").glob("*.json"))) < first + 2 and process.poll() is None:
        pass
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == (
        "stopped: finished cells are kept; --resume goes on with the rest"
    )
    assert "Traceback" not in err and contents(out) == before
