"""In notebooks campaigns, plates and advice show as tables and figures."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ombo_agents.campaigns import Campaign

pytestmark = pytest.mark.usefixtures("brief_fits")

SPACE = {"T": {"range": [20, 100], "step": 5}, "s": ["a<b", "c"]}


def campaign(goal: str = "max", count: int = 12) -> Campaign:
    rng = np.random.default_rng(0)
    rows = [
        {
            "T": int(rng.choice(range(20, 105, 5))),
            "s": str(rng.choice(["a<b", "c"])),
            "y ($%)": float(rng.normal()),
        }
        for _ in range(count)
    ]
    return Campaign.from_csv(rows, SPACE, target="y ($%)", goal=goal)


def lines_of(figure: object) -> list[tuple[list[float], list[float]]]:
    """What is drawn in a figure, line by line."""
    (ax,) = figure.axes  # type: ignore[attr-defined]
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines]


def test_a_plate_shows_an_interval_for_each_well() -> None:
    plate = campaign().suggest([4, 4], policy="random")
    drawn = lines_of(plate.figure)
    for i, well in enumerate(plate.wells):
        assert drawn[2 * i] == ([well.low, well.high], [i, i])
        assert drawn[2 * i + 1] == ([well.mean], [i])
    page = plate._repr_html_()
    assert page.count("<tr>") == 5 and page.count("<svg") == 1
    assert "a<b" not in page  # nothing of the user's is read as HTML


def test_a_plate_before_any_result_shows_as_a_table_alone() -> None:
    plate = Campaign.from_csv([], SPACE, target="y").suggest([3])
    assert "<svg" not in plate._repr_html_()
    with pytest.raises(ValueError, match="before any result"):
        _ = plate.figure


@pytest.mark.parametrize("goal", ["max", "min"])
def test_a_campaign_shows_its_wells_and_the_best_so_far(goal: str) -> None:
    asked = campaign(goal)
    asked.tell([{"T": 20, "s": "c", "y ($%)": 9.0}, {"T": 25, "s": "c", "y ($%)": ""}])
    *wells, best = lines_of(asked.figure)
    assert [len(x) for x, _ in wells] == [12, 2]
    measured = asked.settings.sign * asked.values
    found = np.fmax.accumulate(measured) if goal == "max" else np.fmin.accumulate(measured)
    assert best[1] == pytest.approx(found.tolist())
    assert max(best[1]) == (9.0 if goal == "max" else best[1][0])
    assert "<pre>" in asked._repr_html_() and "<svg" in asked._repr_html_()


def test_advice_shows_policies_and_other_plates() -> None:
    advice = campaign().advise([3], policies=["ucb", "random"], simulations=4)
    drawn = lines_of(advice.figure)
    assert len(drawn) == 2 * (len(advice.policies) + len(advice.scenarios)) + 1
    assert drawn[0][0] == [advice.policies[0].low, advice.policies[0].high]
    assert drawn[-1][0][0] == advice.scenarios[-1].outcome.estimate  # stopping now, a line
    page = advice._repr_html_()
    assert page.count("<table") == 2 and page.count("<svg") == 1


def test_figures_on_one_page_have_ids_of_their_own() -> None:
    asked = campaign()
    plate = asked.suggest([2], policy="random")
    ids = [set(re.findall(r'id="([^"]+)"', each._repr_html_())) for each in (asked, plate)]
    shared = {each for each in ids[0] & ids[1] if re.match(r"[mpC]\w*[0-9a-f]{8}", each)}
    assert not shared
