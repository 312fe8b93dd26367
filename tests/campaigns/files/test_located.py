"""Space files are read as JSON's kinds, and every value knows its line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_agents.campaigns.files.located import parse_located

TEXTS = st.text(st.characters(exclude_categories=["C"]))
KINDS = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("[NO, on, yes, y]", ["NO", "on", "yes", "y"]),
        ("[1e-3, 1_000, .5, 007, 1:30]", [0.001, "1_000", 0.5, 7, "1:30"]),
        ("[1,5,10]", [1, 5, 10]),
        ("[1,4-dioxane, '1','2', 1.5,2]", [1, "4-dioxane", "1", "2", 1.5, 2]),
        ("[2024-01-02, ~, null, true, 'true']", ["2024-01-02", None, None, True, "true"]),
    ],
)
def test_texts_stay_texts(written: str, meant: object) -> None:
    assert parse_located(f"a: {written}", "space.yaml").plain == {"a": meant}


@settings(max_examples=30)
@given(st.dictionaries(TEXTS, KINDS, min_size=1, max_size=3))
def test_json_comes_back_as_it_was(content: dict[str, object]) -> None:
    text = json.dumps(content, indent="\t")
    assert parse_located(text, "space.json", is_json=True).plain == content


@pytest.mark.parametrize("name", ["é" * 300, "a" * 5000])  # escaped in JSON: 1,800 characters
def test_names_in_json_may_be_longer_than_yamls(name: str) -> None:
    content = {"parameters": {name: [1, 2], "b": {name: [{name: 1}, 2]}}}
    for indent in (None, 2):
        text = json.dumps(content, indent=indent)
        assert parse_located(text, "space.json", is_json=True).plain == content


def test_lines_are_those_of_the_file() -> None:
    found = parse_located("a:\n  - 1\n  - x: 2\n\nb: 3\n", "space.yaml")
    assert found.entries()["a"].members()[1].entries()["x"].line == 3
    assert str(found.entries()["b"].error("no")) == "space.yaml, line 5: no; correct it there"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1, 2\nb: 3", r"line 2: expected YAML"),
        ("a: 1\na: 2", r"line 2: 'a' stands there twice"),
        ("a: 1\nb: [5, 12,5, 25]", r"line 2: expected numbers .* got 12,5; write 12.5 if that is"),
        ("a: {range: [1, 2], step: 0,5}", r"line 1: expected .* a point, got 0,5; write 0.5"),
        ("a: [1,05]", r"line 1: .* write 1.05 if that is one number, a blank behind each comma"),
        ("a: &x [1]\nb: *x", r"expected no aliases"),
        ("a: !!python/object:os.system x", r"line 1: expected no tags"),
        ("a: 1e999", r"line 1: expected a finite number"),
        ("", r"got nothing"),
        ("[" * 5000, r"expected"),
        ("a:\n\t- 1", r"line 2: expected YAML"),
    ],
)
def test_what_is_no_data_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        parse_located(text, "space.yaml")
    assert "\n" not in str(refused.value)
