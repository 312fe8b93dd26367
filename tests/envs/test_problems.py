"""The conformance suite, on every registered environment and on problems of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

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
# What the state machine does with a problem, whose designs are of some kind and whose value is a
# number: on one of each kind, and on all others among the slow tests.
ONE_OF_EACH_KIND = {*IDS, *DRAWN, "Ombo/Molecule-v0"}  # whose pool is a kind of its own
QUICKLY_ON_SOME = {
    "test_gymnasiums_checker_has_nothing_to_say": ONE_OF_EACH_KIND,
    "test_native_rows_are_the_rows_of_sync_vector_env": ONE_OF_EACH_KIND,
    "test_bad_actions_are_refused_and_change_nothing": ONE_OF_EACH_KIND,
    "test_the_return_is_the_utility": ONE_OF_EACH_KIND,
    "test_what_a_player_may_know_is_an_object": ONE_OF_EACH_KIND,  # see `tests/test_spec.py`
    # `test_rendering.py` draws all kinds of designs.
    "test_frames_are_pictures_of_one_even_size_and_drawing_changes_no_campaign": {
        *("Ombo/GP-v0", "Ombo/TFBinding-v0")
    },
    "test_the_vector_env_draws_row_i_as_the_single_env_seeded_s_plus_i": {"Ombo/GP-v0"},
}
PLATES = "solvent,degrees,yield\nDMF,60,1.5\nDMF,60,2.5\nTHF,60,3\nTHF,80,4\nDMF,80,0\nDMF,90,2\n"


def suite_of(env_id: str | Problem, **settings: Any) -> ProblemConformance:
    arguments = {**SETTINGS, **settings}
    suite: Any = type("Suite", (ProblemConformance,), {"env_id": env_id, "env_kwargs": arguments})
    made: ProblemConformance = suite()
    return made


def suite_of_id(env_id: str) -> ProblemConformance:
    start = {"start": SMALL_STARTS[env_id]} if env_id in SMALL_STARTS else {}
    return suite_of(env_id, **SLOW.get(env_id, {}), **start)


def run(check: str, env_id: str | Problem, **settings: Any) -> None:
    getattr(suite_of(env_id, **settings), check)()


def marks_of(check: str, env_id: str) -> Any:
    return () if env_id in QUICKLY_ON_SOME.get(check, {env_id}) else pytest.mark.slow


@pytest.mark.parametrize(
    ("check", "env_id"),
    [
        pytest.param(check, env_id, marks=marks_of(check, env_id))
        for check in CHECKS
        for env_id in ombo_gym.env_ids()
        if env_id in ON_SOME.get(check, {env_id})
    ],
)
def test_every_environment_keeps_its_promises(env_id: str, check: str) -> None:
    getattr(suite_of_id(env_id), check)()


@pytest.mark.parametrize("env_id", sorted(set(ombo_gym.env_ids()) - ONE_OF_EACH_KIND))
def test_rows_of_every_problem_are_drawn_and_measured_like_single_campaigns(env_id: str) -> None:
    """In one autoreset mode; in all of them, and under every control, among the slow tests."""
    suite_of_id(env_id)._check_rows(AutoresetMode.SAME_STEP, "designs")


def test_what_is_quick_on_some_problems_is_a_check_on_some_of_its_problems() -> None:
    assert set(QUICKLY_ON_SOME) <= set(CHECKS)
    for check, env_ids in QUICKLY_ON_SOME.items():
        assert env_ids <= ON_SOME.get(check, set(ombo_gym.env_ids())), check


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
