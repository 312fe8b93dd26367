"""The map on the page shows what tells wells from each other, and once what they share."""

from __future__ import annotations

import re
from typing import Any

from ombo_agents.campaigns import Plate, Well
from ombo_agents.serve.views.plate_maps import Place, plate_map
from tests.serve.visitor import Visitor


def well(role: str = "exploit", **design: Any) -> Well:
    return Well(design, 5.0, 4.0, 6.0, role, 0.5, None, None)


def plate(*wells: Well, **headers: str) -> Plate:
    return Plate(wells, headers or {name: name for name in wells[0].design}, ("y",), "y", "", None)


def places(*wells: Well, **headers: str) -> list[Place]:
    drawn = plate_map(plate(*wells, **headers), 24)
    assert drawn is not None
    return [place for _, row in drawn.rows for place in row if place.well is not None]


def test_wells_show_what_changes_with_units_and_the_plate_what_does_not() -> None:
    wells = [
        well(base=base, t=75, time=time, dose=dose)
        for base, time, dose in [("KOtBu", 2, 1.5), ("K3PO4", 4, 1.5), ("K3PO4", 2, 2.0)]
    ]
    headers = {"base": "Base", "t": "Temp. (°C)", "time": "Time (h)", "dose": "Dose"}
    first, second, third = places(*wells, **headers)
    assert first.lines == ("KOtBu", "Time 2 h", "Dose 1.5")
    assert second.lines == ("K3PO4", "Time 4 h", "Dose 1.5")
    assert third.lines == ("K3PO4", "Time 2 h", "Dose 2.0")
    assert third.words == "Base K3PO4, Temp. (°C) 75, Time (h) 2, Dose 2.0"
    drawn = plate_map(plate(*wells, **headers), None)
    assert drawn is not None and drawn.shared == ("Temp. 75 °C", "exploit")


def test_roles_are_shown_where_they_differ() -> None:
    first, second = places(well("explore", a="x"), well("exploit", a="y"))
    assert (first.lines, second.lines) == (("x", "explore"), ("y", "exploit"))


def test_a_well_with_many_parts_or_long_names_stays_small() -> None:
    many = [well(**{f"p{j}": f"{'v' * 40}{i}{j}" for j in range(9)}) for i in range(2)]
    first, _ = places(*many)
    assert len(first.lines) == 6 and first.lines[-1] == "…"
    assert max(map(len, first.lines)) <= 28
    assert all(f"p{j}" in first.words for j in range(9))


def test_wells_that_are_all_alike_share_everything() -> None:
    drawn = plate_map(plate(well(a="x"), well(a="x")), 24)
    assert drawn is not None and drawn.shared == ("a x", "exploit")
    assert drawn.rows[0][1][0].lines == ()


def test_the_page_shows_the_map_so(measured: Visitor) -> None:
    measured.post(
        "/space",
        text="solvent: [DMF, THF]\ntime: [1, 2, 4, 8]\nt: {range: [25, 140]}\nshared: [t]\n",
    )
    assert measured.workspace.campaign is not None
    measured.post("/suggest", plates="6, 6", layout="24")
    page = measured.get("/plate").text
    plate = measured.workspace.plate
    assert plate is not None
    (shared,) = re.findall(r'<p class="shared">(.*?)</p>', page)
    assert f"T {plate.wells[0].design['t']} °C" in shared
    table = page.partition('<table class="map">')[2].partition("</table>")[0]
    for each in plate.wells:
        assert f"<span> {each.design['solvent']}</span>" in table
    assert "°C</span>" not in table
