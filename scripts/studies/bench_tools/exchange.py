"""Asking a tool in its own environment: a line of JSON to its process, a line back."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

TOOLS = Path(__file__).parent / "tools"
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Answer(NamedTuple):
    """What a tool answers.

    Attributes:
        designs: (q,) of the plate, a dict of parameters each.
        seconds: CPU time of the suggestion.
        versions: Of the packages that made it.
    """

    designs: list[dict[str, Any]]
    seconds: float
    versions: dict[str, str]


class Process:
    """A tool's process, which is started with the first request.

    Args:
        command: Answers each line of its standard input with one, see `tools.answering`.

    Example:
        >>> with Process(["python", "answering.py", "with_ax"]) as tool:  # doctest: +SKIP
        ...     tool.ask(request).designs
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.command = list(command)
        self._process: subprocess.Popen[str] | None = None
        self._errors = tempfile.TemporaryFile("w+")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            assert self._process.stdin is not None and self._process.stdout is not None
            if kind is not None:
                self._process.kill()
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
        self._errors.close()

    def ask(self, request: dict[str, Any]) -> Answer:
        """What the tool answers.

        Raises:
            RuntimeError: It ended without an answer; with the last lines of what it complained of.
        """
        process = self._process = self._process or self._started()
        assert process.stdin is not None and process.stdout is not None
        line = ""
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            pass
        if not line.endswith("\n"):
            self._errors.seek(0)
            last = "\n".join(self._errors.read().splitlines()[-5:])
            raise RuntimeError(
                f"{' '.join(self.command)}: expected an answer, got none; it said:\n{last}"
            )
        return Answer(**json.loads(line))

    def _started(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, **dict.fromkeys(_THREADS, "1")},
        )


def command_of(tool: str, python: Path) -> list[str]:
    """What runs a tool.

    Args:
        tool: "baybe", say: of `tools/with_baybe.py`.
        python: Of the environment that the tool is installed in.
    """
    return [str(python), str(TOOLS / "answering.py"), f"with_{tool}"]
