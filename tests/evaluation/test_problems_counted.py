"""A problem from two kinds of start is one problem, wherever a report counts them."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

from ombo_gym.evaluation.report.page import title_of
from ombo_gym.evaluation.report.results import Results
from ombo_gym.evaluation.report.sections import question_section

RANDOM = '"start": {"kind": "random", "size": 4}'
LOWER = '"start": {"kind": "percentile", "percentile": 50}'
DIM = '"dim": 2, '


def results_of(problems: list[tuple[str, str]]) -> Results:
    """What a folder says of which problems were played."""
    rows = [
        (f"Ombo/{env}-v0", f"{{{kwargs}}}", policy, 1, "best", 4, 10)
        for (env, kwargs), policy in itertools.product(problems, ["random", "ucb"])
    ]
    columns = ["env", "env_kwargs", "policy", "horizon", "utility", "batch_size", "campaigns"]
    return Results({}, pd.DataFrame(rows, columns=columns), pd.DataFrame(), {})


@pytest.mark.parametrize(
    ("problems", "title", "asked"),
    [
        (
            [
                *[("GP", RANDOM), ("GP", LOWER), ("GP", DIM + RANDOM), ("GP", DIM + LOWER)],
                *[("PBO", RANDOM), ("PBO", LOWER)],
            ],
            "3 problems from 2 starts each",
            "of each of 3 problems from each of 2 starts for N in",
        ),
        (
            [("GP", RANDOM), ("GP", LOWER), ("PBO", RANDOM)],
            "2 problems, 3 pairs of problem and start",
            "of each of 3 pairs of problem (2 in all) and start for N in",
        ),
        (
            [("GP", RANDOM), ("GP", LOWER), ("GP", "")],
            "1 problem from 3 starts",
            "of each of 3 starts of 1 problem for N in",
        ),
        ([("GP", ""), ("PBO", ""), ("GP", '"dim": 2')], "3 problems", "of each of 3 problems for"),
        (
            [("GP", RANDOM), ("PBO", LOWER), ("GP", DIM + LOWER)],
            "3 problems",
            "of each of 3 problems for N in",
        ),
        ([("GP", '"dim": 2')], "Ombo/GP-v0 (dim=2)", "of <code>Ombo/GP-v0 (dim=2)</code> for N"),
    ],
)
def test_starts_are_not_counted_as_problems(
    problems: list[tuple[str, str]], title: str, asked: str
) -> None:
    results = results_of(problems)
    assert title_of(results) == title
    words = " ".join(question_section(results).split())
    assert asked in words
    for problem in results.problems():
        assert len(problems) == 1 or f"<code>{problem.name}</code>".replace('"', "&quot;") in words
