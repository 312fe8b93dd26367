"""A campaign at the bench: it is told, asked, kept, and never forgets."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ombo_agents
from ombo_agents.campaigns import Campaign
from ombo_agents.campaigns.data.reading import MEASURED, PENDING
from tests.agents.cheap import OFTEN, make

pytestmark = pytest.mark.usefixtures("brief_fits")

SPACES: dict[str, dict[str, Any]] = {
    "box": {"a": {"range": [0, 10]}, "b": {"range": [1, 100], "scale": "log"}},
    "levels": {"a": [0, 1, 2, 5, 10], "s": ["x", "y", "z"], "b": [1, 10, 100]},
    "mixed": {"a": {"range": [0, 10]}, "s": ["x", "y", "z"], "b": {"integer": [1, 100]}},
    "constrained": {
        "a": {"range": [0, 10]},
        "s": ["x", "y", "z"],
        "constraints": 'a <= 4 if s == "x"',
    },
    "mixture": {"mixture": ["A", "B", "C"], "step": 10},
    "sequence": {"dna": {"alphabet": "ACGT", "length": [4, 6]}},
}


def rows_of(space: dict[str, Any], count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Measured rows of a space, some design values with a value each."""
    from ombo_agents.campaigns import read_space

    found = read_space(space)
    rng = np.random.default_rng(seed)
    columns = found.sampled(400, rng, None)
    kept = rng.permutation(len(next(iter(columns.values()))))[:count]
    return [
        {
            **{name: column[i] for name, column in columns.items()},
            "y": round(float(rng.normal()), 3),
        }
        for i in kept.tolist()
    ]


