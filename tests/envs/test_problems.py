"""The conformance suite, on every registered environment and on problems of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ombo_gym
from ombo_gym.problems.core.base import Problem
from ombo_gym.problems.own.function import Function
from ombo_gym.testing import ProblemConformance
from ombo_gym.testing.rendering import RenderingConformance
from tests.envs.cases import IDS, SMALL_STARTS

pytestmark = pytest.mark.usefixtures("brief_fits")

SETTINGS: dict[str, Any] = {"batch_size": 2, "noise_std": 0.1}
# Simulators that take tens of milliseconds a design: those of the default start take most of it.
SLOW: dict[str, dict[str, Any]] = {
    f"Ombo/{name}-v0": {"batch_size": 1, "start": {"kind": "random", "size": 2}}
    for name in ("Gait", "Lander", "WindFarm", "RNAFold")
}
CHECKS = [name for name in dir(ProblemConformance) if name.startswith("test_")]
# Campaigns are drawn by the kind of their designs: one of each kind, and coins.
DRAWING = {name for name in dir(RenderingConformance) if name.startswith("test_")}
DRAWN = {f"Ombo/{name}-v0" for name in ("GP", "TFBinding", "CrossedBarrel", "Bandit")}
# Plates and utilities are the state machine's: plates on one of every kind of designs, and returns
# on all but slow simulators. `tests/envs/test_plates.py` and `tests/test_utilities.py` have more.
ON_SOME = {
    "test_rows_with_plates_of_any_size_are_those_of_sync_vector_env": {*IDS, *DRAWN},
    "test_the_return_is_the_utility": set(ombo_gym.env_ids()) - set(SLOW),
    **dict.fromkeys(DRAWING, DRAWN),
}
PLATES = "solvent,degrees,yield\nDMF,60,1.5\nDMF,60,2.5\nTHF,60,3\nTHF,80,4\nDMF,80,0\nDMF,90,2\n"


def run(check: str, env_id: str | Problem, **settings: Any) -> None:
    arguments = {**SETTINGS, **settings}
    suite: Any = type("Suite", (ProblemConformance,), {"env_id": env_id, "env_kwargs": arguments})
    getattr(suite(), check)()


@pytest.mark.parametrize(
    ("check", "env_id"),
    [
        (check, env_id)
        for check in CHECKS
        for env_id in ombo_gym.env_ids()
        if env_id in ON_SOME.get(check, {env_id})
    ],
)
def test_every_environment_keeps_its_promises(env_id: str, check: str) -> None:
    start = {"start": SMALL_STARTS[env_id]} if env_id in SMALL_STARTS else {}
    run(check, env_id, **SLOW.get(env_id, {}), **start)


@pytest.mark.parametrize("check", [check for check in CHECKS if check not in DRAWING])
def test_a_spreadsheet_keeps_them(check: str, tmp_path: Path) -> None:
    (tmp_path / "plates.csv").write_text(PLATES)
    run(check, "Ombo/Table-v0", csv=str(tmp_path / "plates.csv"), value="yield")


def bowl(x: np.ndarray) -> float:
    return -float(x @ x)


def brew(cup: dict[str, str]) -> float:
    return len(cup["bean"]) + (cup["filter"] == "V60")


@pytest.mark.parametrize("check", [check for check in CHECKS if check not in DRAWING])
@pytest.mark.parametrize(
    ("objective", "space"),
    [(bowl, [(-5, 5), (0, 3)]), (brew, {"bean": ["Kenya", "Peru"], "filter": ["V60", "Chemex"]})],
    ids=["box", "choices"],
)
def test_a_function_keeps_them(check: str, objective: Any, space: Any) -> None:
    run(check, Function(objective, space))
