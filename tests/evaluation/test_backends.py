"""One grid, anywhere: the same bytes from every backend, in any blocks, after any kill."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import gymnasium as gym
import numpy as np
import pytest
import torch

from ombo_agents.learned.storage import build_network, save, shape_of
from ombo_gym.evaluation.launch import Launch
from ombo_gym.spec import campaign_spec
from tests import commands

GRID = """
campaigns: 13
seed: 3
horizons: [1, 2]
problems:
  - env: Ombo/GP-v0
    batch_size: 3
    utilities: [best, last_mean]
    policies: [random, ucb, thompson, explore_then_exploit, runs/control, runs/direct]
  - env: Ombo/TFBinding-v0
    env_kwargs: {split: test}
    policies: [genetic, expected_improvement]
  - env: Ombo/Landscapes-v0
    env_kwargs: {name: clique}
    utilities: [total]
    budget: 4
    policies: [one_step, bayes_optimal, random]
"""
CLUSTER = """
from dask.distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the grid and two networks that nobody has trained."""
    folder = tmp_path_factory.mktemp("grid")
    (folder / "grid.yaml").write_text(GRID)
    spec = campaign_spec(gym.make("Ombo/GP-v0", batch_size=3))
    torch.manual_seed(0)
    for name, agent, layers in (("control", "exploration", [8]), ("direct", "direct", [8, 8])):
        network = build_network(agent, spec, layers)
        config = {"agent": agent, "hidden": layers, **shape_of(spec)}
        save(folder / "runs" / name, network, config)
    return folder


def start(folder, *arguments):
    """Evaluates the grid, with two threads where the evaluation does not see to it itself."""
    threads = {name: "2" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    return commands.start("evaluate", "--grid", "grid.yaml", *arguments, cwd=folder, **threads)


@pytest.fixture(scope="module")
def expected(folder):
    """The tables of one process that was left alone."""
    commands.finish(start(folder, "--backend", "sequential", "--block", 100, "--out", "sequential"))
    return tables(folder / "sequential")


def tables(out):
    return {file.name: file.read_bytes() for file in sorted(out.glob("*.csv"))}


def test_the_campaigns_are_the_same_to_the_byte_on_every_backend_and_in_blocks_of_any_size(
    folder, expected
):
    cluster = subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(commands.ROOT)},
    )
    address = cluster.stdout.readline().strip()
    running = [
        start(folder, "--backend", *backend, "--block", block, "--out", backend[0])
        for backend, block in (
            (("loky", "--jobs", 2), 4),
            (("dask", "--address", address), 5),
            (("ray", "--jobs", 2), 6),
        )
    ]
    for process in running:
        commands.finish(process)
    cluster.communicate("", timeout=60)
    for name in ("loky", "dask", "ray"):
        found = tables(folder / name)
        assert found == expected, name
    lines = expected["campaigns.csv"].decode().splitlines()[1:]
    assert len(lines) == len(set(lines)) == 2 * 2 * 13 * (2 * 6 + 2) + 2 * 2 * 13 * 3


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_a_grid_that_is_killed_again_and_again_ends_with_the_same_tables(folder, expected, kills):
    """Each kill takes the process and its workers at a random moment, at least one cell apart."""
    out, chance, begun = folder / f"killed-{kills}", random.Random(kills), 0
    arguments = ("--backend", "loky", "--jobs", 2, "--block", 1, "--out", out.name)
    cells = out / "cells"
    for _ in range(kills):
        process = start(folder, *arguments, "--resume")
        while len(list(cells.glob("*.json"))) <= begun and process.poll() is None:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.3))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        done = len(list(cells.glob("*.json")))
        assert done > begun, "nothing was kept"
        begun = done
    assert process.returncode == -signal.SIGKILL
    commands.finish(start(folder, *arguments, "--resume"))
    assert tables(out) == expected
    assert len(list(cells.glob("*.json"))) > begun  # the last kill did not come too late


def test_two_runs_into_one_folder_end_with_whole_tables(folder, expected):
    arguments = ("--backend", "sequential", "--block", 7, "--out", "shared")
    for process in [start(folder, *arguments) for _ in range(2)]:
        commands.finish(process)
    assert tables(folder / "shared") == expected
    assert not list((folder / "shared").rglob("*.tmp"))


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


def test_nobody_at_the_address_is_said(folder):
    process = start(folder, "--backend", "dask", "--address", "tcp://127.0.0.1:9", "--out", "none")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "error: address: expected a dask scheduler at 'tcp://127.0.0.1:9'" in err


def test_items_are_played_once_each_and_come_back_as_they_are_ready():
    assert sorted(Launch("loky", 2).map(np.sqrt, [4.0, 9.0, 16.0])) == [2, 3, 4]
    assert list(Launch().map(np.sqrt, [])) == []
