"""`ombo check` and `ombo suggest`: what they print, write and refuse."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from ombo_gym import command
from tests.campaigns.sheets import REACTION_SHEET, REACTION_SPACE, write


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, "screen.csv", REACTION_SHEET)
    write(tmp_path, "space.yaml", REACTION_SPACE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ombo(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setattr(sys, "argv", ["ombo", *line.split()])
    command.main()


SHEET = "screen.csv --space space.yaml --target yield"


def test_check_says_what_is_understood(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ombo(monkeypatch, f"check {SHEET} --failed n.d.")
    printed = capsys.readouterr().out
    assert (
        printed.splitlines()[0]
        == "screen.csv: 10 rows, 6 measured, 1 failed, 1 pending, 2 controls"
    )
    for words in (
        "Temperature (°C)  numbers from 25 to 140 in steps of 5",
        "time (h)          numbers from 0.5 to 24, on a logarithmic scale",
        "equivalents       4 levels from 1 to 3",
        "yield (%)         the target, maximised: 6 measured from 5 to 41; 1 only as bounds",
        "replicates: 1 design measured more than once",
        "control, outside the space: screen.csv, row 9: 'solvent' is 'water', none of",
    ):
        assert words in printed
    assert sorted(path.name for path in folder.iterdir()) == ["screen.csv", "space.yaml"]


def test_check_says_every_mistake_a_kind_a_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = REACTION_SHEET.replace("THF;SPhos;80", "THF;SPhos;hot").replace(";100;1", ";warm;1")
    write(folder, "screen.csv", text.replace("0,5;2;28", "0,5;;28"))
    with pytest.raises(SystemExit) as stopped:
        ombo(monkeypatch, f"check {SHEET}")
    first, third, second = str(stopped.value).splitlines()
    assert "row 4, column 'Temperature (°C)': expected a number, got 'hot'" in first
    assert first.endswith("(the same in row 5)")
    assert "row 11, column 'equivalents': expected a number, got ''" in second
    assert "row 6, column 'yield (%)': expected a number, got 'n.d.'" in third


@pytest.mark.parametrize("failed", ["--failed n.d. exploded", "--failed n.d.,exploded"])
def test_suggest_writes_the_next_plate(
    failed: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = "--maximise --plates 6,6,2 --policy random --seed 3 --layout 24 --out plate.csv"
    ombo(monkeypatch, f"suggest {SHEET} {failed} {flags}")
    printed = capsys.readouterr().out
    assert "6 wells: plate.csv" in printed
    assert "control, outside the space: screen.csv, row 9: 'solvent' is 'water'" in printed
    with open("plate.csv", encoding="utf-8-sig", newline="") as file:
        wells = list(csv.DictReader(file))
    assert [well["well"] for well in wells] == [f"A{i}" for i in range(1, 7)]
    assert {"Solvent", "Temperature (°C)", "yield (%)", "predicted yield (%)", "role"} <= set(
        wells[0]
    )
    assert not any(well["yield (%)"] for well in wells)
    assert all(25 <= int(well["Temperature (°C)"]) <= 140 for well in wells)
    assert (folder / "plate.map.csv").exists()
    before = (folder / "plate.csv").read_bytes()
    ombo(monkeypatch, f"suggest {SHEET} {failed} {flags}")
    assert (folder / "plate.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"suggest {SHEET} --failed n.d.", "expected --maximise or --minimise, got neither"),
        (f"suggest {SHEET} --failed n.d. --maximise --minimise", "got both"),
        (
            f"suggest {SHEET} --maximise",
            r"row 6, column 'yield \(%\)': expected a number, got 'n.d.'",
        ),
        (
            f"suggest {SHEET} --failed n.d. --maximise --plates 4;4",
            "--plates: expected whole numbers",
        ),
        (f"suggest {SHEET} --failed n.d. --maximise --out screen.csv", "give another name"),
        (f"suggest {SHEET} --failed n.d. --maximise --policy best", "policy: expected one of"),
        (
            f"suggest {SHEET} --failed n.d. --maximise --layout 7 --policy random",
            "layout: expected one",
        ),
        (
            "check screen.csv --space nowhere.yaml --target yield",
            "nowhere.yaml: expected a space file",
        ),
        ("check nowhere.csv --space space.yaml --target yield", "there is no nowhere.csv"),
        (f"check {SHEET} --origin lucky", "origin: expected a kind"),
    ],
)
def test_a_mistake_ends_in_one_line_and_writes_nothing(
    line: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match=words) as stopped:
        ombo(monkeypatch, line)
    assert "\n" not in str(stopped.value)
    assert sorted(path.name for path in folder.iterdir()) == ["screen.csv", "space.yaml"]
    assert (folder / "screen.csv").read_text(encoding="utf-8") == REACTION_SHEET
