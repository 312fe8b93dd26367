"""Wells that nobody could dispense differently are repeats, and plates may ask for variety."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_agents.campaigns import Campaign, read_space
from ombo_agents.campaigns.plates.apart import places_of, repeated_wells
from ombo_agents.campaigns.plates.plate import Plate

SOLVENTS, BASES = ["a", "b", "c", "d", "e", "f"], ["p", "q", "r"]
RANGES: dict[str, Any] = {"T": {"range": [20, 120]}, "eq": {"range": [0.1, 10], "scale": "log"}}
SCREEN: dict[str, Any] = {
    "solvent": SOLVENTS,
    "base": BASES,
    "T": {"range": [20, 100], "step": 5},
    "eq": {"range": [1, 2], "step": 0.1},
}


@pytest.fixture(autouse=True)
def few_designs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ombo_agents.campaigns.space.encoding.SAMPLED", 400)


def peak(count: int = 14) -> list[dict[str, Any]]:
    """Rows of one narrow peak, at which a greedy policy puts every well."""
    rng = np.random.default_rng(1)
    rows = []
    for t, eq in zip(rng.uniform(20, 120, count), rng.uniform(-1, 1, count), strict=True):
        y = 100 - ((t - 70) / 20) ** 2 - 4 * eq**2
        rows.append({"T": float(t), "eq": float(10**eq), "y": float(y)})
    return rows


def screen(count: int = 24) -> list[dict[str, Any]]:
    """Rows in which one solvent and one base are far better than all others."""
    rng = np.random.default_rng(2)
    rows: list[dict[str, Any]] = []
    for i in range(count):
        row: dict[str, Any] = {"solvent": SOLVENTS[i % 6], "base": BASES[i // 2 % 3]}
        row |= {
            "T": float(rng.choice(range(20, 101, 5))),
            "eq": round(1 + rng.integers(11) / 10, 1),
        }
        good = 40 * (row["solvent"] == "a") + 30 * (row["base"] == "p")
        rows.append({**row, "y": good + 0.1 * row["T"] + float(rng.normal())})
    return rows


def shares(plate: Plate) -> Any:
    t = np.array([(float(well.design["T"]) - 20) / 100 for well in plate.wells])
    eq = np.array([np.log10(float(well.design["eq"]) * 10) / 2 for well in plate.wells])
    return np.stack([t, eq], axis=1)


@pytest.mark.parametrize("listed", [False, True])
def test_wells_of_a_plate_differ_measurably_in_a_number(listed: bool) -> None:
    space = RANGES | ({"constraints": ["T <= 110 if eq > 5"]} if listed else {})
    campaign = Campaign.from_csv(peak(), space, target="y")
    at = shares(campaign.suggest([12], policy="greedy"))
    apart = np.abs(at[:, None] - at[None]).max(axis=-1) + np.eye(12)
    assert apart.min() >= 0.02 - 2e-4  # values have four digits
    assert campaign.suggest([12], policy="greedy") == campaign.suggest([12], policy="greedy")


def test_wells_may_be_alike_where_repeats_are_asked_for() -> None:
    campaign = Campaign.from_csv(peak(), RANGES, target="y")
    at = shares(campaign.suggest([6], policy="greedy", repeats="allowed"))
    assert (np.abs(at[:, None] - at[None]).max(axis=-1) + np.eye(6)).min() < 0.02


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from("xy"), st.floats(0, 1), st.sampled_from([0, 0.5, 1])),
        min_size=1,
        max_size=8,
    )
)
def test_a_repeat_is_near_an_earlier_well_in_all_that_is_a_number_and_else_the_same(
    wells: list[tuple[str, float, float]],
) -> None:
    space = read_space({"s": ["x", "y"], "n": {"range": [0, 1]}, "m": {"levels": [0, 0.5, 1]}})
    columns = {
        "s": np.array([w[0] for w in wells], object),
        "n": np.array([w[1] for w in wells]),
        "m": np.array([float(w[2]) for w in wells]),
    }
    found = repeated_wells(places_of(space, columns))
    kept: list[int] = []
    for i, (s, n, m) in enumerate(wells):
        near = any(
            (wells[j][0], wells[j][2]) == (s, m) and abs(wells[j][1] - n) < 0.02 * (1 - 1e-9)
            for j in kept
        )
        assert (i in found) == near
        kept += [] if near else [i]


def test_a_step_is_what_can_be_told_apart() -> None:
    space = read_space(SCREEN | {"parts": {"range": [0, 1], "step": 0.01}})
    columns: dict[str, Any] = {"solvent": np.array(["a", "a"], object), "base": np.array(["p"] * 2)}
    columns["base"] = columns["base"].astype(object)
    columns |= {"T": np.array([20.0, 20.0]), "eq": np.array([1.0, 1.0])}
    columns["parts"] = np.array([0.5, 0.51])
    assert repeated_wells(places_of(space, columns)) == []


def test_parts_of_a_mixture_count_by_what_they_may_span() -> None:
    space = read_space({"mixture": ["A", "B", "C"], "sum": 100, "bounds": {"C": [0, 10]}})
    columns = {
        "A": np.array([50, 51, 50.0]), "B": np.array([45, 44.1, 44.5]), "C": np.array([5, 4.9, 5.5])
    }  # fmt: skip
    assert repeated_wells(places_of(space, columns)) == [1]


@pytest.mark.parametrize("shared", [False, True])
def test_a_plate_has_as_many_values_as_are_asked_for(shared: bool) -> None:
    asked = {"solvent": "at least 4", "base": "at least 3"}
    space = SCREEN | {"distinct": asked} | ({"shared": ["T"]} if shared else {})
    campaign = Campaign.from_csv(screen(), space, target="y")
    plain = Campaign.from_csv(screen(), SCREEN, target="y").suggest([8], policy="greedy")
    assert len({well.design["solvent"] for well in plain.wells}) < 4
    plate = campaign.suggest([8], policy="greedy")
    assert len({well.design["solvent"] for well in plate.wells}) >= 4
    assert len({well.design["base"] for well in plate.wells}) == 3
    assert len({tuple(well.design.values()) for well in plate.wells}) == 8
    if shared:
        assert len({well.design["T"] for well in plate.wells}) == 1
    assert "at least 4 values of solvent" in campaign.check()
    best = max(plate.wells, key=lambda well: well.mean or 0)
    assert (best.design["solvent"], best.design["base"]) == ("a", "p")


def test_what_is_shared_leaves_room_for_the_variety() -> None:
    space = SCREEN | {
        "constraints": ['T <= 60 if solvent in ["b", "c", "d", "e", "f"]'],
        "shared": ["T"],
        "distinct": {"solvent": "at least 3"},
    }
    rows = [row for row in screen() if row["solvent"] == "a" or row["T"] <= 60]
    plate = Campaign.from_csv(rows, space, target="y").suggest([6], policy="greedy")
    assert len({well.design["solvent"] for well in plate.wells}) >= 3
    assert plate.wells[0].design["T"] <= 60


def test_a_small_plate_has_as_many_values_as_wells() -> None:
    space = SCREEN | {"distinct": {"solvent": "at least 5"}}
    plate = Campaign.from_csv(screen(), space, target="y").suggest([3], policy="greedy")
    assert len({well.design["solvent"] for well in plate.wells}) == 3


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"distinct": {"solvent": "at least 7"}}, "at most 6 different values"),
        ({"distinct": {"solvent": "at least 0"}}, "a whole number of at least 1"),
        ({"distinct": {"solvent": "many"}}, "or 'at least 4', the fewest"),
        ({"shared": ["T"], "distinct": {"T": "at least 2"}}, "shared by the plate"),
    ],
)
def test_variety_that_cannot_be_is_refused(extra: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_space(SCREEN | extra)


def test_designs_that_are_too_few_for_the_variety_are_named() -> None:
    space = {
        "s": ["a", "b", "c"],
        "x": {"levels": [1, 2, 3, 4, 5, 6]},
        "constraints": ['s in ["a", "b"]'],
        "distinct": {"s": "at least 3"},
    }
    rows = [{"s": "ab"[i % 2], "x": 1 + i, "y": i} for i in range(5)]
    with pytest.raises(ValueError, match=r"at least 3 values of s .* got 2: a, b; ask for fewer"):
        Campaign.from_csv(rows, space, target="y").suggest([4])


def test_at_most_may_be_written_out() -> None:
    assert dict(read_space(SCREEN | {"distinct": {"T": "at most 3"}}).plate) == {"T": 3}


def test_a_plate_says_where_its_wells_tell_nothing_new() -> None:
    plate = Campaign.from_csv(screen(), SCREEN, target="y").suggest([12], policy="greedy")
    (note,) = plate.notes
    assert "foretold by the others" in note and "distinct: {" in note
    spread = Campaign.from_csv(screen(48), SCREEN, target="y").suggest([6], policy="random")
    assert spread.notes == ()


def test_where_all_choices_are_there_wider_steps_make_more_variety() -> None:
    space = SCREEN | {"distinct": {"solvent": "at least 6", "base": "at least 3"}}
    (note,) = Campaign.from_csv(screen(), space, target="y").suggest([24], policy="greedy").notes
    assert note.endswith("for more variety write wider steps in the space file")
