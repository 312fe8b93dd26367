"""What would be different if a plate were the last, in words and as a file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.plates import suggesting
from ombo_agents.campaigns.plates.wells import Chosen
from tests.campaigns.sheets import write
from tests.campaigns.test_commands import ombo

SPACE: dict[str, Any] = {"T": {"range": [20, 100], "step": 10}, "s": list("abcd"), "shared": ["T"]}


def rows() -> list[dict[str, Any]]:
    """Hotter is better so far, and nobody has been beyond 60."""
    return [
        {"T": 20 + 10 * (i % 5), "s": "abcd"[i % 4], "y": float(i % 5) + 0.3 * (i % 4)}
        for i in range(12)
    ]


def plate_of(monkeypatch: pytest.MonkeyPatch, last: float, others: str = "abc") -> Any:
    """A plate at 100 degrees that would be at others, with these solvents, were it the last."""

    def chosen(*args: Any, as_last: bool = False, **options: Any) -> Chosen:
        at, solvents = (last, others) if as_last else (100.0, "abc")
        known = args[0]
        pool = known.encoding.pool
        wanted = [
            next(i for i in range(len(pool["T"])) if (pool["T"][i], pool["s"][i]) == (at, s))
            for s in solvents
        ]
        index = np.array(wanted)[:, None]
        return Chosen(known, index, index, True)

    monkeypatch.setattr(suggesting, "wells_of", chosen)
    return Campaign.from_csv(rows(), SPACE, target="y").suggest([3, 3])


def test_a_shared_value_that_would_be_another_is_said_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plate = plate_of(monkeypatch, 70.0)
    assert plate.if_last_words == (
        "if this plate were the last, the shared T would be 70 instead of 100, and all else "
        "the same"
    )
    assert plate.frame["if last"].tolist() == ["also, at T 70"] * 3
    assert plate.changed_by_plates_to_come == 3


def test_wells_that_would_be_others_are_counted_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    plate = plate_of(monkeypatch, 70.0, "abd")
    assert "the shared T would be 70 instead of 100, and 1 of the 3 wells another" in str(
        plate.if_last_words
    )
    assert plate.frame["if last"].tolist() == ["also, at T 70", "also, at T 70", "other"]
    plate = plate_of(monkeypatch, 100.0, "abd")
    assert plate.if_last_words == "1 of the 3 wells would be another if this plate were the last"
    assert plate_of(monkeypatch, 100.0).if_last_words is None


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_the_command_writes_the_plate_that_would_be_the_last(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [",".join(map(str, row.values())) for row in rows()[:5]]
    write(tmp_path, "screen.csv", "T (°C),s,y (%)\n" + "\n".join(lines) + "\n")
    write(tmp_path, "space.yaml", "T: {range: [20, 100], step: 10}\ns: [a, b, c, d]\n")
    command = (
        "suggest screen.csv --space space.yaml --target y --maximise --plates 4,4,4 --layout 24 "
        f"--policy explore_then_exploit --if-last last{ending}"
    )
    ombo(monkeypatch, command)
    printed = capsys.readouterr().out
    assert f"the plate if it were the last: last{ending}" in printed
    assert "if this plate were the last" in printed
    campaign = Campaign.from_csv("screen.csv", "space.yaml", target="y")
    plate = campaign.suggest([4, 4, 4], policy="explore_then_exploit")
    told = Campaign.from_csv(f"last{ending}", "space.yaml", target="y")
    known = [dict(zip(told.rows.columns, map(str, v), strict=True)) for v in zip(
        *(c.tolist() for c in told.rows.columns.values()), strict=True
    )]  # fmt: skip
    assert len(known) == 4
    assert {each["s"] for each in known} == {str(each["s"]) for each in plate.if_last}
    if ending == ".csv":
        with open("last.csv", newline="", encoding="utf-8-sig") as file:
            header, *cells = csv.reader(file)
        assert header == ["well", "T (°C)", "s", "y (%)"] and [c[0] for c in cells][-1] == "A4"
        assert all(each[-1] == "" for each in cells)


def test_a_name_that_no_plate_can_have_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "screen.csv", "T,s,y\n20,a,1\n30,b,2\n40,c,3\n")
    write(tmp_path, "space.yaml", "T: {range: [20, 100], step: 10}\ns: [a, b, c, d]\n")
    line = (
        "suggest screen.csv --space space.yaml --target y --maximise --plates 2 --if-last last.doc"
    )
    with pytest.raises(SystemExit):
        ombo(monkeypatch, line)
    assert not (tmp_path / "plate.csv").exists()
