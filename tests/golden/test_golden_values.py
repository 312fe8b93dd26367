"""Problems measure and surrogates believe what they did when it was written down.

A simulator or library that moves a value shows here, and not in results that somebody compares with
those of last year. `python -m tests.golden.record NAME` records what has changed on purpose.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ombo_gym.registration import PROBLEMS as REGISTERED
from ombo_gym.surrogates.kernels import KERNELS
from tests.golden.problems import PROBLEMS, first_campaign
from tests.golden.record import read, surrogate_name, versions
from tests.golden.surrogates import RECIPES, believed, cases, tolerance

VALUES = read()
MODULES = {"py-wake": "py_wake", "viennarna": "RNA", "box2d": "Box2D"}  # else as the library


def missing(libraries: tuple[str, ...]) -> list[str]:
    return [name for name in libraries if find_spec(MODULES.get(name, name)) is None]


@pytest.mark.parametrize(
    "name",  # what WindFarm computes with takes seconds to import
    [
        pytest.param(name, marks=pytest.mark.slow) if name == "WindFarm" else name
        for name in PROBLEMS
    ],
)
def test_a_problem_measures_what_it_did(name: str, tmp_path: Path) -> None:
    case, golden = PROBLEMS[name], dict(VALUES["problems"][name])
    if absent := missing(case.libraries):
        pytest.skip(f"{absent} not installed")
    recorded = golden.pop("versions")
    found = first_campaign(case, tmp_path, golden["action"])
    now = versions(*case.libraries)
    assert set(found) == set(golden)
    for what, value in golden.items():
        np.testing.assert_allclose(
            np.array(found[what], np.float64),
            np.array(value, np.float64),
            rtol=case.tolerance,
            atol=case.tolerance,
            err_msg=f"{name}, {what}: recorded with {recorded}, now {now}",
        )


@pytest.mark.parametrize(("space", "recipe", "truncated"), cases())
def test_a_surrogate_believes_what_it_did(space: str, recipe: str, truncated: bool) -> None:
    golden = VALUES["surrogates"][surrogate_name(space, recipe, truncated)]
    found: dict[str, Any] = believed(space, recipe, truncated)
    within, sd = tolerance(recipe), np.array(golden["sd"])
    off = np.abs(np.array(found["mean"]) - golden["mean"]) / sd
    assert off.max() < within, (off, golden["versions"], versions())
    np.testing.assert_allclose(found["sd"], sd, rtol=within, err_msg=str(golden["versions"]))


def test_every_problem_and_every_recipe_has_a_golden_value() -> None:
    assert {case.name for case in PROBLEMS.values()} == set(REGISTERED)
    assert set(VALUES["problems"]) == set(PROBLEMS)
    assert set(VALUES["surrogates"]) == {surrogate_name(*case) for case in cases()}
    assert set(RECIPES) == {"prior", "fit", "isotropic", *KERNELS}


def test_golden_values_tell_recipes_and_spaces_apart() -> None:
    means = [str(each["mean"]) for each in VALUES["surrogates"].values()]
    assert len(set(means)) == len(means)
