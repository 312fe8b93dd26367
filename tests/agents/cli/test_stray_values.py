"""Values with blanks, and several where a flag takes one, are answered with what to write."""

from __future__ import annotations

import pytest

from ombo_agents.cli import evaluate, suggest
from ombo_agents.cli.main import run
from ombo_agents.cli.stray_values import stray_values


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("s.csv --plates 24 24 8 --maximise", ["--plates 24,24,8"]),
        ("s.csv --plates 24, 24", ["--plates 24,24"]),
        (
            "s.csv --target yield HPLC --block my plate",
            ['--target "yield HPLC"', '--block "my plate"'],
        ),
        ("s.csv --plates 24,24 --failed tar exploded --filled a.csv b.csv", []),
        ("--space space.yaml s.csv --plates 24", []),
    ],
)
def test_what_is_meant_is_said(written: str, meant: list[str]) -> None:
    assert stray_values(suggest.Args, written.split()) == meant


def test_commands_without_a_file_are_looked_at_from_the_first_flag_on() -> None:
    assert stray_values(evaluate.Args, ["--horizons", "1", "2"]) == ["--horizons 1,2"]


def test_it_is_printed_below_what_was_not_recognised(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("suggest", prog="ombo suggest", flags=["s.csv", "--plates", "24", "24"])
    assert capsys.readouterr().err.endswith("one value each: write --plates 24,24\n")
