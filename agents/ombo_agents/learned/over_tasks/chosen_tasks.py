"""Which tasks a policy is trained over, and by which others its checkpoints are chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ombo_gym.tasks import TaskDistribution, make_tasks, overlap

_HELD_OUT = "test"


def read_tasks(flag: str, given: Any) -> TaskDistribution:
    """Tasks as somebody names them.

    Args:
        flag: What messages call the argument.
        given: A protocol with a split ("ML-families-v0:train"), a file that holds the JSON of a
            distribution or of a list of tasks, or what `make_tasks` takes.

    Raises:
        ValueError: It is none of these, or the test of a protocol; says what was expected.
    """
    if isinstance(given, str | Path) and str(given).endswith(".json"):
        given = _contents(flag, Path(given))
    try:
        tasks = make_tasks(given)
    except ValueError as error:
        raise ValueError(f"{flag}: {str(error).removeprefix('tasks: ')}") from error
    if is_protocol(tasks) and str(tasks.name).endswith(f":{_HELD_OUT}"):
        protocol = str(tasks.name).partition(":")[0]
        raise ValueError(
            f"{flag}: expected tasks that a policy may know, such as {protocol}:train, got "
            f"{tasks.name}, which is kept for the last look: nothing is trained or chosen on it"
        )
    return tasks


def validation_tasks(tasks: TaskDistribution, given: Any = None) -> TaskDistribution:
    """The tasks by which checkpoints are chosen.

    Args:
        tasks: That are trained on.
        given: As in `read_tasks`; None: the protocol's own validation.

    Raises:
        ValueError: There are none, or they share instances with the tasks that are trained on.
        ImportError: A task needs an extra that is not installed.
    """
    if given is None and not is_protocol(tasks):
        raise ValueError(
            "--validate: expected tasks apart from those of --tasks, by which checkpoints are "
            "chosen, got none; give a protocol's (--validate ML-families-v0:validation) or a file"
        )
    if given is None:
        given = f"{str(tasks.name).partition(':')[0]}:validation"
    validate = read_tasks("--validate", given)
    trained = [(task.env, task.env_kwargs) for task in tasks if task.weight > 0]
    for task in validate:
        if task.weight > 0 and any(overlap((task.env, task.env_kwargs), each) for each in trained):
            raise ValueError(
                "--validate: expected tasks that share no instance with those of --tasks, or "
                f"checkpoints are chosen by what they were trained on, got {task.describe()}"
            )
    return validate


def is_protocol(tasks: TaskDistribution) -> bool:
    """Whether they are, task by task, those of the protocol and split that they are named for."""
    if tasks.name is None:
        return False
    try:
        return TaskDistribution.named(tasks.name) == tasks
    except ValueError:
        return False


def described(tasks: TaskDistribution) -> str | dict[str, Any]:
    """The tasks as a configuration holds them: a protocol by its name, all others one by one."""
    if is_protocol(tasks):
        return str(tasks.name)
    return {"tasks": tasks.to_dict()["tasks"]}


def _contents(flag: str, file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"{flag}: expected a protocol with a split, such as ML-families-v0:train, or a file of "
            f"tasks, got {str(file)!r}, which is not there"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{flag}: {file}: expected the JSON of tasks, got {error}") from error
