"""What is wrong is repeated at the top of the page, each sentence as a link to its place."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from tests.serve.visitor import Visitor, wrongs


def links(answer: Any) -> list[tuple[str, str]]:
    """Where the links of the summary lead, and what they say."""
    top = answer.text.partition('<ul class="places">')[2].partition("</ul>")[0]
    found = re.findall(r'<a href="#([^"]+)">(.*?)</a>', top)
    return [(place, unescape(words)) for place, words in found]


def check(answer: Any) -> list[str]:
    """What the summary says, which is all that is said below, at places that there are."""
    assert answer.status_code == 422
    found = links(answer)
    said = [words for each in wrongs(answer).values() for words in each]
    assert found and said
    for words in said:
        assert any(each.endswith(words) for _, each in found), words
    for place, _ in found:
        assert answer.text.count(f' id="{place}"') == 1, place
    return [words for _, words in found]


def test_every_sentence_about_columns_is_a_link(measured: Visitor) -> None:
    changed = {
        **{"low-1": "x", "values-2": "y", "failed_value": "z", "origin": "percentile"},
        **{"percentile": "q", "weight-3": "-1"},
    }
    words = check(measured.post("/columns", **{**measured.fields(), **changed}))
    assert len(words) == 5
    assert "T (°C): from: expected a number, got 'x'; write one such as 0.5" in words


@pytest.mark.parametrize(
    "fields",
    [
        {"constraints": "q < 5\np > 1"},
        {"role-3": "ignored"},
        {"role-0": "ignored", "role-1": "ignored", "role-2": "ignored"},
        {"failed": ""},
        {"failed": "n.d.", "pending": "n.d."},
    ],
)
def test_so_are_those_of_rules_sheet_and_space(measured: Visitor, fields: dict[str, str]) -> None:
    check(measured.post("/columns", **{**measured.fields(), **fields}))


def test_so_are_those_of_other_pages(measured: Visitor) -> None:
    check(measured.post("/space", text="t: {rang: [25, 140]}\n"))
    check(measured.post("/suggest", plates="x", seed="-1", policy="none"))
    check(measured.post("/advise", plates="x", worth="-1", simulations="1", seed="y"))
    check(measured.post("/tell", results=("p.pdf", "")))
    check(measured.post("/campaign", campaign=("c.json", "{}")))
    check(measured.post("/sheet"))
