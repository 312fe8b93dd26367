"""Bars for what takes long, on a terminal only."""

from __future__ import annotations

import io
import sys

import pytest

from ombo_gym.evaluation import progress
from ombo_gym.evaluation.progress import tracked


class Terminal(io.StringIO):
    """Text written to a terminal."""

    def isatty(self) -> bool:
        return True


def test_items_come_in_order_and_a_file_sees_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(tracked(iter("abc"), "letters", total=3)) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("patience", "shown"), [(0.0, True), (60.0, False)])
def test_a_terminal_sees_a_bar_once_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, patience: float, shown: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "PATIENCE", patience)
    assert list(tracked(range(3), "letters")) == [0, 1, 2]
    assert ("letters" in terminal.getvalue()) == shown