@pytest.mark.parametrize("kind", SPACES)
def test_every_policy_that_suits_the_space_takes_the_observation(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ombo_agents.campaigns.space.encoding.SAMPLED", 300)
    campaign = Campaign.from_csv(rows_of(SPACES[kind], 9), SPACES[kind], target="y")
    known = campaign.known([4, 4, 2])
    spec, observation = known.spec, campaign.observation([4, 4, 2])
    spec.check_observation(observation)
    suited = [name for name in sorted(OFTEN) if ombo_agents.supports(name, spec)]
    assert len(suited) > 5
    for name in suited:
        actions = make(name, spec).act(observation, np.random.default_rng(0))
        columns = known.encoding.decode(spec.design_space.designs(actions)[0])
        assert campaign.space.keeps_rules(columns).all(), name


def test_the_same_question_has_the_same_answer_and_changes_nothing() -> None:
    rows = rows_of(SPACES["mixed"], 12)
    campaign = Campaign.from_csv(rows, SPACES["mixed"], target="y")
    first = campaign.suggest([4, 2], policy="ucb", seed=3)
    assert campaign.suggest([4, 2], policy="ucb", seed=3) == first
    assert campaign.suggest([4, 2], policy="ucb", seed=4).wells != first.wells
    again = Campaign.from_csv(rows, SPACES["mixed"], target="y")
    assert again.suggest([4, 2], policy="ucb", seed=3) == first


def test_a_plate_that_is_told_is_a_round() -> None:
    campaign = Campaign.from_csv(rows_of(SPACES["levels"], 6), SPACES["levels"], target="y")
    plate = campaign.suggest([3, 3])
    frame = plate.frame
    frame["y"] = [1.5, "", 2.5]
    campaign.tell(frame)
    assert campaign.rows.rounds.tolist() == [0] * 6 + [1] * 3
    assert campaign.rows.status[-3:] == [MEASURED, PENDING, MEASURED]
    assert campaign.spec([3]).plates == (3, 3)
    late = {**plate.wells[1].design, "y": 9.0}
    campaign.tell([late])  # which answers for the well that was pending, in its round
    assert campaign.rows.rounds.tolist() == [0] * 6 + [1] * 3
    assert campaign.values.max() == 9.0 and PENDING not in campaign.rows.status
    campaign.tell([late])  # a replicate is a new round
    assert campaign.rows.rounds.tolist() == [0] * 6 + [1] * 3 + [2]


def test_what_is_refused_leaves_the_campaign_as_it_was() -> None:
    campaign = Campaign.from_csv(rows_of(SPACES["box"], 6), SPACES["box"], target="y")
    before = (campaign.sheets, campaign.values.tolist())
    with pytest.raises(ValueError, match=r"row 3, column 'a'"):
        campaign.tell([{"a": 1, "b": 2, "y": 3}, {"a": "hot", "b": 2, "y": 3}])
    assert (campaign.sheets, campaign.values.tolist()) == before


def test_a_file_brings_everything_back(tmp_path: Path) -> None:
    (tmp_path / "library.csv").write_text("name,mass\n" + "\n".join(f"m{i},{i}" for i in range(20)))
    space = tmp_path / "space.yaml"
    space.write_text("candidates: library.csv\nid: name\n")
    rows = [{"name": f"m{i}", "y": f"{i}"} for i in range(5)]
    campaign = Campaign.from_csv(
        rows, space, target="y", goal="min", origin="percentile:50", failed=["x"]
    )
    campaign.save(tmp_path / "c.json")
    for file in (space, tmp_path / "library.csv"):
        file.unlink()
    again = Campaign.load(tmp_path / "c.json")
    assert again.suggest([4]) == campaign.suggest([4])
    assert again.settings == campaign.settings
    again.tell([{"name": "m9", "y": 4}])
    again.save(tmp_path / "c.json")  # grows
    assert Campaign.load(tmp_path / "c.json").rows.rounds.tolist() == [0] * 5 + [1]
    with pytest.raises(ValueError, match="give another name"):
        campaign.save(tmp_path / "c.json")  # would shrink


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", "expected a campaign's file"),
        ("nothing", "expected a campaign's file, JSON"),
        (json.dumps({"format": "ombo campaign", "version": 99}), "expected version 1"),
        (json.dumps({"format": "ombo campaign", "version": 1}), "missing"),
    ],
)
def test_other_files_are_no_campaigns(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "c.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=words):
        Campaign.load(file)
    campaign = Campaign.from_csv(rows_of(SPACES["box"], 4), SPACES["box"], target="y")
    with pytest.raises(ValueError, match=words):
        campaign.save(file)
    assert file.read_text() == content


def test_wells_of_a_plate_share_what_they_have_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ombo_agents.campaigns.space.encoding.SAMPLED", 2000)
    space = {**SPACES["mixed"], "c": [1, 2, 3, 4], "shared": ["a"], "distinct": {"c": 2, "s": 2}}
    rows = rows_of({**SPACES["mixed"], "c": [1, 2, 3, 4]}, 10)
    campaign = Campaign.from_csv(rows, space, target="y")
    for repeats in ("allowed", "distinct_in_batch"):  # measured wells are elsewhere
        wells = campaign.suggest([8, 8], policy="random", repeats=repeats).wells
        assert len({well.design["a"] for well in wells}) == 1
        assert len({well.design["c"] for well in wells}) <= 2
    for policy in ("auto", "ucb", "thompson", "random"):
        wells = campaign.suggest([8, 8], policy=policy).wells
        assert len({well.design["a"] for well in wells}) == 1, policy
        assert len({well.design["c"] for well in wells}) <= 2
        assert len({well.design["s"] for well in wells}) <= 2
        assert len({tuple(well.design.values()) for well in wells}) == 8


def test_the_shared_value_is_where_the_model_is_hopeful() -> None:
    space = {"T": {"range": [20, 100], "step": 20}, "x": {"range": [0, 1], "step": 0.1}}
    rows = [
        {"T": t, "x": x, "y": -abs(t - 60) / 10 - (x - 0.3) ** 2}
        for t in (20, 40, 60, 80, 100)
        for x in (0, 0.5, 1)
    ]
    plate = Campaign.from_csv(rows, {**space, "shared": "T"}, target="y").suggest([3])
    assert {well.design["T"] for well in plate.wells} == {60}


def test_a_campaign_that_another_process_was_given_reads_its_sheets_again(tmp_path: Path) -> None:
    sheet = tmp_path / "screen.csv"
    sheet.write_text("x,y\n" + "".join(f"{i},{i % 4}\n" for i in range(9)))
    campaign = Campaign.from_csv(sheet, {"x": {"range": [0, 9]}}, target="y")
    again = pickle.loads(pickle.dumps(campaign))
    assert again.data.unlikely == campaign.data.unlikely
    assert again.suggest([3]).frame.equals(campaign.suggest([3]).frame)


def test_the_value_of_the_nearest_well_is_what_stands_in_the_sheet() -> None:
    space = {"x": {"range": [0, 1]}}
    rows = [{"x": x, "day": d, "y": x + 5 * d} for d in (0, 1) for x in (0.1, 0.4, 0.6, 0.9)]
    campaign = Campaign.from_csv(rows, space, target="y", block="day")
    assert max(campaign.block_offsets.values()) > 1
    for well in campaign.suggest([3]).wells:
        number = int(str(well.nearest).removeprefix("rows, row ")) - 2
        assert well.nearest_value == pytest.approx(rows[number]["y"])


def test_wells_are_described_in_the_units_of_the_sheet() -> None:
    space = {"x": {"range": [0, 1]}}
    rows = [{"x": x, "loss (%)": 10 + 80 * (x - 0.3) ** 2} for x in np.linspace(0, 1, 9).round(3)]
    campaign = Campaign.from_csv(rows, space, target="loss", goal="min")
    plate = campaign.suggest([3], policy="greedy")
    for well in plate.wells:
        truth = 10 + 80 * (well.design["x"] - 0.3) ** 2
        assert abs(well.mean - truth) < 2 and well.low < well.mean < well.high
        nearest = min(rows, key=lambda row: abs(row["x"] - well.design["x"]))
        assert well.nearest == f"rows, row {rows.index(nearest) + 2}"
        assert well.nearest_value == pytest.approx(nearest["loss (%)"])
    assert plate.header[2] == "loss (%)" and "predicted loss (%)" in plate.header
    assert plate.quality > 0.5


def test_intervals_hold_what_is_measured_four_times_in_five() -> None:
    rng = np.random.default_rng(0)
    inside = total = 0
    for _ in range(8):
        shift, tilt = rng.random(2)

        def value(x: float, z: float, shift: float = shift, tilt: float = tilt) -> float:
            return float(np.sin(4 * x + 3 * shift) + tilt * z + 0.2 * rng.normal())

        rows = [{"x": x, "z": z, "y": value(x, z)} for x, z in rng.random((25, 2)).tolist()]
        space = {"x": {"range": [0, 1]}, "z": {"range": [0, 1]}}
        plate = Campaign.from_csv(rows, space, target="y").suggest([12], policy="random")
        for well in plate.wells:
            inside += well.low <= value(well.design["x"], well.design["z"]) <= well.high
            total += 1
    assert 0.65 < inside / total < 0.95


def test_designed_plates_come_first_where_the_start_says_little() -> None:
    rows = rows_of(SPACES["levels"], 12)
    for origin, words in (("random", "upper confidence"), ("percentile:50", "a designed plate")):
        plate = Campaign.from_csv(rows, SPACES["levels"], target="y", origin=origin).suggest([4, 4])
        assert words in plate.reason
    assert (
        "say too little"
        in Campaign.from_csv(rows[:3], SPACES["levels"], target="y").suggest([4]).reason
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"plates_left": []}, "plates_left: expected a list of batch sizes"),
        ({"plates_left": [0]}, "plates_left: expected a list of batch sizes"),
        ({"plates_left": [999]}, "at most 33 wells"),
        ({"policy": "ucbb"}, "did you mean 'ucb'"),
        ({"seed": -1}, "seed: expected a whole number"),
        ({"repeats": "sometimes"}, "repeats: expected one of"),
    ],
)
def test_questions_without_an_answer_are_refused(options: dict[str, Any], words: str) -> None:
    campaign = Campaign.from_csv(rows_of(SPACES["levels"], 12), SPACES["levels"], target="y")
    with pytest.raises(ValueError, match=words):
        campaign.suggest(**{"plates_left": [4], **options})


