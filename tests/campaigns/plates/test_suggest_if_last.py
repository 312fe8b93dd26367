"""What a suggested plate would be if it were the last: the difference made by knowing N."""

from __future__ import annotations

import csv
from pathlib import Path

from ombo_agents.campaigns import Campaign
from tests.campaigns.test_campaign import SPACES, rows_of


def campaign(kind: str, count: int = 14) -> Campaign:
    return Campaign.from_csv(rows_of(SPACES[kind], count), SPACES[kind], target="y")


def test_it_is_the_plate_of_a_policy_that_is_told_one_plate() -> None:
    asked = campaign("levels")
    plate = asked.suggest([4, 4, 4], policy="explore_then_exploit")
    alone = asked.suggest([4], policy="explore_then_exploit")
    assert list(plate.if_last) == [dict(well.design) for well in alone.wells]
    assert plate.if_last != tuple(dict(well.design) for well in plate.wells)
    both = [dict(well.design) in plate.if_last for well in plate.wells]
    assert both == [well.also_if_last for well in plate.wells]
    assert plate.changed_by_plates_to_come == 4 - sum(both)


def test_the_last_plate_and_policies_that_count_no_plates_differ_in_nothing() -> None:
    for plates, policy in (([4], "explore_then_exploit"), ([4, 4], "ucb")):
        plate = campaign("levels").suggest(plates, policy=policy)
        assert plate.changed_by_plates_to_come == 0
        assert list(plate.if_last) == [dict(well.design) for well in plate.wells]


def test_values_that_a_plate_shares_are_chosen_as_for_the_last_plate() -> None:
    space = {"a": [0, 1, 2, 5, 10], "b": list(range(8)), "shared": ["a"]}
    rows = [
        row | {"y": float(row["a"]) + 0.1 * float(row["b"])}
        for row in rows_of({"a": [0, 1, 2, 5, 10], "b": list(range(8))}, 14)
    ]
    asked = Campaign.from_csv(rows, space, target="y")
    plate = asked.suggest([3, 3], policy="ucb")
    alone = asked.suggest([3], policy="ucb")
    assert len({each["a"] for each in plate.if_last}) == 1
    assert list(plate.if_last) == [dict(well.design) for well in alone.wells]


def test_frames_and_files_have_it(tmp_path: Path) -> None:
    plate = campaign("levels").suggest([4, 4, 4], policy="explore_then_exploit")
    assert list(plate.if_last_frame.columns) == list(plate.names.values())
    assert len(plate.if_last_frame) == 4
    words = ["also" if well.also_if_last else "other" for well in plate.wells]
    assert plate.frame["if last"].tolist() == words
    plate.write(tmp_path / "plate.csv")
    with open(tmp_path / "plate.csv", newline="") as file:
        assert [row["if last"] for row in csv.DictReader(file)] == words
