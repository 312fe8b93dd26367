"""A task: a problem with its arguments, horizon, batch size, utilities and start."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

import gymnasium as gym

from ombo_gym.arguments import as_json, low_and_high, members, shown
from ombo_gym.design_spaces.values import is_number
from ombo_gym.own_code import own_module
from ombo_gym.registration import env_ids, names_problem
from ombo_gym.settings import BATCH_SIZE, HORIZON
from ombo_gym.starts import STARTS
from ombo_gym.utilities import make_utility

ENTRY_POINT = "ombo_gym.env:CampaignEnv"
# What a task says by fields of its own, what the environment of tasks says for all of them, and
# what tasks do without.
_NOT_OF_THE_PROBLEM = (
    *("horizon", "batch_size", "utility", "utilities", "start", "plates"),
    *("control", "render_mode", "problem"),
)


@dataclass(frozen=True)
class Task:
    """A problem with its arguments, and what campaigns of it are like.

    Attributes:
        env: Id of an environment, or `module:Class` of a problem of your own.
        env_kwargs: Further arguments of the environment: the problem's own, `split`, `noise_std`,
            `surrogate`; JSON-able.
        horizon: N, or (low, high): drawn anew for each campaign.
        batch_size: q, or (low, high) likewise.
        utilities: What campaigns are worth: each draws one of these, all equally likely. A single
            one does as well.
        start: The initial dataset; None: the problem's own.
        weight: How likely the task is, relative to others.

    Raises:
        ValueError: A field of another kind or out of range; names it.

    Example:
        >>> from ombo_gym.tasks import Task
        >>> task = Task("Ombo/GP-v0", {"dim": 3}, horizon=(1, 10), utilities=("best", "last_mean"))
        >>> Task.from_dict(task.to_dict()) == task
        True
    """

    env: str
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    horizon: int | tuple[int, int] = HORIZON
    batch_size: int | tuple[int, int] = BATCH_SIZE
    utilities: tuple[Any, ...] = ("best",)
    start: Mapping[str, Any] | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        set_field = object.__setattr__  # frozen from here on
        _check_env(self.env)
        set_field(self, "env_kwargs", _checked_arguments(self.env_kwargs))
        for name in ("horizon", "batch_size"):
            low, high = low_and_high(name, getattr(self, name))
            set_field(self, name, low if low == high else (low, high))
        set_field(self, "utilities", _checked_utilities(self.utilities))
        set_field(self, "start", _checked_start(self.start))
        weight = self.weight
        if not is_number(weight) or not 0 <= weight < math.inf:
            raise ValueError(f"weight: expected a number of at least 0, got {shown(weight)}")
        set_field(self, "weight", float(weight))

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_dict(), sort_keys=True))

    @property
    def problem_arguments(self) -> dict[str, Any]:
        """What makes the problem: `problem`, its name, and what goes with it.

        Raises:
            ValueError: The id is no environment of this package, nor one registered like them.
        """
        if names_problem(self.env):
            return {"problem": self.env, **self.env_kwargs}
        return {**_registered(self.env), **self.env_kwargs}

    def arguments(self, utility: Any = None) -> dict[str, Any]:
        """What `gymnasium.make(task.env, ...)` takes to play this task alone.

        Args:
            utility: Which of the task's; None: the first.
        """
        given: dict[str, Any] = {
            **self.env_kwargs,
            "horizon": _as_listed(self.horizon),
            "batch_size": _as_listed(self.batch_size),
            "utility": self.utilities[0] if utility is None else utility,
        }
        return given if self.start is None else {**given, "start": dict(self.start)}

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "env": self.env,
            "env_kwargs": dict(self.env_kwargs),
            "horizon": _as_listed(self.horizon),
            "batch_size": _as_listed(self.batch_size),
            "utilities": list(self.utilities),
            "start": None if self.start is None else dict(self.start),
            "weight": self.weight,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; all but `env` may be left out.

        Raises:
            ValueError: A field is unknown or out of range, or there is no `env`.
        """
        known = [each.name for each in fields(cls)]
        if not isinstance(given, Mapping):
            raise ValueError(f"task: expected a dict with the fields {known}, got {shown(given)}")
        if unknown := sorted(set(given) - set(known), key=str):
            raise ValueError(f"task: expected the fields {known}, got {shown(unknown)} too")
        if "env" not in given:
            raise ValueError(f"task: expected an env, the id of an environment, got {shown(given)}")
        return cls(**given)

    def describe(self) -> str:
        """The task in a line."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.env_kwargs.items())
        start = "its own start" if self.start is None else f"start {dict(self.start)}"
        utilities = ", ".join(map(str, self.utilities))
        return (
            f"{self.env}({arguments}), N {_in_words(self.horizon)}, q "
            f"{_in_words(self.batch_size)}, {utilities}, {start}"
        )


def _as_listed(number: int | tuple[int, int]) -> int | list[int]:
    return list(number) if isinstance(number, tuple) else number


def _in_words(number: int | tuple[int, int]) -> str:
    return f"{number[0]}-{number[1]}" if isinstance(number, tuple) else str(number)


def _check_env(env: Any) -> None:
    """Refuses what is no id; of another module, that is found out where it is built."""
    if isinstance(env, str) and (":" in env or env in env_ids()):
        return
    if isinstance(env, str) and env in gym.registry:
        _registered(env)
        return
    raise ValueError(
        f"env: expected one of {env_ids()}, or module:Class of a problem "
        f"of your own, got {shown(env)}"
    )


def _registered(env: str) -> dict[str, Any]:
    """The arguments that an id stands for, or `module:id` of one that a module registers."""
    module, _, name = env.rpartition(":")
    if module:
        own_module(f"env: {env!r}", module)
    try:
        spec = gym.spec(name)
    except (gym.error.Error, ImportError) as error:
        raise ValueError(f"env: expected the id of an environment, got {env!r}: {error}") from error
    if spec.entry_point != ENTRY_POINT:
        raise ValueError(
            f"env: expected an environment of ombo_gym, whose entry_point is {ENTRY_POINT!r}, got "
            f"{env!r} with {shown(spec.entry_point)}"
        )
    return dict(spec.kwargs)


def _checked_arguments(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise ValueError(f"env_kwargs: expected a dict of arguments by name, got {shown(given)}")
    for name in _NOT_OF_THE_PROBLEM:
        if name in given:
            raise ValueError(
                f"env_kwargs: expected arguments of the problem, split, noise_std or surrogate, "
                f"got {name}={shown(given[name])}; a task has horizon, batch_size, utilities and "
                "start of its own"
            )
    written = as_json(dict(given))
    try:
        read: dict[str, Any] = json.loads(json.dumps(written))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"env_kwargs: expected what JSON holds, got {shown(given)}: {error}"
        ) from None
    return read


def _checked_utilities(given: Any) -> tuple[Any, ...]:
    listed = members(given)
    each = [given] if listed is None else listed
    if not each:
        raise ValueError(f"utilities: expected at least one utility, got {shown(given)}")
    return tuple(make_utility(utility).config() for utility in each)


def _checked_start(given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or given.get("kind") not in STARTS:
        raise ValueError(
            f'start: expected None or {{"kind": one of {sorted(STARTS)}, ...}}, got {shown(given)}'
        )
    start: dict[str, Any] = as_json(dict(given))
    return start