def test_notebooks_show_tables() -> None:
    space = {"x": {"range": [0, 1]}, "s": ["<b>", "c"]}
    rows = [{"x": 0.1 * i, "s": "<b>", "y": i} for i in range(5)]
    campaign = Campaign.from_csv(rows, space, target="y")
    assert "5 measured" in campaign._repr_html_()
    shown = campaign.suggest([2], policy="random")._repr_html_()
    assert "<table>" in shown and "<b>" not in shown


def test_plates_lie_on_the_bench_by_letters_and_numbers(tmp_path: Path) -> None:
    import openpyxl

    campaign = Campaign.from_csv(rows_of(SPACES["levels"], 6), SPACES["levels"], target="y")
    plate = campaign.suggest([30], policy="random")
    names = [row[0] for row in plate.rows(96)]
    assert names[:13] == [f"A{i}" for i in range(1, 13)] + ["B1"] and names[-1] == "C6"
    drawn = plate.map(48)
    assert [len(drawn), len(drawn[0])] == [7, 9] and drawn[2][0] == "B" and drawn[0][8] == "8"
    assert drawn[2][1] == ", ".join(map(str, plate.wells[8].design.values()))
    for layout, words in ((24, "at most 24 wells"), (100, "expected one of")):
        with pytest.raises(ValueError, match=words):
            plate.map(layout)
    plate.write(tmp_path / "plate.xlsx", layout=384)
    book = openpyxl.load_workbook(tmp_path / "plate.xlsx")
    assert book.sheetnames == ["plate", "map"] and book["plate"]["A2"].value == "A1"


