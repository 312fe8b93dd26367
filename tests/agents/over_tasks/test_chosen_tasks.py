"""Tasks as somebody names them: what is refused, and in which words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ombo_agents.learned.over_tasks.chosen_tasks import described, read_tasks, validation_tasks
from ombo_gym.tasks import TaskDistribution, make_tasks
from tests.agents.over_tasks.cases import TASKS, VALIDATE

TRAIN = "ML-instances-v0:train"


def test_a_protocol_brings_its_own_validation() -> None:
    pytest.importorskip("ioh")
    tasks = read_tasks("--tasks", TRAIN)
    assert tasks == TaskDistribution.named(TRAIN)
    assert validation_tasks(tasks).name == "ML-instances-v0:validation"
    assert described(tasks) == TRAIN


@pytest.mark.parametrize("contents", [TASKS, {"tasks": TASKS}, {"name": None, "tasks": TASKS}])
def test_a_file_holds_a_distribution_or_a_list_of_tasks(contents: Any, tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text(json.dumps(contents))
    tasks = read_tasks("--tasks", str(file))
    assert tasks == make_tasks(TASKS)
    assert make_tasks(described(tasks)) == tasks
    assert validation_tasks(tasks, VALIDATE) == make_tasks(VALIDATE)


def test_a_name_that_tasks_do_not_live_up_to_is_not_written_down(tmp_path: Path) -> None:
    """Or a file could pass test tasks off as those of a training split."""
    file = tmp_path / "own.json"
    file.write_text(json.dumps({"name": TRAIN, "tasks": [{"env": "Ombo/MPSA-v0"}]}))
    tasks = read_tasks("--tasks", file)
    written = described(tasks)
    assert isinstance(written, dict) and "name" not in written
    assert written["tasks"][0]["env"] == "Ombo/MPSA-v0"
    with pytest.raises(ValueError, match="--validate: expected tasks apart"):
        validation_tasks(tasks)


REFUSED: dict[str, tuple[Any, str]] = {
    "a protocol that is none": ("ML-family-v0:train", "expected a protocol among"),
    "no split": ("ML-families-v0", "expected one of ['ML-families-v0:train'"),
    "a split that is none": ("ML-families-v0:dev", "ML-families-v0:validation"),
    "the test": ("ML-families-v0:test", "ML-families-v0:train, got ML-families-v0:test, which"),
    "no file": ("nowhere/own.json", "which is not there"),
    "nothing": ([], "expected a protocol with a split"),
    "no task": ([{"environment": "x"}], "task 0: task: expected the fields"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("flag", ["--tasks", "--validate"])
def test_what_is_no_tasks_is_refused_in_a_sentence(case: str, flag: str) -> None:
    given, words = REFUSED[case]
    with pytest.raises(ValueError) as caught:
        read_tasks(flag, given)
    message = str(caught.value)
    assert message.startswith(f"{flag}: ") and words in message and "\n" not in message


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text("{")
    with pytest.raises(ValueError, match=r"--tasks: .*own\.json: expected the JSON of tasks"):
        read_tasks("--tasks", file)


def test_the_test_in_a_file_is_refused_too(tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    file.write_text(TaskDistribution.named("ML-synthetic-v0:test").to_json())
    with pytest.raises(ValueError, match="kept for the last look"):
        read_tasks("--tasks", file)


def test_validation_shares_no_instance_with_training() -> None:
    tasks = make_tasks(TASKS)
    same = [{**TASKS[0], "horizon": 9, "weight": 1.0}]
    with pytest.raises(ValueError, match="--validate: expected tasks that share no instance"):
        validation_tasks(tasks, same)
    never = [{**TASKS[0], "weight": 0.0}, *VALIDATE]  # is drawn nowhere
    assert len(validation_tasks(tasks, never)) == 3
    with pytest.raises(ValueError, match="share no instance"):
        validation_tasks(read_tasks("--tasks", "ML-synthetic-v0:validation"))


def test_without_validation_tasks_the_message_says_what_to_give() -> None:
    with pytest.raises(ValueError, match=r"--validate: .* got none; give a protocol's"):
        validation_tasks(make_tasks(TASKS))
