"""What is kept of a cell that failed, whatever a policy or a problem has raised."""

from __future__ import annotations

import traceback
from typing import NamedTuple

from ombo_gym.arguments import message_of

_LONGEST_MESSAGE, _LONGEST_TRACEBACK = 2_000, 20_000  # characters


class Failed(NamedTuple):
    """A cell that could not be played.

    Attributes:
        error: Kind of the error, its message and its notes, on one line.
        traceback: Where it was raised; empty where nobody was left to say.
    """

    error: str
    traceback: str = ""


def failure_of(error: BaseException) -> Failed:
    """What is kept of an error.

    Errors of other people's code may hold anything: messages that raise errors themselves, that
    are endless, or that no file can hold.
    """
    try:
        message = " ".join(message_of(error).split())
    except BaseException as another:
        message = f"(no message: its str() raised {type(another).__name__})"
    try:
        lines = "".join(traceback.format_exception(error))
    except BaseException as another:
        lines = f"(no traceback: showing it raised {type(another).__name__})"
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]} ..."
    if len(lines) > _LONGEST_TRACEBACK:
        half = _LONGEST_TRACEBACK // 2
        lines = f"{lines[:half]}\n...\n{lines[-half:]}"
    return Failed(_writable(f"{type(error).__name__}: {message}"), _writable(lines))


def failure_of_process(why: str) -> Failed:
    """What is kept of a cell whose process ended twice without an answer.

    Args:
        why: How the process ended.
    """
    return Failed(
        f"ProcessDied: the process that played it ended twice, the second time with no other cell "
        f"beside it ({why}); its own code may end processes, or memory was short: play fewer "
        "campaigns at a time (--block)"
    )


def _writable(text: str) -> str:
    """The text without what UTF-8 or a CSV file cannot hold."""
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
