"""The last plate explores less: nothing comes after it that could use what it tells."""

from __future__ import annotations

from typing import Any

import pytest

from ombo_agents.campaigns import Campaign
from tests.campaigns.test_campaign import SPACES, rows_of


def campaign(plates_so_far: int) -> Campaign:
    """Eight wells at first, and four more for each plate since."""
    rows: list[dict[str, Any]] = []
    for number, row in enumerate(rows_of(SPACES["levels"], 8 + 4 * plates_so_far)):
        rows.append(row | {"round": max(0, (number - 4) // 4)})
    return Campaign.from_csv(rows, SPACES["levels"], target="y", round_column="round")


@pytest.mark.parametrize(
    ("played", "plates", "weight"), [(0, [4, 4], 2), (1, [4, 4], 2), (1, [4], 1), (0, [4], 1)]
)
def test_it_has_half_the_weight(played: int, plates: list[int], weight: int) -> None:
    plate = campaign(played).suggest(plates)
    same = campaign(played).suggest(plates, policy=f"ucb:weight={weight}")
    assert [well.design for well in plate.wells] == [well.design for well in same.wells]
    assert ("explore less on the last plate" in plate.reason) == (weight == 1)


@pytest.mark.parametrize("played", [0, 1])
def test_a_plate_that_others_follow_says_what_it_would_be_as_the_last(played: int) -> None:
    plate = campaign(played).suggest([4, 4])
    alone = campaign(played).suggest([4])
    assert list(plate.if_last) == [dict(well.design) for well in alone.wells]
