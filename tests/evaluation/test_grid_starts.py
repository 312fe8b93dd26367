"""Grids that play problems from several starts, policies on fewer campaigns, and hold some out."""

from __future__ import annotations

from pathlib import Path

import pytest

from ombo_gym.evaluation.grid import held_out_problems, read_grid

GRID = """
version: 3
campaigns: 30
policies: [random, greedy, ucb]
fewer: {ucb: 8, greedy: 8, rollout: 1}
horizons: [1, 2]
starts:
  - {kind: random, size: 6}
  - {kind: percentile, percentile: 50, size: 6}
problems:
  - env: Ombo/Reaction-v0
    test: true
  - env: Ombo/Reaction-v0
    env_kwargs: {dataset: denmark}
    starts: [{kind: random, size: 9}]
  - env: Ombo/TFBinding-v0
    env_kwargs: {split: test}
    test: true
    fewer: {}
"""


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    file = tmp_path / "grid.yaml"
    file.write_text(GRID)
    return file


def test_each_start_is_a_plan_and_each_number_of_campaigns(grid: Path) -> None:
    found = [
        (plan.env, dict(plan.env_kwargs or {}), list(plan.policies), plan.campaigns)
        for plan in read_grid(grid)
    ]
    random, lower = ({"kind": "random", "size": 6}, {"kind": "percentile"} | {"percentile": 50})
    lower |= {"size": 6}
    nine = {"dataset": "denmark", "start": {"kind": "random", "size": 9}}
    reaction, dna = "Ombo/Reaction-v0", "Ombo/TFBinding-v0"
    everybody = ["random", "greedy", "ucb"]
    assert found == [
        (reaction, {"start": random}, ["random"], 30),
        (reaction, {"start": random}, ["greedy", "ucb"], 8),
        (reaction, {"start": lower}, ["random"], 30),
        (reaction, {"start": lower}, ["greedy", "ucb"], 8),
        (reaction, nine, ["random"], 30),
        (reaction, nine, ["greedy", "ucb"], 8),
        (dna, {"split": "test", "start": random}, everybody, 30),
        (dna, {"split": "test", "start": lower}, everybody, 30),
    ]


def test_problems_that_are_held_out_are_listed(grid: Path) -> None:
    assert held_out_problems(grid) == [
        ("Ombo/Reaction-v0", {}),
        ("Ombo/TFBinding-v0", {"split": "test"}),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("starts: {kind: random}", "starts: expected a list of starts"),
        ("starts: []", "starts: expected a list of starts"),
        ("fewer: [ucb]", "fewer: expected policies with campaigns"),
        ("fewer: {ucb: 0}", "fewer: expected policies with campaigns"),
        ("fewer: {ucb: many}", "fewer: expected policies with campaigns"),
        ("test: perhaps", "test: expected true or false"),
        ("env_kwargs: {start: {kind: none}}", "starts: expected them alone"),
    ],
)
def test_what_is_none_of_these_is_refused(tmp_path: Path, line: str, words: str) -> None:
    file = tmp_path / "grid.yaml"
    file.write_text(
        "policies: [ucb]\nhorizons: [1]\nstarts: [{kind: random, size: 4}]\n"
        f"problems:\n  - env: Ombo/Reaction-v0\n    {line}\n"
    )
    with pytest.raises(ValueError, match=words):
        read_grid(file)
        held_out_problems(file)


def test_a_version_is_a_number_or_a_word(tmp_path: Path) -> None:
    file = tmp_path / "grid.yaml"
    file.write_text("version: [1]\npolicies: [ucb]\nproblems:\n  - env: Ombo/GP-v0\n")
    with pytest.raises(ValueError, match="version: expected a number or a word"):
        read_grid(file)


def test_the_suite_holds_out_measured_tables_and_test_splits() -> None:
    held_out = held_out_problems("grids/suite.yaml")
    assert len(held_out) == 20
    for env, arguments in held_out:
        assert env not in {"Ombo/GP-v0", "Ombo/BBOB-v0", "Ombo/PBO-v0", "Ombo/Ehrlich-v0"}
        if env in {"Ombo/TFBinding-v0", "Ombo/LCBench-v0", "Ombo/Coating-v0", "Ombo/RNAFold-v0"}:
            assert arguments["split"] == "test"
