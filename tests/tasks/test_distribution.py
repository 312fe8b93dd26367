"""Tasks with weights: drawing them, their JSON, their splits."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest

from ombo_gym.tasks import Task, TaskDistribution, make_tasks

TASKS = (
    Task("Ombo/GP-v0", weight=1),
    Task("Ombo/SnAr-v0", weight=0),
    Task("Ombo/Bandit-v0", utilities=["best", "total"], weight=3),
)


def test_tasks_are_drawn_by_their_weights() -> None:
    tasks = TaskDistribution(TASKS)
    np.testing.assert_allclose(tasks.probabilities, [0.25, 0, 0.75])
    rng = np.random.default_rng(0)
    drawn = [TASKS.index(tasks.sample(rng)) for _ in range(2000)]
    counts = np.bincount(drawn, minlength=3) / 2000
    assert counts[1] == 0
    assert abs(counts[0] - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 2000)


def test_no_uniform_number_falls_on_a_task_without_weight() -> None:
    tasks = TaskDistribution((*TASKS, TASKS[1]))
    ends = np.array([0.0, 0.25 - 1e-16, 0.25, np.nextafter(1.0, 0.0)])
    assert tasks.indices(ends).tolist() == [0, 0, 2, 2]


def test_weights_of_any_size_have_shares() -> None:
    tasks = TaskDistribution(TASKS[:2]).reweighted([1e308, 1e308])
    np.testing.assert_allclose(tasks.probabilities, [0.5, 0.5])


def test_length_iteration_and_index() -> None:
    tasks = TaskDistribution(TASKS)
    assert len(tasks) == 3 and tuple(tasks) == TASKS and tasks[2] == TASKS[2]


def test_it_survives_json_and_pickle() -> None:
    for tasks in (TaskDistribution(TASKS), TaskDistribution.named("ML-instances-v0:test")):
        assert TaskDistribution.from_json(tasks.to_json()) == tasks
        assert pickle.loads(pickle.dumps(tasks)) == tasks
        assert hash(TaskDistribution.from_json(tasks.to_json())) == hash(tasks)


def test_whatever_an_argument_may_be_means_the_same() -> None:
    expected = TaskDistribution(TASKS)
    dicts = [task.to_dict() for task in TASKS]
    for given in (expected, list(TASKS), TASKS, dicts, expected.to_dict(), {"tasks": dicts}):
        assert make_tasks(given) == expected
    assert make_tasks(TASKS[0]) == TaskDistribution(TASKS[:1])
    named = make_tasks("ML-families-v0:test")
    assert named.name == "ML-families-v0:test" and make_tasks(json.loads(named.to_json())) == named


def test_a_split_leads_to_the_other_splits() -> None:
    train = TaskDistribution.named("ML-synthetic-v0:train")
    assert train.split("test") == TaskDistribution.named("ML-synthetic-v0:test")
    assert train.split("validation").split("train") == train
    with pytest.raises(ValueError, match=r"split: ML-synthetic-v0 has .*validation.*, got 'dev'"):
        train.split("dev")
    with pytest.raises(ValueError, match="split: expected tasks of a named protocol"):
        TaskDistribution(TASKS).split("test")


def test_other_weights_make_other_tasks_without_the_name() -> None:
    train = TaskDistribution.named("ML-synthetic-v0:train")
    other = train.reweighted(np.arange(len(train)))
    assert other.name is None and other != train
    assert other.probabilities[0] == 0 and other[5].weight == 5
    for bad in ([1.0], [[1.0] * len(train)], "ones", [True] * len(train)):
        with pytest.raises(ValueError, match=f"weights: expected {len(train)} numbers"):
            train.reweighted(bad)
    with pytest.raises(ValueError, match="weight above 0"):
        train.reweighted(np.zeros(len(train)))


def test_a_description_has_a_line_for_every_task() -> None:
    lines = TaskDistribution(TASKS).describe().splitlines()
    assert len(lines) == 4
    assert "75.00%" in lines[3] and "Ombo/Bandit-v0" in lines[3] and "best, total" in lines[3]


BAD: list[tuple[Any, str]] = [
    ([], "tasks: expected a protocol with a split"),
    (None, "tasks: expected a protocol with a split"),
    (3, "tasks: expected a protocol with a split"),
    ({"tasks": []}, "tasks: expected"),
    ({"task": [{}]}, "tasks: expected a dict with tasks"),
    ([{"env": "Ombo/GP-v0"}, {"env": "Ombo/GP-v0", "horizon": 0}], "tasks: task 1: horizon"),
    ([{"env": "Ombo/GP-v0", "weight": 0}], "weight above 0"),
    ("ML-families-v9:train", r"protocol among \['ML-families-v0', .*got 'ML-families-v9'"),
    ("ML-families-v0", r"expected one of \['ML-families-v0:train', .*got 'ML-families-v0'"),
    ("ML-families-v0:dev", "expected one of .*ML-families-v0:validation"),
    ("../../etc/passwd:train", "protocol among"),
]


@pytest.mark.parametrize(("given", "message"), BAD)
def test_what_is_no_distribution_is_refused_in_a_sentence(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_tasks(given)
