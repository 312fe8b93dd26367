"""Result pages in Markdown: tables, and estimates with their intervals."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ombo_gym.evaluation import markdown


def test_a_table_has_a_rule_and_a_line_per_row() -> None:
    text = markdown.table(["policy", "N", "score"], [["`ucb`", 3, 0.5], ["`random`", 3, "-"]])
    assert text.split("\n") == [
        "| policy | N | score |",
        "|---|---|---|",
        "| `ucb` | 3 | 0.5 |",
        "| `random` | 3 | - |",
    ]


def test_columns_are_aligned_by_letter() -> None:
    assert markdown.table("abcd", [], alignment="lrc-").split("\n")[1] == "|:---|---:|:---:|---|"


def test_cells_cannot_break_a_table() -> None:
    text = markdown.table(["name"], [["a|b\nc"], [r"d\|e"]])
    assert text.split("\n")[2:] == [r"| a\|b c |", r"| d\|e |"]


@pytest.mark.parametrize("alignment", ["l", "lrr", "lx"])
def test_an_alignment_that_does_not_fit_is_refused(alignment: str) -> None:
    with pytest.raises(ValueError, match="2 letters"):
        markdown.table(["a", "b"], [], alignment=alignment)


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2 cells.*\[1, 2, 3\]"):
        markdown.table(["a", "b"], [[1, 2, 3]])


def test_a_frame_shows_numbers_to_the_right_and_what_is_missing_as_a_dash() -> None:
    frame = pd.DataFrame(
        {
            "policy": ["ucb", None],
            "campaigns": [4000, 12],
            "score": [0.12345, math.nan],
            "rank": [1.25, 2.0],
            "aware": [True, False],
        }
    )
    text = markdown.frame_table(frame, digits={"rank": 1}, headings={"aware": "knows N"})
    assert text.split("\n") == [
        "| policy | campaigns | score | rank | knows N |",
        "|:---|---:|---:|---:|:---|",
        "| ucb | 4,000 | 0.123 | 1.2 | yes |",
        "| - | 12 | - | 2.0 | no |",
    ]


def test_a_cross_table_keeps_the_order_and_marks_what_was_not_played() -> None:
    frame = pd.DataFrame(
        {
            "method": ["ucb", "ucb", "random"],
            "problem": ["TF", "GP", "GP"],
            "text": ["a", "b", "c"],
        }
    )
    text = markdown.cross_table(frame, "method", "problem", "text", heading="policy")
    assert text.split("\n") == [
        "| policy | TF | GP |",
        "|---|---|---|",
        "| ucb | a | b |",
        "| random | - | c |",
    ]
    with pytest.raises(ValueError, match=r"twice: \('ucb', 'TF'\)"):
        markdown.cross_table(pd.concat([frame, frame]), "method", "problem", "text")


def test_estimates_show_their_interval_where_they_have_one() -> None:
    assert markdown.estimate(0.1234, 0.1, 0.15) == "0.123 [0.100, 0.150]"
    assert markdown.estimate(0.1234, -0.1, 0.15, 2, signed=True) == "+0.12 [-0.10, +0.15]"
    assert markdown.estimate(0.5, math.nan, math.nan, 1) == "0.5"
    assert markdown.estimate(math.nan, math.nan, math.nan) == "-"


@pytest.mark.parametrize(
    ("low", "high", "bold"),
    [
        (0.1, 0.3, {"decided", "above"}),
        (-0.3, -0.1, {"decided"}),
        (-0.1, 0.1, set()),
        (0.0, 0.3, set()),
        (math.nan, math.nan, set()),
    ],
)
def test_differences_are_bold_where_their_interval_decides(
    low: float, high: float, bold: set[str]
) -> None:
    text = markdown.estimate(0.2, low, high, 1, signed=True)
    rules: tuple[markdown.Bold, ...] = ("decided", "above", "never")
    for rule in rules:
        expected = f"**{text}**" if rule in bold else text
        assert markdown.difference(0.2, low, high, 1, bold_where=rule) == expected


def test_means_and_paired_differences_have_student_t_intervals() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 30))  # (30,) each
    low, high = stats.t.interval(0.95, 29, a.mean(), stats.sem(a))
    assert markdown.mean_estimate(a, 4) == f"{a.mean():.4f} [{low:.4f}, {high:.4f}]"
    low, high = stats.t.interval(0.95, 29, (a - b).mean(), stats.sem(a - b))
    text = f"{(a - b).mean():+.4f} [{low:+.4f}, {high:+.4f}]"
    assert markdown.paired_estimate(a, b, 4, bold_where="never") == text


def test_a_page_is_blocks_with_blank_lines_between_them() -> None:
    text = markdown.page("# Title", markdown.section("N = 2", "words", "table", level=3))
    assert text == "# Title\n\n### N = 2\n\nwords\n\ntable\n"
    assert markdown.bold(markdown.code("ucb")) == "**`ucb`**"
