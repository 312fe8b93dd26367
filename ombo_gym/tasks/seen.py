"""Which problems a trained policy has met: results on these are no test."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import shown
from ombo_gym.registration import TASKS_ID
from ombo_gym.surrogates.learned_prior import AGENT as PRIOR
from ombo_gym.tasks.distribution import TaskDistribution
from ombo_gym.tasks.overlap import Named, overlap, shared_instances
from ombo_gym.tasks.protocols import protocol_names
from ombo_gym.tasks.task import Task


def problems_met(config: str | Path | Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The problems that a run was trained on, or its checkpoints were chosen by.

    Args:
        config: A run's folder, its `config.json`, or what stands in it: `env` and `env_kwargs`, of
            which `tasks` of `Ombo/Tasks-v0` are some, and `tasks` and `validate`, where there are
            such, as `gymnasium.make("Ombo/Tasks-v0", tasks=...)` takes them. Where a learned prior
            is the `surrogate` of any of these, what that was learnt from was met, too.

    Returns:
        Ids of environments with their arguments, each once.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It names neither an environment nor tasks.
    """
    contents = _contents(config)
    met = _problems_named(contents)
    if contents.get("agent") != PRIOR:  # which is learnt from measurements, without a surrogate
        recipes = [contents.get("surrogate"), (contents.get("env_kwargs") or {}).get("surrogate")]
        recipes += [arguments.get("surrogate") for _, arguments in met]
        folders = [folder for each in recipes if (folder := prior_folder(each)) is not None]
        for folder in dict.fromkeys(folders):
            met += _problems_named(_contents(folder / "config.json"))
    return [each for i, each in enumerate(met) if each not in met[:i]]


def prior_folder(surrogate: Any) -> Path | None:
    """The folder of the learned prior that a surrogate's recipe names; None: it names none."""
    path = surrogate.get("path") if isinstance(surrogate, Mapping) else None
    return Path(path) if isinstance(path, str | Path) and str(path) else None


def _problems_named(contents: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The problems that a configuration names itself.

    Raises:
        ValueError: It names none.
    """
    arguments = dict(contents.get("env_kwargs") or {})
    given = [contents.get("tasks"), contents.get("validate")]
    met: list[tuple[str, dict[str, Any]]] = []
    if contents.get("env") == TASKS_ID:
        given.append(arguments.get("tasks"))
    elif "env" in contents:
        met.append((contents["env"], arguments))
    for tasks in given:
        if tasks is not None:
            met += _problems(tasks)
    if not met:
        raise ValueError(
            f"config: expected an env, or tasks, that a run was trained on, got {shown(contents)}"
        )
    return met


def seen(
    config: str | Path | Mapping[str, Any], problems: Iterable[Named] | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """Which test problems a run has met in training or validation.

    Args:
        config: As in `problems_met`.
        problems: Test problems, ids of environments with their arguments, for instance those of
            `ombo_gym.evaluation.grid.held_out_problems`; None: those of all protocols.

    Returns:
        Those of the problems that share an instance with one that the run met.

    Raises:
        FileNotFoundError, ValueError: As in `problems_met`.
        ImportError: A problem of a family that both have needs an extra that is not installed.

    Example:
        >>> from ombo_gym.tasks import seen
        >>> run = {"env": "Ombo/TFBinding-v0", "env_kwargs": {"split": "all"}}
        >>> seen(run, [("Ombo/TFBinding-v0", {"split": "test"}), ("Ombo/MPSA-v0", {})])
        [('Ombo/TFBinding-v0', {'split': 'test'})]
    """
    met = problems_met(config)
    asked = protocol_test_problems() if problems is None else problems
    return [
        (env, dict(arguments))
        for env, arguments in asked
        if any(overlap((env, arguments), each) for each in met)
    ]


def instances_seen(
    config: str | Path | Mapping[str, Any], env: str, arguments: Mapping[str, Any]
) -> NDArray[np.bool_]:
    """Which instances of a problem a run has met in training or validation, or may have met.

    Args:
        config: As in `problems_met`.
        env: Id of an environment.
        arguments: Of it.

    Returns:
        As `shared_instances`: by number, or a single truth value for all.

    Raises:
        FileNotFoundError, ValueError, ImportError: As in `seen`.

    Example:
        >>> from ombo_gym.tasks import instances_seen
        >>> run = {"env": "Ombo/TFBinding-v0", "env_kwargs": {"split": "train"}}
        >>> int(instances_seen(run, "Ombo/TFBinding-v0", {}).sum())
        29
    """
    found = np.array(False)
    for met in problems_met(config):
        found = found | shared_instances((env, arguments), met)
    return found


def protocol_test_problems() -> list[tuple[str, dict[str, Any]]]:
    """The test problems of all protocols, each once."""
    found: list[tuple[str, dict[str, Any]]] = []
    for name in protocol_names():
        for task in TaskDistribution.named(f"{name}:test"):
            problem = task.env, dict(task.env_kwargs)
            if problem not in found:
                found.append(problem)
    return found


def _problems(tasks: Any) -> list[tuple[str, dict[str, Any]]]:
    """The problems of tasks as a configuration holds them; no code that they name is run.

    Raises:
        ValueError: They are none.
    """
    listed = TaskDistribution.named(tasks) if isinstance(tasks, str) else tasks
    listed = listed.get("tasks") if isinstance(listed, Mapping) else listed
    found = []
    for task in listed if isinstance(listed, Iterable) else [None]:
        each = task.to_dict() if isinstance(task, Task) else task
        if not isinstance(each, Mapping) or not isinstance(each.get("env"), str):
            raise ValueError(f"tasks: expected tasks with an env each, got {shown(tasks)}")
        found.append((each["env"], dict(each.get("env_kwargs") or {})))
    return found


def _contents(config: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(config, Mapping):
        return config
    file = Path(config)
    file = file / "config.json" if file.is_dir() else file
    read = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(read, dict):
        raise ValueError(f"{file}: expected a dict with an env or tasks, got {shown(read)}")
    return read
