"""Nothing of a protocol's test is ever drawn in training, nor met by a run that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_gym.evaluation.grid import held_out_problems
from ombo_gym.problems.core.base import Problem
from ombo_gym.problems.core.values import draw_instances
from ombo_gym.randomness import KeyedGenerator, Stream
from ombo_gym.registration import make_problem
from ombo_gym.tasks import Task, TaskDistribution, protocol_names, seen
from tests.pages import ROOT

pytest.importorskip("ioh")
pytest.importorskip("RNA")

DRAWS = 300
Label = tuple[Any, ...]


@cache
def problem_of(task: Task) -> tuple[str, Problem]:
    given = task.problem_arguments
    name = given.pop("problem")
    own = {k: v for k, v in given.items() if k not in ("noise_std", "surrogate")}
    return name, make_problem(name, **own)


def labels(task: Task, keys: Any) -> list[Label]:
    """What the campaigns of these keys are about, in the words of their problem's own data."""
    name, problem = problem_of(task)
    asked: Any = problem
    instances = draw_instances(problem, keys, np.full(len(keys), -1))
    if name in ("TFBinding", "TFBind8"):
        return [("factor", asked.factors[i]) for i in instances["factor"]]
    if name in ("LCBench", "Tuning"):
        return [(name, asked.datasets[i]) for i in instances["table"]]
    if name in ("BBOB", "PBO"):
        pairs = zip(instances["function"], instances["instance"], strict=True)
        return [(name, int(function), int(number)) for function, number in pairs]
    if name == "RNAFold":
        return [(name, asked.structure(instances, row)) for row in range(len(keys))]
    key = {"Coating": "centre", "Ehrlich": "number", "SnAr": "rates"}.get(name)
    if key is not None:
        return [(name, row.tobytes()) for row in np.asarray(instances[key])]
    return [(name, json.dumps(dict(task.env_kwargs), sort_keys=True))] * len(keys)


def drawn(tasks: TaskDistribution, seed: int) -> set[Label]:
    """What thousands of campaigns would be about, drawn as `Ombo/Tasks-v0` draws them."""
    keys = np.random.default_rng(seed).integers(0, 2**64, DRAWS, dtype=np.uint64)
    chosen = tasks.indices(KeyedGenerator(keys, Stream.TASK).random((2,))[:, 0])
    return {
        label
        for number in np.unique(chosen)
        for label in labels(tasks[int(number)], keys[chosen == number])
    }


@cache
def of_the_test(protocol: str) -> set[Label]:
    """What the test is about: every instance of a collection, many of the others."""
    found: set[Label] = set()
    for task in TaskDistribution.named(f"{protocol}:test"):
        count = problem_of(task)[1].instance_count()
        keys = np.arange(200 if count is None else min(20 * count, 4000), dtype=np.uint64)
        found |= set(labels(task, keys))
    return found


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("protocol", protocol_names())
@given(seed=st.integers(0, 2**32))
@settings(max_examples=3)
def test_no_instance_of_the_test_is_ever_drawn(protocol: str, split: str, seed: int) -> None:
    tasks = TaskDistribution.named(f"{protocol}:{split}")
    met = drawn(tasks, seed)
    assert len(met) > 3
    assert met & of_the_test(protocol) == set()


def test_a_leak_would_be_found() -> None:
    tasks = TaskDistribution((Task("Ombo/TFBinding-v0"),))
    assert drawn(tasks, 0) & of_the_test("ML-families-v0") == set()  # whose test has none
    assert drawn(tasks, 0) & of_the_test("ML-instances-v0")


# --- runs that are kept ---------------------------------------------------------------------------

KEPT = (ROOT / "agents" / "ombo_agents" / "learned" / "checkpoints", ROOT / "runs" / "suite")


def leaks(*folders: Path) -> Iterator[tuple[Path, tuple[str, dict[str, Any]]]]:
    """Runs with the test problems that they have met, of the suite and of their own protocol."""
    held_out = held_out_problems(ROOT / "grids" / "suite.yaml")
    for folder in folders:
        for file in sorted(folder.rglob("config.json")):
            contents = json.loads(file.read_text(encoding="utf-8"))
            if "agent" in contents:  # of training, and not of an evaluation
                for problem in seen(contents, [*held_out, *own_test(contents.get("tasks"))]):
                    yield file.parent, problem


def own_test(tasks: Any) -> list[tuple[str, dict[str, Any]]]:
    """The test problems of the protocol that a run was trained on; none of other tasks."""
    if not isinstance(tasks, str):
        return []
    test = TaskDistribution.named(tasks).split("test")
    return [(task.env, dict(task.env_kwargs)) for task in test]


def test_no_run_that_is_shipped_or_in_the_suite_has_met_a_test_problem() -> None:
    assert list(leaks(*KEPT)) == []


def test_a_run_that_has_is_named(tmp_path: Path) -> None:
    runs: dict[str, dict[str, Any]] = {
        "good": {"tasks": "ML-families-v0:train", "validate": "ML-families-v0:validation"},
        "chosen": {"tasks": "ML-families-v0:train", "validate": "ML-families-v0:test"},
        "bad": {"env": "Ombo/TFBinding-v0", "env_kwargs": {"horizon": 3}},
    }
    for name, contents in runs.items():
        (tmp_path / name).mkdir()
        text = json.dumps({"agent": "exploration", **contents})
        (tmp_path / name / "config.json").write_text(text)
    found = {folder.name for folder, _ in leaks(tmp_path)}
    assert found == {"chosen", "bad"}
