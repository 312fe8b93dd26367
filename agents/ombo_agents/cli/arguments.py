"""What the commands share in reading their arguments."""

from __future__ import annotations

import difflib
import errno
import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium as gym

from ombo_gym import env_ids
from ombo_gym.arguments import message_of, shown
from ombo_gym.interrupts import ctrl_c_pressed, ending_on_ctrl_c
from ombo_gym.own_code import own_module
from ombo_gym.registration import TASKS_ID, names_problem, problem_class

_NOT_ALLOWED = "; give a path that you may read and write"
_FULL = "; make room and repeat the command"
_REMEDIES = {  # of what the system refuses
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.EROFS: _NOT_ALLOWED,
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
}


@contextmanager
def report_errors() -> Iterator[None]:
    """Ends without a traceback where the user's input was the reason, or Ctrl-C."""
    with ending_on_ctrl_c():
        try:
            yield
        except Exception as error:
            words = _words(error)
            if words is None or ctrl_c_pressed():
                raise
            sys.exit(f"error: {words}")


def _words(error: Exception) -> str | None:
    """What to say of an error that the user's input may be the reason of; None of any other."""
    if isinstance(error, RecursionError):
        return "something that was given is nested too deeply"
    if isinstance(error, MemoryError):
        return f"out of memory: {error}" if str(error) else "out of memory"
    if isinstance(error, OSError):
        return str(error) + _REMEDIES.get(error.errno or 0, "")
    of_input = (ValueError, TypeError, ImportError, RuntimeError, gym.error.Error)
    return message_of(error) if isinstance(error, of_input) else None


def typed(command: str) -> str:
    """What repeats this run: the command line, of `ombo NAME` or of `python -m scripts.NAME`."""
    program, *words = sys.argv
    if Path(program).stem == "ombo":
        return shlex.join(["ombo", *words])
    return shlex.join(["python", "-m", f"scripts.{command}", *words])


def parse_env(env_id: str, *, flag: str = "--env") -> str:
    """Checks the name of an environment: an id, `module:id`, or `module:Class` of a problem.

    Raises:
        ValueError: An unknown id (lists the known ones, those of the module too), a module that is
            not there or raises an error, or campaigns that draw their problem.
    """
    module, _, name = env_id.rpartition(":")
    if name == TASKS_ID:
        raise ValueError(
            f"{flag}: expected an environment of one problem, got {env_id!r}, whose campaigns draw "
            "theirs; ombo train --tasks ML-families-v0:train trains over many, and a grid of ombo "
            "evaluate lists them one by one"
        )
    if ":" in module:
        first, _, second = module.partition(":")
        raise ValueError(
            f"{flag}: expected one module before the name, got {env_id!r}; let a file import "
            f"{first} and {second}, and name that one"
        )
    if module:
        own_module(flag, module)
    spec = gym.registry.get(name)
    if spec is None and names_problem(env_id) and hasattr(sys.modules[module], name):
        try:
            problem_class(env_id)
        except ValueError as error:
            raise ValueError(f"{flag}: {error}") from error
        return env_id
    if spec is None or not str(spec.entry_point).startswith("ombo_gym."):
        raise ValueError(f"{flag}: {_unknown_env(env_id)}")
    return env_id


def _unknown_env(env_id: str) -> str:
    """What a name may have been meant as, how those of one's own are written, and all known ids."""
    module = env_id.rpartition(":")[0]
    own = [
        f"{module}:{each}"
        for each, registered in gym.registry.items()
        if module and str(registered.kwargs.get("problem")).startswith(f"{module}:")
    ]
    known = [*own, *env_ids()]
    if module:
        known = [f"{module}:{each}" for each in (*env_ids(), *vars(sys.modules[module]))] + own
    near = difflib.get_close_matches(env_id, known, n=1)
    meant = f"did you mean {near[0]}? An" if near else "an"
    form = "module:id, or module:Class of a problem"
    if not module and "/" in env_id:
        form += f", here module:{env_id} with the module that registers it"
    elif Path(f"{env_id}.py").is_file():
        form += f", here {env_id}:Class with a class of {env_id}.py"
    return (
        f"got {env_id!r}; {meant} environment of your own is written {form}; otherwise expected "
        f"one of {', '.join([*own, *env_ids()])}"
    )


def parse_json(flag: str, text: str) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        ValueError: Anything else.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:  # not JSON, endless digits, endless brackets
        raise ValueError(f"{flag}: expected a JSON object, got {shown(text)}: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f'{flag}: expected a JSON object such as {{"dim": 3}}, got {shown(text)}')
    return value


def parse_numbers(flag: str, text: str) -> list[int]:
    """Reads whole numbers with commas between.

    Raises:
        ValueError: Anything else.
    """
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"{flag}: expected whole numbers such as 1,2,5, got {text!r}") from None


def parse_plates(text: str) -> list[int]:
    """Reads the wells of plates to come, 24,24,8.

    Raises:
        ValueError: Anything else, or a plate without wells.
    """
    found = parse_numbers("--plates", text)
    if min(found) < 1:
        raise ValueError(
            f"--plates: expected whole numbers of at least 1, the wells of each plate, got {text!r}"
        )
    return found


def parse_horizon(text: str) -> int | list[int]:
    """Reads `3`, or `1-5` for a horizon that is drawn anew for each campaign.

    Raises:
        ValueError: Anything else.
    """
    try:
        low, _, high = text.partition("-")
        return [int(low), int(high)] if high else int(low)
    except ValueError:
        raise ValueError(f"--horizon: expected 3, or 1-5 for a range, got {text!r}") from None
