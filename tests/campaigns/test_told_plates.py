"""A plate goes to the bench as a file and comes back filled in, whole or in parts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ombo_agents.campaigns import Campaign
from tests.campaigns.sheets import REACTION_SHEET, REACTION_SPACE, write
from tests.campaigns.test_commands import SHEET, ombo

FLAGS = f"{SHEET} --failed n.d. exploded --maximise --policy random"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, "screen.csv", REACTION_SHEET)
    write(tmp_path, "space.yaml", REACTION_SPACE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def campaign(folder: Path) -> Campaign:
    return Campaign.from_csv(
        folder / "screen.csv",
        folder / "space.yaml",
        target="yield",
        failed=["n.d.", "exploded"],
    )


def filled(file: Path, values: Sequence[str], *, delimiter: str = ",") -> Path:
    """The file with results in its column of yields, as a spreadsheet program saves it."""
    if file.suffix == ".xlsx":
        import openpyxl

        book = openpyxl.load_workbook(file)
        sheet = book["plate"]
        place = [cell.value for cell in sheet[1]].index("yield (%)") + 1
        for row, value in enumerate(values, 2):
            sheet.cell(row, place).value = value or None
        book.save(file)
        return file
    table = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    place = table[0].index("yield (%)")
    for row, value in zip(table[1:], values, strict=True):
        row[place] = value
    if delimiter == ";":
        table[1:] = [[cell.replace(".", ",") for cell in row] for row in table[1:]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(table)
    file.write_text(text.getvalue(), encoding="utf-8-sig")
    return file


@pytest.mark.parametrize(
    ("name", "layout", "delimiter"),
    [
        ("plate.csv", None, ","),
        ("plate.csv", 24, ","),
        ("plate.csv", None, ";"),
        ("plate.xlsx", 24, ""),
    ],
)
def test_a_plate_comes_back_as_a_file(
    folder: Path, name: str, layout: int | None, delimiter: str
) -> None:
    told = campaign(folder)
    plate = told.suggest([4, 4], policy="random")
    file = plate.write(folder / name, layout=layout)
    told.tell(filled(file, ["31.5", "<5", "exploded", ""], delimiter=delimiter or ","))
    assert told.rows.status[-4:] == ["measured", "measured", "failed", "pending"]
    assert told.rows.targets[-4:-2, 0].tolist() == [31.5, 5.0]
    assert told.rows.rounds[-4:].tolist() == [1] * 4
    for i, well in enumerate(plate.wells):
        row = len(told.rows.status) - 4 + i
        assert {c: told.rows.columns[c][row] for c in well.design} == dict(well.design)
    second = told.suggest([4], policy="random")
    designs = {tuple(well.design.values()) for well in plate.wells}
    assert not designs & {tuple(well.design.values()) for well in second.wells}


def test_a_plate_that_is_told_in_parts_counts_once(folder: Path) -> None:
    told = campaign(folder)
    before = len(told.rows.status)
    file = told.suggest([5], policy="random").write(folder / "plate.csv")
    for values in (
        ["31", "", "", "", ""],
        ["31", "22", "", "", "n.d."],
        ["31", "22", "5", "6", "n.d."],
    ):
        told.tell(filled(file, values))
        assert len(told.rows.status) == before + 5
        assert told.rows.rounds[-5:].tolist() == [1] * 5
    found = sorted(zip(told.rows.status[before:], told.rows.targets[before:, 0], strict=True))
    assert [value for status, value in found if status == "measured"] == [5, 6, 22, 31]
    assert [status for status, _ in found].count("failed") == 1 and len(told.sheets) == 4
    told.save(folder / "c.json")
    assert Campaign.load(folder / "c.json").rows.rounds.tolist() == told.rows.rounds.tolist()


def test_replicates_beside_an_answer_are_replicates(folder: Path) -> None:
    told = campaign(folder)
    first = told.suggest([2], policy="random")
    frame = first.frame
    frame["yield (%)"] = ["31", ""]
    told.tell(frame)
    again = first.frame
    again["yield (%)"] = ["33", "12"]  # the first was measured once more
    told.tell(again)
    assert told.rows.status.count("measured") == 6 + 3
    assert "2 designs measured more than once" in told.check()


def test_commands_take_plates_that_are_filled_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ombo(monkeypatch, f"suggest {FLAGS} --plates 3,3 --out one.csv")
    filled(folder / "one.csv", ["1", "2", "3"])
    ombo(monkeypatch, f"suggest {FLAGS} --plates 3 --filled one.csv --out two.csv")
    filled(folder / "two.csv", ["4", "exploded", ""])
    capsys.readouterr()
    ombo(monkeypatch, f"check {SHEET} --failed n.d. exploded --filled one.csv two.csv")
    printed = capsys.readouterr().out
    assert "screen.csv: 16 rows, 10 measured, 2 failed, 2 pending, 2 controls" in printed
    for plates, words in (
        ("two.csv nowhere.csv", "nowhere.csv"),
        ("screen.csv", r"--filled: screen.csv: expected new rows"),
    ):
        with pytest.raises(SystemExit, match=words):
            ombo(monkeypatch, f"suggest {FLAGS} --plates 3 --filled {plates} --out three.csv")
    assert not (folder / "three.csv").exists()


def test_a_campaigns_file_takes_the_place_of_sheet_and_flags(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = campaign(folder)
    kept.advice = ({"policy": "ucb", "trusted": True, "rows": 8},)
    kept.save(folder / "campaign.json")
    ombo(monkeypatch, "suggest campaign.json --plates 3,3")
    assert "(ucb): as advised after 8 wells" in capsys.readouterr().out
    assert (folder / "plate.csv").exists()
    ombo(monkeypatch, "check campaign.json")
    assert "screen.csv: 10 rows" in capsys.readouterr().out
    for line, words in (
        (
            "suggest campaign.json --minimise --plates 3",
            "--minimise: campaign.json is a campaign",
        ),
        ("suggest screen.csv --target yield --maximise", "expected --space beside a spreadsheet"),
        ("check screen.csv --space space.yaml", "expected --target beside a spreadsheet"),
        ("suggest nowhere.json", "expected a campaign's file, there is none"),
    ):
        with pytest.raises(SystemExit, match=words):
            ombo(monkeypatch, line)
    assert json.loads((folder / "campaign.json").read_text())["version"] == 1
