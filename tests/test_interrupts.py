"""Ctrl-C ends a command with status 130, whatever becomes of the interrupt on the way."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ombo_agents.cli.arguments import parse_env, report_errors
from ombo_gym import command
from ombo_gym.interrupts import ctrl_c_pressed, ending_on_ctrl_c, noticing_ctrl_c


@pytest.fixture(autouse=True)
def listens() -> Iterator[None]:
    """Ctrl-C is listened to, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a module and names it."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, text: str) -> str:
        (tmp_path / f"{name}.py").write_text("import os, signal, sys, time\n" + text)
        monkeypatch.delitem(sys.modules, name, raising=False)
        importlib.invalidate_caches()
        return name

    return write


def _as_another(error: BaseException) -> None:
    """As libraries do whose C code is interrupted."""
    try:
        press()
        time.sleep(5)
    except KeyboardInterrupt:
        raise error from None


@pytest.mark.parametrize(
    "error",
    [
        ImportError("initialization failed"),
        RuntimeError("Error calling __set_name__"),
        SystemError("returned a result with an exception set"),
        ValueError("odd"),
        AttributeError("partially initialized module"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("manager", [report_errors, ending_on_ctrl_c])
def test_whatever_a_library_makes_of_the_interrupt_the_status_is_130(
    error: BaseException, manager: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, manager():
        _as_another(error)
    assert ended.value.code == 130
    assert capsys.readouterr().err == "stopped\n"


def test_the_same_errors_without_ctrl_c_are_errors() -> None:
    with pytest.raises(SystemExit, match=r"^error: odd$"), report_errors():
        raise ValueError("odd")
    with pytest.raises(ZeroDivisionError), report_errors():
        raise ZeroDivisionError
    with pytest.raises(SystemExit, match=r"^error: 3 cells failed$"), report_errors():
        sys.exit("error: 3 cells failed")


def test_what_a_command_says_of_going_on_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, report_errors():
        try:
            _as_another(KeyboardInterrupt())
        except KeyboardInterrupt as stop:
            raise KeyboardInterrupt("--resume goes on") from stop
    assert ended.value.code == 130 and capsys.readouterr().err == "stopped: --resume goes on\n"


# --- while something is imported ------------------------------------------------------------------


_SWALLOWS = """
try:
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(3):
        time.sleep(0.05)
except BaseException:
    raise ImportError("initialization failed")
done = True
"""


def test_an_import_is_finished_first(module: Any) -> None:
    """An exception inside of one is swallowed, is made another, or ends the process."""
    name = module("swallows_interrupts", _SWALLOWS)
    with pytest.raises(KeyboardInterrupt), noticing_ctrl_c():
        importlib.import_module(name)
        time.sleep(5)
    assert sys.modules[name].done


def test_the_command_ends_where_the_import_was_the_last_thing(module: Any) -> None:
    name = module("swallows_interrupts_last", _SWALLOWS)
    with pytest.raises(SystemExit) as ended, ending_on_ctrl_c():
        importlib.import_module(name)
    assert ended.value.code == 130


def test_a_second_ctrl_c_does_not_wait(module: Any) -> None:
    name = module("never_ends", "while True:\n    os.kill(os.getpid(), signal.SIGINT)\n")
    with pytest.raises(KeyboardInterrupt), noticing_ctrl_c():
        importlib.import_module(name)


def test_an_import_without_end_is_not_waited_for(
    module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ombo_gym.interrupts._LONGEST_WAIT", 0.2)
    name = module(
        "computes_for_ever", "os.kill(os.getpid(), signal.SIGINT)\nwhile True:\n    time.sleep(1)\n"
    )
    with pytest.raises(KeyboardInterrupt), noticing_ctrl_c():
        importlib.import_module(name)


def test_a_module_of_ones_own_that_is_interrupted_stops_the_command(
    module: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    name = module("own_problem_interrupted", _SWALLOWS)
    with pytest.raises(SystemExit) as ended, report_errors():
        parse_env(f"{name}:Valley")
        time.sleep(5)
    assert ended.value.code == 130 and capsys.readouterr().err == "stopped\n"


def test_so_does_an_interrupt_while_the_command_itself_is_imported(
    module: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_MAIN", module("interrupted_command", _SWALLOWS))
    for run in (command.main, lambda: command.run("evaluate")):
        sys.modules.pop("interrupted_command", None)
        with pytest.raises(SystemExit) as ended:
            run()
        assert ended.value.code == 130 and capsys.readouterr().err == "stopped\n"


def test_a_missing_extra_is_still_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_MAIN", "no_such_extra")
    with pytest.raises(SystemExit, match=r'pip install "ombo-gym\[all\]"'):
        command.main()


# --- one inside the other -------------------------------------------------------------------------


def test_what_was_pressed_is_known_until_the_outermost_ends() -> None:
    with noticing_ctrl_c():
        with pytest.raises(KeyboardInterrupt):
            press()
            time.sleep(5)
        with noticing_ctrl_c():
            assert ctrl_c_pressed()
        assert ctrl_c_pressed()
    with noticing_ctrl_c():
        assert not ctrl_c_pressed()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
