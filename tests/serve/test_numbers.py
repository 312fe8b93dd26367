"""Numbers as people type them."""

from __future__ import annotations

import pytest

from ombo_agents.serve.workspace.numbers import number_in, numbers_in, plates_in


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        (" 0,5 ", 0.5),
        ("1e-3", 0.001),
        ("\N{MINUS SIGN}78", -78),
        ("25.0", 25),
        (".5", 0.5),
    ],
)
def test_numbers(text: str, number: float) -> None:
    found = number_in(text, "step")
    assert found == number
    assert isinstance(found, int) == float(number).is_integer()


@pytest.mark.parametrize("text", ["", "x", "1 2", "1_000", "nan", "inf", "1e999", "0x1", "9" * 99])
def test_what_is_no_number_names_the_field(text: str) -> None:
    with pytest.raises(ValueError, match=r"^step: expected a (finite )?number, got .+; write"):
        number_in(text, "step")


@pytest.mark.parametrize("text", ["1\n1.5\n2", "1; 1,5; 2", "1, 1.5, 2", " 1  1,5\t2 "])
def test_several_numbers(text: str) -> None:
    assert numbers_in(text, "levels") == [1, 1.5, 2]


def test_no_numbers() -> None:
    with pytest.raises(ValueError, match="levels: expected numbers, one a line, got nothing"):
        numbers_in(" \n", "levels")


@pytest.mark.parametrize("text", ["24, 24, 8", "24 24 8", "24;24;8", "24,24,8"])
def test_plates(text: str) -> None:
    assert plates_in(text) == [24, 24, 8]


@pytest.mark.parametrize("text", ["", "0", "24, 0", "-4", "2.5", "24x", "many", "9999999"])
def test_plates_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected the wells of each plate to come"):
        plates_in(text)
