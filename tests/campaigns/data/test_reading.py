"""Sheets as people keep them: units, words, bounds, controls, gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ombo_agents.campaigns import Campaign, read_space
from ombo_agents.campaigns.data.reading import FAILED, MEASURED, PENDING
from tests.campaigns.sheets import REACTION_SHEET, REACTION_SPACE, book_of, workbook, write


@pytest.fixture
def reaction(tmp_path: Path) -> Campaign:
    sheet = write(tmp_path, "screen.csv", REACTION_SHEET)
    space = write(tmp_path, "space.yaml", REACTION_SPACE)
    return Campaign.from_csv(sheet, space, target="yield", failed=["N.D."])


def test_every_row_is_what_it_was_meant_to_be(reaction: Campaign) -> None:
    rows = reaction.rows
    done = [MEASURED] * 4
    assert rows.status == [*done, FAILED, MEASURED, PENDING, MEASURED]
    assert rows.columns["temperature"].tolist() == [60, 60, 80, 100, 40, 60, 90, 120]
    assert rows.columns["equivalents"].tolist() == [1, 1, 1.5, 2, 3, 1, 3, 2]
    assert rows.columns["solvent"].tolist()[-1] == "DMF"  # written in small letters
    assert rows.columns["ligand"].tolist()[5] == "none"  # an empty cell
    assert set(rows.columns["atmosphere"].tolist()) == {"N2"}
    assert rows.targets[:4, 0].tolist() == [12.5, 14, 35.1, 41]
    assert rows.censored[:, 0].tolist() == [0, 0, 0, 0, 0, -1, 0, 0]
    assert rows.control_places == ["screen.csv, row 9", "screen.csv, row 10"]
    assert "'water'" in rows.control_reasons[0] and "control" in rows.control_reasons[1]
    assert rows.places[-1] == "screen.csv, row 11"


def test_failed_wells_are_worth_the_worst_value_or_what_is_said(tmp_path: Path) -> None:
    rows = [{"T": 1, "y": 5}, {"T": 2, "y": 3}, {"T": 3, "y": "failed"}]
    space = {"T": {"range": [0, 9]}}
    for goal, worth in (("max", 3.0), ("min", -5.0)):
        campaign = Campaign.from_csv(rows, space, target="y", goal=goal, failed="failed")
        assert campaign.values.tolist()[-1] == worth
    campaign = Campaign.from_csv(
        rows, space, target="y", goal="min", failed="failed", failed_value=100
    )
    assert campaign.values.tolist() == [-5, -3, -100]


def test_a_workbook_says_the_same_as_the_csv_file(reaction: Campaign, tmp_path: Path) -> None:
    cells: list[list[Any]] = [line.split(";") for line in REACTION_SHEET.splitlines()]
    for row in cells[1:]:
        for i in range(2, 6):
            text = row[i].replace(",", ".")
            number = text.replace(".", "").isdigit()
            row[i] = float(text) if number else row[i] or None
    book = workbook(tmp_path / "screen.xlsx", cells)
    found = Campaign.from_csv(book, reaction.space, target="yield (%)", failed=["n.d."])
    np.testing.assert_array_equal(found.values, reaction.values)
    assert found.rows.columns["time"].tolist() == reaction.rows.columns["time"].tolist()


def test_the_first_worksheet_that_holds_anything_is_read(tmp_path: Path) -> None:
    rows = [["T", "y"], [1, 2.5], [None, None, None], [2, "=1+1", "note"], [3, 4]]
    book_of({"Sheet": [], "data": rows}).save(tmp_path / "b.xlsx")
    campaign = Campaign.from_csv(tmp_path / "b.xlsx", {"T": {"range": [0, 9]}}, target="y")
    assert campaign.values[[0, 2]].tolist() == [2.5, 4]
    assert campaign.rows.status == [MEASURED, PENDING, MEASURED]  # nobody worked the sum out
    assert campaign.rows.places[2] == "b.xlsx, row 5"


def test_frames_and_lists_of_dicts_are_sheets_too() -> None:
    records = [{"T (°C)": 20, "y": 1.0}, {"T (°C)": 40, "y": np.nan}, {"T (°C)": 60, "y": 2.5}]
    space = read_space({"T": {"range": [0, 100], "unit": "°C"}})
    for source in (records, pd.DataFrame(records)):
        campaign = Campaign.from_csv(source, space, target="y")
        assert campaign.rows.status == [MEASURED, PENDING, MEASURED]


def test_numbers_between_steps_are_kept_where_all_designs_are_listed() -> None:
    space = {"T": {"range": [0, 100], "step": 10}, "n": [1, 2]}
    rows = [{"T": 20, "n": 1, "y": 1}, {"T": 43, "n": 2, "y": 2}, {"T": 30.05, "n": 1, "y": 1.5}]
    campaign = Campaign.from_csv(rows, space, target="y")
    assert campaign.rows.columns["T"].tolist() == [20, 43, 30]
    assert "between steps or levels: rows, row 3" in campaign.check()
    wells = campaign.suggest([5]).wells
    assert all(well.design["T"] % 10 == 0 for well in wells)


def test_what_breaks_constraints_is_known_all_the_same(tmp_path: Path) -> None:
    space = {
        "T": {"range": [0, 100], "step": 10},
        "s": ["a", "b"],
        "constraints": "T <= 40 if s == 'b'",
    }
    rows = [{"T": 90, "s": "b", "y": 50}, {"T": 20, "s": "b", "y": 1}, {"T": 50, "s": "a", "y": 2}]
    campaign = Campaign.from_csv(rows, space, target="y")
    assert "measured, though the constraints exclude it: rows, row 2" in campaign.check()
    known = campaign.known([3])
    assert known.values.tolist() == [50, 1, 2]
    for repeats in ("never_again", "allowed"):
        wells = campaign.suggest([4], repeats=repeats).wells
        assert all(w.design["s"] == "a" or w.design["T"] <= 40 for w in wells)


def test_rounds_are_those_of_the_column() -> None:
    space = {"T": {"range": [0, 100]}}
    rows = [{"T": t, "y": t, "plate": p} for t, p in ((1, 4), (2, 2), (3, 2), (4, 3), (5, 4))]
    campaign = Campaign.from_csv(rows, space, target="y", round_column="plate")
    assert campaign.rows.columns["T"].tolist() == [2, 3, 4, 1, 5]
    spec = campaign.spec([8, 8])
    assert spec.plates == (1, 2, 8, 8) and spec.start_capacity == 2
    observation = campaign.observation([8, 8])
    assert observation["from_start"][0].tolist() == [1, 1] + [0] * 19
    assert observation["rounds_left"].tolist() == [[2]]


def test_two_targets_are_a_sum_with_its_formula() -> None:
    space = {"T": {"range": [0, 100]}}
    rows = [{"T": 10, "yield": 50, "price": 2}, {"T": 20, "yield": 80, "price": 9}]
    rows += [{"T": 30, "yield": 40, "price": 3}, {"T": 40, "yield": 90, "price": ""}]
    target = {"yield": 2, "price": {"weight": 1, "goal": "min", "low": 1, "high": 11}}
    campaign = Campaign.from_csv(rows, space, target=target)
    np.testing.assert_allclose(campaign.values[:3], [100.9, 160.2, 80.8])
    assert campaign.rows.status[3] == PENDING
    assert campaign.settings.formula == "2 * [yield] + 1 * clip(([price] - 11) / (1 - 11), 0, 1)"
    assert campaign.pareto_front().tolist() == [0, 1]
    assert campaign.settings.formula in campaign.check()


def test_costs_are_summed() -> None:
    rows = [
        {"T": 10, "y": 1, "cost": 5},
        {"T": 20, "y": 2, "cost": ""},
        {"T": 30, "y": 2, "cost": 7.5},
    ]
    campaign = Campaign.from_csv(rows, {"T": {"range": [0, 100]}}, target="y", cost="cost")
    assert "cost: 12.5 in all" in campaign.check()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("hot,a,1", r"row 3, column 'T \(°C\)': expected a number, got 'hot'"),
        (",a,1", r"row 3, column 'T \(°C\)': expected a number, got ''"),
        ("50,,1", r"row 3, column 'solvent': expected one of .*got an empty cell"),
        ("50,a,good", r"row 3, column 'yield': expected a number, got 'good'.*--failed"),
        ("50 K,a,1", r"row 3, column 'T \(°C\)': expected a number in one unit"),
        ("50,a,1,2", r"row 3: expected 3 cells"),
        ('50,"a,1', r"row 3: .*quote"),
    ],
)
def test_a_mistake_is_said_with_its_row(tmp_path: Path, row: str, words: str) -> None:
    sheet = write(tmp_path, "screen.csv", f"T (°C),solvent,yield\n20,a,3\n{row}\n")
    with pytest.raises(ValueError, match=words) as refused:
        Campaign.from_csv(sheet, {"T": {"range": [0, 99]}, "solvent": ["a", "b"]}, target="yield")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": "yeld"}, "did you mean 'yield'"),
        ({"goal": "maximum"}, "goal: expected one of"),
        ({"target": "T (°C)"}, "expected targets that are no part of a design"),
        ({"space": {"Temp": {"range": [0, 9]}}}, "expected a column for the parameter 'Temp'"),
        ({"space": {"T": {"range": [0, 9], "unit": "K"}}}, "expected 'T' in K"),
        ({"failed": ["x"], "pending": ["X"]}, "expected each word in one of them"),
        ({"origin": {"kind": "lucky"}}, "origin: expected a kind"),
        ({"block": "plate"}, "expected a column for the block 'plate'"),
        ({"round_column": "plate"}, "expected a column for the round 'plate'"),
        ({"space": {"T": {"range": [50, 90]}}}, "expected at least one measured well inside"),
        ({"target": {"yield": 0}}, "expected a weight above 0"),
    ],
)
def test_arguments_that_do_not_fit_the_sheet_are_refused(changes: Any, words: str) -> None:
    rows = [{"T (°C)": 5, "yield": 1}, {"T (°C)": 7, "yield": 2}]
    arguments = {"space": {"T": {"range": [0, 9]}}, "target": "yield"} | changes
    with pytest.raises(ValueError, match=words):
        Campaign.from_csv(rows, arguments.pop("space"), **arguments)


def test_columns_are_found_whatever_stands_in_brackets() -> None:
    rows = [{"Dose (mpk)": 1, "lot": "2.50", "Yield (isolated)": 3}]
    rows += [{"Dose (mpk)": 2, "lot": "1", "Yield (isolated)": 4}]
    space = {"dose": {"range": [0, 9]}, "lot": {"choices": [1, 2.5]}}
    campaign = Campaign.from_csv(rows, space, target="yield")
    assert campaign.rows.columns["lot"].tolist() == ["2.5", "1"]
    assert campaign.values.tolist() == [3, 4]
    both = [{**row, "yield (crude)": 1} for row in rows]
    with pytest.raises(ValueError, match=r"expected one column for the target 'yield'"):
        Campaign.from_csv(both, space, target="yield")
