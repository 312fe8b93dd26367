"""`check` names wells that are far from what the others say, however they hide each other."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign

SPACE: dict[str, Any] = {
    "solvent": ["DMF", "THF", "toluene"],
    "T": {"range": [40, 110], "step": 5},
    "time": {"levels": [1, 2, 4, 8, 16], "scale": "log"},
}
_OF_SOLVENT = {"DMF": 0, "THF": 15, "toluene": 30}


def rows(number: int = 30, seed: int = 0) -> list[dict[str, Any]]:
    """Wells with yields of 30 to 75 and an error of 2."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        well: dict[str, Any] = {
            "solvent": str(rng.choice(SPACE["solvent"])),
            "T": int(rng.choice(np.arange(40, 115, 5))),
            "time": int(rng.choice(SPACE["time"]["levels"])),
        }
        mean = 30 + _OF_SOLVENT[well["solvent"]] + 15 * np.exp(-(((well["T"] - 85) / 30) ** 2))
        found.append({**well, "yield": round(float(mean + 2 * rng.normal()), 1)})
    return found


def read(sheet: list[dict[str, Any]], **options: Any) -> Campaign:
    return Campaign.from_csv(sheet, SPACE, target="yield", failed=["failed"], **options)


def test_sheets_without_a_mistake_are_hardly_ever_doubted() -> None:
    assert sum(len(read(rows(seed=seed)).data.unlikely) for seed in range(5)) <= 2


def test_a_bound_and_a_failed_well_are_named_though_each_hides_the_other() -> None:
    sheet = rows()
    first, second = np.argsort([-well["yield"] for well in sheet])[:2].tolist()
    sheet[first]["yield"], sheet[second]["yield"] = "<2", "failed"
    campaign = read(sheet)
    assert sorted(well.row for well in campaign.data.unlikely) == sorted([first, second])
    notes = "\n".join(campaign.notes())
    assert f"row {first + 2}: <2 where the other wells predict 7" in notes
    assert f"row {second + 2}: failed, counted as 2, where the other wells predict" in notes
    assert notes.count("lost by accident? then leave it empty") == 2
    assert f"failed: 1 well counted as 2, as the worst: rows, row {second + 2}" in notes
    assert "lost by accident" in campaign.summary()


def test_where_low_values_are_good_the_sentence_is_in_the_targets_units() -> None:
    sheet = rows()
    sheet[4]["yield"] = 150
    campaign = read(sheet, goal="min")
    (well,) = campaign.data.unlikely
    assert well.row == 4 and well.value == -150
    assert "row 6: 150 where the other wells predict" in "\n".join(campaign.notes())


def test_a_value_that_is_much_better_may_be_a_hit() -> None:
    sheet = rows()
    sheet[4]["yield"] = 150
    assert "a hit, or a slip of the pen?" in "\n".join(read(sheet).notes())


def test_a_plate_that_goes_where_a_doubtful_well_is_says_so() -> None:
    sheet = rows()
    worst = int(np.argmin([well["yield"] for well in sheet]))
    assert read(sheet).suggest([8]).notes == ()
    sheet[worst]["yield"] = 150
    (note,) = read(sheet).suggest([8]).notes
    assert f"of the 8 wells are most like rows, row {worst + 2}, which the other wells do" in note


def test_large_numbers_are_written_out() -> None:
    sheet = [{**well, "yield": 100 * well["yield"]} for well in rows()]
    sheet[4]["yield"] = 100
    (note,) = (each for each in read(sheet).notes() if "row 6" in each)
    assert re.search(r"row 6: 100 where the other wells predict \d\d\d0 \(± \d\d0\): lost", note)


def test_what_is_predicted_of_a_block_has_its_offset_in_it() -> None:
    sheet = [{**well, "plate": "ab"[i % 2]} for i, well in enumerate(rows(40))]
    for well in sheet[1::2]:
        well["yield"] = round(well["yield"] + 60, 1)
    expected, sheet[5]["yield"] = sheet[5]["yield"], 1
    (note,) = (each for each in read(sheet, block="plate").notes() if "row 7" in each)
    found = float(note.partition("predict ")[2].partition(" ")[0])
    assert abs(found - expected) < 15


@pytest.mark.parametrize("number", [0, 3, 7])
def test_of_few_wells_none_is_doubted(number: int) -> None:
    sheet = rows(number)
    for well in sheet[:1]:
        well["yield"] = -500
    assert read(sheet).data.unlikely == ()


def test_many_are_counted_and_not_listed() -> None:
    sheet = rows(60)
    for well in sheet[:7]:
        well["yield"] = -100
    notes = [note for note in read(sheet).notes() if "other wells" in note]
    assert len(notes) == 6 and notes[-1] == "... and 2 more that the other wells do not predict"
