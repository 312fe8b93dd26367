"""Files of plates: nothing that is there is ever replaced."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from ombo_agents.campaigns import Campaign, Plate
from tests.campaigns.sheets import write
from tests.campaigns.test_commands import ombo

SHEET = "T (°C),s,y (%)\n20,a,1\n40,b,2.5\n60,a,3\n80,b,2\n"
SPACE = "T: {range: [20, 80], step: 5}\ns: [a, b]\n"


def plate_of(seed: int = 0, wells: int = 3) -> Plate:
    rows = [{"T": 20 + 5 * i, "s": "ab"[i % 2], "y": float(i)} for i in range(5)]
    space = {"T": {"range": [20, 80], "step": 5}, "s": ["a", "b"]}
    campaign = Campaign.from_csv(rows, space, target="y")
    return campaign.suggest([wells], policy="random", seed=seed)


def fill_in(file: Path) -> None:
    """A result in the first well."""
    edit(file, lambda rows: rows[1].__setitem__(rows[0].index("y"), "7.5"))


def edit(file: Path, change: Callable[[list[list[str]]], object]) -> None:
    import openpyxl

    if file.suffix == ".xlsx":
        book = openpyxl.load_workbook(file)
        rows = [["" if c is None else c for c in row] for row in book.active.values]
        change(rows)
        book.active.delete_rows(1, len(rows) + 5)
        for row in rows:
            book.active.append(row)
        book.save(file)
        return
    rows = [line.split(",") for line in file.read_text(encoding="utf-8-sig").splitlines()]
    change(rows)
    file.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")


EDITS: dict[str, Callable[[list[list[str]]], object]] = {
    "a result": lambda rows: rows[1].__setitem__(rows[0].index("y"), "7.5"),
    "a word": lambda rows: rows[2].__setitem__(rows[0].index("y"), "running"),
    "what was really dispensed": lambda rows: rows[1].__setitem__(rows[0].index("T"), "61"),
    "a remark in a column of ours": lambda rows: rows[3].__setitem__(rows[0].index("role"), "!"),
    "a column of remarks": lambda rows: [row.append("x") for row in rows],
    "all wells taken out": lambda rows: rows.__delitem__(slice(1, None)),
    "a well taken out": lambda rows: rows.__delitem__(1),
}


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@pytest.mark.parametrize("kind", EDITS)
def test_what_somebody_changed_is_never_replaced(tmp_path: Path, kind: str, ending: str) -> None:
    plate, file = plate_of(), tmp_path / f"plate{ending}"
    assert plate.write(file) == file
    before = file.read_bytes()
    assert plate.write(file) == file and file.read_bytes() == before  # the same plate
    edit(file, EDITS[kind])
    changed = file.read_bytes()
    with pytest.raises(ValueError, match="give another name"):
        plate.write(file)
    other = plate.write(file, rename=True)
    assert other == tmp_path / f"plate-2{ending}" and file.read_bytes() == changed
    assert plate.write(file, rename=True) == other  # found there, just so
    fill_in(other)
    assert plate.write(file, rename=True) == tmp_path / f"plate-3{ending}"


def test_another_plate_without_results_is_not_replaced_either(tmp_path: Path) -> None:
    file = tmp_path / "plate.csv"
    plate_of(seed=0).write(file)
    before = file.read_bytes()
    with pytest.raises(ValueError, match="another plate"):
        plate_of(seed=1).write(file)
    assert plate_of(seed=1).write(file, rename=True).name == "plate-2.csv"
    assert file.read_bytes() == before


def test_a_map_is_not_replaced(tmp_path: Path) -> None:
    plate, file = plate_of(), tmp_path / "plate.csv"
    plate.write(file, layout=24)
    drawn = tmp_path / "plate.map.csv"
    drawn.write_text(drawn.read_text() + "wells A1 and A2 were swapped\n")
    text = drawn.read_text()
    with pytest.raises(ValueError, match="give another name"):
        plate.write(file, layout=24)
    assert plate.write(file, layout=24, rename=True).name == "plate-2.csv"
    assert (tmp_path / "plate-2.map.csv").exists() and drawn.read_text() == text
    file.unlink()
    with pytest.raises(ValueError, match=r"the map of another plate beside it, plate\.map\.csv"):
        plate.write(file, layout=24)


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "", "\x00\x01", "just words\n"])
def test_files_of_others_are_refused_whatever_they_hold(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, "plate.csv", text)
    for rename in (False, True):
        with pytest.raises(ValueError, match="another file; give another name"):
            plate_of().write(file, rename=rename)
    assert file.read_text() == text and len(list(tmp_path.iterdir())) == 1


def test_a_rerun_of_suggest_says_in_one_line_where_the_plate_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "screen.csv", SHEET)
    write(tmp_path, "space.yaml", SPACE)
    line = "suggest screen.csv --space space.yaml --target y --maximise --plates 3 --policy random"
    ombo(monkeypatch, line)
    file = tmp_path / "plate.csv"
    edit(file, lambda rows: rows[1].__setitem__(rows[0].index("y (%)"), "9"))
    filled = file.read_bytes()
    capsys.readouterr()
    ombo(monkeypatch, line)
    printed = capsys.readouterr().out
    assert "3 wells: plate-2.csv" in printed
    assert "plate.csv holds another plate, or results, and stays as it is" in printed
    assert file.read_bytes() == filled


@pytest.mark.parametrize(
    ("command", "file"),
    [("suggest --out", "p.csv"), ("suggest --if-last", "p.csv"), ("advise --out", "p.json")],
)
def test_a_folder_that_takes_no_file_is_refused_before_anything_is_worked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, file: str
) -> None:
    def refused(dir: Path) -> Any:
        if dir.name == "locked":
            raise PermissionError(13, "Permission denied", str(dir))
        return nullcontext()

    monkeypatch.chdir(tmp_path)
    (tmp_path / "locked").mkdir()
    write(tmp_path, "screen.csv", SHEET)
    write(tmp_path, "space.yaml", SPACE)
    monkeypatch.setattr("ombo_gym.files.tempfile.TemporaryFile", refused)
    for name in ("suggest", "advise"):
        monkeypatch.setattr(Campaign, name, lambda *_, **__: pytest.fail("it was worked out"))
    name, flag = command.split()
    line = f"{name} screen.csv --space space.yaml --target y --maximise {flag} locked/{file}"
    with pytest.raises(SystemExit, match=f"{file}: expected a folder that can be written to"):
        ombo(monkeypatch, line)
