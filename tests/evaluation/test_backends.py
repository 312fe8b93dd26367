"""One grid, anywhere: the same bytes from every backend, in any blocks, after any kill."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
import tyro
from small_runs import text

from ombo_agents.cli.arguments import report_errors
from ombo_agents.learned.storage import build_network, save, shape_of
from ombo_gym.evaluation import evaluate as evaluate_module
from ombo_gym.evaluation.evaluate import evaluate
from ombo_gym.evaluation.grid import read_grid
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.run import run
from ombo_gym.spec import campaign_spec
from scripts import evaluate as script
from tests import commands

GRID = """
campaigns: 5
seed: 3
horizons: [1, 2]
problems:
  - {{env: Ombo/GP-v0, batch_size: 3, policies: ['{folder}/control', '{folder}/direct']}}
  - {{env: Ombo/GP-v0, batch_size: 2, policies: [random, thompson, explore_then_exploit]}}
  - {{env: Ombo/TFBinding-v0, env_kwargs: {{split: test}}, policies: [genetic]}}
  - {{env: Ombo/Landscapes-v0, env_kwargs: {{name: clique}}, utilities: [total], budget: 4,
     policies: [one_step, bayes_optimal]}}
"""
BEGIN = """
from dataclasses import replace
from pathlib import Path
from ombo_gym.evaluation import evaluate, resampling
from ombo_gym.evaluation.grid import read_grid
from ombo_gym.evaluation.launch import Launch
from ombo_gym.evaluation.run import run
if __name__ == "__main__":
    plans = read_grid(Path("grid.yaml"))[1:]  # without networks: torch takes long to import
"""
CLUSTER = """
from dask.distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the grid and two networks that nobody has trained."""
    folder = tmp_path_factory.mktemp("grid")
    (folder / "grid.yaml").write_text(GRID.format(folder=folder))
    spec = campaign_spec(gym.make("Ombo/GP-v0", batch_size=3))
    torch.manual_seed(0)
    for name, agent, layers in (("control", "exploration", [8]), ("direct", "direct", [8, 8])):
        network = build_network(agent, spec, layers)
        config = {"agent": agent, "hidden": layers, **shape_of(spec)}
        save(folder / name, network, config)
    return folder


@pytest.fixture(scope="module")
def plans(folder):
    return read_grid(folder / "grid.yaml")


def played(plans, launch=None, **changes):
    """The tables of plans, as they are written."""
    results = run([replace(plan, **changes) for plan in plans], launch=launch or Launch())
    assert results.errors.empty
    return text(results.campaigns), text(results.exploration)


@contextmanager
def program(code, folder):
    """A process of its own, with two threads where the evaluation does not see to it itself."""
    threads = {name: "2" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{commands.PATH}{os.pathsep}{folder}", **threads},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_another_process_plays_what_this_one_plays_to_the_byte_in_blocks_of_any_size(
    plans, monkeypatch
):
    """Networks, too, for which it imports torch; `test_run.py` has two processes at once."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    campaigns, exploration = played(plans, block=100)
    assert played(plans, Launch("loky", 1), block=2) == (campaigns, exploration)
    lines = campaigns.splitlines()[1:]
    assert len(lines) == len(set(lines)) == 2 * 2 * 5 * (2 + 3 + 1 + 2)


@pytest.mark.filterwarnings("ignore")  # of the libraries, about their own connections
def test_a_running_dask_cluster_plays_what_one_process_plays_to_the_byte(plans):
    """Its workers are threads here: processes take seconds to begin."""
    distributed = pytest.importorskip("dask.distributed")
    arguments = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(processes=False, protocol="tcp", **arguments) as cluster:
        launch = Launch("dask", address=cluster.scheduler_address)
        assert played(plans[1:], launch, block=3) == played(plans[1:], block=100)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries, about their own connections
def test_clusters_of_processes_play_what_one_plays_to_the_byte(plans, folder):
    plans = plans[1:]
    expected = played(plans, block=100)
    with program(CLUSTER, folder) as cluster:
        address = cluster.stdout.readline().strip()
        assert played(plans, Launch("dask", address=address), block=3) == expected
        cluster.communicate("\n", timeout=60)
    assert played(plans, Launch("ray", 1), block=4) == expected


