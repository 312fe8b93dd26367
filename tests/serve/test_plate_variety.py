"""How many different values a plate has: at most, or at least."""

from __future__ import annotations

import pytest

from tests.serve.visitor import SPACE, Visitor, wrongs


def test_at_least_so_many_values_are_kept_and_shown(measured: Visitor) -> None:
    text = SPACE + "distinct: {t: at least 3, time: 2}\n"
    assert measured.post("/space", text=text).status_code == 303
    fields = measured.fields()
    assert (fields["most-0"], fields["most-1"], fields["most-2"]) == ("", "at least 3", "2")
    assert measured.post("/columns", **{**fields, "high-1": "150"}).status_code == 303
    assert measured.workspace.space is not None
    assert dict(measured.workspace.space.variety) == {"t": 3}
    assert dict(measured.workspace.space.plate) == {"time": 2}


@pytest.mark.parametrize(
    ("written", "plate", "variety"),
    [
        ("at least 2", {}, {"solvent": 2}),
        ("At least  2", {}, {"solvent": 2}),
        ("1", {"solvent": 1}, {}),
    ],
)
def test_the_field_takes_either(
    measured: Visitor, written: str, plate: dict[str, int], variety: dict[str, int]
) -> None:
    answer = measured.post("/columns", **{**measured.fields(), "most-0": written})
    assert answer.status_code == 303, wrongs(answer)
    assert measured.workspace.space is not None
    assert dict(measured.workspace.space.plate) == plate
    assert dict(measured.workspace.space.variety) == variety


@pytest.mark.parametrize("written", ["at least", "at least 0", "at least x", "some"])
def test_what_is_neither_is_said_at_the_column(measured: Visitor, written: str) -> None:
    answer = measured.post("/columns", **{**measured.fields(), "most-0": written})
    assert answer.status_code == 422
    assert "values on a plate: expected a" in wrongs(answer)["column-0"][0]


def test_more_than_there_are_is_refused(measured: Visitor) -> None:
    answer = measured.post("/columns", **{**measured.fields(), "most-0": "at least 3"})
    assert answer.status_code == 422
    assert "at most 2 different values" in str(wrongs(answer))
