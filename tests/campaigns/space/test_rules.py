"""Constraints mean what Python would make of them, and nothing else can be written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ombo_agents.campaigns.space.rules import parse_rule

SOLVENTS = ["ether", "DMF", "THF"]
COLUMNS = {"temperature": None, "loading (mol%)": None, "A": None, "solvent": SOLVENTS}
N = 40
RNG = np.random.default_rng(0)
TABLE = {
    "temperature": RNG.integers(2, 14, N) * 10.0,
    "loading (mol%)": RNG.integers(1, 20, N) / 2,
    "A": RNG.random(N),
    "solvent": RNG.choice(np.array(SOLVENTS, object), N),
}

TERMS = st.sampled_from(
    [
        "temperature <= 80",
        "A + 2 * A > 1",
        "`loading (mol%)` < 5",
        "solvent == 'ether'",
        "solvent in ['DMF', 'THF']",
        "20 <= temperature < 100",
        "-A >= -0.5",
        "solvent != 'THF'",
    ]
)
CONDITIONS = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("({}) if ({})".format, inner, inner).map("({} else True)".format),
    ),
    max_leaves=5,
)


def by_python(text: str, row: int) -> bool:
    """An oracle: Python itself, one design at a time."""
    names = {
        "temperature": "temperature",
        "loading (mol%)": "loading",
        "A": "A",
        "solvent": "solvent",
    }
    values = {plain: TABLE[name][row] for name, plain in names.items()}
    return bool(eval(text.replace("`loading (mol%)`", "loading"), {}, values))


@settings(max_examples=30)
@given(CONDITIONS)
def test_a_rule_is_what_python_makes_of_it(text: str) -> None:
    expected = [by_python(text, row) for row in range(N)]
    assert parse_rule(text, COLUMNS).keeps(TABLE).tolist() == expected
    assert (
        parse_rule(text, COLUMNS, forbids=True).keeps(TABLE).tolist()
        == np.logical_not(expected).tolist()
    )


def test_if_speaks_of_some_designs_only() -> None:
    kept = parse_rule('temperature <= 80 if solvent == "ether"', COLUMNS).keeps(TABLE)
    ether = TABLE["solvent"] == "ether"
    assert kept[~ether].all()
    assert (kept[ether] == (TABLE["temperature"][ether] <= 80)).all()


@pytest.mark.parametrize(
    "text", ["loading (mol%) ≤ 5", "loading (mol%) <= 5", "`loading (mol%)`<=5"]
)
def test_names_with_units_need_no_quotes(text: str) -> None:
    assert (parse_rule(text, COLUMNS).keeps(TABLE) == (TABLE["loading (mol%)"] <= 5)).all()


def test_sums_that_are_off_by_rounding_are_equal() -> None:
    table = {"x": np.array([0.1, 0.3]), "y": np.array([0.2, 0.3])}
    assert parse_rule("x + y = 0.3", dict.fromkeys(table)).keeps(table).tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("temprature <= 80", "did you mean 'temperature'"),
        ("solvent == 'eter'", "did you mean 'ether'"),
        ("solvent <= 80", "numbers compared with numbers"),
        ("temperature == 'hot'", "numbers compared with numbers"),
        ("temperature", "expected a condition"),
        ("__import__('os').system('true')", "expected"),
        ("temperature <= 80 <", "expected a condition"),
        ("A ** 999999999 < 1", "expected comparisons"),
        ("[x for x in A]", "expected"),
        ("1 < 2", "expected a condition"),
        ("solvent == ether", "texts stand in quotes"),
        ("", "expected a condition"),
        ("(" * 900 + "A < 1", "expected a condition"),
        (None, "expected a condition"),
        (7, "expected a condition"),
    ],
)
def test_what_is_no_rule_is_refused(text: object, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        parse_rule(text, COLUMNS)
    assert "\n" not in str(refused.value)