@pytest.mark.parametrize(
    ("kills", "campaigns"), [(1, 5), pytest.param(20, 120, marks=pytest.mark.slow)]
)
def test_a_grid_that_is_killed_again_and_again_ends_with_the_same_tables(
    plans, folder, kills, campaigns
):
    """Each kill takes the process at a random moment, with its workers where it is the slow test.

    Kills are at least one cell apart.
    """
    cells, chance, begun = folder / f"killed-{kills}", random.Random(kills), 0
    launch = "Launch('loky', 2)" if kills > 1 else "Launch()"
    code = BEGIN + (
        f"    plans = [replace(plan, campaigns={campaigns}, block=1) for plan in plans]\n"
        f"    run(plans, folder=Path({cells.name!r}), launch={launch}, resume=True)\n"
    )
    for _ in range(kills):
        with program(code, folder) as process:
            while len(list(cells.glob("*.json"))) <= begun and process.poll() is None:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.3))
            assert process.poll() is None, "the kill came too late"
            os.killpg(process.pid, signal.SIGKILL)
        done = len(list(cells.glob("*.json")))
        assert done > begun, "nothing was kept"
        begun = done
    again = [replace(plan, campaigns=campaigns, block=1) for plan in plans[1:]]
    results = run(again, folder=cells, resume=True)
    expected = played(plans[1:], campaigns=campaigns, block=100)
    assert (text(results.campaigns), text(results.exploration)) == expected
    assert len(list(cells.glob("*.json"))) > begun  # the last kill did not come too late


@pytest.mark.usefixtures("few_resamples")
def test_two_runs_into_one_folder_end_with_whole_tables(plans, folder, monkeypatch):
    plans = [replace(plan, block=2) for plan in plans[1:2]]
    code = BEGIN + (
        "    plans = [replace(plan, block=2) for plan in plans[:1]]\n"
        "    evaluate.write_report = lambda folder: None\n"
        "    resampling.RESAMPLES = 100\n"
        "    input(print('ready', flush=True) or '')\n"
        "    evaluate.evaluate(plans, out=Path('shared'), launch=Launch(), command='')\n"
    )
    monkeypatch.setattr(evaluate_module, "write_report", lambda folder: None)
    out = folder / "shared"

    def tables():  # but for timings, which are those of whoever played a cell last
        files = sorted(set(out.glob("*.csv")) - {out / "timings.csv"})
        return {file.name: file.read_bytes() for file in files}

    with program(code, folder) as other:
        assert other.stdout.readline() == "ready\n"
        other.stdin.write("\n")
        other.stdin.flush()
        evaluate(plans, out=out, launch=Launch(), command="")
        _, complaints = other.communicate(timeout=120)
        assert other.returncode == 0, complaints
    both = tables()
    assert both["campaigns.csv"].decode() == played(plans, block=100)[0]
    evaluate(plans, out=out, launch=Launch(), command="", resume=True)
    assert tables() == both and len(both) > 8
    assert not list(out.rglob("*.tmp"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"backend": "threads"}, r"backend: expected one of \['sequential', .*'threads'"),
        ({"jobs": 0}, "jobs: expected at least 1"),
        ({"backend": "loky", "address": "tcp://x:1"}, "address: expected backend 'dask' or 'ray'"),
    ],
)
def test_a_launch_says_what_it_expects(wrong, message):
    with pytest.raises(ValueError, match=message):
        Launch(**wrong)


@pytest.mark.filterwarnings("ignore")  # of the library, about its own connections
def test_nobody_at_the_address_is_said(tmp_path, monkeypatch):
    distributed = pytest.importorskip("dask.distributed")
    client = distributed.Client
    monkeypatch.setattr(  # which waits for longer
        distributed, "Client", lambda address, timeout: client(address, timeout=0.5)
    )
    words = "--backend dask --address tcp://127.0.0.1:9 --policies random --horizons 1".split()
    args = tyro.cli(script.Args, args=[*words, "--campaigns", "1", "--out", str(tmp_path)])
    expected = "error: address: expected a dask scheduler at 'tcp://127.0.0.1:9'"
    with pytest.raises(SystemExit, match=expected), report_errors():
        script.main(args)


def test_items_are_played_once_each_and_come_back_as_they_are_ready():
    assert sorted(Launch("loky", 2).map(np.sqrt, [4.0, 9.0, 16.0])) == [2, 3, 4]
    assert list(Launch().map(np.sqrt, [])) == []
