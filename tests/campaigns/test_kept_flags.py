"""Flags beside a campaign's file: those that agree with it are accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns.sheets import REACTION_SHEET, REACTION_SPACE, write
from tests.campaigns.test_commands import ombo


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from ombo_agents.campaigns import Campaign

    write(tmp_path, "screen.csv", REACTION_SHEET)
    write(tmp_path, "space.yaml", REACTION_SPACE)
    write(tmp_path, "other.yaml", REACTION_SPACE.replace("140", "150"))
    monkeypatch.chdir(tmp_path)
    Campaign.from_csv(
        "screen.csv", "space.yaml", target="yield", failed=["n.d."], block="remark"
    ).save("kept.json")
    return tmp_path


@pytest.mark.parametrize(
    "flags",
    [
        "--maximise",
        "--target yield",
        "--target Yield_(%)",
        "--failed N.D. --space space.yaml --block remark",
    ],
)
def test_flags_that_agree_are_accepted(
    flags: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ombo(monkeypatch, f"check kept.json {flags}")
    assert "10 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ("--minimise", "--minimise"),
        ("--maximise --target remark", "--target"),
        ("--failed exploded", "--failed"),
        ("--space other.yaml", "--space"),
        ("--failed-value 0", "--failed-value"),
        ("--origin listed", "--origin"),
        ("--round-column remark", "--round-column"),
        ("--sheet Data", "--sheet"),
    ],
)
def test_flags_that_say_otherwise_are_named(
    flags: str, named: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match=f"error: {named}: kept.json is a campaign's file"):
        ombo(monkeypatch, f"check kept.json {flags}")
