"""Importing ombo_gym is quick, brings nothing heavy and opens no connection."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

HEAVY = (
    "torch",
    "stable_baselines3",
    "pandas",
    "matplotlib",
    "scipy",
    "sklearn",
    "joblib",
    "rich",
    "tqdm",
    "tyro",
    "botorch",
    "ombo_agents",
)
MOST_FILES = 200  # modules, all of them read from disk; 136 when this was written

PROGRAM = """
import json, socket, sys, time

opened = []

class NoSocket(socket.socket):
    def __new__(cls, *args, **kwargs):
        opened.append(args)
        raise OSError("no connection is to be opened")

socket.socket = NoSocket
socket.create_connection = socket.getaddrinfo = NoSocket.__new__

import gymnasium
import numpy
from gymnasium import spaces, vector

before, begun = set(sys.modules), time.process_time()
import ombo_gym
seconds = time.process_time() - begun
{more}
new = set(sys.modules) - before
modules = sorted({{name.split(".")[0] for name in new}})
{then}
found = {{"seconds": seconds, "opened": len(opened), "modules": modules, "files": len(new)}}
print(json.dumps(found))
"""

PLAY = """
wide = {"Ombo/Bandit-v0": {"arms": 8}, "Ombo/Landscapes-v0": {"K": 8}}  # room for the start
chosen = [
    name for name in ombo_gym.registration.PROBLEMS
    if EXTRAS is (ombo_gym.registration.problem_class(name).extra is not None)
]
for env_id in [f"Ombo/{name}-v0" for name in chosen]:
    for control in ("designs",) if EXTRAS else ("designs", "exploration", "candidates"):
        env = gymnasium.make(env_id, horizon=1, batch_size=2, control=control,
                             start={"kind": "random", "size": 8}, **wide.get(env_id, {}))
        env.reset(seed=0, options={"optimum": control == "designs"})
        assert env.step(env.action_space.sample())[2]
    envs = gymnasium.make_vec(env_id, num_envs=2)
    envs.reset(seed=0)
"""


def run(more: str = "", then: str = "") -> dict[str, Any]:
    """Modules are those that are there after `more`, connections those of `then`, too."""
    program = PROGRAM.format(more=more, then=then)
    arguments = [sys.executable, "-W", "error", "-c", program]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_importing_loads_little_and_nothing_heavy_and_opens_no_connection() -> None:
    found = run()
    assert found["opened"] == 0
    assert "ombo_gym" in found["modules"]
    assert not set(HEAVY) & set(found["modules"])
    assert found["files"] < MOST_FILES


@pytest.mark.slow
def test_importing_is_quick() -> None:
    """Half a second of CPU time beyond gymnasium, in the fastest of up to three tries."""
    for _ in range(3):
        found = run()
        if found["seconds"] < 0.5:
            return
    raise AssertionError(f"importing took {found['seconds']:.2f} seconds")


def test_playing_needs_nothing_but_numpy_and_gymnasium_and_opens_no_connection() -> None:
    """Not one package beyond those, the standard library and our own; extras for simulators."""
    found = run("EXTRAS = False" + PLAY, then="EXTRAS = True" + PLAY)
    assert found["opened"] == 0
    others = set(found["modules"]) - set(sys.stdlib_module_names) - {"numpy", "gymnasium"}
    # gymnasium's wrappers look for this one, and it comes with gymnasium.
    assert others <= {"ombo_gym", "cloudpickle"}


def test_ombo_gym_never_imports_the_agents() -> None:
    program = (
        "import importlib, pkgutil, sys\n"
        "sys.modules['ombo_agents'] = sys.modules['torch'] = None\n"
        "sys.modules['stable_baselines3'] = None\n"
        "import ombo_gym\n"
        "for module in pkgutil.walk_packages(ombo_gym.__path__, 'ombo_gym.'):\n"
        "    importlib.import_module(module.name)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
