"""Plates come back with results one column off, or with none: refused, by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.cli.campaign_arguments import SheetArgs, read_campaign
from tests.campaigns.sheets import write

SHEET = "T,yield (%)\n20,12.5\n40,31\n60,44\n80,20\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, "screen.csv", SHEET)
    write(tmp_path, "space.yaml", "T: {range: [20, 100], step: 5}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def campaign(folder: Path) -> Campaign:
    return Campaign.from_csv(folder / "screen.csv", folder / "space.yaml", target="yield")


@pytest.mark.parametrize("column", ["predicted yield (%)", "low 80%", "high 80%"])
@pytest.mark.parametrize("values", [["71", "72", "failed"], ["71", "", ""]])
def test_results_beside_their_column_are_refused(
    folder: Path, column: str, values: list[str]
) -> None:
    made = campaign(folder)
    frame = made.suggest([3], policy="random").frame.astype(object)
    for row, value in enumerate(values):
        if value:
            frame.loc[row, column] = value
    before = made.check()
    with pytest.raises(ValueError, match="row 2, column 'yield") as refused:
        made.tell(frame)
    assert "move the results to 'yield (%)'" in str(refused.value)
    assert made.check() == before


def test_before_any_result_predictions_are_empty_and_results_beside_are_found(folder: Path) -> None:
    made = Campaign.from_csv([], folder / "space.yaml", target="yield")
    frame = made.suggest([3], policy="random").frame.astype(object)
    made.tell(frame)
    frame.loc[1, "predicted yield"] = 55
    with pytest.raises(ValueError, match="in row 3; move the results"):
        made.tell(frame)


def test_a_plate_as_it_was_written_passes(folder: Path) -> None:
    made = campaign(folder)
    file = made.suggest([5, 5], policy="random").write(folder / "plate.csv")
    made.tell(file)
    assert made.rows.status.count("pending") == 5


def read(*filled: str, pending: tuple[str, ...] = ()) -> Campaign:
    """What the commands make of their flags."""
    flags = SheetArgs(
        Path("screen.csv"),
        space=Path("space.yaml"),
        target="yield",
        pending=pending,
        filled=tuple(map(Path, filled)),
    )
    return read_campaign(flags, goal_needed=False)


def test_a_filled_plate_without_a_result_is_refused_unless_a_word_says_that_wells_run(
    folder: Path,
) -> None:
    file = campaign(folder).suggest([3], policy="random").write(folder / "plate.csv")
    with pytest.raises(ValueError, match=r"--filled: csv: plate\.csv: expected results in 'yield"):
        read("plate.csv")
    lines = file.read_text(encoding="utf-8").splitlines()
    place = lines[0].split(",").index("yield (%)")
    cells = lines[1].split(",")
    cells[place] = "running"
    file.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]), encoding="utf-8")
    found = read("plate.csv", pending=("running",))
    assert found.rows.status.count("pending") == 3
    with pytest.raises(ValueError, match=r"--filled: .*expected new rows") as refused:
        read("plate.csv", "plate.csv", pending=("running",))
    assert "tell" not in str(refused.value)


@pytest.mark.parametrize(
    ("before", "name", "cells"),
    [
        ([0.55, 0.61], "yield", ["70%", "72 %"]),
        ([0.55, 0.61], "yield (%)", ["70", "72"]),
        (["5 mg", "6 mg"], "yield", ["70 g", "72 g"]),
    ],
)
def test_results_in_another_unit_than_before_are_refused(
    before: list[Any], name: str, cells: list[str]
) -> None:
    sheet = [{"T": 20 + i, "yield": value} for i, value in enumerate(before)]
    made = Campaign.from_csv(sheet, {"T": {"range": [20, 100]}}, target="yield")
    with pytest.raises(ValueError, match="expected results like those of rows"):
        made.tell([{"T": 40 + i, name: cell} for i, cell in enumerate(cells)])


def test_per_cent_behind_results_that_are_per_cent_without_saying_so_are_read() -> None:
    sheet = [{"T": 20 + i, "yield": value} for i, value in enumerate([55, 61])]
    made = Campaign.from_csv(sheet, {"T": {"range": [20, 100]}}, target="yield")
    made.tell([{"T": 40, "yield": "70%"}])
    assert made.rows.targets[-1, 0] == 70
