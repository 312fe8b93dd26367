"""The first plate of a campaign without any result: spread over the space, nothing foretold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign
from tests.campaigns.sheets import workbook, write
from tests.campaigns.test_campaign import SPACES
from tests.campaigns.test_commands import ombo

KINDS: dict[str, dict[str, Any]] = {
    **SPACES,
    "steps": {"T": {"range": [20, 80], "step": 5}, "x": {"range": [0, 1]}},
    "shared": {**SPACES["levels"], "shared": ["a"], "distinct": {"b": 2}},
}


@pytest.fixture(autouse=True)
def few_designs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ombo_agents.campaigns.space.encoding.SAMPLED", 300)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("known", ["no row", "pending", "failed"])
def test_a_plate_comes_without_any_result_in_every_space(kind: str, known: str) -> None:
    space = KINDS[kind]
    rows: list[dict[str, Any]] = []
    if known != "no row":
        first = Campaign.from_csv([], space, target="y").suggest([3], policy="random")
        word = "" if known == "pending" else "broken"
        rows = [{**well.design, "y": word} for well in first.wells]
    campaign = Campaign.from_csv(rows, space, target="y", failed=["broken"])
    plate = campaign.suggest([6, 6], seed=1)
    assert plate == campaign.suggest([6, 6], seed=1)
    designs = {tuple(well.design.values()) for well in plate.wells}
    assert len(designs) == 6
    assert not designs & {tuple(list(row.values())[:-1]) for row in rows}
    for well in plate.wells:
        assert (well.mean, well.low, well.high) == (None, None, None)
        assert (well.nearest, well.nearest_value, well.role) == (None, None, "explore")
    assert "no result yet" in plate.reason and "unknown" in plate.reason
    assert plate.quality is None
    names = [name for name in plate.header if "y" in name.split() or "%" in name]
    assert all(row[plate.header.index(name)] == "" for row in plate.rows() for name in names)
    assert "no result yet" in campaign.check()


def test_the_first_plate_is_spread_over_the_ranges() -> None:
    plate = Campaign.from_csv([], KINDS["steps"], target="y").suggest([8, 8])
    for name, low, high in (("T", 20, 80), ("x", 0, 1)):
        values = np.array([float(well.design[name]) for well in plate.wells])
        shares = (values - low) / (high - low)
        quarters = np.histogram(shares, bins=4, range=(0, 1))[0]
        assert quarters.min() >= 1, (name, values)


def test_plate_rules_hold_before_any_result() -> None:
    plate = Campaign.from_csv([], KINDS["shared"], target="y").suggest([6, 6])
    assert {well.design["a"] for well in plate.wells} == {2}  # the middle of 0, 1, 2, 5, 10
    assert len({well.design["b"] for well in plate.wells}) == 2


def test_a_plate_has_the_shared_value_that_has_designs_enough() -> None:
    space = {"T": [20, 40, 60], "s": list("abcdef"), "shared": ["T"]}
    rules = {**space, "constraints": ['s == "a" if T == 60', 's in ["a", "b"] if T == 40']}
    rows = [{"T": t, "s": "a", "y": t} for t in (20, 40)]  # hotter is better
    plate = Campaign.from_csv(rows, rules, target="y").suggest([4])
    assert {well.design["T"] for well in plate.wells} == {20}


def test_the_told_plate_is_where_the_campaign_starts() -> None:
    campaign = Campaign.from_csv([], SPACES["levels"], target="y")
    frame = campaign.suggest([5, 5, 5]).frame
    frame["y"] = [1.0, 2.0, "", 4.0, 5.0]
    campaign.tell(frame)
    assert campaign.rows.rounds.tolist() == [0] * 5
    second = campaign.suggest([5, 5])
    assert all(well.mean is not None and well.nearest for well in second.wells)
    campaign.tell([{**second.wells[0].design, "y": 7.0}])
    assert campaign.rows.rounds.tolist() == [0] * 5 + [1]


def test_a_campaign_before_its_first_result_is_kept(tmp_path: Path) -> None:
    campaign = Campaign.from_csv([], SPACES["mixed"], target="y")
    campaign.save(tmp_path / "c.json")
    again = Campaign.load(tmp_path / "c.json")
    assert again.suggest([4]) == campaign.suggest([4])


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_sheet_with_a_header_alone_will_do(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    header = ["T (°C)", "x", "y (%)"]
    if ending == ".csv":
        write(tmp_path, "screen.csv", ",".join(header) + "\n")
    else:
        workbook(tmp_path / "screen.xlsx", [header])
    write(tmp_path, "space.yaml", "T: {range: [20, 80], step: 5}\nx: {range: [0, 1]}\n")
    ombo(monkeypatch, f"check screen{ending} --space space.yaml --target y")
    line = f"suggest screen{ending} --space space.yaml --target y --maximise --plates 4,4"
    ombo(monkeypatch, line)
    printed = capsys.readouterr().out
    assert f"screen{ending}: 0 rows" in printed and "no result yet" in printed
    assert (tmp_path / "plate.csv").read_text(encoding="utf-8-sig").count("\n") == 5


def test_advice_before_any_result_says_to_measure() -> None:
    advice = Campaign.from_csv([], SPACES["mixed"], target="y").advise([4, 4])
    assert not advice.trusted and not advice.policies
    assert "0 different designs were measured" in str(advice)


def test_results_outside_the_space_alone_are_a_mistake() -> None:
    rows = [{"a": 99, "b": 2, "y": 3}]
    with pytest.raises(ValueError, match=r"'a' is 99.*measure one at least"):
        Campaign.from_csv(rows, SPACES["box"], target="y")
