"""Simulators in this process and in several: one value, to the bit, and no process left behind."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ombo_gym.design_spaces import BoxDesigns
from ombo_gym.problems.core.base import Instances
from ombo_gym.problems.core.simulated import Simulated, require
from ombo_gym.randomness import BatchedGenerator

Array = npt.NDArray[Any]


class Engine:
    """A compiled library's object, as far as a process can tell."""

    def __reduce__(self) -> str:
        raise TypeError("engines do not pickle")

    def run(self, design: Array, shift: float) -> float:
        return float(np.exp(design).sum() + shift)


@cache
def engine(log: str) -> Engine:
    with open(log, "a") as file:
        file.write(f"{os.getpid()}\n")
    return Engine()


def simulate(designs: Array, shift: float, log: str) -> Array:
    if (designs > 1).any():
        raise RuntimeError("the flux capacitor burst at 88 mph")
    return np.array([engine(log).run(design, shift) for design in designs])


def broken(designs: Array, *_: Any) -> Array:
    raise ImportError("libengine.so: cannot open shared object file")


def threads(designs: Array, *_: Any) -> Array:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return np.full(len(designs), max(int(os.environ.get(name, "99")) for name in names))


class Toy(Simulated):
    design_space = BoxDesigns(3)

    def __init__(
        self, log: Path, *, workers: int = 1, simulator: Callable[..., Array] = simulate
    ) -> None:
        super().__init__(workers)
        self.log, self._simulator = str(log), simulator

    @property
    def simulator(self) -> Callable[..., Array]:
        return self._simulator

    def arguments(self, instances: Instances, row: int) -> tuple[Any, ...]:
        return float(instances["shift"][row]), self.log

    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"shift": rngs.random(())}


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 1), (7, 5), (40, 2), (2, 33), (3, 0)])
def test_two_workers_give_the_values_of_one_to_the_bit(
    shape: tuple[int, int], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    designs = rng.uniform(-1, 1, (*shape, 3)).astype(np.float32)
    instances = {"shift": rng.random(shape[0])}
    alone = Toy(tmp_path / "log").evaluate(instances, designs)
    parallel = Toy(tmp_path / "log", workers=2).evaluate(instances, designs)
    assert alone.shape == parallel.shape == shape
    assert alone.tobytes() == parallel.tobytes()
    assert alone == pytest.approx(np.exp(designs).sum(-1) + instances["shift"][:, None])


def test_each_process_builds_the_simulator_once_and_problems_pickle_without(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    problem = Toy(log, workers=2)
    for _ in range(3):
        problem.evaluate({"shift": np.zeros(8)}, np.zeros((8, 4, 3), np.float32))
    built = log.read_text().split()
    assert len(built) == len(set(built)) <= 2 and str(os.getpid()) not in built
    again = pickle.loads(pickle.dumps(problem))
    assert again.workers == 2 and len(pickle.dumps(problem)) < 500


def test_workers_keep_to_one_thread(tmp_path: Path) -> None:
    problem = Toy(tmp_path, workers=2, simulator=threads)
    values = problem.evaluate({"shift": np.zeros(2)}, np.zeros((2, 3, 3), np.float32))
    assert (values == 1).all()


def test_a_daemonic_process_simulates_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    log = tmp_path / "log"
    values = Toy(log, workers=2).evaluate({"shift": np.zeros(2)}, np.zeros((2, 3, 3), np.float32))
    assert values == pytest.approx(np.full((2, 3), 3.0))
    assert log.read_text().split() == [str(os.getpid())]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_simulator_is_raised_with_its_message(workers: int, tmp_path: Path) -> None:
    designs = np.zeros((2, 3, 3), np.float32)
    designs[1, 2] = 7
    problem = Toy(tmp_path / "log", workers=workers)
    with pytest.raises(RuntimeError, match="the flux capacitor burst at 88 mph"):
        problem.evaluate({"shift": np.zeros(2)}, designs)
    designs[1, 2] = 0  # and the next call is none the worse for it
    assert problem.evaluate({"shift": np.zeros(2)}, designs) == pytest.approx(np.full((2, 3), 3.0))


INTERRUPTED = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in background
import numpy as np
from ombo_gym.design_spaces import BoxDesigns
from ombo_gym.problems.core.simulated import Simulated

def slow(designs, folder):
    open(os.path.join(folder, str(os.getpid())), "w").close()
    time.sleep(60)

class Slow(Simulated):
    simulator = property(lambda self: slow)
    def arguments(self, instances, row):
        return (sys.argv[1],)
    def draw(self, draws):
        raise NotImplementedError

Slow(workers=2).evaluate({}, np.zeros((1, 2, 1)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_an_interrupt_leaves_no_process_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 30
    while len(workers := [int(file.name) for file in tmp_path.iterdir()]) < 2:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode != 0 and "KeyboardInterrupt" in errors
    assert not any(_alive(pid) for pid in workers)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # one that nobody has waited for is no process any more
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "2", None])
def test_a_wrong_number_of_workers_is_refused(workers: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"workers: expected a whole number of at least 1"):
        Toy(tmp_path, workers=workers)


def test_workers_without_joblib_name_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    Toy(tmp_path, workers=1)
    with pytest.raises(ImportError, match=r"workers=2 needs joblib.*ombo-gym\[evaluation\]"):
        Toy(tmp_path, workers=2)


@pytest.mark.parametrize("workers", [10**12, 2**70])
def test_more_workers_than_a_machine_has_are_refused(workers: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"workers: expected at most 1,024"):
        Toy(tmp_path, workers=workers)


@pytest.mark.parametrize("module", ["no_such_module", "no_such_package.module", "half_there"])
def test_a_missing_simulator_names_the_extra(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "half_there", type(sys)("half_there"))  # has no __spec__
    with pytest.raises(ImportError, match=rf"Gait needs {module}.*ombo-gym\[robotics\]"):
        require("Gait", "robotics", "math", module)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_broken_simulator_names_the_extra(workers: int, tmp_path: Path) -> None:
    toy = Toy(tmp_path, workers=workers, simulator=broken)
    toy.extra = "robotics"  # type: ignore[misc]
    with pytest.raises(ImportError, match=r"Toy .*libengine.*ombo-gym\[robotics\]") as raised:
        toy.evaluate({"shift": np.zeros(2)}, np.zeros((2, 3, 3), np.float32))
    assert isinstance(raised.value.__cause__, ImportError)