def test_results_are_never_overwritten(tmp_path: Path) -> None:
    campaign = Campaign.from_csv(rows_of(SPACES["levels"], 6), SPACES["levels"], target="y")
    plate, file = campaign.suggest([3], policy="random"), tmp_path / "plate.csv"
    plate.write(file)
    plate.write(file)  # nothing is filled in yet
    frame = plate.frame
    frame["y"] = ["", 3.5, ""]
    frame.to_csv(file, index=False)
    text = file.read_text()
    for path in (file, tmp_path / "nowhere" / "plate.csv"):
        with pytest.raises(ValueError, match=r"give another name|a folder that exists"):
            plate.write(path)
    assert file.read_text() == text


def test_rounds_go_on_however_a_column_counts_them() -> None:
    rows = [{"a": i, "b": 1 + i, "y": i, "plate": p} for i, p in enumerate((10, 10, 30, 10, 40))]
    campaign = Campaign.from_csv(rows, SPACES["box"], target="y", round_column="plate")
    assert campaign.rows.rounds.tolist() == [0, 0, 0, 1, 2]
    campaign.tell([{"a": 7, "b": 7, "y": 7}])  # without the column: the next round
    campaign.tell([{"a": 8, "b": 7, "y": 7, "plate": 50}])
    assert campaign.rows.rounds.tolist() == [0, 0, 0, 1, 2, 3, 4]
    assert campaign.spec([2]).plates == (1, 1, 1, 1, 2)
    with pytest.raises(ValueError, match="expected a column for the round 'batch'"):
        Campaign.from_csv(rows, SPACES["box"], target="y", round_column="batch")


def test_the_whole_sheet_is_not_told_again() -> None:
    rows = rows_of(SPACES["box"], 5)
    campaign = Campaign.from_csv(rows, SPACES["box"], target="y")
    with pytest.raises(ValueError, match="got all 5 that are known"):
        campaign.tell([*rows, {"a": 1, "b": 2, "y": 3}])
    with pytest.raises(ValueError, match=r"expected a row inside the space.*'a' is 99"):
        campaign.tell([{"a": 99, "b": 2, "y": 3}])
    campaign.tell(rows[:1])
    assert campaign.rows.rounds.tolist() == [0] * 5 + [1]


def test_columns_of_the_plate_give_way_to_those_of_the_sheet() -> None:
    space = {"well": {"range": [0, 1]}, "role": ["a", "b"]}
    rows = [{"well": 0.1 * i, "role": "ab"[i % 2], "y": i} for i in range(5)]
    campaign = Campaign.from_csv(rows, space, target="y")
    frame = campaign.suggest([2], policy="random").frame
    assert list(frame)[:4] == ["plate: well", "well", "role", "y"] and "plate: role" in frame
    frame["y"] = 1.0
    campaign.tell(frame)
    assert len(campaign.rows.status) == 7


def damaged(content: Any) -> Any:
    """Copies of nested lists and dicts in each of which one value is something else."""
    inside = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in list(inside):
        for junk in (None, 7, "x", [], {}, [[1]], {"a": [None]}):
            other = dict(content) if isinstance(content, dict) else list(content)
            other[key] = junk
            yield other
        if isinstance(value, dict | list):
            for deeper in damaged(value):
                other = dict(content) if isinstance(content, dict) else list(content)
                other[key] = deeper
                yield other


def test_a_damaged_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    space = {"a": {"range": [0, 9]}, "s": ["x", "y"], "constraints": ["a <= 5"]}
    rows = [{"a": i, "s": "xy"[i % 2], "y": i} for i in range(3)]
    Campaign.from_csv(rows, space, target="y").save(file)
    content, refused = json.loads(file.read_text()), 0
    for other in damaged(content):
        file.write_text(json.dumps(other))
        try:
            Campaign.load(file)
        except ValueError as error:
            refused += 1
            assert str(error).startswith(str(file)) and "\n" not in str(error)
    assert refused > 200


def test_plates_are_told_without_the_columns_that_only_the_sheet_has() -> None:
    rows = [
        {"a": i, "b": 1 + i, "y": i, "day": "Mon" if i < 4 else "Tue", "price": 2} for i in range(8)
    ]
    campaign = Campaign.from_csv(rows, SPACES["box"], target="y", block="day", cost="price")
    frame = campaign.suggest([2], policy="random").frame
    frame["y"] = [3.0, 4.0]
    campaign.tell(frame)
    assert campaign.rows.blocks[-2:] == ["round 1"] * 2 and len(campaign.block_offsets) == 3
    assert "cost: 16 in all" in campaign.check()
