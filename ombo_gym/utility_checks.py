"""What a utility of one's own is held to: a name that can be typed, arguments, gains."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ombo_gym.arguments import shown

if TYPE_CHECKING:
    from ombo_gym.utilities import Utility

Floats = NDArray[np.float64]
_NAME = re.compile(r"[^\s:;,=/]+")


def check_class(kind: type[Utility], known: Mapping[str, type[Utility]], aims: type[Enum]) -> None:
    """Refuses a class of utilities that could not be named, or would mislead policies.

    Args:
        kind: A class with a name of its own.
        known: Classes by name.
        aims: What `aim` is one of.

    Raises:
        ValueError: A name that is taken or that no command line can hold, or no aim; says what to
            write.
    """
    if not isinstance(kind.name, str) or not _NAME.fullmatch(kind.name):
        raise ValueError(
            "utility: expected a name without blanks and without any of : ; , = / in it, which "
            f"command lines use, got {shown(kind.name)}; choose another for {kind.__name__}"
        )
    if not isinstance(kind.aim, aims):
        raise ValueError(
            f"utility: expected `aim` of {kind.name!r} to be one of {', '.join(map(str, aims))} "
            f"(ombo_gym.utilities.{aims.__name__}), got {shown(kind.aim)}"
        )
    before = known.get(kind.name)
    where = kind.__module__, kind.__qualname__
    if before is not None and (before.__module__, before.__qualname__) != where:
        raise ValueError(
            f"utility: expected a name that is not taken, got {kind.name!r}, which is "
            f"{before.__module__}.{before.__qualname__}"
        )


def arguments_of(utility: Utility) -> dict[str, Any]:
    """What a utility is built with again: attributes of the names of its constructor's arguments.

    Raises:
        ValueError: It has no name, or keeps an argument under another name, or not at all, so that
            neither a table nor another process could tell it from others; says what to write.
    """
    kind = type(utility)
    if not hasattr(kind, "name"):
        raise ValueError(
            f"utility: expected a name of {kind.__name__}, which tables and command lines show; "
            f'write name = "{kind.__name__.lower()}" in the class'
        )
    names = _argument_names(kind)
    if lost := [name for name in names if not hasattr(utility, name)]:
        raise ValueError(
            f"utility: expected {kind.name!r} to keep each argument of its constructor as an "
            f"attribute of the same name, from which tables and other processes build it again, "
            f"got no attribute {lost[0]!r}; write self.{lost[0]} = {lost[0]} in __init__"
        )
    return {name: getattr(utility, name) for name in names}


@cache
def _argument_names(kind: type[Utility]) -> tuple[str, ...]:
    """Names of what its constructor takes; `*args` and `**kwargs` have none."""
    if kind.__init__ is object.__init__:
        return ()
    every = signature(kind).parameters.values()
    return tuple(p.name for p in every if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))


def own_gain(
    utility: Utility, batch: Floats, best: Floats, rounds_left: NDArray[np.int64]
) -> Floats:
    """The gains of R campaigns under a utility of one's own, (R,).

    Args:
        utility: Whose gain it is.
        batch: (R, q) true values.
        best: (R,) before the round.
        rounds_left: (R,) the round included.

    Raises:
        ValueError: `gain` fails, is not one finite number a campaign, or is another one for a
            campaign alone.
    """
    source = f"{type(utility).__name__}.gain"
    remedy = (
        "best[..., None] stands beside the designs of a batch, and numpy.where(rounds_left == 1, "
        "..., 0.0) in place of an if"
    )
    try:
        gain = checked_gain(utility, utility.gain(batch, best, rounds_left), batch)
        alone = utility.gain(batch[-1:], best[-1:], rounds_left[-1:])
    except Exception as error:
        if str(error).startswith(f"{type(utility).__name__}: "):
            raise
        raise ValueError(
            f"{source}: raised {type(error).__name__}: {error}; the batch has the shape "
            f"{batch.shape}, best and rounds_left have {best.shape}: {remedy}"
        ) from error
    if not np.allclose(np.asarray(alone, np.float64), gain[-1:], rtol=1e-6, atol=1e-9):
        raise ValueError(
            f"{source}: expected of each campaign what it is of the same campaign alone, got "
            f"{gain[-1]:g} among {len(gain)} and {np.ravel(alone)[0]:g} alone; {remedy}"
        )
    return gain


def checked_gain(utility: Utility, gain: Any, batch: Floats) -> Floats:
    """What `gain` gave for the batches of R campaigns, (R,).

    Args:
        utility: Whose gain it is.
        gain: Anything.
        batch: (R, q) what it was asked for.

    Raises:
        ValueError: It is not one finite number a campaign; says what to do.
    """
    given = np.asarray(gain)
    if given.shape != batch.shape[:-1] or given.dtype.kind not in "biuf":
        raise ValueError(
            f"{type(utility).__name__}: expected `gain` of shape {batch.shape[:-1]}, one number a "
            f"campaign, for a batch {batch.shape}, got shape {given.shape} of {given.dtype}; "
            "reduce over the batch alone, as batch.mean(axis=-1) does"
        )
    if not np.isfinite(given).all():
        raise ValueError(
            f"{type(utility).__name__}: expected finite numbers as `gain`, got "
            f"{given[~np.isfinite(given)][0]} for the true values "
            f"{shown(batch[~np.isfinite(given)][0].tolist())}"
        )
    return np.asarray(given, np.float64)


def name_and_arguments(text: str) -> tuple[str, dict[str, Any]]:
    """`NAME:key=value;key=value` taken apart, and `module:Class:key=value`.

    Raises:
        ValueError: A value that is no number, or no value.
    """
    parts = text.split(":")
    names = 2 if len(parts) > 1 and parts[1].isidentifier() else 1
    pairs = [part.partition("=") for part in ":".join(parts[names:]).split(";") if part]
    try:
        return ":".join(parts[:names]), {key: float(value) for key, _, value in pairs}
    except ValueError:
        message = f"utility: expected NAME:key=number;key=number, got {shown(text)}"
        raise ValueError(message) from None


def hint(name: str, known: Sequence[str]) -> str:
    """What somebody may have meant by a name that is none; begins with a semicolon, or is empty."""
    if "=" in name:
        return "; several arguments of one utility have ';' between: 'NAME:key=value;key=value'"
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
